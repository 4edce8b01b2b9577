"PyTorch의 손실에 우리가 더한 인자: dtype, return_lse, shift, (…, H), 예측, 엔트로피. 답은 float64로 풀어 쓴 것과 견줍니다."

import itertools

import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

import crossent
from crossent import CrossEntropyLoss, LinearCrossEntropyLoss, cross_entropy, linear_cross_entropy
from crossent.core import sweep
from crossent.testing import assert_close

DTYPES = torch.float32, torch.float64, torch.float16, torch.bfloat16
EPS = {dtype: torch.finfo(dtype).eps for dtype in DTYPES}


@pytest.fixture(params=[(), (0, 1), (0, 3)], ids=["한 블록", "한 줄씩", "세 줄씩"])
def blocks(request, monkeypatch):
    for name, value in zip(("BLOCK_NUMBERS", "FEWEST_ROWS"), request.param):
        monkeypatch.setattr(sweep, name, value)


def problem(shape, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(shape, generator=generator)
    target = torch.randint(shape[1], (shape[0], *shape[2:]), generator=generator)
    target.view(-1)[::3] = -100
    return logits.to(dtype).requires_grad_(), target


def within_one_rounding(found, truth, dtype, size=1.0):
    "참값을 dtype으로 한 번 반올림한 것과 한 눈금 안."
    gap = (found.detach().double() - truth.detach().double()).abs()
    assert (gap <= EPS[dtype] * (truth.abs() + size * EPS[dtype])).all(), gap.max()


# 손실

@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("source, asked", [pair for pair in itertools.product(DTYPES, DTYPES)], ids=str)
def test_dtype_is_the_type_of_the_loss(source, asked, reduction, every_path):
    logits, target = problem((30, 40), source)
    loss = cross_entropy(logits, target, reduction=reduction, dtype=asked)
    truth = F.cross_entropy(logits.double(), target, reduction=reduction)
    assert loss.dtype == asked
    worst = max((asked, source if source == torch.float64 else torch.float32), key=EPS.get)
    assert_close(loss, truth, rtol=8 * EPS[worst], atol=8 * EPS[worst], check_dtype=False)
    (grad,) = torch.autograd.grad(loss, logits, torch.ones_like(loss))
    (expected,) = torch.autograd.grad(truth, logits, torch.ones_like(truth))
    assert grad.dtype == source
    assert_close(grad, expected, rtol=4 * max(EPS[source], EPS[worst]), atol=4 * EPS[worst] / 30, check_dtype=False)


def test_half_sum_and_mean_keep_their_digits_in_float32(every_path):
    "float16의 합은 inf가 되고 bfloat16의 평균은 세 자리만 남습니다. dtype=float32면 둘 다 온전합니다."
    logits, target = problem((4096, 100))
    for half in (torch.float16, torch.bfloat16):
        x, y = 8 * logits.detach().to(half), target.clamp(0)
        truth = F.cross_entropy(x.double(), y, reduction="sum")
        assert_close(cross_entropy(x, y, reduction="sum", dtype=torch.float32), truth, rtol=1e-6, check_dtype=False)
        assert_close(cross_entropy(x, y, dtype=torch.float32), truth / 4096, rtol=1e-6, check_dtype=False)
    assert cross_entropy(8 * logits.detach().half(), target.clamp(0), reduction="sum").isinf()


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("kind", ["번호", "확률"])
def test_float32_weights_with_half_logits(half, kind, every_path):
    "손실은 PyTorch가 확률 정답에서 하듯 float32이고, 로짓을 먼저 넓힌 것과 같습니다."
    logits, target = problem((30, 40), half)
    if kind == "확률":
        target = torch.softmax(torch.randn(30, 40), 1).to(half)
    weight = torch.rand(40)
    loss = cross_entropy(logits, target, weight, label_smoothing=0.1)
    truth = F.cross_entropy(logits.double(), target.double() if kind == "확률" else target, weight.double(), label_smoothing=0.1)
    assert loss.dtype == torch.float32
    assert_close(loss, truth, rtol=1e-6, check_dtype=False)
    (grad,) = torch.autograd.grad(loss, logits)
    assert grad.dtype == half
    assert_close(grad, torch.autograd.grad(truth, logits)[0], rtol=2 * EPS[half], atol=1e-7, check_dtype=False)
    with pytest.raises(RuntimeError, match="expected scalar type"):
        cross_entropy(logits.detach(), problem((30, 40))[1], weight.double())


LSE_SHAPES = (30, 40), (4, 7, 5), (4, 7, 2, 3), (1, 9)


@pytest.mark.parametrize("options", [{}, dict(softcap=2.0), dict(z_loss=0.1, label_smoothing=0.1, reduction="none")], ids=str)
@pytest.mark.parametrize("shape", LSE_SHAPES, ids=str)
def test_return_lse(shape, options, every_path):
    "값, 기울기, 두 번 미분. 무시한 표본의 log-sum-exp도 있습니다."
    logits, target = problem(shape, torch.float64)
    loss, lse = cross_entropy(logits, target, return_lse=True, **options)
    capped = 2 * torch.tanh(logits / 2) if "softcap" in options else logits
    truth = torch.logsumexp(capped, 1)
    assert lse.shape == target.shape
    assert_close(loss, cross_entropy(logits, target, **options))
    assert_close(lse, truth)
    ups = torch.randn(loss.shape).double(), torch.randn(lse.shape).double()
    plain = cross_entropy(logits, target, **options)
    mine = torch.autograd.grad((loss, lse), logits, ups, create_graph=True)[0]
    theirs = torch.autograd.grad((plain, truth), logits, ups, create_graph=True)[0]
    assert_close(mine, theirs)
    again = torch.randn(shape).double()
    assert_close(*(torch.autograd.grad(each, logits, again)[0] for each in (mine, theirs)))


def test_lse_stays_when_the_logits_change(every_path):
    "log-sum-exp를 미분하지 않으면 로짓을 고쳐도 되고, 미분하면 PyTorch처럼 오류입니다."
    leaf, target = problem((30, 40))
    logits = leaf * 1
    loss, lse = cross_entropy(logits, target, return_lse=True)
    logits.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(lse.sum(), leaf)
    lse *= 2  # 돌려받은 것은 보통의 텐서입니다
    assert lse.untyped_storage().resizable()


def test_half_lse_is_float32(every_path):
    for half in (torch.float16, torch.bfloat16):
        logits, target = problem((30, 40), half)
        lse = cross_entropy(logits, target, return_lse=True)[1]
        assert lse.dtype == torch.float32
        assert_close(lse, torch.logsumexp(logits.double(), 1), rtol=1e-6, check_dtype=False)


def test_probability_targets_and_watched_calls_have_lse_too():
    logits, target = problem((5, 7))
    probs = torch.softmax(torch.randn(5, 7), 1)
    assert_close(cross_entropy(logits, probs, return_lse=True)[1], torch.logsumexp(logits, 1))
    call = torch.compile(lambda x, y: cross_entropy(x, y, dtype=torch.float64, return_lse=True), backend="eager", fullgraph=True)
    loss, lse = call(logits, target)
    assert loss.dtype == lse.dtype == torch.float64
    each = torch.func.vmap(lambda x, y: cross_entropy(x[None], y[None], return_lse=True)[1])(logits.detach(), target.clamp(0))
    assert_close(each[:, 0], torch.logsumexp(logits.detach(), 1))


@pytest.mark.parametrize("dtype", ["float32", torch.int64, 3], ids=str)
def test_wrong_dtype(dtype):
    logits, target = problem((5, 7))
    for call in (lambda **k: cross_entropy(logits, target, **k), lambda **k: linear_cross_entropy(logits, torch.eye(7), target, **k)):
        with pytest.raises(TypeError, match="dtype must be a floating point torch.dtype.*\n.*torch.float32"):
            call(dtype=dtype)


def test_module_takes_dtype(every_path):
    logits, target = problem((30, 40), torch.bfloat16)
    module = CrossEntropyLoss(dtype=torch.float32)
    loss = module(logits, target)
    assert loss.dtype == torch.float32
    loss.backward()
    assert_close(module.backward(1.0), logits.grad)


# 선형층

def layer(places, h, v, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    make = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    target = torch.randint(v, places, generator=generator)
    target.view(-1)[1::4] = -100
    return [make(*places, h), make(v, h), make(v)], target


def written_out(leaves, target, shift=0, softcap=None, **options):
    "로짓을 만들고, 밀고, 클래스를 1번 축으로 옮긴 평범한 몇 줄."
    logits = F.linear(*leaves)
    if shift:
        logits, target = logits[..., :-shift, :], target[..., shift:]
    loss = cross_entropy(logits.flatten(0, -2), target.flatten(), softcap=softcap, **options)
    loss = loss.reshape(target.shape) if loss.dim() else loss
    capped = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    entropy = torch.special.entr(torch.softmax(capped, -1)).sum(-1)
    return loss, torch.logsumexp(capped, -1), logits.argmax(-1), entropy


EVERYTHING = dict(return_lse=True, return_predictions=True, return_entropy=True)
PLACES = (6,), (2, 6), (2, 1, 6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shift", [0, 1, 2])
@pytest.mark.parametrize("places", PLACES, ids=str)
def test_positions_and_what_the_logits_would_have_told(places, shift, reduction, blocks):
    leaves, target = layer(places, 3, 9)
    options = dict(reduction=reduction, shift=shift, softcap=2.0, z_loss=0.1, label_smoothing=0.1)
    call = lambda **more: linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], **options, **more)
    found, expected = call(**EVERYTHING), written_out(leaves, target, **options)
    for mine, theirs in zip(found, expected):
        assert mine.shape == theirs.shape
        assert_close(mine, theirs)
    assert not found[2].requires_grad and not found[3].requires_grad
    assert_close(call(), expected[0])
    ups = [torch.randn(each.shape).double() for each in found[:2]]
    mine = torch.autograd.grad(found[:2], leaves, ups, create_graph=True)
    theirs = torch.autograd.grad(expected[:2], leaves, ups, create_graph=True)
    assert [*map(assert_close, mine, theirs)]
    agains = [torch.randn(leaf.shape).double() for leaf in leaves]
    pairs = zip(*(torch.autograd.grad(grads, leaves, agains, retain_graph=True) for grads in (mine, theirs)))
    assert [assert_close(a, b) for a, b in pairs]
    for one in ("lse", "loss"):  # 하나만 미분해도
        k = one == "lse"
        fresh = call(return_lse=True)[k]
        a, b = (torch.autograd.grad(each, leaves, ups[k], retain_graph=True) for each in (fresh, expected[k]))
        assert [assert_close(*pair) for pair in zip(a, b)]


def test_only_what_was_asked_in_this_order():
    leaves, target = layer((6,), 3, 9)
    names = list(EVERYTHING)
    whole = dict(zip(names, linear_cross_entropy(*leaves[:2], target, **EVERYTHING)[1:]))
    for some in itertools.chain(*(itertools.combinations(names, k) for k in (1, 2, 3))):
        found = linear_cross_entropy(*leaves[:2], target, **dict.fromkeys(some, True))
        assert len(found) == 1 + len(some)
        assert [assert_close(mine, whole[name]) for mine, name in zip(found[1:], some)]
    assert isinstance(linear_cross_entropy(*leaves[:2], target), torch.Tensor)


WAYS = {
    "확률 정답": lambda x, w, y: (x, w, torch.softmax(torch.randn(*y.shape, len(w), dtype=x.dtype), -1)),
    "정답 int64 아님": lambda x, w, y: (x, w, y.clamp(0).to(torch.uint8)),
}


@pytest.mark.parametrize("name", WAYS)
def test_whole_logits_tell_the_same(name):
    (x, w, _), target = layer((2, 6), 3, 9)
    x, w, target = WAYS[name](x, w, target)
    found = linear_cross_entropy(x, w, target, shift=1, **EVERYTHING)
    logits = F.linear(x, w)[:, :-1]
    wanted = target[:, 1:].flatten(0, 1)
    assert_close(found[0], F.cross_entropy(logits.flatten(0, 1), wanted if wanted.is_floating_point() else wanted.long()))
    assert_close(found[1], torch.logsumexp(logits, -1))
    assert torch.equal(found[2], logits.argmax(-1))


def test_compiled_tells_the_same():
    (x, w, b), target = layer((2, 6), 3, 9, torch.float32)
    call = lambda x, w, b: linear_cross_entropy(x, w, target, linear_bias=b, shift=1, **EVERYTHING)
    mine = call(x, w, b)
    compiled = torch.compile(call, backend="eager", fullgraph=True)(x, w, b)
    assert [assert_close(a, b) for a, b in zip(mine, compiled)]


@pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
def test_half_extras_are_judged_by_float64(half, blocks):
    leaves, target = layer((40,), 4, 30, half)
    loss, lse, _, entropy = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], dtype=torch.float32, **EVERYTHING)
    assert loss.dtype == lse.dtype == entropy.dtype == torch.float32
    logits = F.linear(*leaves).detach().double()  # 로짓은 두 줄에서도 반정밀도입니다
    assert_close(loss, F.cross_entropy(logits, target), rtol=1e-2 if half == torch.bfloat16 else 2e-3, check_dtype=False)
    rounding = 4 * EPS[half]
    assert_close(lse, torch.logsumexp(logits, 1), rtol=rounding, atol=rounding, check_dtype=False)


def test_never_holds_the_logits_for_extras(monkeypatch):
    "엔트로피까지 달라고 해도 로짓만 한 텐서는 생기지 않습니다."
    from torch.utils._python_dispatch import TorchDispatchMode

    monkeypatch.setattr(sweep, "BLOCK_NUMBERS", 500)
    monkeypatch.setattr(sweep, "FEWEST_ROWS", 1)
    monkeypatch.setattr("crossent.linear.is_watched", lambda: False)
    monkeypatch.setattr("crossent.plumbing.linear_function.is_watched", lambda: False)
    largest = [0]

    class Largest(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            for each in torch.utils._pytree.tree_leaves(out):
                if isinstance(each, torch.Tensor):
                    largest[0] = max(largest[0], each.untyped_storage().nbytes() // 8)
            return out

    leaves, target = layer((4, 16), 2, 100)
    with Largest():
        found = linear_cross_entropy(*leaves[:2], target, shift=1, **EVERYTHING)
        torch.autograd.grad(found[0] + found[1].sum(), leaves[:2])
    assert largest[0] <= 600


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(1, 4),
    st.integers(2, 7),
    st.sampled_from(["mean", "sum", "none"]),
    st.sampled_from([0.0, 0.2]),
    st.sampled_from([0.0, 0.1]),
    st.sampled_from([None, 2.0]),
    st.tuples(*[st.booleans()] * 3),
    st.integers(1, 5),
    st.integers(0, 2**31),
)
def test_any_linear_call(places, h, v, reduction, smoothing, z_loss, softcap, needs, rows, seed):
    "모든 선택지, 일부만 미분, 두 번 미분."
    leaves, target = layer(tuple(places), h, v, seed=seed)
    leaves = [leaf.requires_grad_(False) if not need else leaf for leaf, need in zip([t.detach() for t in leaves], needs)]
    leaves = [leaf.clone().requires_grad_(need) for leaf, need in zip(leaves, needs)]
    options = dict(reduction=reduction, label_smoothing=smoothing, z_loss=z_loss, softcap=softcap)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "BLOCK_NUMBERS", 0)
        patch.setattr(sweep, "FEWEST_ROWS", rows)
        loss, lse = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], return_lse=True, **options)
        expected = written_out(leaves, target, **options)
        assert_close(loss, expected[0])
        assert_close(lse, expected[1])
        if not any(needs):
            return
        wanted = [leaf for leaf, need in zip(leaves, needs) if need]
        ups = torch.randn(loss.shape).double(), torch.randn(lse.shape).double()
        once = [torch.autograd.grad(o, wanted, ups, retain_graph=True) for o in ((loss, lse), expected[:2])]
        twice = [torch.autograd.grad(o, wanted, ups, create_graph=True) for o in ((loss, lse), expected[:2])]
        assert [assert_close(*pair) for pairs in (once, twice) for pair in zip(*pairs)]
        seconds = [torch.autograd.grad([g.sum() * (k + 1) for k, g in enumerate(grads)], wanted, allow_unused=True) if any(g.requires_grad for g in grads) else () for grads in twice]
        for a, b in zip(*seconds):
            assert_close(a if a is not None else torch.zeros(()), b if b is not None else torch.zeros(()))


# 반정밀도는 float64로 판단합니다: 참값에서 반올림 한 번 안이거나, PyTorch로 쓴 것보다 멀지 않아야 합니다

HALVES = pytest.mark.parametrize("half", [torch.float16, torch.bfloat16], ids=str)
KINDS = pytest.mark.parametrize("kind", ["번호", "확률"])
ALL_OPTIONS = list(itertools.product(("mean", "sum", "none"), (0.0, 0.1), (0.0, 0.01), (None, 5.0), (False, True)))


def half_problem(half, kind, weighted, seed=0):
    "은닉 벡터, 선형층, 정답, 클래스 가중치. 넷 가운데 하나는 무시합니다."
    torch.manual_seed(seed)
    leaves, target = layer((40,), 16, 30, half, seed)
    if kind == "확률":
        target = torch.softmax(torch.randn(40, 30), 1).to(half)
    return leaves, target, torch.rand(30).to(half) if weighted else None


def in_torch(logits, target, weight, reduction, smoothing, z_loss, softcap):
    "PyTorch의 연산만으로 쓴 손실."
    pressed = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    loss = F.cross_entropy(pressed, target, weight, reduction=reduction, label_smoothing=smoothing)
    if not z_loss:
        return loss
    counted = torch.ones(len(target)) if target.dim() == 2 else target != -100
    squares = torch.where(counted > 0, z_loss * torch.logsumexp(pressed, 1).square(), 0.0)
    return loss + (squares if reduction == "none" else squares.sum() / (counted.sum() if reduction == "mean" else 1))


def with_grads(loss, leaves, up):
    return [loss.detach(), *torch.autograd.grad(loss, leaves, up.to(loss.dtype))]


def doubled(*tensors):
    return [t.detach().double() if t is not None and t.is_floating_point() else t for t in tensors]


@HALVES
@KINDS
def test_half_losses_are_the_truth_rounded_once(half, kind, every_path):
    "손실도 기울기도, 선택지를 어떻게 짝지어도. 소프트캡의 기울기에는 float32의 오차가 더 있습니다."
    for scale, (reduction, smoothing, z_loss, softcap, weighted) in zip(itertools.cycle((1, 8, 30)), ALL_OPTIONS):
        (x, w, _), target, weight = half_problem(half, kind, weighted)
        leaf = (scale * (x @ w.T)).detach().clone().requires_grad_()
        options = dict(reduction=reduction, label_smoothing=smoothing, z_loss=z_loss, softcap=softcap)
        loss, wide = cross_entropy(leaf, target, weight, **options), leaf.detach().double().requires_grad_()
        truth = in_torch(wide, *doubled(target, weight), *options.values())
        up = torch.randn(loss.shape).to(half)
        for mine, true in zip(with_grads(loss, [leaf], up), with_grads(truth, [wide], up)):
            gap, there = (mine.double() - true).abs(), mine.isfinite()
            assert mine.dtype == half and (there | (true.abs() > 0.99 * torch.finfo(half).max)).all()
            room = EPS[half] * true.abs() + 2**-20 * true.abs().max() + torch.finfo(half).smallest_normal * EPS[half]
            assert (gap <= room)[there].all(), (options, weighted, (gap / room).max())


@HALVES
@KINDS
def test_half_linear_losses_are_no_further_than_pytorchs(half, kind, blocks):
    "로짓이 이미 반정밀도라 참값과 다릅니다. 손실과 기울기의 거리를 PyTorch의 두 줄과 비교합니다."
    for reduction, smoothing, z_loss, softcap, weighted in ALL_OPTIONS:
        leaves, target, weight = half_problem(half, kind, weighted)
        chosen, up = (reduction, smoothing, z_loss, softcap), torch.randn(40 if reduction == "none" else ()).to(half)
        wide = [leaf.detach().double().requires_grad_() for leaf in leaves]
        options = dict(zip(("reduction", "label_smoothing", "z_loss", "softcap"), chosen))
        ours = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], weight=weight, **options)
        theirs = in_torch(F.linear(*leaves), target, weight, *chosen)
        truth = in_torch(F.linear(*wide), *doubled(target, weight), *chosen)
        every = [with_grads(loss, by, up) for loss, by in ((ours, leaves), (theirs, leaves), (truth, wide))]
        for mine, other, true in zip(*every):
            room = (other.double() - true).norm() + EPS[half] / 2 * true.norm()
            assert mine.dtype == half and (mine.double() - true).norm() <= room, (options, weighted)


PLACE_ERRORS = {
    "정답의 모양": (RuntimeError, "expected target shape", dict(target=torch.zeros(2, 5).long()), "(2, 4)"),
    "너무 큰 shift": (ValueError, "shift must be in", dict(shift=4), "다음 토큰이면 1"),
    "음수 shift": (ValueError, "shift must be in", dict(shift=-1), "다음 토큰이면 1"),
    "실수 shift": (TypeError, "shift must be an integer", dict(shift=1.0), "정수"),
    "축이 없는 shift": (ValueError, "shift needs input", dict(input=torch.zeros(3), target=torch.tensor(1), shift=1), "(…, T, H)"),
    "범위": (IndexError, "Target 9 is out of bounds", dict(target=torch.tensor([[0, 1, 2, 3], [4, 9, 5, 0]]), shift=1), "target[1, 1]"),
    "리스트 정답": (TypeError, "must be Tensor, not list", dict(target=[1, 2]), "torch.tensor(target)"),
    "(V, K, H) 가중치": (RuntimeError, "dimensionality 1 or 2", dict(linear_weight=torch.zeros(7, 2, 3)), "flatten"),
}


@pytest.mark.parametrize("name", PLACE_ERRORS)
def test_errors_say_where_and_what_to_do(name):
    kind, sentence, changed, korean = PLACE_ERRORS[name]
    good = dict(input=torch.randn(2, 4, 3), linear_weight=torch.randn(7, 3), target=torch.zeros(2, 4).long())
    linear_cross_entropy(**good)
    with pytest.raises(kind) as caught:
        linear_cross_entropy(**(good | changed))
    english, _, help_text = str(caught.value).partition("\n")
    assert sentence in english and korean in help_text


def test_linear_module_has_the_same_extras():
    torch.manual_seed(0)
    module = LinearCrossEntropyLoss(3, 9, bias=True, shift=1, loss_dtype=torch.float64, **EVERYTHING)
    x, target = torch.randn(2, 5, 3, requires_grad=True), torch.randint(9, (2, 5))
    found = module(x, target)
    direct = linear_cross_entropy(x, module.linear.weight, target, linear_bias=module.linear.bias, shift=1, dtype=torch.float64, **EVERYTHING)
    assert [assert_close(a, b) for a, b in zip(found, direct)] and found[0].dtype == torch.float64
    found[0].backward()
    tensors = x, module.linear.weight, module.linear.bias
    assert [assert_close(a, t.grad) for a, t in zip(module.backward(1.0), tensors)]
    assert crossent.LinearCrossEntropyLoss is LinearCrossEntropyLoss
