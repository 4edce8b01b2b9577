"README의 예제, 명령, 링크가 정말인지 봅니다. 첫 화면의 예제는 홈 화면의 예제와 같아야 합니다."

import re
import subprocess
import sys

import nbformat
import pytest
from nbdev.config import get_config

from blog.notebooks import NBS, ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def example(text):
    "파이썬 예제와, 그 안에 주석으로 적힌 결과."
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    (shown,) = re.findall(r"^print\(.*\)  # (.+)$", code, re.M)
    return code, shown


def printed(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True).stdout.strip()


def test_example_prints_what_is_shown():
    code, shown = example(README)
    assert len(code.strip().splitlines()) == 3, "예제는 세 줄입니다"
    assert re.search(r"\d\.\d{4}", shown), "결과에 숫자가 있어야 합니다"
    assert printed(code) == shown


def test_a_wrong_number_is_caught():
    code, shown = example(README.replace("1.3236", "1.3237"))
    assert printed(code) != shown


def test_home_page_has_the_same_example():
    code, shown = example(README)
    without_result = "\n".join(line.split("  # ")[0] for line in code.strip().splitlines())
    cells = [cell for cell in nbformat.read(NBS / "index.ipynb", as_version=4).cells if cell.cell_type == "code"]
    (cell,) = [cell for cell in cells if cell.source.strip() == without_result]
    assert "".join(output.get("text", "") for output in cell.outputs).strip() == shown


def test_commands_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert {"site", "test", "lab", "notebooks", "bench"} <= named
    assert named <= targets, f"Makefile에 없는 명령: {named - targets}"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)]+)\)", README))))
def test_links_resolve(link):
    if not link.startswith("https://"):
        assert (ROOT / link).is_file(), f"README의 링크 {link}가 가리키는 파일이 없습니다"


def test_addresses_are_those_of_settings():
    "저장소와 사이트의 주소는 settings.ini에 있는 것입니다. 이름을 바꾸면 README도 바꿔야 합니다."
    settings = get_config()
    site = settings.doc_host + settings.doc_baseurl
    found = re.findall(r"https://(?:github\.com|\w+\.github\.io)[^\s)]*", README)
    assert f"{site}/" in found and f"git clone {settings.git_url} " in README
    assert all(address.startswith((site, settings.git_url)) for address in found)


def test_one_screen_and_two_lines_of_english():
    assert len(README.splitlines()) <= 60
    english = [line for line in README.splitlines() if re.search(r"[a-z]{4}", line) and not re.search(r"[가-힣]", line) and line.startswith("*")]
    assert len(english) == 2
