"글이 용어집(nbs/data/glossary.csv)의 표기를 쓰는지 봅니다."

import csv
import re
from functools import cache

import nbformat
import pytest

from blog import notebooks

POSTS = [path for path in notebooks.all_notebooks() if re.match(r"(0[1-9]|1[0-6])_", path.name)]
with open(notebooks.NBS / "data" / "glossary.csv", encoding="utf-8") as file:
    GLOSSARY = list(csv.DictReader(file))
OTHER_NAMES = {name: row["한글"] for row in GLOSSARY for name in row["다른 이름"].split(" · ") if re.search("[가-힣]", name)}


@cache
def prose(path):
    "글의 줄글. 코드, 식, 링크 주소, 다른 이름을 일부러 늘어놓은 줄(가운뎃점이 둘 이상)은 뺍니다."
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    text = re.sub(r"```.*?```|\$\$.*?\$\$|`[^`\n]*`|\$[^$\n]*\$|\]\([^)]*\)", " ", text, flags=re.S)
    return "\n".join(line for line in text.splitlines() if line.count(" · ") < 2)


@pytest.mark.parametrize("path", POSTS, ids=lambda path: path.stem)
def test_one_spelling_for_each_term(path):
    text = prose(path)
    wrong = {name: term for name, term in OTHER_NAMES.items() if name in text}
    assert not wrong, f"{path.name}: 용어집의 표기로 바꿔 주세요 {wrong}"


@pytest.mark.parametrize("row", GLOSSARY, ids=lambda row: row["English"])
def test_first_post_explains_the_term(row):
    "‘첫 글’이 그 말을 한글(English)로 처음 쓴 글입니다. 한글 이름이 없는 말은 그냥 처음 쓴 글입니다."
    english = "" if row["한글"] == row["English"] else r"\**\(" + re.escape(row["English"])
    introduction = re.compile(re.escape(row["한글"]) + english, re.I)
    first = next((path.name[:2] for path in POSTS if introduction.search(prose(path))), None)
    assert first == row["첫 글"], f"{row['한글']}({row['English']})를 처음 쓴 글은 {first}입니다"
