"PyTorch가 손실 둘레에서 허락하는 것을 우리도 허락하는지: 길마다, 두 손실마다. 사례가 아니라 종류를 봅니다."

import gc
import itertools
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from crossent import CrossEntropyLoss, LinearCrossEntropyLoss, cross_entropy, linear_cross_entropy
from crossent.testing import assert_close

N, H, C = 6, 4, 7
INDEX = torch.tensor([1, -100, 6, 0, 3, 2])
WEIGHT = torch.tensor([1.0, 2, 0.5, 1, 1, 3, 1])
OPTIONS = {
    "그냥": {},
    "가중치": dict(weight=WEIGHT),
    "스무딩": dict(label_smoothing=0.1),
    "가중치와 스무딩": dict(weight=WEIGHT, label_smoothing=0.1),
}


def tensors(seed=0, dtype=torch.float32):
    "은닉 벡터, 선형층 가중치, 편향."
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, generator=generator).to(dtype) for shape in ((N, H), (C, H), (C,))]


def probabilities():
    return torch.softmax(torch.randn(N, C, generator=torch.Generator().manual_seed(1)), 1)


def from_logits(function):
    "로짓을 받는 손실을 선형층의 꼴로."
    return lambda x, w, b, y, **options: function(F.linear(x, w, b), y, **options)


def from_layer(x, w, b, y, **options):
    return linear_cross_entropy(x, w, y, linear_bias=b, **options)


THEIRS = from_logits(F.cross_entropy)
OURS = {"손실": from_logits(cross_entropy), "선형층": from_layer}


@pytest.fixture(params=OURS)
def ours(request, every_path):
    return OURS[request.param]


def graded(function, edit, y, **options):
    "edit로 손본 뒤 모두 더해 미분한 기울기 셋."
    leaves = [tensor.requires_grad_() for tensor in tensors()]
    value = edit(function(*leaves, y, **options))
    return torch.autograd.grad(value.sum(), leaves)


EDITS = {
    "곱하기": lambda losses: losses.mul_(torch.arange(1.0, 1 + losses.numel()).view_as(losses)),
    "가리기": lambda losses: losses.masked_fill_(torch.arange(losses.numel()).view_as(losses) % 2 == 0, 0.0),
    "자르기": lambda losses: losses.clamp_(max=1.5),
    "한 칸": lambda losses: losses.index_fill_(0, torch.tensor([2]), 0.0),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("y", [INDEX, probabilities()], ids=["번호", "확률"])
def test_losses_may_be_changed_in_place(ours, y, options, edit):
    "표본마다의 손실을 제자리에서 고쳐도 PyTorch와 같은 기울기가 나옵니다."
    for mine, theirs in zip(*(graded(f, edit, y, reduction="none", **options) for f in (ours, THEIRS))):
        assert_close(mine, theirs, 1e-5, 1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_scalar_loss_may_be_changed_in_place(ours, reduction):
    for mine, theirs in zip(*(graded(f, lambda loss: loss.mul_(3).add_(1), INDEX, reduction=reduction) for f in (ours, THEIRS))):
        assert_close(mine, theirs, 1e-5, 1e-6)


@pytest.mark.parametrize("options", [{}, dict(z_loss=0.1, softcap=3.0, label_smoothing=0.1)], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean"])
@pytest.mark.parametrize("y", [INDEX, probabilities()], ids=["번호", "확률"])
def test_everything_returned_may_be_changed_in_place(ours, y, reduction, options):
    "손실뿐 아니라 log-sum-exp, 예측, 엔트로피도."
    asked = dict(return_lse=True) | (dict(return_predictions=True, return_entropy=True) if ours is from_layer else {})
    keep = torch.arange(1.0, N + 1).masked_fill(torch.arange(N) == 2, 0.0)
    grads = []
    for in_place in (True, False):
        leaves = [tensor.requires_grad_() for tensor in tensors()]
        loss, lse, *facts = ours(*leaves, y, reduction=reduction, **asked, **options)
        if in_place:
            lse[2] = 0
            [each.mul_(keep.to(each.dtype)) for each in (lse, *facts)]
            loss.mul_(2)
        else:
            loss, lse = 2 * loss, lse * keep
        grads.append(torch.autograd.grad(loss.sum() + lse.sum(), leaves))
    assert [assert_close(*pair, 1e-5, 1e-6) for pair in zip(*grads)]


@pytest.mark.parametrize("shape", [(9000, 1000), (800, 40, 100)], ids=str)
def test_gradients_are_ordinary_tensors(shape, tmp_path):
    "블록에서 만든 기울기는 크기를 바꾸고, 저장하고, 나누고, NumPy로 볼 수 있습니다."
    x = torch.randn(shape, requires_grad=True)
    cross_entropy(x, torch.zeros(shape[:1] + shape[2:], dtype=torch.long)).backward()
    kept = x.grad.clone()
    assert x.grad.untyped_storage().resizable() and not x.grad.requires_grad
    assert x.grad.numpy().shape == shape
    torch.save(x.grad, tmp_path / "grad")
    assert torch.equal(torch.load(tmp_path / "grad"), kept)
    x.grad.share_memory_()
    assert torch.equal(x.grad, kept)
    other = torch.randn(shape, requires_grad=True)
    cross_entropy(other, torch.zeros(shape[:1] + shape[2:], dtype=torch.long)).backward()
    other.grad.untyped_storage().resize_(0)


def changed_between(function, which, needs, y, **options):
    "순전파와 역전파 사이에 텐서 하나를 고칩니다. 오류면 그 종류를 돌려줍니다."
    leaves = [tensor.requires_grad_(need) for tensor, need in zip(tensors(), needs)]
    used = [leaf * 1 for leaf in leaves]
    value = function(*used, y, **options).sum()
    with torch.no_grad():
        used[which].mul_(2)
    try:
        return torch.autograd.grad(value, [leaf for leaf in leaves if leaf.requires_grad])
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
        return None


@pytest.mark.parametrize("needs", [n for n in itertools.product([True, False], repeat=3) if any(n)], ids=str)
@pytest.mark.parametrize("which", [0, 1, 2], ids=["은닉", "가중치", "편향"])
def test_inputs_may_change_between_forward_and_backward(ours, which, needs):
    "PyTorch가 허락하는 것은 모두 허락하고, 허락하지 않는 것은 같은 오류를 내거나 고치기 전의 기울기를 줍니다."
    theirs = changed_between(THEIRS, which, needs, INDEX)
    mine = changed_between(ours, which, needs, INDEX)
    if theirs is not None:
        assert mine is not None
    for a, b in zip(mine or (), theirs or mine or ()):
        assert_close(a, b, 1e-5, 1e-6)


@pytest.mark.parametrize("options", [*OPTIONS.values(), dict(z_loss=0.1), dict(softcap=3.0)], ids=[*OPTIONS, "z-loss", "softcap"])
@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_logits_may_change_before_a_second_derivative(reduction, options, every_path):
    "로짓을 고친 뒤에도 create_graph로 구한 기울기와 그 미분이 고치기 전의 것입니다."
    grads = []
    for change in (True, False):
        leaf = tensors()[0].double().requires_grad_()
        logits = leaf * 1
        chosen = {name: value.double()[:H] if torch.is_tensor(value) else value for name, value in options.items()}
        value = cross_entropy(logits, INDEX.clamp(max=H - 1), reduction=reduction, **chosen).sum()
        if change:
            with torch.no_grad():
                logits.fill_(7.0)
        (grad,) = torch.autograd.grad(value, leaf, create_graph=True)
        grads.append((grad.detach(), *torch.autograd.grad(grad.square().sum(), leaf)))
    for changed, kept in zip(*grads):
        assert_close(changed, kept, 1e-9, 1e-12)


@pytest.mark.parametrize("options", [{}, dict(label_smoothing=0.1), dict(z_loss=0.1)], ids=str)
def test_nothing_of_the_logits_size_outlives_a_checkpoint(options):
    "체크포인트한 순전파가 끝나면 로짓만 한 것은 남지 않고, 저장하는 것은 모두 saved_tensors_hooks를 지납니다."
    x, y = torch.randn(2000, 1000, requires_grad=True), torch.zeros(2000, dtype=torch.long)

    def alive():
        gc.collect()
        found = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in gc.get_objects() if type(t) is torch.Tensor}
        return sum(size for size in found.values() if size >= x.nbytes // 4)

    before = alive()
    loss = checkpoint(lambda z: cross_entropy(z, y, **options), x, use_reentrant=False)
    assert alive() == before
    (grad,) = torch.autograd.grad(loss, x)
    assert_close(grad, torch.autograd.grad(cross_entropy(x, y, **options), x)[0])
    packed = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.nbytes) or t.clone(), lambda t: t):
        loss = cross_entropy(x, y, **options)
    assert max(packed) == x.nbytes
    assert_close(torch.autograd.grad(loss, x)[0], grad)


def exported(module, inputs, strict, dims):
    from torch.export import Dim, export

    made = {name: Dim(name, min=3, max=2**20) for name in "BTC"}  # 두 칸을 밀면 한 칸이라 PyTorch도 3부터입니다
    shapes = tuple({k: made[name] for k, name in enumerate(dims_of) if name in made} for dims_of in dims)
    return export(module, inputs, dynamic_shapes=shapes, strict=strict).module()


class Plain(torch.nn.Module):
    def forward(self, x, y):
        return cross_entropy(x, y, label_smoothing=0.1)


class Extras(torch.nn.Module):
    def forward(self, x, y):
        loss, lse = cross_entropy(x, y, dtype=torch.float64, return_lse=True, z_loss=0.1, softcap=3.0)
        return loss + lse.mean()


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(5, 5))

    def forward(self, x, y):
        return linear_cross_entropy(x, self.weight, y)


class Shifted(Layer):
    def forward(self, x, y):
        loss, lse = linear_cross_entropy(x, self.weight, y, shift=1, return_lse=True)
        return loss + lse.mean()


EXPORTS = {  # (모듈, 로짓과 정답의 차원, 내보낼 때의 크기, 써 볼 크기). 글자로 적은 차원이 바뀝니다
    "배치": (Plain(), ("B5", "B"), (6,), (300000,)),
    "배치, 모듈": (CrossEntropyLoss(), ("B5", "B"), (6,), (300000,)),
    "배치와 클래스": (Plain(), ("BC", "B"), (6, 7), (40, 70000)),
    "배치와 위치": (Plain(), ("B5T", "BT"), (3, 4), (300, 2000)),
    "더한 인자": (Extras(), ("BC", "B"), (6, 7), (40, 70000)),
    "선형층": (Layer(), ("B5", "B"), (6,), (300000,)),
    "선형층, 모듈": (LinearCrossEntropyLoss(5, 5), ("B5", "B"), (6,), (300000,)),
    "선형층, 배치와 위치": (Shifted(), ("BT5", "BT"), (3, 4), (300, 1000)),
}


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("name", EXPORTS)
def test_export_with_dynamic_sizes(name, strict):
    "크기가 우리의 문턱을 넘나들어도 내보낸 그래프가 맞습니다."
    module, dims, small, large = EXPORTS[name]

    def inputs(sizes):
        letters = [letter for letter in dict.fromkeys("".join(dims)) if letter in "BTC"]
        size = {"5": 5} | dict(zip(sorted(letters, key="BCT".index), sizes))
        return torch.randn([size[d] for d in dims[0]]), torch.randint(5, [size[d] for d in dims[1]])

    program, given = exported(module, inputs(small), strict, dims), inputs(large)
    assert_close(program(*given).detach(), module(*given).detach(), 1e-4, 1e-5)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize("name", OURS)
def test_compiled_without_a_graph_break(name, backend, every_path):
    leaves = [tensor.requires_grad_() for tensor in tensors()]
    call = lambda *leaves: OURS[name](*leaves, INDEX)
    mine = torch.compile(call, backend=backend, fullgraph=True)(*leaves)
    pairs = zip(*(torch.autograd.grad(loss, leaves) for loss in (mine, call(*leaves))))
    assert [assert_close(a, b) for a, b in pairs]


ENDINGS = {
    "주 스레드보다 오래 사는 스레드": """
import threading, time
def late():
    threading.main_thread().join()
    step()
threading.Thread(target=late).start()
""",
    "atexit": "import atexit; atexit.register(step)",
    "호출하는 동안 태어난 스레드": """
import threading
def born():
    before = torch.get_num_threads()
    step()
    assert torch.get_num_threads() == before
threads = [threading.Thread(target=born) for _ in range(4)]
[thread.start() for thread in threads]
step()
[thread.join() for thread in threads]
""",
    "함께 처음 부르는 스레드": """
import threading
sys.setswitchinterval(1e-6)
together = threading.Barrier(8)
def first():
    together.wait()
    step()
threads = [threading.Thread(target=first) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
""",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_threads_and_endings(name):
    "큰 입력을 끝나 가는 프로세스와 여러 스레드에서 계산합니다."
    code = """
import sys
import torch
from crossent import cross_entropy, linear_cross_entropy
def step():
    x = torch.randn(3000, 1000, requires_grad=True)
    cross_entropy(x, torch.zeros(3000).long()).backward()
    h, w = torch.randn(300, 8, requires_grad=True), torch.randn(1000, 8, requires_grad=True)
    linear_cross_entropy(h, w, torch.zeros(300).long()).backward()
    sys.stdout.write(f"끝까지 {x.grad.isfinite().all().item()} {w.grad.isfinite().all().item()}\\n")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code + ENDINGS[name]], capture_output=True, encoding="utf-8", timeout=120)
    lines = done.stdout.split("\n")[:-1]
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert lines and set(lines) == {"끝까지 True True"}


@pytest.mark.filterwarnings("ignore")
def test_no_more_graphs_than_pytorch():
    "크기가 바뀌어도 PyTorch보다 더 많이 컴파일하지 않습니다."
    counts = []
    for function in (F.cross_entropy, cross_entropy):
        torch.compiler.reset()
        graphs = []

        def count(graph, _):
            graphs.append(graph)
            return graph.forward

        compiled = torch.compile(lambda x, y, f=function: f(x, y), backend=count, dynamic=True)
        for n in (4, 9, 600, 20000):
            compiled(torch.randn(n, 100), torch.zeros(n, dtype=torch.long))
        counts.append(len(graphs))
    assert counts[1] <= counts[0]


def four(function):
    "인자 넷만 받는 꼴로."
    return lambda x, w, b, y: function(x, w, b, y)


@pytest.mark.parametrize("mode", ["real", "fake", "symbolic"])
def test_make_fx(mode, every_path):
    from torch.fx.experimental.proxy_tensor import make_fx

    x, w, b = tensors()
    other = tensors(seed=1)
    for function in OURS.values():
        traced = make_fx(four(function), tracing_mode=mode)(x, w, b, INDEX)
        assert_close(traced(*other, INDEX.flip(0)), THEIRS(*other, INDEX.flip(0)), 1e-5, 1e-6)


def test_flop_counter_sees_the_plain_work(every_path):
    from torch.utils.flop_counter import FlopCounterMode

    counts = []
    for function in (THEIRS, from_layer):
        leaves = [tensor.requires_grad_() for tensor in tensors()]
        with FlopCounterMode(display=False) as counter:
            function(*leaves, INDEX).backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] > 0


def test_function_modes_and_handlers_are_asked(every_path):
    "F.cross_entropy를 아는 텐서와 모드는 우리 함수도 그것으로 봅니다."
    from torch.overrides import TorchFunctionMode

    class Mine(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "맡음" if func is F.cross_entropy else super().__torch_function__(func, types, args, kwargs or {})

    class Duck:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return "맡음" if func is F.cross_entropy else NotImplemented

    class Watch(TorchFunctionMode):
        seen = False

        def __torch_function__(self, func, types, args=(), kwargs=None):
            self.seen |= func is F.cross_entropy
            return func(*args, **(kwargs or {}))

    logits = torch.randn(N, C)
    assert cross_entropy(logits.as_subclass(Mine), INDEX) == cross_entropy(Duck(), INDEX) == "맡음"
    with Watch() as watch:
        cross_entropy(logits, INDEX)
    assert watch.seen


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("name", OURS)
def test_a_default_device_changes_nothing(name, device, take):
    "기본 장치를 정하는 모드는 연산을 가로채는 것으로 세지 않습니다. 만드는 텐서는 받은 텐서의 장치에 놓입니다."
    take("블록")
    options = dict(z_loss=0.1, return_lse=True), dict(reduction="none", return_lse=True), {}
    for dtype, extras in itertools.product((torch.float32, torch.float16), options):
        found = []
        for mode in (nullcontext(), torch.device(device)):
            leaves = [tensor.requires_grad_() for tensor in tensors(dtype=dtype)]
            with mode:
                loss = OURS[name](*leaves, INDEX, **extras)
                outputs = loss if isinstance(loss, tuple) else (loss,)
                grads = [torch.autograd.grad(each.sum(), leaves, retain_graph=True) for each in outputs]
            found.append((*outputs, *sum(grads, ()), [type(each.grad_fn).__name__ for each in outputs]))
        (*plain, nodes), (*mine, my_nodes) = found
        assert my_nodes == nodes and all(map(torch.equal, mine, plain))


class Scored(torch.nn.Module):
    "은닉 벡터를 받는 손실 모듈 둘."

    def __init__(self, **options):
        super().__init__()
        self.head, self.loss = torch.nn.Linear(H, C), CrossEntropyLoss(**options)
        self.both = LinearCrossEntropyLoss(H, C, **options)

    def forward(self, x, y):
        return self.loss(self.head(x), y), self.both(x, y)


@pytest.mark.parametrize("options", [{}, dict(softcap=2.0, z_loss=0.1)], ids=str)
def test_fx(options):
    "symbolic_trace로 옮겨 적은 함수와 모듈은 옮기기 전과 같습니다."
    x, w, b = tensors()
    function = lambda x, y: (linear_cross_entropy(x, w, y, linear_bias=b, **options),)
    for each in (function, Scored(**options)):
        for mine, plain in zip(torch.fx.symbolic_trace(each)(x, INDEX), each(x, INDEX), strict=True):
            assert_close(mine, plain)


class Twice(CrossEntropyLoss):
    def forward(self, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(input, target) * 2


class Named(CrossEntropyLoss):
    pass


@pytest.mark.parametrize("kind", [CrossEntropyLoss, Named, Twice])
def test_script_keeps_what_a_subclass_does(kind):
    x = torch.randn(N, C)
    assert_close(torch.jit.script(kind())(x, INDEX), kind()(x, INDEX))


def test_numbers_of_numpy():
    "NumPy의 수도 파이썬의 수처럼 받습니다."
    given = dict(ignore_index=np.int32(3), label_smoothing=np.float32(0.25), softcap=np.float32(2), z_loss=np.float32(0.5))
    plain = dict(ignore_index=3, label_smoothing=0.25, softcap=2.0, z_loss=0.5)
    y = torch.tensor([1, 3, 6, 0, 3, 2])
    for function in OURS.values():
        assert_close(function(*tensors(), y, **given), function(*tensors(), y, **plain))


def test_a_full_backward_hook_is_named():
    "full backward hook을 건 모듈의 forward는 곧 사라지는 뷰를 받습니다. 도움말이 그렇다고 말합니다."
    module, x = CrossEntropyLoss(), torch.randn(N, C, requires_grad=True)
    module(x, INDEX)
    module.backward(1.0)
    module.register_full_backward_hook(lambda *_: None)
    module(x, INDEX).backward()
    with pytest.raises(RuntimeError, match="hook"):
        module.backward(1.0)


@pytest.mark.parametrize("device", ["meta", "fake"])
def test_no_values_to_look_at(device, every_path):
    "값이 없는 텐서: 모양과 자료형만 나옵니다. 모듈도 됩니다."
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode() if device == "fake" else torch.device("meta"):
        x, y = torch.empty(N, H), torch.empty(N, dtype=torch.long)
        w = torch.empty(C, H)
        module = LinearCrossEntropyLoss(H, C)
        for options in (dict(reduction="none"), dict(), dict(label_smoothing=0.1)):
            shape = (N,) if options.get("reduction") else ()
            assert linear_cross_entropy(x, w, y, **options).shape == shape
            assert cross_entropy(F.linear(x, w), y, **options).shape == shape
        assert module(x, y).shape == CrossEntropyLoss()(F.linear(x, w), y).shape == ()


def test_out_of_memory_is_pytorchs_error(every_path):
    "메모리가 모자라면 PyTorch의 RuntimeError와 그 문장입니다."
    x = torch.zeros(1, dtype=torch.float32).expand(2**22, 2**22)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        cross_entropy(x.requires_grad_(), torch.zeros(2**22, dtype=torch.long))


ADVICE = {
    "다른 장치": (lambda x, y: (x, y.to("meta")), "장치"),
    "뒤바뀐 인자": (lambda x, y: (y, x), "차례"),
    "튜플": (lambda x, y: ((x,), y), "outputs"),
    "NumPy 배열": (lambda x, y: (x.numpy(), y), "from_numpy"),
    "글자": (lambda x, y: ("abc", y), "input"),
    "없음": (lambda x, y: (x, None), "target"),
    "로짓 하나": (lambda x, y: (x[:, :1], (y > 2).long()), "binary_cross_entropy_with_logits"),
    "참거짓 정답": (lambda x, y: (x[:, 0], y > 2), "binary_cross_entropy_with_logits"),
    "정답이 C": (lambda x, y: (x, y.clamp(min=0) * 0 + C), "클래스 수"),
    "로짓이 수": (lambda x, y: (x[0, 0], y), "클래스 축"),
}


@pytest.mark.parametrize("name", ADVICE)
def test_help_says_what_to_do(name, every_path):
    "오류는 PyTorch의 것이고, 도움말은 어느 인자를 어떻게 고칠지 말합니다."
    make, word = ADVICE[name]
    arguments = make(torch.randn(N, C), INDEX)
    with pytest.raises(Exception) as theirs:
        F.cross_entropy(*arguments)
    for loss in (cross_entropy, CrossEntropyLoss()):
        with pytest.raises(type(theirs.value)) as mine:
            loss(*arguments)
        english, *korean = str(mine.value).split("\n", str(theirs.value).count("\n") + 1)
        assert str(mine.value).startswith(str(theirs.value)) and korean and word in korean[-1], mine.value


@pytest.mark.parametrize("odd", ["weight", "target"])
def test_help_moves_the_one_left_behind(odd):
    given = dict(input=torch.randn(N, C), target=INDEX, weight=WEIGHT)
    with pytest.raises(RuntimeError, match=f"{odd}\\.to\\('cpu'\\)"):
        cross_entropy(**given | {odd: given[odd].to("meta")})


def test_returned_gradient_is_off_the_tape(ours):
    "autograd.grad가 준 기울기는 테이프에 이어져 있지 않습니다."
    leaves = [tensor.requires_grad_() for tensor in tensors()]
    for grad in torch.autograd.grad(ours(*leaves, INDEX), leaves):
        assert not grad.requires_grad
        grad.numpy()


@pytest.mark.parametrize("given, word", [(dict(z_loss="a"), "z_loss"), (dict(z_loss=-1.0), "z_loss"), (dict(softcap="b"), "softcap"), (dict(softcap=0), "softcap"), (dict(softcap=float("inf")), "softcap"), (dict(z_loss=True), "z_loss")])
def test_extras_are_checked(given, word, every_path):
    with pytest.raises((TypeError, ValueError), match=f"(?s){word} must be .*받은 값은 {word}="):
        cross_entropy(torch.randn(N, C), INDEX, **given)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex64, "cpu"], ids=str)
@pytest.mark.parametrize("logits", [torch.float32, torch.bfloat16, torch.float16], ids=str)
def test_dtype_is_checked(logits, dtype, every_path):
    with pytest.raises(TypeError, match="(?s)dtype must be"):
        cross_entropy(torch.randn(N, C).to(logits), INDEX, dtype=dtype)


def test_following_the_advice_works():
    "도움말대로 고치면 됩니다."
    x, y = torch.randn(N, C), INDEX
    for fixed in ((x, y.to("cpu")), ((x,)[0], y), (torch.from_numpy(x.numpy()), y), (torch.cat([x[:, :1] * 0, x[:, :1]], 1), (y > 2).long())):
        assert torch.isfinite(cross_entropy(*fixed))
    two, one = torch.cat([x[:, :1] * 0, x[:, :1]], 1), x[:, 0]
    both = cross_entropy(two, (y > 2).long()), F.binary_cross_entropy_with_logits(one, (y > 2).float())
    assert_close(*both)


@pytest.mark.parametrize("make", [lambda x, y: (x.to_sparse(), y), lambda x, y: (x.to(torch.complex64), y), lambda x, y: (x, y.to(torch.uint16)), lambda x, y: (x.to("meta"), y[:2].to("meta"))], ids=["희소", "복소수", "uint16", "meta"])
def test_help_never_fails_itself(make, every_path):
    "도움말을 만들지 못해도 PyTorch의 오류는 그대로 나갑니다."
    arguments = make(torch.randn(N, C), INDEX)
    with pytest.raises(Exception) as theirs:
        F.cross_entropy(*arguments)
    with pytest.raises(type(theirs.value)) as mine:
        cross_entropy(*arguments)
    assert str(mine.value).startswith(str(theirs.value))


def test_an_error_of_many_parts_comes_through():
    "문장 하나로 만들 수 없는 종류의 오류는 받은 그대로 나갑니다."

    class Broken(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            if func is F.cross_entropy:
                b"\xff".decode()
            return super().__torch_function__(func, types, args, kwargs or {})

    with pytest.raises(UnicodeDecodeError):
        cross_entropy(torch.randn(N, C).as_subclass(Broken), INDEX)


@pytest.mark.parametrize("options", [{}, dict(softcap=1e5), dict(z_loss=1e-30), dict(label_smoothing=1e-30), dict(weight=torch.ones(3))], ids=str)
@pytest.mark.parametrize("name", OURS)
def test_a_confident_row_keeps_its_digits_with_every_option(name, options, take):
    "값의 차이가 30인 줄의 손실과 기울기: 참값 9.36e-14가 자릿수까지 남습니다."
    take("블록")
    x = torch.eye(3)[:1].mul(30).requires_grad_()
    loss = OURS[name](x, torch.eye(3), None, torch.tensor([0]), **options)
    (grad,) = torch.autograd.grad(loss, x)
    truth = 2 * torch.exp(torch.tensor(-30.0, dtype=torch.float64))
    assert_close(grad[0, 0].double(), -truth, 1e-4, 0)
    if "z_loss" not in options and "label_smoothing" not in options:
        assert_close(loss.detach().double(), truth, 1e-4, 0)
