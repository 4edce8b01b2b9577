"글의 꼴: 머리말, 셀의 길이, 그림의 설명, 연습문제, 유니코드."

import re
import statistics
import unicodedata

import nbformat
import pytest

from blog import notebooks

ALL = notebooks.all_notebooks()
POSTS = [path for path in ALL if re.match(r"(0[1-9]|1[0-8])_", path.name)]
WITH_EXERCISES = [path for path in POSTS if int(path.name[:2]) not in (15, 16, 17)]


def cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def code_lines(cell):
    "빈 줄과 `#|` 지시를 뺀 줄."
    return [line for line in cell.source.splitlines() if line.strip() and not line.startswith("#|")]


def named(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


@named(POSTS)
def test_header(path):
    head = cells(path, "markdown")[0].source
    for need in (r"^# .+", r"^> .+", r"^- toc: true", r"^- badges: true", r"^- comments: true", r"^- categories: \[.+\]", r"^- date: 20\d\d-\d\d-\d\d"):
        assert re.search(need, head, re.M), f"{path.name}: 머리말에 {need}이 없습니다"
    assert f"- image: images/{path.stem}.png" in head
    assert (notebooks.NBS / "images" / f"{path.stem}.png").read_bytes() == notebooks.preview(nbformat.read(path, as_version=4))


@named(ALL)
def test_cells_are_short(path):
    "셀은 25줄까지. 한 줄에 하나씩 설명을 단 인자는 세지 않습니다. 가운데 값은 내보내지 않는 셀로만 잽니다. 내보내는 셀에는 함수 하나가 통째로 들어가기 때문입니다."
    code = [(code_lines(cell), "#| export" in cell.source) for cell in cells(path, "code") if code_lines(cell)]
    sizes = [(len([line for line in lines if not re.match(r" +\w+(: .+)?( = .+)?,  # ", line)]), exported) for lines, exported in code]
    assert max([lines for lines, _ in sizes], default=0) <= 25
    assert statistics.median([lines for lines, exported in sizes if not exported] or [0]) <= 5


@named(ALL)
def test_pictures_have_caption_and_alt(path):
    for cell, _ in notebooks.pictures(nbformat.read(path, as_version=4)):
        for need in ("#| fig-cap:", "#| fig-alt:"):
            assert need in cell.source, f"{path.name}: 그림 셀에 {need}가 없습니다\n{cell.source[:200]}"


@named(ALL)
def test_text_is_nfc_and_has_no_machine_path(path):
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    shown = [output.get("text", "") + str(output.get("data", {}).get("text/plain", "")) for output in outputs]
    text = "\n".join([cell.source for cell in notebook.cells] + shown)
    assert unicodedata.is_normalized("NFC", text)
    assert not re.search(r"/(work|root|tmp|home)/\w", text), f"{path.name}: 기계의 경로가 들어 있습니다"


@named(WITH_EXERCISES)
def test_ends_with_summary_and_exercises(path):
    notebook = nbformat.read(path, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for section in ("## 요약", "## 연습문제", "## 다음 글", "## 참고한 것"):
        assert section in text, f"{path.name}: {section}이 없습니다"
    problems = re.findall(r"\*\*문제 \d+ \((쉬움|보통|어려움)\)", text)
    answers = [cell for cell in notebook.cells if cell.cell_type == "code" and "답 보기" in cell.source]
    assert 3 <= len(problems) <= 6 and set(problems) == {"쉬움", "보통", "어려움"}
    assert len(answers) >= len(problems), "답이 없는 문제가 있습니다"


def test_next_links_follow_the_reading_order():
    for here, after in zip(POSTS, POSTS[1:]):
        text = "\n".join(cell.source for cell in cells(here, "markdown"))
        assert after.name in text, f"{here.name}: 다음 글 {after.name}로 가는 링크가 없습니다"
