"찾기에 쓸 목록을 만듭니다. 글의 절, 오류 사전의 항목, 용어마다 하나입니다. 찾는 일은 assets/find.js가 합니다."

import csv
import json
import re
from pathlib import Path
from unicodedata import normalize

HERE = Path(__file__).resolve().parent
SYNONYMS = HERE / "synonyms.json"
ASKED = HERE / "asked.json"  # 항목의 주소 → 사람들이 묻는 말
GLOSSARY = HERE.parent / "nbs" / "data" / "glossary.csv"
ENGINE = HERE / "node_modules" / "minisearch" / "dist" / "es" / "index.js"
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


def rows_of_links(body):
    "줄이 같은 쪽의 절을 가리키는 표(오류 문장과 증상의 색인)의 줄. 그 말들은 가리키는 절의 것입니다."
    for row in body.select("table tr"):
        links = row.select('a[href^="#"]')
        if links and row.td:
            yield row, [link["href"][1:] for link in links]


def sections(page):
    "절마다 {제목, 주소, 다른 말(색인의 줄), 글}. 첫 절은 제목이 없습니다."
    found = [{"section": "", "anchor": "", "also": "", "text": page.description + " "}]
    indexes = {id(row.find_parent("table")) for row, _ in rows_of_links(page.body)}
    for node in page.body.find_all(["h2", "h3", "p", "li", "td", "th", "figcaption", "summary"]):
        if node.find_parent(id="posts") or id(node.find_parent("table")) in indexes or node.find_parent("tr", id=True):
            continue
        if node.name in ("h2", "h3") and node.get("id"):
            found.append({"section": text_of(node), "anchor": node["id"], "also": "", "text": ""})
        elif node.name == "p" or not node.find_parent(["li", "td", "th", "figcaption"]) and not node.find(["p", "li"]):
            found[-1]["text"] += text_of(node) + " "
    places = {part["anchor"]: part for part in found if part["anchor"]}
    for row, anchors in rows_of_links(page.body):
        for anchor in anchors:
            if anchor in places:
                places[anchor]["also"] += text_of(row) + " "
                places[anchor]["entry"] = True
    return found


def terms(page):
    "용어집의 줄마다 하나. 주소를 달아 둔 줄만 봅니다."
    for row in page.body.select("tr[id]"):
        name, meaning = row.find_all("td")[:2]
        yield {"section": text_of(name.strong), "anchor": row["id"], "also": text_of(name), "text": text_of(meaning)}


def name_terms(page):
    "용어집의 줄에 제 주소를 답니다. 뜻이 적힌 표만 봅니다."
    for name in page.body.select("td:first-child > strong:first-child"):
        if name.find_parent("table").th.get_text(strip=True) == "용어":
            name.find_parent("tr")["id"] = "용어-" + re.sub(r"\W+", "-", name.get_text(strip=True))


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
    entries, asked = [], json.loads(ASKED.read_text(encoding="utf-8"))
    for page in all_pages:
        label = f"글 {page.number:02} · {page.title}" if page.is_post else page.title
        kind = "api" if page.url.startswith("api/") or page.is_tool else "post"
        parts = sections(page)
        for part in parts + list(terms(page)):
            part_kind = "entry" if part.pop("entry", False) else "term" if part["anchor"].startswith("용어-") else kind
            url = page.url + (f"#{part['anchor']}" if part["anchor"] else "")
            entries.append({"kind": part_kind, "post": label, "url": url, "section": part["section"], "also": part["also"].strip(), "asked": asked.get(url, ""), "text": part["text"].strip()})
    data = {"synonyms": synonyms(), "entries": entries}
    return normalize("NFC", json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def engine():
    "찾는 데 쓰는 라이브러리(MiniSearch)에서 허락의 글만 남기고 주석을 뺀 것."
    script = ENGINE.read_text(encoding="utf-8")
    script = re.sub(r"^\s*(?:/\*.*?\*/|//[^\n]*)\n", "", script, flags=re.M | re.S)
    licence = (ENGINE.parents[2] / "LICENSE.txt").read_text(encoding="utf-8").strip()
    return f"/* MiniSearch\n{licence}\n*/\n{script}"
