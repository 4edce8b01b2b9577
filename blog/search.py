"찾기에 쓸 색인을 만듭니다. 글의 절마다 한 줄입니다."

import json
import re
from pathlib import Path
from unicodedata import normalize

SYNONYMS = Path(__file__).with_name("synonyms.json")


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
        if node.find_parent(class_="listing"):
            continue
        if node.name in ("h2", "h3"):
            found.append([text_of(node), node.get("id", ""), ""])
        elif not node.find_parent(["li", "td", "th", "figcaption"]) and not node.find(["p", "li"]):
            found[-1][2] += text_of(node) + " "
        elif node.name == "p":
            found[-1][2] += text_of(node) + " "
    return found


def index(
    all_pages,  # 모든 쪽
):  # search.json에 담을 글
    "글은 NFC로 맞춥니다."
    entries = []
    for page in all_pages:
        label = f"글 {page.number:02} · {page.title}" if page.is_post else page.title
        for title, anchor, text in sections(page):
            entries.append([label, page.url + (f"#{anchor}" if anchor else ""), title, text.strip()])
    data = {"synonyms": json.loads(SYNONYMS.read_text(encoding="utf-8")), "entries": entries}
    return normalize("NFC", json.dumps(data, ensure_ascii=False, separators=(",", ":")))
