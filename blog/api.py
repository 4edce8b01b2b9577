"라이브러리의 소스를 읽어 API 문서를 만듭니다. 불러오지 않고 글자로만 읽으므로 torch가 없어도 됩니다."

import ast
import builtins
import io
import json
import re
import tokenize
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup

from blog.pages import Page, code_html

MARKER = re.compile(r"^# %% (?:\.\./)+nbs/(\S+)\.ipynb #(\w+)", re.M)
# PyTorch에도 있는 이름입니다. 글이 우리 것을 불러왔을 때만 우리 문서로 잇습니다.
EXAMPLE = "# API 문서의 보기"  # 이 줄이 든 셀을 다른 셀보다 먼저 고릅니다
SHARED_WITH_TORCH = {"softmax", "log_softmax", "logsumexp", "nll_loss", "cross_entropy", "CrossEntropyLoss"}


@dataclass
class Symbol:
    module: "Module"
    name: str  # softmax 또는 NumpyCrossEntropy.backward
    node: object  # ast의 함수, 클래스, 대입

    @property
    def anchor(self):
        return self.name

    @property
    def page(self):
        return f"api/{self.module.name}.html"

    @property
    def doc(self):
        "설명 글. 클래스에 없으면 `__init__`의 것을, 상수는 그 줄 끝이나 바로 위의 주석을 씁니다."
        if isinstance(self.node, ast.Assign):
            return self.module.comment(self.node)
        return ast.get_docstring(self.node) or (self.init is not None and ast.get_docstring(self.init)) or ""

    @property
    def init(self):
        return next((item for item in getattr(self.node, "body", []) if getattr(item, "name", "") == "__init__"), None)

    @property
    def function(self):
        "값을 받는 함수. 클래스라면 `__init__`, autograd.Function이라면 `apply`가 부르는 `forward`."
        if self.is_autograd:
            return self.module.functions(self.node)[0]
        return self.init if isinstance(self.node, ast.ClassDef) else self.node if isinstance(self.node, ast.FunctionDef) else None

    @property
    def is_autograd(self):
        return is_autograd(self.node)

    @property
    def methods(self):
        "설명을 적어 둔 메서드. 물려받은 것도 셉니다. autograd.Function의 forward처럼 torch가 부르는 것은 뺍니다."
        if not isinstance(self.node, ast.ClassDef):
            return []
        found = [item for item in self.module.functions(self.node) if not item.name.startswith("_") and ast.get_docstring(item)]
        return [Symbol(self.module, f"{self.name}.{item.name}", item) for item in found]


def is_autograd(node):
    return any(ast.unparse(base).endswith("autograd.Function") for base in getattr(node, "bases", []))


class Module:
    "crossent의 모듈 하나."

    siblings = {}  # 같은 패키지의 모듈: read()가 채웁니다

    def __init__(self, path, package):
        self.path, self.name = path, ".".join(path.relative_to(package).with_suffix("").parts)
        self.text = path.read_text(encoding="utf-8")
        self.lines = self.text.split("\n")
        self.tree = ast.parse(self.text)
        self.doc = ast.get_docstring(self.tree) or ""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        self.comments = {token.start[0]: token.string.lstrip("# ").strip() for token in tokens if token.type == tokenize.COMMENT}
        self.markers = [(self.text[: m.start()].count("\n") + 1, m[1], m[2]) for m in MARKER.finditer(self.text)]
        self.defined = {}
        for node in self.tree.body:
            for name in [node.name] if hasattr(node, "name") else [t.id for t in getattr(node, "targets", []) if isinstance(t, ast.Name)]:
                self.defined[name] = node
        near = [node for node in self.tree.body if isinstance(node, ast.ImportFrom) and node.level]
        self.imported = {alias.asname or alias.name: (self.home(node), alias.name) for node in near for alias in node.names}

    def home(self, node):
        "`from ..core.kernel import block_`이 가리키는 모듈."
        return ".".join(self.name.split(".")[: -node.level] + node.module.split("."))

    @cached_property
    def symbols(self):
        "공개한 이름을 쓴 차례대로."
        public = ast.literal_eval(self.defined["__all__"].value) if "__all__" in self.defined else []
        return [Symbol(self, name, self.defined[name]) for name in public if name in self.defined]

    def marker(self, line):
        "그 줄이 온 노트북과 셀."
        return next(((stem, cell) for start, stem, cell in reversed(self.markers) if start <= line), (None, None))

    def comment(self, node):
        "줄 끝의 주석, 없으면 바로 위에 이어진 주석."
        if node.end_lineno in self.comments:
            return self.comments[node.end_lineno]
        above, line = [], node.lineno - 1
        while self.lines[line - 1].startswith("#") and not MARKER.match(self.lines[line - 1]):
            above.insert(0, self.comments[line])
            line -= 1
        return " ".join(above)

    def users(self, name):
        "그 상수를 쓰는 공개된 이름. 안에서 부르는 함수가 써도 셉니다."

        def uses(node, seen):
            names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
            return name in names or any(uses(self.defined[other], seen | names) for other in names - seen if other in self.defined and not isinstance(self.defined[other], ast.Assign))

        return [symbol for symbol in self.symbols if not isinstance(symbol.node, ast.Assign) and uses(symbol.node, {symbol.name})]

    def functions(self, node):
        "클래스의 함수. 이 모듈에서 물려받은 것도 셉니다. autograd.Function에서는 순전파만 부릅니다."
        own = [item for item in node.body if isinstance(item, ast.FunctionDef)]
        if is_autograd(node):
            return [item for item in own if item.name == "forward"]
        bases = [self.defined.get(base.id) for base in node.bases if isinstance(base, ast.Name)]
        taken = [item for base in bases if base for item in self.functions(base)]
        names = {item.name for item in own}
        return own + [item for item in taken if item.name not in names]

    def raised(self, node, seen=None, imported=None):
        "함수나 클래스가, 그리고 그것이 부르는 함수가 던지는 예외. (종류, 첫 줄)의 목록입니다."
        seen, imported = seen or set(), imported or {}
        if node in seen:
            return []
        seen.add(node)
        if isinstance(node, ast.ClassDef):
            own = [error for item in self.functions(node) for error in self.raised_inside(item, seen, self.imported)]
            return list(dict.fromkeys(own + self.raised_by_bases(node, seen)))
        return self.raised_inside(node, seen, imported)

    def raised_by_bases(self, node, seen):
        "다른 모듈에서 물려받은 메서드가 던지는 예외."
        homes = [self.imported[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in self.imported]
        return [error for home, name in homes for error in self.siblings[home].raised(self.siblings[home].defined[name], seen)]

    def raised_inside(self, function, seen, imported):
        "클래스는 옆 모듈에서 불러온 이름(`imported`)까지 따라갑니다. 함수는 검사를 맡긴 plumbing까지만 따라갑니다. 다른 모듈에는 검사를 마친 값을 건네기 때문입니다."
        imported = imported or {name: where for name, where in self.imported.items() if where[0].startswith("plumbing.")}
        found, written = [], {}
        for part in ast.walk(function):
            if isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
                written.setdefault(part.targets[0].id, []).append(part.value)
        for part in ast.walk(function):
            kind = message = user = None
            if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call) and part.exc.args:
                kind, message = part.exc.func, part.exc.args[0]
            elif isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple) and len(part.value.elts) == 2:
                kind, message = part.value.elts  # 부른 쪽이 던질 (종류, 문장)
            elif isinstance(part, ast.Call):
                user = part.func
            elif isinstance(part, ast.Attribute) and part.attr == "apply":
                user = part.value
            if isinstance(message, ast.Call) and ast.unparse(message.func) == "explained":
                message = message.args[0]  # 도움말을 붙이기 전의 문장
            # 종류나 문장이 다른 데서 온 것은 알 수 없으므로 적지 않습니다.
            if isinstance(kind, ast.Name) and kind.id in EXCEPTIONS:
                messages = written.get(message.id, []) if isinstance(message, ast.Name) else [message]
                texts = [first_line(text, written) for text in messages]
                found += [(kind.id, text) for text in texts if re.search(r"\w", text)]
            elif isinstance(user, ast.Name):
                home, name = imported.get(user.id, (self.name, user.id))
                home = self if home == self.name else self.siblings[home]
                if isinstance(home.defined.get(name), (ast.FunctionDef, ast.ClassDef)):
                    found += home.raised(home.defined[name], seen, imported if home is self else None)
        return list(dict.fromkeys(found))


EXCEPTIONS = {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)}


def first_line(message, written):
    "예외 글의 첫 줄. 한 번만 적은 변수의 글은 넣고, 그 밖에 값이 들어갈 자리는 …로 둡니다."

    def words(part):
        if isinstance(part, ast.Constant):
            return str(part.value)
        source = getattr(part.value, "id", None)
        values = written.get(source, [])
        return (first_line(values[0], {}) if len(values) == 1 else "") or "…"

    if isinstance(message, ast.Constant):
        return message.value.split("\n")[0] if isinstance(message.value, str) else ""
    if isinstance(message, ast.JoinedStr):
        return re.sub("…{2,}", "…", "".join(map(words, message.values)).split("\n")[0])
    return ""


def parameters(module, function):
    "(이름, 뜻, 형, 기본값)의 목록. 뜻은 그 줄 끝의 주석(docments)입니다."
    rules = function.args
    plain = [*rules.posonlyargs, *rules.args]
    defaults = [None] * (len(plain) - len(rules.defaults)) + list(rules.defaults)
    rows = [*zip(plain, defaults, [""] * len(plain))]
    rows += [(rules.vararg, None, "*")] if rules.vararg else []
    rows += [*zip(rules.kwonlyargs, rules.kw_defaults, [""] * len(rules.kwonlyargs))]
    rows += [(rules.kwarg, None, "**")] if rules.kwarg else []
    return [
        (star + arg.arg, module.comments.get(arg.end_lineno, ""), arg.annotation and ast.unparse(arg.annotation), default and ast.unparse(default))
        for arg, default, star in rows
        if arg.arg not in ("self", "cls", "ctx")
    ]


def returned(module, function):
    "돌려주는 값의 뜻: 괄호를 닫는 줄의 주석."
    last = max([arg.end_lineno for arg in ast.walk(function.args) if isinstance(arg, ast.arg)], default=function.lineno)
    return next((module.comments[line] for line in range(last + 1, function.body[0].lineno) if line in module.comments), "")


def inline(text):
    "설명 글의 `코드`와 $식$을 HTML로."
    parts = re.split(r"(`[^`]+`|\$[^$]+\$)", text)
    return "".join(
        f"<code>{escape(part[1:-1])}</code>"
        if part.startswith("`")
        else f'<span class="math inline">{escape(part[1:-1])}</span>'
        if part.startswith("$")
        else escape(part)
        for part in parts
    )


BUILTINS = set(dir(builtins))


def flow(node):
    "문장이 만드는 이름과, 그 전에 있어야 하는 이름."
    blocks = [getattr(node, field) for field in ("body", "orelse", "finalbody") if isinstance(getattr(node, field, None), list)]
    inner = {id(part) for block in blocks for stmt in block for part in ast.walk(stmt)}
    parts = [part for part in ast.walk(node) if id(part) not in inner]
    made = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    local = {part.arg for part in parts if isinstance(part, ast.arg)}
    local |= {name.id for part in parts if isinstance(part, ast.comprehension) for name in ast.walk(part.target) if isinstance(name, ast.Name)}
    # 람다의 인자는 그 람다 안에서만 지역 이름입니다.
    hidden = {id(name) for part in parts if isinstance(part, ast.Lambda) for name in ast.walk(part.body) if isinstance(name, ast.Name) and name.id in {arg.arg for arg in part.args.args}}
    read = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in hidden} - BUILTINS
    local -= {arg.arg for part in parts if isinstance(part, ast.Lambda) for arg in part.args.args}
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        made = {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    if isinstance(node, ast.AugAssign):
        read |= made
    for block in blocks:
        known = set(made)
        for stmt in block:
            inside, wanted = flow(stmt)
            read |= wanted - known - local
            known |= inside
        made = made | known
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}, read - local - {node.name}
    return made - local, read - local


def changed(node):
    "이름을 새로 만들지 않고 그 속을 바꾸는 문장이 바꾼 이름: `x[0] = 1`, `x[0] -= 1`, `x.grad = None`, `loss.backward()`, 씨앗과 출력의 자릿수."
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        targets = getattr(node, "targets", None) or [node.target]
        return {ast.unparse(target).split("[")[0].split(".")[0] for target in targets if isinstance(target, (ast.Subscript, ast.Attribute))}
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        root = ast.unparse(node.value.func).split(".")[0]
        settings = root not in ("np", "torch", "plt", "F", "nn") or node.value.func.attr in ("set_printoptions", "manual_seed")
        return {root} if settings else set()
    return set()


def idle(text, kept, printed):
    "보기에 쓸모없는 설정: 무작위로 뽑지 않는 보기의 씨앗, 읽지 않는 기울기 비우기, 네 자리까지 찍을 배열이 없는 보기의 자릿수. 텐서는 본디 네 자리까지 찍습니다."
    if re.match(r"\w+\.manual_seed\(", text):
        return not any("rand" in line for line in kept)
    if text.endswith(".grad = None"):
        return not re.search(r"\.grad\b(?!\()", "\n".join(kept))
    return bool(re.match(r"\w+\.set_printoptions\(", text)) and (text.startswith("torch") or not re.search(r"\[.*\d\.\d{4}", printed))


def shapes(node, kept):
    "`.numpy()`로 찍는 보기에는 np가 적혀 있지 않아도 NumPy의 자릿수를 맞추는 문장이 있어야 합니다."
    return ast.unparse(node).startswith("np.set_printoptions(") and any(".numpy()" in line for line in kept)


def opens(node):
    "뒤의 셀이 모두 기대는 준비: 프로세스의 모임을 여는 문장."
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("dist.init_process_group(")


def called(node):
    "`loss = loss_fn(logits)`에서 부른 것. 부르면서 값을 기억할 수 있습니다."
    value = getattr(node, "value", None)
    return {ast.unparse(value.func).split(".")[0]} - {"np", "torch", "F", "nn"} if isinstance(value, ast.Call) else set()


def statements(source):
    "셀의 문장과 그 글자. 바로 위의 주석과 줄 끝의 주석도 함께 둡니다."
    code = re.sub(r"^(\s*)[%!].*", r"\1pass", source, flags=re.M)
    lines, end = code.split("\n"), 0
    for node in ast.parse(code).body:
        first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
        above = [line for line in lines[end : first - 1] if line.startswith("#") and not line.startswith(("#|", EXAMPLE))]
        yield node, "\n".join([*above, *lines[first - 1 : node.end_lineno]]).rstrip(";")
        end = node.end_lineno


def speaks(node, printed):
    "보기에 남길 문장. 출력이 있는 셀에서는 출력하는 문장만, 없으면 모두 남깁니다."
    text = ast.unparse(node)
    if isinstance(node, ast.Assert) or text.startswith("assert_close("):
        return not printed
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.FunctionDef, ast.ClassDef)):
        return False
    return not printed or bool(re.search(r"\b(print|compare)\(", text)) or isinstance(node, ast.Expr)


def pasted(cells, number, printed, used, module, only=False):
    """붙여 넣으면 그대로 도는 보기. 셀의 문장에, 그것이 쓰는 이름을 만드는 앞 셀의 문장을 붙입니다.

    내보낸 이름은 라이브러리에서 불러옵니다. `only`면 그 셀에서 이름을 쓰는 문장만 남깁니다.
    """
    public = {symbol.name for symbol in module.symbols}
    needed, imports, kept = set(), {}, []
    for place in range(number, -1, -1):
        source = "".join(cells[place]["source"])
        if cells[place]["cell_type"] != "code" or (place < number and not needed):
            continue
        for node, text in reversed(list(statements(source))):
            made, read = flow(node)
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    name = (alias.asname or alias.name).split(".")[0]
                    if name in needed:
                        home = f"from {node.module} import" if isinstance(node, ast.ImportFrom) else "import"
                        imports.setdefault(home, set()).add(f"{alias.name} as {alias.asname}" if alias.asname else alias.name)
                needed -= made
                continue
            if place == number and (re.search(used, text) and not isinstance(node, (ast.For, ast.Try)) if only else speaks(node, printed)):
                pass
            elif opens(node) or made & needed or changed(node) & needed or shapes(node, kept) or (place == number and called(node) & needed):
                if idle(text, kept, printed):
                    continue
                if place < number and "#| exports" in source:
                    imports.setdefault(f"from crossent.{module.name} import", set()).update(made & needed)
                    needed -= made
                    continue
            else:
                continue
            kept.insert(0, f"\n{text}\n" if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else text)
            needed = (needed - made) | read
            if ours := needed & public:
                imports.setdefault(f"from crossent.{module.name} import", set()).update(ours)
                needed -= ours
    rows = [f"{home} {', '.join(sorted(names))}" for home, names in imports.items() if home != "import"] + [f"import {name}" for name in imports.get("import", ())]
    rows.sort(key=lambda row: ("crossent" in row, row.startswith("from"), row))
    return re.sub(r"\n{3,}", "\n\n", "\n".join([*rows, "", *kept])).strip("\n")


def example(symbol, notebooks):
    """그 이름을 정의한 뒤에 그 이름을 쓰는 셀과 출력. 짧게 쓰기만 하는 셀을, 없으면 다른 것을 함께 정의하거나 그리는 셀을 고릅니다."""
    stem, cell_id = symbol.module.marker(symbol.node.lineno)
    cells = notebooks.get(stem, [])
    used = rf"(?<!\.)\b{re.escape(symbol.name)}\b(\.apply)?\("
    start = next((number for number, cell in enumerate(cells) if cell.get("id") == cell_id), len(cells))
    found = []
    for number, cell in enumerate(cells[start + 1 :], start + 1):
        text = "".join(cell["source"])
        if cell["cell_type"] != "code" or "#| exports" in text or not re.search(used, text):
            continue
        printed = "".join("".join(out.get("text", out.get("data", {}).get("text/plain", ""))) for out in cell["outputs"] if "image/png" not in out.get("data", {})).rstrip()
        full = pasted(cells, number, printed, used, symbol.module)
        rough = EXAMPLE not in text and (text.startswith("#|") or bool(re.search(r"\b(def|class|except)\b", text)) or full.count("\n") > 18)
        if rough or not re.search(used, full):
            full, printed = pasted(cells, number, "", used, symbol.module, only=True), ""
        found.append((EXAMPLE not in text, rough, full, printed))
    if not found:
        return ""
    *_, full, printed = min(found, key=lambda one: one[:2])
    shown = f'<div class="cell-output"><pre><code>{escape(printed)}</code></pre></div>' if printed else ""
    return f"<h3>보기</h3>{code_html(full)}{shown}"


def used_by(symbol, notebooks):
    "상수를 쓰는 함수들과, 상수가 적힌 보기가 있는 함수로 가는 길. 같은 보기를 상수마다 되풀이하지 않습니다."
    functions = [other for other in symbol.module.symbols if not isinstance(other.node, ast.Assign)]
    users = symbol.module.users(symbol.name)
    named = [other for other in functions if re.search(rf"\b{symbol.name}\b", BeautifulSoup(example(other, notebooks), "lxml").get_text())]
    link = lambda other: f'<a href="#{other.anchor}"><code>{other.name}</code></a>'
    where = f"<p>쓰는 곳: {listed(map(link, users))}</p>" if users else ""
    return where + "".join(f'<p class="shown-in">보기는 {link(other)}에 있습니다.</p>' for other in (named or users)[:1])


def listed(links):
    "가운뎃점이 줄 머리에 오지 않게 이어 적습니다."
    return "\u00a0· ".join(links)


def breakable(name):
    "긴 이름은 밑줄과 점 뒤에서 줄을 바꿉니다."
    return re.sub(r"([._])(?=\w)", r"\1<wbr>", name)


def signature(name, function):
    "이름과 인자. 길면 한 줄에 하나씩 적습니다."
    arguments = re.sub(r"^(self|ctx|cls)(, |$)", "", ast.unparse(function.args))
    if len(name) + len(arguments) <= 42:  # 휴대전화 한 줄
        return f"{name}({arguments})"
    rows = re.split(r", (?![^\[(]*[\])])", arguments)
    return "\n".join([f"{name}(", *(f"    {row}," for row in rows), ")"])


def described(symbol, site, posts, notebooks):
    "이름 하나의 설명."
    module, node, function = symbol.module, symbol.node, symbol.function
    method = "." in symbol.name
    level = "h3" if method else "h2"
    parts = [f'<{level} id="{symbol.anchor}"><code>{breakable(symbol.name)}</code></{level}>']
    if function:
        name = f"{symbol.name}.apply" if symbol.is_autograd else symbol.name
        parts.append(code_html(signature(name, function), kind="code signature"))
    elif isinstance(node, ast.Assign):
        parts.append(code_html(re.sub(r"  #.*$", "", "\n".join(module.lines[node.lineno - 1 : node.end_lineno])), kind="code signature"))
    parts += [f"<p>{inline(block)}</p>" for block in re.split(r"\n\s*\n", symbol.doc) if block.strip()]
    rows = parameters(module, function) if function else []
    if isinstance(node, ast.Assign):
        parts.append(used_by(symbol, notebooks))
    if any(meaning for _, meaning, _, _ in rows):
        lines = []
        for name, meaning, kind, default in rows:
            usual = f"<code>{escape(default)}</code>" if default else ""
            note = f" <small>({escape(kind).replace('[', '[<wbr>')})</small>" if kind else ""
            lines.append(f"<tr><td><code>{name}</code>{note}</td><td>{inline(meaning)}</td><td>{usual}</td></tr>")
        result = returned(module, function)
        if result:
            lines.append(f"<tr><td>돌려주는 값</td><td>{inline(result)}</td><td></td></tr>")
        header = '<th scope="col">이름</th><th scope="col">뜻</th><th scope="col">기본값</th>'
        parts.append(f'<div class="table-box"><table class="table"><thead><tr>{header}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>')
    elif function and returned(module, function):
        parts.append(f"<p>돌려주는 값: {inline(returned(module, function))}</p>")
    errors = module.raised(node) if function and not method else []
    if errors:
        items = "".join(f"<li><code>{kind}</code> {escape(text)}</li>" for kind, text in errors)
        parts.append(f"<h3>예외</h3><ul>{items}</ul>")
    if not method:
        parts.append("" if isinstance(node, ast.Assign) else example(symbol, notebooks))
        stem, cell_id = module.marker(node.lineno)
        lines = f"L{node.lineno}-L{node.end_lineno}"
        links = [f'<a href="{site.git_url}/blob/{site.branch}/crossent/{module.path.name}#{lines}" rel="noopener">소스</a>']
        if stem in posts:
            links.insert(0, f'<a href="../{posts[stem].url}{section_of(posts[stem], notebooks[stem], cell_id)}">유도한 글: {escape(posts[stem].title)}</a>')
        parts.append(f'<p class="links">{"".join(links)}</p>')
    return "".join(parts) + "".join(described(child, site, posts, notebooks) for child in symbol.methods)


def section_of(post, cells, cell_id):
    "그 셀이 든 절의 이름표."
    title = None
    for cell in cells:
        if cell.get("id") == cell_id:
            break
        if cell["cell_type"] == "markdown":
            title = (re.findall(r"^#{2,3} (.+)$", "".join(cell["source"]), re.M) or [title])[-1]
    squeeze = lambda text: re.sub(r"\W", "", text)
    for heading in post.body.find_all(["h2", "h3"], id=True):
        if title and squeeze(heading.get_text()) == squeeze(title):
            return f"#{heading['id']}"
    return ""


def read(package):
    "사람들이 불러오는 모듈(core와 plumbing이 아닌 것)을 글의 차례대로 읽습니다."
    modules = [Module(path, package) for path in sorted(package.rglob("[!_]*.py"))]
    for module in modules:
        module.siblings = {other.name: other for other in modules}
    public = [module for module in modules if "." not in module.name]
    return sorted(public, key=lambda module: module.markers[0][1] if module.markers else "")


def make(package, posts, site):
    "모듈마다 한 쪽과 목록 한 쪽. 글의 낱말을 잇는 데 쓸 모듈의 목록도 돌려줍니다."
    modules = read(package)
    by_stem = {page.stem: page for page in posts}
    notebooks = {page.stem: json.loads(page.source.read_text(encoding="utf-8"))["cells"] for page in posts}
    made = []
    for module in modules:
        body = "".join(described(symbol, site, by_stem, notebooks) for symbol in module.symbols)
        meta = {"title": f"crossent.{module.name}", "description": module.doc.split("\n")[0], "toc": True}
        made.append(Page(f"api/{module.name}", f"api/{module.name}.html", meta, BeautifulSoup(f"<main>{body}</main>", "lxml").main))
    rows = []
    for module in modules:
        names = listed(f'<a href="{module.name}.html#{symbol.anchor}"><code>{symbol.name}</code></a>' for symbol in module.symbols)
        rows.append(f'<h2 id="{module.name}"><a href="{module.name}.html"><code>crossent.{module.name}</code></a></h2><p>{inline(module.doc)}</p><p>{names}</p>')
    meta = {"title": "API 문서", "description": "crossent의 모든 모듈과 함수. 설명은 소스의 주석에서, 보기는 글의 셀에서 옵니다.", "toc": False}
    made.append(Page("api/index", "api/index.html", meta, BeautifulSoup(f"<main>{''.join(rows)}</main>", "lxml").main))
    return made, modules


def own_names(page, modules):
    "이 글이 불러오거나 내보내는 이름이 어느 모듈의 것인지."
    known = {module.name: {symbol.name for symbol in module.symbols} for module in modules}
    names, home = {}, None
    for cell in json.loads(page.source.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        home = (re.findall(r"^#\|\s*default_exp (\w+)", text, re.M) or [home])[0]
        exported = re.match(r"#\|\s*exports?(?: (\w+))?\s*$", text.split("\n")[0])
        if exported:
            module = exported[1] or home
            names |= {name: module for name in re.findall(r"^(?:def|class) (\w+)", text, re.M) if name in known.get(module, ())}
        for module, imported in re.findall(r"^\s*from crossent\.(\w+) import \(?([^)\n]*)", text, re.M):
            names |= {name: module for name in re.findall(r"\w+", imported) if name in known.get(module, ())}
    return names


def link_names(page, modules):
    "글에 코드로 적힌 우리 함수의 이름을 API 문서로 잇습니다. 한 절에서 처음 나올 때만 잇습니다."
    everything = {}
    for module in modules:
        for symbol in module.symbols:
            for item in [symbol, *symbol.methods]:
                everything.setdefault(item.name, []).append(item)
    own = own_names(page, modules)
    for link in page.body.select('a > code'):
        # nbdev가 이은 것은 이름이 같은 함수를 가리지 못하므로 풉니다.
        if re.search(r"/(\w+)\.html#[\w.]+$", link.parent["href"]) and link.parent["href"].startswith("http") and link.get_text() in everything:
            link.parent.unwrap()
    seen = set()
    for tag in page.body.find_all(["h2", "h3", "code"]):
        if tag.name != "code":
            seen = set()
            continue
        if tag.find_parent(["pre", "a", "h1", "h2", "h3", "h4", "summary"]):
            continue
        found = re.fullmatch(r"(?:crossent\.)?(?:(\w+)\.)?(\w+)(?:\(\))?", tag.get_text())
        if not found or tag.get_text() in seen:
            continue
        module, name = found.groups()
        choices = everything.get(f"{module}.{name}", []) if module else []
        choices = choices or [item for item in everything.get(name, []) if module in (None, item.module.name)]
        if module is None and name in own:
            choices = [item for item in choices if item.module.name == own[name]]
        elif module is None and name in SHARED_WITH_TORCH:
            continue
        if len(choices) == 1:
            seen.add(tag.get_text())
            tag.wrap(BeautifulSoup("", "lxml").new_tag("a", href=f"{page.root}{choices[0].page}#{choices[0].anchor}", attrs={"class": "to-api"}))
