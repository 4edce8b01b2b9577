"nbs/practice의 스크립트: 예순 줄 안쪽이고, 저마다 제 assert까지 돕니다."

import os
import subprocess
import sys

import pytest

from blog.notebooks import NBS, ROOT

SCRIPTS = sorted((NBS / "practice").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 60
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, path], env=environment, capture_output=True, encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_post_lists_every_script():
    post = (NBS / "18_triton.ipynb").read_text(encoding="utf-8")
    assert SCRIPTS and all(f"`{path.name}`" in post for path in SCRIPTS)
