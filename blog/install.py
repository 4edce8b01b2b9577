"""필요한 것을 .venv에 설치합니다. make가 부르고, make가 없는 곳에서는 직접 부릅니다.

    python -m blog.install site     # 블로그를 만들 것 (PyTorch는 쓰지 않습니다)
    python -m blog.install test     # 검사할 것까지
    python -m blog.install lab      # Jupyter로 열 것
"""

import os
import re
import subprocess
import sys
import urllib.request
import venv
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
EXTRAS = {"site": ["site"], "test": ["", "nb", "site", "test"], "lab": ["", "nb", "lab"]}  # ""는 라이브러리 자신
PINNED_UP_TO = (3, 14)  # constraints.txt의 버전이 모두 있는 마지막 파이썬
# 리눅스의 PyPI에는 CUDA까지 든 것만 있습니다. 다른 것을 쓰려면 환경 변수 TORCH_INDEX에 그 색인을, PyPI면 빈 글을 적습니다.
TORCH_INDEX = os.environ.get("TORCH_INDEX", "https://download.pytorch.org/whl/cpu" if sys.platform == "linux" else "")


def settings():
    config = ConfigParser(delimiters=["="])
    config.read(ROOT / "settings.ini", encoding="utf-8")
    return config["DEFAULT"]


def say(text):
    print(text, flush=True)


def pip(*arguments):
    "큰 파일을 받을 때마다 이름과 크기를 알리고, 실패하면 pip이 적은 까닭을 보이며 멈춥니다."
    # -I: 이 폴더의 crossent.egg-info를 설치된 것으로 보지 않게 합니다.
    command = [PYTHON, "-I", "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", *arguments]
    told = []
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace") as running:
        for line in running.stdout:
            told.append(line.rstrip())
            big = re.search(r"Downloading (?:\S*/)?([A-Za-z0-9_.]+)-\S+ \((\d+(?:\.\d+)? [MG]B)\)", line)
            if big:
                say(f"  받습니다: {big[1]} ({big[2]})")
            elif line.startswith("Installing collected packages"):
                say("  풉니다")
    if running.returncode:
        raise SystemExit("\n".join([*told[-15:], "설치하지 못했습니다. 위는 pip이 적은 까닭입니다."]))


def constraints():
    "못 박은 버전. 환경 변수 CROSSENT_UNPINNED를 켜거나 더 새 파이썬이면 새것을 받습니다."
    if os.environ.get("CROSSENT_UNPINNED"):
        return []
    if sys.version_info[:2] <= PINNED_UP_TO:
        return ["--constraint", str(ROOT / "constraints.txt")]
    say(f"Python {sys.version_info[0]}.{sys.version_info[1]}에서는 아직 돌려 보지 않아, 버전을 못 박지 않고 새것을 받습니다")
    return []


def torch_index():
    "PyTorch를 찾을 색인. 닿지 않으면 PyPI만 봅니다."
    if not TORCH_INDEX:
        return []
    try:
        urllib.request.urlopen(f"{TORCH_INDEX}/torch/", timeout=10).close()
    except OSError:
        say(f"  {TORCH_INDEX}에 닿지 않아 PyPI에서 받습니다. 리눅스에서는 CUDA까지 3 GB쯤일 수 있습니다")
        return []
    return ["--extra-index-url", TORCH_INDEX]


def install(kind):
    found = settings()
    least = tuple(map(int, found["min_python"].split(".")))
    if sys.version_info < least:
        raise SystemExit(f"Python {found['min_python']} 이상이 있어야 합니다. 지금은 {sys.version.split()[0]}입니다")
    # 만들다 그만둔 가상 환경에는 pip이 없습니다. 새로 만듭니다.
    if not PYTHON.exists() or subprocess.run([PYTHON, "-I", "-m", "pip", "--version"], capture_output=True).returncode:
        say("가상 환경 .venv를 만듭니다")
        try:
            venv.create(VENV, clear=True, with_pip=True)
        except subprocess.CalledProcessError:
            raise SystemExit("가상 환경을 만들지 못했습니다. 데비안과 우분투에서는 python3-venv를 먼저 설치합니다") from None
    pins, extras = constraints(), EXTRAS[kind]
    if "" in extras:
        say("PyTorch를 설치합니다")
        (torch,) = [need for need in found["requirements"].split() if need.startswith("torch")]
        pip(*pins, "--no-deps", *torch_index(), torch)
    say("나머지를 설치합니다. 처음이면 몇 분 걸립니다")
    names = ["requirements" if extra == "" else f"{extra}_requirements" for extra in extras]
    pip(*pins, *[need for name in names for need in found[name].split()])
    if "site" in extras:
        # Python 3.11부터라고 적혀 있지만 3.10에서도 그대로 돕니다.
        pip(*pins, "--no-deps", "--ignore-requires-python", "smalldocs")
        # 손글씨 숫자 파일 하나만 꺼내 씁니다.
        pip(*pins, "--no-deps", "scikit-learn")
    if "" in extras:
        pip(*pins, "--no-deps", "--editable", ".")
    for done, needs in EXTRAS.items():
        if set(needs) <= set(extras):
            (VENV / done).touch()


if __name__ == "__main__":
    try:
        install(sys.argv[1])
    except KeyboardInterrupt:
        raise SystemExit("\n그만두었습니다. 다시 하면 이어서 설치합니다") from None
