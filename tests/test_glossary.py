"글이 용어집(nbs/data/glossary.csv)의 표기와 글 17의 기호를 쓰는지 봅니다."

import csv
import re
from functools import cache

import nbformat
import pytest

from blog import notebooks

POSTS = [path for path in notebooks.all_notebooks() if re.match(r"(0[1-9]|1[0-68])_", path.name)]
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


# 글자이지만 명령으로 적는 것. 나머지 명령(\\log, \\sum, …)은 글자가 아닙니다.
GREEK = set("alpha beta gamma delta epsilon varepsilon eta theta kappa lambda mu nu xi pi rho sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell".split())
WORDS = re.compile(r"\\(?:text|texttt|operatorname|mathrm|tag|begin|end|mathbf|textstyle)\*?\{[^{}]*\}")


def letters(math):
    r"식에 쓴 글자. 이름인 것(\text, \texttt, …)은 빼고, 머리에 단 것(\hat p)은 따로 셉니다."
    math = WORDS.sub(" ", math)
    dressed = re.findall(r"\\(hat|tilde|bar)\s*\{?([A-Za-z])\}?", math)
    math = re.sub(r"\\(hat|tilde|bar)\s*\{?[A-Za-z]\}?", " ", math)
    commands = [name for name in re.findall(r"\\([A-Za-z]+)", math) if name in GREEK]
    plain = re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", math))
    return {f"\\{hat} {letter}" for hat, letter in dressed} | {f"\\{name}" for name in commands} | set(plain)


@cache
def notation():
    "글 17의 ‘기호’ 절에 있는 표들의 첫 칸."
    notebook = nbformat.read(notebooks.NBS / "17_glossary.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = text.split("## 기호")[1].split("\n## ")[0]
    return [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| $")]


def test_letters_of_an_equation():
    math = r"\frac{\partial \ell_n}{\partial z_{nc}} = \texttt{dlosses}_n\,(\tilde Y_{nc} - e^{x}) \quad (c \ne y) \tag{3}"
    assert letters(math) == {r"\ell", "n", "z", "c", r"\tilde Y", "e", "x", "y"}


def test_each_symbol_is_listed_once():
    symbols = [symbol.strip() for row in notation() for symbol in re.findall(r"\$([^$]+)\$", row)]
    assert len(symbols) > 60 and len(set(symbols)) == len(symbols)


@pytest.mark.parametrize("path", [*POSTS[:13], *POSTS[16:]], ids=lambda path: path.stem)
def test_every_letter_of_an_equation_is_in_the_table(path):
    known = set().union(*map(letters, notation()))
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    unknown = {" ".join(sorted(new)): " ".join(math.split())[:90] for math in re.findall(r"\$\$(.*?)\$\$", text, re.S) if (new := letters(math) - known)}
    assert not unknown, f"{path.name}: 글 17의 기호 표에 없는 글자 {unknown}"
