"여러 검사가 함께 쓰는 것."

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared(tmp_path_factory, worker_id):
    "나누어 도는 프로세스들이 함께 쓰는 폴더."
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def site(shared):
    "블로그를 한 번 만들고 그 폴더를 돌려줍니다. CROSSENT_SITE에 방금 만든 것이 있으면 그것을 봅니다."
    if os.environ.get("CROSSENT_SITE"):
        return Path(os.environ["CROSSENT_SITE"])
    docs = shared / "site"
    with FileLock(f"{docs}.ready"):
        if not docs.exists():
            done = subprocess.run([sys.executable, "-m", "blog.build", docs], cwd=ROOT, capture_output=True, encoding="utf-8")
            assert done.returncode == 0, done.stdout + done.stderr
    return docs


def pytest_terminal_summary(terminalreporter):
    "파일마다 걸린 시간."
    seconds = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                seconds[report.nodeid.split("::")[0]] += report.duration
    terminalreporter.section("파일마다 걸린 초")
    for name, spent in seconds.most_common():
        terminalreporter.write_line(f"{spent:7.1f}  {name}")


PATHS = {  # 작은 입력을 그 길로 보내려고 바꿀 수
    "작은 길": {},
    "블록": {"loss.SMALL": 0, "loss.FEW": 0},
}
PATHS["작은 블록"] = PATHS["블록"] | {"plumbing.blocks.BLOCK": 7}


@pytest.fixture
def take(monkeypatch):
    "작은 입력을 손실의 그 길(PATHS)로 보내는 함수."

    def take(path):
        for name, value in PATHS[path].items():
            monkeypatch.setattr(f"crossent.{name}", value)

    return take


@pytest.fixture(params=PATHS)
def every_path(request, take):
    take(request.param)


@pytest.fixture(scope="module")
def browser():
    "Chromium 하나. 비동기로 노트북을 돌리는 다른 검사와 섞이지 않게 파일이 끝나면 닫습니다."
    from browsing import chromium

    with chromium() as browser:
        yield browser
