"꾸러미(sdist와 wheel)를 만들어 새 환경에 설치해 봅니다."

import ast
import os
import re
import subprocess
import sys
import tarfile
import venv
from email import message_from_string
from pathlib import Path
from zipfile import ZipFile

import pytest
from filelock import FileLock

from blog import install, notebooks
from blog.install import ROOT, constraints, settings, torch_index

SETTINGS = settings()
EVERY = notebooks.all_notebooks()


@pytest.fixture(scope="session")
def dist(shared):
    "저장소에서 한 번 만든 (sdist, wheel). wheel은 sdist에서 만들어집니다."
    target = shared / "dist"
    with FileLock(f"{target}.ready"):
        if not target.exists():
            command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", target, ROOT]
            done = subprocess.run(command, capture_output=True, encoding="utf-8")
            assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = target.glob("crossent-*.tar.gz"), target.glob("crossent-*.whl")
    return sdist, wheel


def python_with(folder, *packages):
    "새 가상 환경을 만들어 설치하고, 그 안의 python을 돌려줍니다."
    venv.create(folder / "env")
    python = folder / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # pip은 밖의 것을 쓰고, 부르지 않을 파일까지 미리 번역하지는 않습니다.
    command = [sys.executable, "-I", "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", *constraints(), *packages]
    done = subprocess.run(command, cwd=folder, env=clean(), capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return python


def clean():
    "저장소의 crossent가 보이지 않는 환경 변수."
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONUTF8": "1"}


def run(python, code, folder, *arguments):
    done = subprocess.run([python, "-c", code, *arguments], cwd=folder, env=clean(), capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def alone(folder):
    """새 환경에서 돌릴 노트북. CROSSENT_EVERY_NOTEBOOK을 켜면(매주 도는 검사) 모두입니다.

    평소에는 자료를 읽는 노트북을 읽는 셀까지만 돌립니다. 그 뒤는 test_notebooks가 빈 폴더에서 돌립니다.
    """
    for path in EVERY:
        notebook = notebooks.nbformat.read(path, as_version=4)
        reading = [k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code" and "data_path(" in cell.source]
        if os.environ.get("CROSSENT_EVERY_NOTEBOOK"):
            yield path
        elif reading and not any("import triton" in cell.source for cell in notebook.cells):  # Triton은 gpu 꾸러미에만 있습니다
            notebook.cells = notebook.cells[: reading[-1] + 1]
            notebooks.nbformat.write(notebook, folder / path.name)
            yield folder / path.name


def test_half_made_environment_is_made_anew(tmp_path, monkeypatch):
    "만들다 그만둔 가상 환경에는 pip이 없어, 그대로 두면 다시 해도 설치되지 않습니다."
    home = tmp_path / ".venv"
    python = home / install.PYTHON.relative_to(install.VENV)
    for name, value in {"VENV": home, "PYTHON": python, "pip": lambda *packages: None}.items():
        monkeypatch.setattr(install, name, value)
    venv.create(home)
    install.install("site")
    subprocess.run([python, "-I", "-m", "pip", "--version"], check=True, capture_output=True)
    assert (home / "site").exists()


def test_floors_without_torch_from_the_sdist(dist, tmp_path):
    "sdist를 설치합니다. torch가 없어도 `import crossent`와 0층부터 4층까지는 됩니다."
    python = python_with(tmp_path, "numpy", "--no-deps", dist[0])
    code = """
import crossent
from crossent import testing, plot, information, softmax, nll, reference
print(round(float(crossent.NumpyCrossEntropy().cross_entropy([[1., 2., 3.], [2., 0., 0.]], [2, 1])), 4))
try:
    crossent.cross_entropy
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run(python, code, tmp_path) == ["1.3236", "torch"]


def test_full_install(dist, tmp_path):
    "wheel을 필요한 것까지 설치하면 PyTorch의 손실과 같은 수가 나오고, 노트북이 저 혼자 빈 폴더에서 돕니다."
    extras = "nb,gpu" if os.environ.get("CROSSENT_EVERY_NOTEBOOK") else "nb"
    python = python_with(tmp_path, f"{dist[1]}[{extras}]", "nbclient", "ipykernel", *torch_index())
    code = """
import torch, crossent
z, y = torch.tensor([[1., 2., 3.], [2., 0., 0.]], requires_grad=True), torch.tensor([2, 1])
loss = crossent.cross_entropy(z, y)
loss.backward()
print(crossent.__version__, torch.allclose(loss, torch.nn.functional.cross_entropy(z, y)), round(z.grad.sum().abs().item(), 6))
"""
    assert run(python, code, tmp_path) == [SETTINGS["version"], "True", "0.0"]
    every = """
import sys
sys.path.append(sys.argv[1])
import notebooks
for path in sys.argv[3:]:
    notebooks.run(path, folder=sys.argv[2])
"""
    empty, copies = tmp_path / "빈 폴더", tmp_path / "노트북"
    empty.mkdir()
    copies.mkdir()
    run(python, every, empty, ROOT / "blog", empty, *alone(copies))


def test_sdist_has_what_its_own_tests_need(dist, tmp_path):
    with tarfile.open(dist[0]) as archive:
        archive.extractall(tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (root,) = tmp_path.iterdir()
    tracked = [path for folder in ("blog", "tests", "nbs", "benchmarks", "crossent", ".ci", ".github") for path in (ROOT / folder).rglob("*") if path.is_file()]
    generated = ("__pycache__", ".runtime", "node_modules", ".ipynb_checkpoints")
    missing = [path for path in tracked if not set(generated) & set(path.parts) and not (root / path.relative_to(ROOT)).exists()]
    assert not missing and not any((root / "blog" / name).exists() for name in generated)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_rooms.py", "tests/test_readme.py", "tests/test_numpy_floors.py", "tests/test_posts.py"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")} | {"PYTHONPATH": str(root)}
    done = subprocess.run(command, cwd=root, env=clean, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout


def test_wheel_says_what_an_index_shows(dist):
    with ZipFile(dist[1]) as wheel:
        names = set(wheel.namelist())
        said = message_from_string(wheel.read(next(name for name in names if name.endswith("METADATA"))).decode())
    assert {"crossent/py.typed", "crossent/core/kernel.py"} <= names
    assert {f"crossent/data/{path.name}" for path in (ROOT / "nbs" / "data").iterdir()} <= names
    assert said["License-Expression"] == "Apache-2.0" and said["Requires-Python"] == f">={SETTINGS['min_python']}"
    classifiers = said.get_all("Classifier")
    assert "Operating System :: OS Independent" in classifiers
    assert {f"Programming Language :: Python :: {version}" for version in SETTINGS["python_versions"].split()} <= set(classifiers)
    assert {line.split(",")[0] for line in said.get_all("Project-URL")} >= {"Documentation", "Source", "Issues", "Changelog"}
    # 색인에서는 상대 주소가 죽습니다.
    links = re.findall(r"\]\(([^)]+)\)", said.get_payload())
    assert len(links) > 10 and all(re.match(r"https:|#", link) for link in links)
    assert any(re.search(r"/raw/.+\.png$", link) for link in links)


def test_one_version():
    "이름과 버전, 공개 주소는 settings.ini에만 있고, 바뀐 것(CHANGELOG.md)은 그 버전까지 적혀 있습니다."
    assert f'__version__ = "{SETTINGS["version"]}"' in (ROOT / "crossent" / "__init__.py").read_text(encoding="utf-8")
    assert re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)[1] == SETTINGS["version"]
    for path in [ROOT / "setup.py", ROOT / "_quarto.yml", ROOT / "CHANGELOG.md", *(ROOT / "blog").glob("*.py")]:
        assert SETTINGS["git_url"].removeprefix("https://") not in path.read_text(encoding="utf-8"), f"{path.name}에 공개 주소가 있습니다"


@pytest.mark.parametrize("path", [path for path in EVERY if "- badges: true" in path.read_text(encoding="utf-8")], ids=lambda path: path.stem)
def test_setup_cell_installs_from_the_address_in_settings(path):
    "어긋나면 `python -m blog.notebooks --setup`이 다시 적습니다."
    notebook = notebooks.nbformat.read(path, as_version=4)
    (cell,) = notebooks.setup_cells(notebook)
    assert cell.source == notebooks.setup_source().strip()
    assert f"git+{SETTINGS['git_url']}@{SETTINGS['branch']}" in cell.source


def test_every_text_names_its_encoding():
    "윈도우에서도 UTF-8로 읽고 쓰는지, 이 컴퓨터의 기본값에 기대지 않고 봅니다."
    for path in [path for folder in ("crossent", "blog", "tests", "benchmarks", "nbs/practice") for path in (ROOT / folder).glob("**/*.py") if "node_modules" not in path.parts]:
        for call in [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]:
            given = {keyword.arg: getattr(keyword.value, "value", None) for keyword in call.keywords}
            reads = getattr(call.func, "attr", "") in ("read_text", "write_text") or getattr(call.func, "id", "") == "open"
            assert given.get("text") is not True and (not reads or "encoding" in given), f"{path.name} {call.lineno}번째 줄에 encoding이 없습니다"
    for path in EVERY:
        assert "text=True" not in path.read_text(encoding="utf-8"), path.name
