"여러 검사가 함께 쓰는 것."

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def site():
    "블로그를 한 번 만들고 그 폴더(_docs)를 돌려줍니다."
    done = subprocess.run([sys.executable, "-m", "blog.build"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "_docs"


@pytest.fixture(params=["블록의 길", "한 번에", "작은 길"])
def every_path(request, monkeypatch):
    "작은 입력을 블록의 길로, 한 번에, 하던 대로 PyTorch의 테이프로 보내 봅니다."
    from crossent import loss

    if request.param != "작은 길":
        monkeypatch.setattr(loss, "_SMALL", 0)
    monkeypatch.setattr(loss, "_WIDE", 0)
    if request.param == "블록의 길":
        monkeypatch.setattr(loss, "_AT_ONCE", 0)


@pytest.fixture(scope="module")
def browser():
    "Chromium 하나. 비동기로 노트북을 돌리는 다른 검사와 섞이지 않게 파일이 끝나면 닫습니다."
    from browsing import chromium

    with chromium() as browser:
        yield browser
