"찾기에 쓸 색인을 만듭니다. 글의 절마다 한 줄입니다."

import csv
import json
import re
from pathlib import Path
from unicodedata import normalize

SYNONYMS = Path(__file__).with_name("synonyms.json")
GLOSSARY = SYNONYMS.parent.parent / "nbs" / "data" / "glossary.csv"


SKIPPED = {"katex-html", "equation", "code", "cell-output", "anchor", "explorable"}


def words(node):
    if isinstance(node, str):
        yield node
    elif not SKIPPED & set(node.get("class", [])):
        for child in node.children:
            yield from words(child)


def text_of(node):
    "글자만. 따로 놓인 식과 코드 블록은 뺍니다."
    return re.sub(r"\s+", " ", "".join(words(node))).replace("\u2060", "").strip()


def sections(page):
    "(절 제목, 이름표, 글)의 목록. 첫 절은 제목이 없습니다."
    found = [["", "", page.description + " "]]
    for node in page.body.find_all(["h2", "h3", "p", "li", "td", "th", "figcaption", "summary"]):
        if node.find_parent(id="posts"):
            continue
        if node.name in ("h2", "h3") and node.get("id"):
            found.append([text_of(node), node["id"], ""])
        elif not node.find_parent(["li", "td", "th", "figcaption"]) and not node.find(["p", "li"]):
            found[-1][2] += text_of(node) + " "
        elif node.name == "p":
            found[-1][2] += text_of(node) + " "
    return found


def synonyms():
    "뜻이 같은 이름의 묶음: 용어집에, 찾을 때만 쓰는 이름(synonyms.json)을 보탭니다."
    with open(GLOSSARY, encoding="utf-8") as file:
        groups = {row["한글"]: [row["한글"], row["English"], *row["다른 이름"].split(" · ")] for row in csv.DictReader(file)}
    for first, *others in json.loads(SYNONYMS.read_text(encoding="utf-8")):
        groups.setdefault(first, [first]).extend(others)
    groups = [list(dict.fromkeys(filter(None, group))) for group in groups.values()]
    return [group for group in groups if len(group) > 1]


def index(
    all_pages,  # 모든 쪽
):  # search.json에 담을 글
    "글은 NFC로 맞춥니다."
    entries = []
    for page in all_pages:
        label = f"글 {page.number:02} · {page.title}" if page.is_post else page.title
        for title, anchor, text in sections(page):
            entries.append([label, page.url + (f"#{anchor}" if anchor else ""), title, text.strip()])
    data = {"synonyms": synonyms(), "entries": entries}
    return normalize("NFC", json.dumps(data, ensure_ascii=False, separators=(",", ":")))
