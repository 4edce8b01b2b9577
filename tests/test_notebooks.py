"노트북이 곧 라이브러리이고 글입니다: 내보낸 코드와 맞는지, 깨끗한지, 다시 돌려도 저장된 출력이 나오는지 봅니다."

import math
import re
import shutil
import subprocess
import sys

import nbformat
import pytest

from blog import notebooks

BIN = notebooks.Path(sys.executable).parent
NUMBER = re.compile(r"[-+]?(?:\d+\.\d+|\d+)(?:[eE][-+]?\d+)?|\bnan\b|[-+]?\binf\b")
CLOSE = {"rel_tol": 2e-3, "abs_tol": 2e-4}  # 네 자리로 반올림해 찍은 수가 기계마다 달라질 수 있는 폭


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    "저장소의 사본. 이 테스트들은 작업 중인 파일을 건드리지 않습니다."
    target = tmp_path_factory.mktemp("copy") / "crossent"
    skip = shutil.ignore_patterns(".venv", ".git", "_docs*", "_proc", "node_modules", "__pycache__", "*.egg-info", "screenshots", "build", "dist")
    shutil.copytree(notebooks.ROOT, target, symlinks=True, ignore=skip)
    return target


def contents(folder, pattern):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.glob(pattern)}


def test_export_changes_nothing(copy):
    "`nbdev_export`를 다시 해도 crossent/는 그대로입니다."
    before = contents(copy / "crossent", "*.py")
    subprocess.run([BIN / "nbdev_export"], cwd=copy, check=True, capture_output=True)
    assert contents(copy / "crossent", "*.py") == before


def test_clean_changes_nothing(copy):
    "`nbdev_clean`을 다시 해도 노트북은 그대로입니다."
    before = contents(copy / "nbs", "*.ipynb")
    subprocess.run([BIN / "nbdev_clean"], cwd=copy, check=True, capture_output=True)
    assert contents(copy / "nbs", "*.ipynb") == before


def texts(cell):
    "셀의 출력 가운데 글자인 것: 찍은 줄, 값, 표. 그림은 있다는 것만 셉니다."
    found = ""
    for output in cell.get("outputs", []):
        assert output.output_type != "error", f"저장된 오류 출력: {output.get('ename')}"
        data = output.get("data", {})
        if "image/png" in data:
            found += "[그림]"
        else:
            found += output.get("text", "") or data.get("text/html") or data.get("text/markdown") or data.get("text/plain", "")
    return found


def assert_same_text(fresh, stored, where):
    "숫자는 허용 오차 안에서, 나머지 글자는 똑같아야 합니다."
    skeleton = [" ".join(NUMBER.sub("#", text).split()) for text in (fresh, stored)]
    assert skeleton[0] == skeleton[1], f"{where}: 저장된 출력이 낡았습니다"
    for a, b in zip(NUMBER.findall(fresh), NUMBER.findall(stored)):
        a, b = float(a), float(b)
        assert math.isclose(a, b, **CLOSE) or (math.isnan(a) and math.isnan(b)), f"{where}: {a} ≠ 저장된 {b}"


def test_stale_output_is_caught():
    "낡은 출력을 정말로 잡아내는지 먼저 봅니다."
    assert_same_text("loss 0.40761", "loss 0.4076", "셀")
    for stale in ("loss 0.4176", "los 0.4076", "loss nan", "loss 0.4076 0.1"):
        with pytest.raises(AssertionError):
            assert_same_text("loss 0.4076", stale, "셀")


@pytest.mark.parametrize("path", notebooks.all_notebooks(), ids=lambda path: path.stem)
def test_notebook_runs_and_prints_what_is_stored(path, tmp_path):
    "빈 폴더에서 돌려, 옆에 무엇이 있든 같은 것을 찍는지 봅니다. 글 17만 옆의 노트북에서 글의 이름을 찾습니다."
    stored = nbformat.read(path, as_version=4)
    fresh = notebooks.run(path, folder=notebooks.NBS if path.stem == "17_glossary" else tmp_path)
    notebooks.drop_noise(fresh)
    for number, (new, old) in enumerate(zip(fresh.cells, stored.cells), 1):
        if new.cell_type == "code":
            assert_same_text(texts(new), texts(old), f"{path.name} 셀 {number}")
