"라이브러리의 방: 누가 누구를 불러올 수 있는지, 비공개 이름이 방을 넘지 않는지, 모듈이 짧은지 봅니다."

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import crossent

PACKAGE = Path(__file__).resolve().parent.parent / "crossent"
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if path.name not in ("__init__.py", "_modidx.py")
}
DOORS = {"loss": 5, "linear": 6, "parallel": 6, "triton": 7}  # linear은 loss의, triton은 두 문의 함수를 부릅니다
WORDS = ("plumbing.messages", "plumbing.array_arguments")  # 모양과 이름만 봅니다: torch도 배열도 계산하지 않습니다


def floor(module):
    "아래에서 몇 번째 층인지. 화살표는 같은 층이나 아래로만 갑니다."
    if module in WORDS:
        return 0
    if module in DOORS:
        return DOORS[module]
    return {"core": 2, "plumbing": 3}.get(module.split(".")[0], 1)


def imports(module, tree):
    "이 모듈이 패키지 안에서 불러오는 (모듈, 이름)."
    here = ["crossent", *module.split(".")]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").startswith("crossent")):
            base = here[: -node.level] + (node.module or "").split(".") if node.level else node.module.split(".")
            yield ".".join(base[1:]), [alias.name for alias in node.names]


def trees():
    return {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


@pytest.mark.parametrize("module", MODULES)
def test_arrows_go_down(module):
    for other, names in imports(module, trees()[module]):
        assert other in MODULES, f"{module}이 {other}를 불러옵니다"
        assert floor(other) <= floor(module), f"{module}이 위층의 {other}를 불러옵니다"
        assert not [name for name in names if name.startswith("_")], f"{module}이 {other}의 비공개 이름을 불러옵니다"


def test_no_circle():
    arrows = {module: {other for other, _ in imports(module, tree)} for module, tree in trees().items()}
    done = set()
    while len(done) < len(arrows):
        free = {module for module in arrows if module not in done and arrows[module] <= done}
        assert free, f"서로 불러오는 모듈: {sorted(set(arrows) - done)}"
        done |= free


@pytest.mark.parametrize("module", MODULES)
def test_private_pytorch_names_live_in_compat(module):
    "밑줄로 시작하는 torch의 이름, 판마다 다른 연산은 plumbing/compat에만 있습니다."
    private = re.compile(r"torch\.(?:\w+\.)*_[A-Za-z]\w*|torch\.ops\.|forward_ad\.|\._version\b|__prepare_scriptable__|\._C\b")
    found = private.findall(MODULES[module].read_text(encoding="utf-8"))
    assert module == "plumbing.compat" or not found, found


@pytest.mark.parametrize("module", MODULES)
def test_modules_are_short(module):
    assert len(MODULES[module].read_text(encoding="utf-8").splitlines()) < (320 if module == "plot" else 300)


@pytest.mark.parametrize("module", [m for m in MODULES if floor(m) <= 1 and m != "autograd"])
def test_floors_need_no_torch(module):
    tree = trees()[module]
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "torch" for alias in node.names)]
    found += [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "torch"]
    assert not found


def test_a_new_arrow_up_is_caught():
    "검사가 정말로 잡아내는지 봅니다."
    tree = ast.parse("from crossent.plumbing.function import _hidden\nfrom ..loss import cross_entropy")
    assert dict(imports("core.kernel", tree)) == {"plumbing.function": ["_hidden"], "loss": ["cross_entropy"]}
    assert floor("loss") > floor("core.kernel") and floor("plumbing.function") > floor("core.kernel")


def shared_state(tree):
    "함수가 처음 불릴 때 채우거나 나중에 고치는 모듈의 것: 잠그지 않으면 스레드끼리 다툽니다."
    top = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    changing = {"append", "extend", "update", "setdefault", "add", "pop", "insert", "clear"}
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.Lambda)):
            continue
        for decorator in getattr(function, "decorator_list", []):
            if "cache" in ast.unparse(decorator):
                yield ast.unparse(decorator)
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield ast.unparse(node)
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)) and getattr(node.value, "id", None) in top:
                yield ast.unparse(node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in changing and getattr(node.func.value, "id", None) in top:
                yield ast.unparse(node)


@pytest.mark.parametrize("module", [m for m in MODULES if m not in ("plot", "triton")])
def test_nothing_is_made_at_first_use(module):
    "GIL이 없는 파이썬에서도 여러 스레드가 함께 처음 부를 수 있습니다."
    assert not list(shared_state(trees()[module]))


def test_state_made_at_first_use_is_caught():
    for code in ("@functools.cache\ndef f(): pass", "A = {}\ndef f(): A[1] = 2", "A = []\ndef f(): A.append(1)", "A = 1\ndef f():\n    global A\n    A = 2"):
        assert list(shared_state(ast.parse(code))), code


def test_type_checkers_see_the_same_names():
    "처음 부를 때 불러오는 이름과, 자료형을 살피는 도구가 읽는 줄이 같습니다."
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {alias.name: node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level for alias in node.names}
    assert set(seen) == set(crossent.__all__)
    for name, module in seen.items():
        assert getattr(crossent, name) is getattr(import_module(f"crossent.{module}"), name)
