"""글 안에서 셀을 돌리는 작은 커널. 브라우저의 파이썬(Pyodide)과 테스트가 함께 씁니다.

표준 라이브러리만으로 돕니다. 그림은 matplotlib이 이미 불려 와 있을 때만 살핍니다.
"""

import ast
import base64
import builtins
import io
import json
import linecache
import re
import sys
import time
import traceback
from contextlib import redirect_stderr, redirect_stdout

NO_BROWSER = {"torch", "triton"}  # 브라우저에는 없는 패키지
MODULES = {"np", "plt", "math", "sys"}  # plt.plot(…)은 plt를 바꾸지 않습니다
LONGEST = 100_000  # 셀 하나가 낼 수 있는 글자 수


def plain(source):
    "파이썬으로 읽히지 않으면, `%`나 `!`로 시작하는 줄을 pass로 바꿉니다. 줄 번호는 그대로입니다."
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        return re.sub(r"^([ \t]*)[%!](?=\w).*$", r"\1pass", source, flags=re.M)


class Names(ast.NodeVisitor):
    "셀이 만들거나 바꾸는 이름(binds)과, 만들기 전에 읽는 이름(loads)."

    def __init__(self):
        self.binds, self.loads, self.later = set(), set(), []

    def of(self, source):
        for statement in ast.parse(plain(source)).body:
            self.visit(statement)
        for inside in self.later:  # 함수의 몸은 나중에, 셀의 이름이 모두 생긴 뒤에 돕니다
            self.loads |= inside - self.binds
        return self

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.binds and not hasattr(builtins, node.id):
                self.loads.add(node.id)
        else:
            self.binds.add(node.id)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            self.change(target)

    def visit_AugAssign(self, node):
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self.loads |= {node.target.id} - self.binds
        self.change(node.target)

    def visit_For(self, node):
        self.visit(node.iter)
        for part in [node.target, *node.body, *node.orelse]:
            self.visit(part)

    def visit_Expr(self, node):
        self.visit(node.value)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            self.change(call.func)

    def visit_Call(self, node):
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id == "rng":
            self.binds.add("rng")  # 난수를 뽑으면 다음에 나올 수가 달라집니다

    def visit_Import(self, node):
        self.binds |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}

    visit_ImportFrom = visit_Import

    def change(self, target):
        "`x[0] = …`, `x.a = …`, `x.append(…)`는 x를 바꾸는 일입니다."
        base = target
        while isinstance(base, (ast.Subscript, ast.Attribute)):
            base = base.value
        self.visit(target)
        if not isinstance(base, ast.Name):
            return
        if base is not target and base.id not in MODULES:
            self.binds.add(base.id)

    def closed(self, node):
        "함수, 클래스, 조건 제시법: 안에서 만든 이름은 밖으로 나오지 않습니다."
        arguments = [part.arg for part in ast.walk(node) if isinstance(part, ast.arg)]
        made = [part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load)]
        made += [part.name for part in ast.walk(node) if isinstance(part, (ast.FunctionDef, ast.ClassDef)) and part is not node]
        read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}
        return {name for name in read - {*arguments, *made} if not hasattr(builtins, name)}

    def visit_FunctionDef(self, node):
        self.later.append(self.closed(node))
        self.binds.add(node.name)

    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node):
        self.later.append(self.closed(node))

    def visit_ListComp(self, node):
        self.loads |= self.closed(node) - self.binds

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def imports(source):
    "셀이 불러오는 패키지의 이름."
    found = set()
    for node in ast.walk(ast.parse(plain(source))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


HELP = {
    NameError: "이 이름을 아직 만들지 않았습니다. 철자를 보고, 그 이름을 만드는 위의 셀부터 돌려 보세요.",
    SyntaxError: "파이썬으로 읽을 수 없는 줄입니다. 괄호, 따옴표, 쌍점(:)의 짝을 보세요.",
    IndentationError: "들여쓰기가 맞지 않습니다. 같은 묶음의 줄은 같은 칸에서 시작해야 합니다.",
    AssertionError: "셀이 스스로 확인한 것이 맞지 않습니다. 위에서 값을 바꾸었다면 어긋나는 것이 당연할 수 있습니다.",
    ZeroDivisionError: "0으로 나누었습니다. 나누는 수를 찍어 보세요.",
    IndexError: "없는 자리의 번호입니다. 번호는 0부터 세고, 축마다 길이보다 작아야 합니다.",
    KeyError: "사전에 없는 열쇠입니다. 사전의 열쇠를 찍어 보세요.",
    AttributeError: "이 값에는 그런 이름이 없습니다. 철자와 값의 종류(type)를 보세요.",
    TypeError: "값의 종류나 인수의 수가 맞지 않습니다. 함수가 받는 것을 하나씩 견주어 보세요.",
    ModuleNotFoundError: "이 페이지의 파이썬에는 없는 패키지입니다. NumPy와 matplotlib만 있습니다.",
    RecursionError: "함수가 자기를 끝없이 부릅니다. 멈추는 조건을 보세요.",
    MemoryError: "메모리가 모자랍니다. 배열의 크기를 줄여 보세요.",
    ValueError: "값이나 모양(shape)이 맞지 않습니다. 배열마다 shape를 찍어 보세요.",
}


def explain(error, label):
    "오류를 이름, 말, 줄, 한국어 도움말로 바꿉니다. 우리 함수의 한국어 말에는 도움말을 더하지 않습니다."
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame, number in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == label:
            line = number
    message = str(error.msg if isinstance(error, SyntaxError) else error)
    korean = re.search(r"[가-힣](다|요)\b", message)
    help = "" if korean else next((HELP[kind] for kind in type(error).__mro__ if kind in HELP), "")
    text = linecache.getline(label, line).strip() if line else ""
    return {"name": type(error).__name__, "message": message, "line": line, "text": text, "help": help}


def remember(source, label):
    "오류가 났을 때 그 줄을 보여 줄 수 있게 적어 둡니다."
    linecache.cache[label] = len(source), None, source.splitlines(True), label


class Stream(io.TextIOBase):
    "print한 것을 조금씩 모아 내보냅니다. 너무 길면 줄입니다."

    def __init__(self, emit, kind):
        self.emit, self.kind, self.left = emit, kind, LONGEST
        self.waiting, self.last = "", time.monotonic()

    def write(self, text):
        kept = text[: self.left]
        if len(kept) < len(text) and self.left:
            kept += "\n… 출력이 너무 길어 여기서 줄입니다.\n"
        self.left -= min(len(text), self.left)
        self.waiting += kept
        if time.monotonic() - self.last > 0.1:
            self.flush()
        return len(text)

    def flush(self):
        if self.waiting:
            self.emit(self.kind, self.waiting)
        self.waiting, self.last = "", time.monotonic()


def show(value, emit):
    "마지막 줄의 값. HTML로 보일 수 있으면 그렇게 합니다."
    html = getattr(value, "_repr_html_", None)
    emit("html", html()) if callable(html) else emit("text", repr(value) + "\n")


def emit_figures(emit):
    "셀이 그린 그림을 두 배의 픽셀로 내보내고 닫습니다."
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else []:
        file, figure = io.BytesIO(), pyplot.figure(number)
        figure.savefig(file, format="png", dpi=2 * figure.dpi, bbox_inches="tight")
        emit("png", base64.b64encode(file.getvalue()).decode())
    if pyplot:
        pyplot.close("all")


class Kernel:
    def __init__(self):
        self.names = {"__name__": "__main__"}
        self.lost = {}  # 건너뛴 셀이 만들었어야 할 이름

    def execute(self, source, label, names, emit):
        "셀 하나를 돌립니다. 오류는 그대로 올라갑니다."
        source = plain(source)
        remember(source, label)
        body = ast.parse(source, label).body
        last = body.pop() if body and isinstance(body[-1], ast.Expr) and not re.search(r";\s*(#.*)?$", source) else None
        names["display"] = lambda value: show(value, emit)
        out, err = Stream(emit, "text"), Stream(emit, "stderr")
        with redirect_stdout(out), redirect_stderr(err):
            try:
                exec(compile(ast.Module(body, []), label, "exec"), names)
                if last:
                    value = eval(compile(ast.Expression(last.value), label, "eval"), names)
                    out.flush()
                    if value is not None:
                        show(value, emit)
                out.flush()
                emit_figures(emit)
            finally:
                out.flush()
                err.flush()

    def needs(self, source):
        "브라우저에 없어서 이 셀을 돌리지 못하게 하는 이름들."
        used = imports(source)
        return (used & NO_BROWSER) | (Names().of(source).loads & set(self.lost))

    def run(self, source, label, emit):
        "셀 하나를 돌리고, 어떻게 되었는지 돌려줍니다."
        result = {"state": "ok", "binds": [], "loads": []}
        remember(source, label)
        try:
            found = Names().of(source)
            result |= {"binds": sorted(found.binds), "loads": sorted(found.loads)}
            missing = self.needs(source)
            if not missing:
                for name in found.binds:
                    self.lost.pop(name, None)
                self.execute(source, label, self.names, emit)
                return result
        except ModuleNotFoundError as error:
            missing = {error.name} & NO_BROWSER
            if not missing:
                return result | {"state": "error", "error": explain(error, label)}
        except BaseException as error:
            return result | {"state": "error", "error": explain(error, label)}
        for name in found.binds:
            self.names.pop(name, None)
            self.lost[name] = label
        return result | {"state": "skipped", "missing": sorted(missing)}

    def check(self, source, check, own, label, emit):
        "읽는 이의 셀을 사본에서 돌리고 채점 셀로 살핍니다. 글의 이름은 바뀌지 않고, 스스로 만들어야 할 이름(own)은 빌려 오지 못합니다."
        names = {name: value for name, value in self.names.items() if name not in own}
        try:
            self.execute(source, label, names, emit)
        except BaseException as error:
            return {"verdict": "wrong", "error": explain(error, label)}
        try:
            self.execute(check, "채점", names, lambda *_: None)
        except AssertionError as error:
            return {"verdict": "wrong", "say": str(error) or "확인한 것이 맞지 않습니다."}
        except BaseException as error:
            return {"verdict": "wrong", "error": explain(error, label)}
        return {"verdict": "right"}

    def found(self, source):
        "고친 셀이 만드는 이름과 읽는 이름."
        try:
            names = Names().of(source)
        except SyntaxError:
            return {}
        return {"binds": sorted(names.binds), "loads": sorted(names.loads)}

    # 자바스크립트는 글자로 주고받습니다.
    def found_json(self, *args):
        return json.dumps(self.found(*args))

    def run_json(self, *args):
        return json.dumps(self.run(*args))

    def check_json(self, source, check, own, label, emit):
        return json.dumps(self.check(source, check, json.loads(own), label, emit))
