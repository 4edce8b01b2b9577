"깨진 노트북을 찾아 노트북 이름과 셀 번호로 알려 줍니다."

import ast
import datetime
import json
import re

import yaml
from IPython.core.inputtransformer2 import TransformerManager

KEYS = {
    "toc": bool,
    "badges": bool,
    "comments": bool,
    "categories": list,
    "image": str,
    "date": datetime.date,
    "listing": dict,
}
REQUIRED = {"toc", "badges", "comments", "categories", "date"}


def source(cell):
    "노트북은 셀의 글을 줄의 목록으로도, 글 하나로도 적습니다."
    return "".join(cell["source"])


def header(text):
    "첫 셀에 적힌 `- 이름: 값`."
    return yaml.safe_load("\n".join(re.findall(r"^- (\S+:.*\S)\s*$", text, re.M))) or {}


def header_problems(
    text,  # 첫 셀의 글
    path,  # 노트북 파일
):
    "머리말이 `# 제목`, `> 설명`, `- 이름: 값`의 꼴이고 값이 쓸 수 있는 것인지 봅니다."
    if not re.search(r"^# \S", text, re.M):
        yield "첫 셀에 '# 제목' 줄이 없습니다"
    if not re.search(r"^> \S", text, re.M):
        yield "첫 셀에 '> 한 줄 설명'이 없습니다"
    try:
        meta = header(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: 2026-99-99
        yield f"머리말을 읽을 수 없습니다: {error}"
        return
    for key in sorted((REQUIRED if path.stem != "index" else set()) - set(meta)):
        yield f"머리말에 '{key}'가 없습니다"
    for key, value in meta.items():
        if key not in KEYS:
            yield f"머리말의 '{key}'는 모르는 이름입니다. 쓸 수 있는 이름: {', '.join(KEYS)}"
        elif not isinstance(value, KEYS[key]):
            yield f"머리말의 '{key}: {value}'는 쓸 수 없는 값입니다"
    image = meta.get("image")
    if isinstance(image, str) and not (path.parent / image).exists():
        yield f"머리말의 그림 '{image}'가 없습니다"


def code_problems(cell):
    "문법이 틀린 코드와 저장된 오류 출력을 찾습니다."
    try:
        ast.parse(TransformerManager().transform_cell(source(cell)))
    except SyntaxError as error:
        yield f"코드를 읽을 수 없습니다: {error}"
    for output in cell.get("outputs", []):
        if output["output_type"] == "error":
            yield f"오류가 출력으로 저장되어 있습니다: {output['ename']}: {output['evalue']}"


def problems(
    path,  # 노트북 파일
):  # 문제를 알리는 글의 목록
    "노트북 하나를 살핍니다."
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells, version = notebook.get("cells"), notebook.get("nbformat", 4)
    except UnicodeDecodeError as error:  # 이 오류의 글에는 파일이 통째로 들어 있습니다
        return [f"{path.name}: 노트북으로 읽을 수 없는 파일입니다: {error.start}번째 바이트부터 UTF-8이 아닙니다"]
    except (ValueError, AttributeError) as error:
        return [f"{path.name}: 노트북으로 읽을 수 없는 파일입니다: {error!r}"]
    if not isinstance(version, int) or version < 4 or not isinstance(cells, list):
        return [f"{path.name}: 옛 꼴(nbformat {version})이거나 셀의 목록(cells)이 없는 노트북입니다. Jupyter에서 열어 다시 저장해 주세요"]
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str) or not isinstance(cell.get("source"), (str, list)):
            return [f"{path.name} 셀 {number}: 셀의 종류(cell_type)나 글(source)이 없습니다"]
    if not cells or cells[0]["cell_type"] != "markdown":
        return [f"{path.name} 셀 1: 첫 셀이 제목을 적은 글 셀이 아닙니다"]
    found = [(1, problem) for problem in header_problems(source(cells[0]), path)]
    for number, cell in enumerate(cells, 1):
        if cell["cell_type"] == "code":
            found += [(number, problem) for problem in code_problems(cell)]
    return [f"{path.name} 셀 {number}: {problem}" for number, problem in found]


def locate(
    path,  # 노트북 파일
    text,  # 찾을 글
):  # 그 글이 든 셀의 번호, 못 찾으면 None
    "완성된 쪽에서 찾은 문제가 노트북의 어느 셀에서 왔는지 찾습니다. 빈칸은 따지지 않습니다."
    squeeze = lambda s: re.sub(r"\s+", "", s)
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
        if squeeze(text) in squeeze(source(cell)):
            return number


# 글자로 남은 TeX, 닫히지 않은 `:::` 묶음, 굵은 글씨가 되지 못한 별표입니다.
LEFTOVER = re.compile(r"\$|\\[(\[]|\\[A-Za-z]{2,}|:::|\*\*")


def leftovers(
    body,  # 완성된 쪽의 본문
):  # (남은 기호, 그 둘레의 글)의 목록
    "수식이나 서식이 되지 못하고 글자로 남은 기호를 찾습니다."
    for node in body.find_all(string=LEFTOVER):
        if type(node).__name__ == "NavigableString" and not node.find_parent(["code", "pre", "script", "style", "svg", "math"]):
            if not node.find_parent(class_="katex"):
                match = LEFTOVER.search(node)
                yield match[0], node[max(0, match.start() - 20) : match.end() + 20].strip()
