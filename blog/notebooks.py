"""노트북을 새 커널에서 처음부터 다시 돌립니다. `make notebooks`와 테스트가 함께 씁니다.

    python -m blog.notebooks                 # nbs/의 모든 노트북을 돌리고 출력을 저장합니다
    python -m blog.notebooks nbs/02_softmax.ipynb
    python -m blog.notebooks --setup         # 설치하는 셀을 settings.ini의 주소로 다시 적습니다
"""

import sys
from base64 import b64decode, b64encode
from hashlib import sha1
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"


def all_notebooks():
    "nbs/의 노트북을 읽는 차례대로."
    return sorted(path for path in NBS.glob("*.ipynb") if not path.name.startswith((".", "_")))


def setup_source():
    "crossent가 없는 곳(Colab, 노트북 하나만 내려받은 폴더)에서 설치하는 셀."
    from nbdev.config import get_config

    settings = get_config(path=ROOT)
    return f"""#| hide
# settings.ini의 주소입니다: python -m blog.notebooks --setup
from importlib.util import find_spec

if not find_spec("crossent"):
    %pip install -q "crossent[nb] @ git+{settings.git_url}@{settings.branch}"
    assert find_spec("crossent"), "crossent를 설치하지 못했습니다. 까닭은 pip이 위에 적었습니다."
"""


def setup_cells(notebook):
    "설치하는 셀들."
    return [cell for cell in notebook.cells if cell.cell_type == "code" and "%pip install" in cell.source]


def write_setup(path):
    "단추(badges)가 있는 노트북의 설치하는 셀을 다시 적습니다. 없으면 첫 코드 셀 앞에 넣습니다."
    notebook = nbformat.read(path, as_version=4)
    source = setup_source().strip()
    if "- badges: true" not in notebook.cells[0].source or [cell.source for cell in setup_cells(notebook)] == [source]:
        return
    for cell in setup_cells(notebook):
        cell.source = source
    if not setup_cells(notebook):
        first = next(i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")
        new = nbformat.v4.new_code_cell(source, id=sha1(path.stem.encode()).hexdigest()[:8])
        notebook.cells.insert(first, new)
    nbformat.write(notebook, path)


def run(
    path,  # 돌릴 노트북
    on_cell=None,  # 셀을 하나 마칠 때마다 부를 함수
    folder=NBS,  # 커널이 도는 폴더
):  # 출력이 채워진 노트북. 파일은 바꾸지 않습니다
    "새 커널에서 노트북을 위에서 아래로 돌립니다."
    notebook = nbformat.read(path, as_version=4)
    quiet = ["--IPKernelApp.log_level=40"]  # 커널이 제 연결을 두고 하는 경고는 진행 막대만 흐트러뜨립니다
    place = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=900, kernel_name="python3", extra_arguments=quiet, resources=place)
    if on_cell:
        client.on_cell_executed = lambda **_: on_cell()
    try:
        client.execute()
    except CellExecutionError as error:
        number = sum(1 for cell in notebook.cells if cell.cell_type == "code" and cell.get("execution_count"))
        raise SystemExit(f"{Path(path).name}: 코드 셀 {number}번에서 멈췄습니다.\n{error}") from None
    # 그림을 그리다 난 예외(없는 글자 등)는 실행을 멈추지 않고 오류 출력으로만 남습니다.
    for number, cell in enumerate(notebook.cells, 1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise SystemExit(f"{Path(path).name}: 셀 {number}에서 {output.ename}: {output.evalue}")
    return notebook


def pictures(notebook):
    "저장된 그림을 차례대로 (셀, PNG 바이트)로 내놓습니다."
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield cell, b64decode(output["data"]["image/png"])


def preview(notebook):
    "글을 대표하는 그림: `preview-image`로 표시한 셀의 그림, 없으면 첫 그림."
    found = list(pictures(notebook))
    marked = [png for cell, png in found if "preview-image" in cell.source]
    return (marked or [png for _, png in found] or [None])[0]


def drop_noise(notebook):
    "진행 막대처럼 읽는 이에게 쓸모없는 출력을 지우고, 토막 난 글 출력을 잇습니다."
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    widget = "application/vnd.jupyter.widget-view+json"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr" and widget not in out.get("data", {})]
    CoalesceStreamsPreprocessor(enabled=True).preprocess(notebook, {})


def shrink_pictures(notebook):
    "그림을 256색으로 저장합니다. 두 배의 픽셀로 그려도 파일이 커지지 않고, 눈으로는 같습니다."
    from PIL import Image

    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                picture = Image.open(BytesIO(b64decode(output["data"]["image/png"])))
                few = picture.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                file = BytesIO()
                few.save(file, "PNG", optimize=True, dpi=picture.info.get("dpi"))
                output["data"]["image/png"] = b64encode(file.getvalue()).decode()


def store(
    path,  # 저장할 곳
    notebook,  # 돌린 노트북
):
    "출력을 노트북에, 대표 그림을 images/에 저장합니다. 돌릴 때마다 바뀌는 실행 번호와 시간은 `nbdev_clean`이 지웁니다."
    from nbdev.clean import nbdev_clean

    path = Path(path)
    drop_noise(notebook)
    shrink_pictures(notebook)
    notebook.metadata.pop("widgets", None)
    unfinished = path.with_name(f".{path.name}")
    nbformat.write(notebook, unfinished)
    nbdev_clean(str(unfinished))
    unfinished.replace(path)
    picture = preview(notebook)
    if picture and f"images/{path.stem}.png" in notebook.cells[0].source:
        (NBS / "images" / f"{path.stem}.png").write_bytes(picture)


def main():
    from tqdm import tqdm

    if "--setup" in sys.argv:
        for path in all_notebooks():
            write_setup(path)
        return
    paths = [Path(arg) for arg in sys.argv[1:]] or all_notebooks()
    for path in paths:
        cells = sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)
        with tqdm(total=cells, desc=path.name, unit="셀") as bar:
            store(path, run(path, bar.update))


if __name__ == "__main__":
    main()
