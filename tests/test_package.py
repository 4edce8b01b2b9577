"휠을 만들어 새 환경에 설치해 봅니다."

import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", target, ROOT], check=True, capture_output=True)
    (path,) = target.glob("crossent-*.whl")
    return path


def python_with(tmp_path, *packages):
    "새 가상 환경을 만들어 설치하고, 그 안의 python을 돌려줍니다."
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt", *packages], check=True, capture_output=True)
    return python


def run(python, code, folder):
    return subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True)


def test_floors_without_torch(wheel, tmp_path):
    "torch가 없어도 `import crossent`와 0층부터 4층까지는 됩니다."
    python = python_with(tmp_path, "numpy", "--no-deps", wheel)
    code = """
import crossent
from crossent import testing, plot, information, softmax, nll, reference
print(round(float(crossent.NumpyCrossEntropy().cross_entropy([[1., 2., 3.], [2., 0., 0.]], [2, 1])), 4))
try:
    crossent.cross_entropy
except ModuleNotFoundError as error:
    print(error.name)
"""
    done = run(python, code, tmp_path)
    assert done.returncode == 0, done.stderr
    loss, missing = done.stdout.split()
    assert loss == "1.3236" and missing == "torch"


def test_full_install(wheel, tmp_path):
    "필요한 것까지 모두 설치하면 PyTorch의 손실과 같은 수가 나옵니다."
    python = python_with(tmp_path, wheel)
    code = """
import torch, crossent
z, y = torch.tensor([[1., 2., 3.], [2., 0., 0.]], requires_grad=True), torch.tensor([2, 1])
loss = crossent.cross_entropy(z, y)
loss.backward()
print(crossent.__version__, torch.allclose(loss, torch.nn.functional.cross_entropy(z, y)), round(z.grad.sum().abs().item(), 6))
"""
    done = run(python, code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[1:] == ["True", "0.0"]


def test_metadata_is_only_in_settings():
    "이름과 버전, 공개 주소는 settings.ini에만 있습니다."
    settings = (ROOT / "settings.ini").read_text(encoding="utf-8")
    version = next(line.split("=")[1].strip() for line in settings.splitlines() if line.startswith("version"))
    assert f'__version__ = "{version}"' in (ROOT / "crossent" / "__init__.py").read_text(encoding="utf-8")
    for path in [ROOT / "setup.py", ROOT / "_quarto.yml", *(ROOT / "blog").glob("*.py")]:
        assert "github.com/crossent" not in path.read_text(encoding="utf-8"), f"{path.name}에 공개 주소가 있습니다"
