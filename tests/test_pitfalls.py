"오류 사전(글 15)의 꼴: 붙여 넣은 문장이 있고, 틀린 줄과 맞는 줄이 휴대전화에 들어가고, 항목마다 제 주소와 색인으로 돌아가는 길이 있습니다."

import functools
import re

import nbformat
import pytest

from blog import notebooks

CELLS = nbformat.read(notebooks.NBS / "15_pitfalls.ipynb", as_version=4).cells
MARK = re.compile(r'<a id="([^"]+)"></a>')
NOT_HERE = {"device", "cuda-assert"}  # GPU가 있어야 나는 문장: 셀은 meta 장치와 CPU의 것을 찍습니다


def split():
    "항목마다 (주소, 셀들). 주소를 단 셀에서 다음 제목까지."
    found = []
    for cell in CELLS:
        if cell.cell_type == "markdown" and (MARK.search(cell.source) or cell.source.startswith("## ")):
            found.append((MARK.findall(cell.source), []))
        if found:
            found[-1][1].append(cell)
    return [(names, cells) for names, cells in found if names and "### " in cells[0].source]


def cell(start):
    "주석이나 정의로 알아보는 준비 셀."
    return next(cell.source for cell in CELLS if cell.cell_type == "code" and start in cell.source)


class Shell:
    "노트북의 셸 대신: 줄을 고치는 함수만 받아 둡니다."

    input_transformers_post = []


@functools.cache
def prepared():
    names = {"get_ipython": lambda: Shell}
    for start in ("from sklearn", "def catch", "def fit", "target = torch.tensor([2, 1])"):
        exec(cell(start), names)
    return names


ENTRIES = split()
named = pytest.mark.parametrize("names, cells", ENTRIES, ids=lambda part: part[0] if isinstance(part[0], str) else "")


def shown(cell):
    "쪽에 펼쳐져 있는 코드."
    return cell.cell_type == "code" and not re.search(r"#\| (hide|code-fold: true)", cell.source)


def printed(cells):
    "✗가 붙은 출력: 접은 줄을 다시 이은 오류 문장."
    text = "\n".join(output.get("text", "") for cell in cells if cell.cell_type == "code" for output in cell.outputs)
    return [" ".join(part.split()) for part in text.split("✗ ")[1:]]


def test_every_entry_is_in_an_index():
    text = "\n".join(cell.source for cell in CELLS if cell.cell_type == "markdown")
    places = MARK.findall(text)
    links = re.findall(r"\]\(#([^)]+)\)", text)
    assert len(set(places)) == len(places) and set(links) <= set(places)
    rows = re.findall(r"\]\(#([^)]+)\)", "\n".join(line for line in text.splitlines() if line.startswith("|")))
    alone = {names[0] for names, _ in ENTRIES} - set(rows)
    assert not alone, f"색인에 없는 항목: {alone}"


@named
def test_way_back(names, cells):
    assert re.search(r"\[↑ 색인\]\(#(errors|symptoms)\)", "\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))


@named
def test_lines_fit_a_phone(names, cells):
    "한글 한 자는 두 칸입니다."
    for line in "\n".join(cell.source for cell in cells if shown(cell)).splitlines():
        assert line.startswith("#|") or sum(2 if "가" <= letter <= "힣" else 1 for letter in line) <= 44, line


@named
def test_sentence_is_what_pytorch_prints(names, cells):
    "제목 아래의 문장이 셀이 찍은 문장과 같습니다."
    said = re.findall(r"^`(\w+Error: [^`]+)`", cells[0].source, re.M)
    if said and names[0] not in NOT_HERE:
        assert all(any(line.startswith(sentence) for line in printed(cells)) for sentence in said), (said, printed(cells))


@named
def test_wrong_line_comes_before_the_right_one(names, cells):
    code = next(cell.source for cell in cells if shown(cell))
    if "# ✗" in code and names[0] != "cuda-assert":
        assert code.rindex("# ✗") < code.index("# ✓")


@named
def test_entry_runs_alone(names, cells):
    "앞의 항목을 돌리지 않아도, 두 텐서와 학습 코드만 있으면 돌아갑니다."
    found = prepared() | {}
    (rewrite,) = Shell.input_transformers_post
    for one in cells:
        if shown(one):
            exec("".join(rewrite(one.source.splitlines(keepends=True))), found)
