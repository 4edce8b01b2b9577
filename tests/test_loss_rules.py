"""crossent.loss가 지켜야 할 규칙: 성질, 정확도, 메모리, 두 번째 역전파, 모듈."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from crossent import CrossEntropyLoss, cross_entropy
from crossent.plumbing import blocks
from crossent.plumbing.arguments import checked
from crossent.plumbing.function import blocked_loss
from crossent.testing import assert_close


@pytest.fixture(params=["블록", "작은 블록"])
def blocked(request, take):
    take(request.param)


options_of = st.fixed_dictionaries(
    dict(
        reduction=st.sampled_from(["none", "mean", "sum"]),
        label_smoothing=st.sampled_from([0.0, 0.1, 1.0]),
        ignore_index=st.sampled_from([-100, 0, 999]),
    )
)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.lists(st.integers(1, 3), max_size=2), options_of, st.integers(0, 2**31), st.sampled_from([1, 30, 1e4]))
def test_any_shape(n, c, inner, options, seed, spread):
    generator = torch.Generator().manual_seed(seed)
    logits = (torch.randn(n, c, *inner, generator=generator) * spread).requires_grad_()
    target = torch.randint(c, (n, *inner), generator=generator)
    target[torch.rand(target.shape, generator=generator) < 0.2] = options["ignore_index"]
    kept_logits, kept_target = logits.detach().clone(), target.clone()
    mine, theirs = cross_entropy(logits, target, **options), F.cross_entropy(logits, target, **options)
    upstream = torch.randn(mine.shape, generator=generator)
    kept_upstream = upstream.clone()
    (grad,) = torch.autograd.grad(mine, logits, upstream)
    (expected,) = torch.autograd.grad(theirs, logits, upstream)
    tolerance = 1e-5 * max(1, spread / 100)
    assert_close(mine.detach(), theirs.detach(), 1e-5, tolerance)
    assert_close(grad, expected, 2e-5, 2e-5)
    assert torch.equal(logits, kept_logits) and torch.equal(target, kept_target) and torch.equal(upstream, kept_upstream)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.integers(2, 9), st.integers(0, 2**31), st.sampled_from([0.0, 0.1]))
def test_rows(n, c, seed, smoothing):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(n, c, generator=generator, dtype=torch.float64)
    target, weight = torch.randint(c, (n,), generator=generator), torch.rand(c, generator=generator, dtype=torch.float64) + 0.1
    each = cross_entropy(logits, target, weight, reduction="none", label_smoothing=smoothing)
    order = torch.randperm(n, generator=generator)
    assert_close(cross_entropy(logits[order], target[order], weight, reduction="none", label_smoothing=smoothing), each[order])
    shifted = logits + torch.randn(n, 1, generator=generator, dtype=torch.float64) * 100
    assert_close(cross_entropy(shifted, target, weight, reduction="none", label_smoothing=smoothing), each, 1e-9, 1e-9)
    total = cross_entropy(logits, target, weight, reduction="sum", label_smoothing=smoothing)
    assert_close(cross_entropy(logits, target, weight, label_smoothing=smoothing), total / weight[target].sum())
    dropped = target.clone()
    dropped[0] = -100
    assert_close(cross_entropy(logits, dropped, weight), cross_entropy(logits[1:], target[1:], weight))


def error(value, truth):
    return float((value.double() - truth).abs().max())


@pytest.mark.parametrize("classes", [10, 100, 600])
@pytest.mark.parametrize("kind", ["보통", "확신", "1e4", "−inf"])
def test_no_less_accurate_than_pytorch(kind, classes, every_path):
    "float64 참값에서 벗어난 정도를 모으면 PyTorch보다 크지 않습니다."
    generator = torch.Generator().manual_seed(0)
    ours, theirs, steps = [], [], 150
    for _ in range(steps):
        x = torch.randn(16, classes, generator=generator) * {"보통": 1, "확신": 20, "1e4": 1e4, "−inf": 3}[kind]
        y = torch.randint(classes, (16,), generator=generator)
        if kind == "−inf":
            x[torch.rand(x.shape, generator=generator) < 0.3] = -torch.inf
            x[torch.arange(16), y] = 0.0
        true = x.double().requires_grad_()
        F.cross_entropy(true, y).backward()
        truth = F.cross_entropy(true.detach(), y, reduction="none")
        for function, found in ((cross_entropy, ours), (F.cross_entropy, theirs)):
            z = x.clone().requires_grad_()
            function(z, y).backward()
            found.append((error(function(x, y, reduction="none"), truth), error(z.grad, true.grad)))
    ours, theirs = torch.tensor(ours).double(), torch.tensor(theirs).double()
    assert (ours.mean(0) <= theirs.mean(0) * 1.02 + 1e-12).all(), (ours.mean(0), theirs.mean(0))
    assert (ours.amax(0) <= theirs.amax(0) * 1.25 + 1e-12).all(), (ours.amax(0), theirs.amax(0))


def test_half_precision_accumulates_in_float32(every_path):
    x, y = torch.randn(30000, 10, generator=torch.Generator().manual_seed(0)), torch.zeros(30000, dtype=torch.long)
    assert F.cross_entropy(x.half(), y).isinf()
    assert_close(cross_entropy(x.half(), y), F.cross_entropy(x.half().double(), y).half())
    z = x.bfloat16().requires_grad_()
    cross_entropy(z, y, reduction="sum").backward()
    true = x.bfloat16().double().requires_grad_()
    F.cross_entropy(true, y, reduction="sum").backward()
    assert_close(z.grad, true.grad.bfloat16(), 2**-7, 1e-30)  # 아슬아슬한 칸은 한 칸 옆으로 반올림됩니다


def test_float16_with_a_gradient_scaler(every_path):
    "미리 나눈 기울기가 언더플로하지 않습니다."
    x, y = torch.randn(1024, 100, generator=torch.Generator().manual_seed(0)) * 4, torch.zeros(1024, dtype=torch.long)
    z, true = x.half().requires_grad_(), x.half().double().requires_grad_()
    cross_entropy(z, y).backward(torch.tensor(65504.0, dtype=torch.float16))
    F.cross_entropy(true, y).backward(torch.tensor(65504.0, dtype=torch.float64))
    assert_close(z.grad, true.grad.half(), 2**-9, 1e-7)


DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


def upstream_for(value, kind):
    "1, 2의 거듭제곱이 아닌 수, 표본마다 다른 수."
    return torch.full_like(value, kind) if kind != "여럿" else torch.linspace(0.1, 2, value.numel()).to(value.dtype).reshape(value.shape)


@pytest.mark.parametrize("kind", [1.0, 0.25, 0.3, "여럿"], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_two_backwards(dtype, reduction, kind, every_path):
    "그래프를 남기면 두 번째 역전파가 첫 번째와 비트까지 같고, 남기지 않으면 PyTorch처럼 거절합니다."
    torch.manual_seed(0)
    x, y = torch.randn(4, 5).to(dtype).requires_grad_(), torch.randint(5, (4,))
    value = cross_entropy(x, y, reduction=reduction)
    g = upstream_for(value, kind)
    (first,) = torch.autograd.grad(value, x, g, retain_graph=True)
    kept = first.clone()
    (second,) = torch.autograd.grad(value, x, g)
    assert torch.equal(first, kept) and torch.equal(first, second)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(value, x, g)


@pytest.mark.parametrize("kind", [1.0, 0.3, "여럿"], ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_logits_changed_before_backward(dtype, reduction, kind, every_path):
    "순전파 뒤에 로짓을 제자리에서 고쳐도, PyTorch에서처럼 고치기 전의 기울기가 나옵니다."
    torch.manual_seed(0)
    x, y = torch.randn(4, 5).to(dtype), torch.tensor([1, -100, 4, 0])
    leaf = x.clone().requires_grad_()
    logits = leaf * 1
    value = cross_entropy(logits, y, reduction=reduction)
    g = upstream_for(value, kind)
    with torch.no_grad():
        logits.fill_(7.0)
    value.backward(g)
    true = x.double().requires_grad_()
    F.cross_entropy(true, y, reduction=reduction).backward(g.double())
    assert_close(leaf.grad.double(), true.grad, {torch.float16: 2e-3, torch.bfloat16: 2e-2}.get(dtype, 1e-5), 1e-6)


@pytest.mark.parametrize("which", ["target", "weight", "probabilities"])
def test_answers_changed_before_backward(which, every_path):
    "정답이나 무게를 고치면 PyTorch처럼 오류를 냅니다. 틀린 기울기를 조용히 주지 않습니다."
    for function in (F.cross_entropy, cross_entropy):
        x, y, w = torch.randn(4, 5, requires_grad=True), torch.randint(5, (4,)), torch.rand(5)
        y = torch.rand(4, 5) if which == "probabilities" else y
        value = function(x, y, w)
        (w if which == "weight" else y).zero_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            value.backward()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_infinite_weight(reduction, smoothing, every_path):
    "정답으로 나온 적 없는 클래스의 가중치가 inf여도 PyTorch와 같습니다. 0번은 무시한 표본이 가리키는 곳입니다."
    x = torch.tensor([[3.0, 1, 2, 0, -1], [1, 2, 3, 4, 5], [0, 1, 2, 0, -1], [5, 4, 3, 2, 1]], requires_grad=True)
    y, w = torch.tensor([1, -100, 2, 1]), torch.tensor([torch.inf, 1, 2, 3, 4])
    losses = [f(x, y, w, label_smoothing=smoothing, reduction=reduction) for f in (cross_entropy, F.cross_entropy)]
    assert_close(*losses)
    assert_close(*(torch.autograd.grad(loss.sum(), x)[0] for loss in losses))


@pytest.mark.parametrize("bad", [float("inf"), float("nan")])
@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_upstream_not_finite(bad, reduction, every_path):
    "무시한 표본의 기울기는 상류 기울기가 inf나 nan이어도 PyTorch처럼 0입니다."
    x, y = torch.randn(3, 4), torch.tensor([1, -100, 2])
    grads = []
    for function in (cross_entropy, F.cross_entropy):
        z = x.clone().requires_grad_()
        value = function(z, y, reduction=reduction)
        value.backward(torch.full_like(value, bad))
        grads.append(z.grad)
    assert_close(*grads)


@pytest.mark.parametrize("factor", [1.0, 0.25, 0.3, 7.1])
def test_bfloat16_gradient_is_no_further_off_than_pytorchs(blocked, factor):
    "상류 기울기가 2의 거듭제곱이면 한 번만 반올림합니다. 아니면 두 번이고, 그래도 PyTorch보다 참값에 가깝습니다."
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(64, 100, generator=generator).bfloat16(), torch.randint(100, (64,), generator=generator)
    ours, theirs, exact = x.clone().requires_grad_(), x.clone().requires_grad_(), x.double().requires_grad_()
    upstream = torch.tensor(factor).bfloat16()
    cross_entropy(ours, y).backward(upstream)
    F.cross_entropy(theirs, y).backward(upstream)
    F.cross_entropy(exact, y).backward(upstream.double())
    off = [((z.grad.double() - exact.grad) / exact.grad).abs() for z in (ours, theirs)]
    assert off[0].mean() < 0.7 * off[1].mean() and off[0].max() <= off[1].max()
    if factor in (1.0, 0.25):
        once = exact.grad.bfloat16()
        assert (ours.grad != once).double().mean() < 1e-3  # 아슬아슬한 자리 말고는 모두 같습니다


def test_first_gradient_is_not_changed_by_the_second(every_path):
    x, y = torch.randn(4, 5, requires_grad=True), torch.randint(5, (4,))
    value = cross_entropy(x, y)
    (first,) = torch.autograd.grad(value, x, retain_graph=True)
    kept = first.clone()
    torch.autograd.grad(value, x, torch.tensor(3.0))
    assert torch.equal(first, kept)


@pytest.mark.parametrize("classes", [5, 600])
def test_sure_rows_keep_their_digits(classes, blocked):
    "확신하는 표본이 하나라도 섞인 블록에서는 그 표본의 손실도 기울기도 float64 참값의 자릿수를 지킵니다."
    x = torch.randn(4, classes, generator=torch.Generator().manual_seed(0))
    x[2, 1] = 20.0
    y = torch.tensor([0, 1, 1, 2])
    z, true = x.clone().requires_grad_(), x.double().requires_grad_()
    value, truth = cross_entropy(z, y, reduction="none"), F.cross_entropy(true, y, reduction="none")
    assert_close(value.detach().double()[2], truth.detach()[2], 1e-5, 0)
    value.sum().backward()
    truth.sum().backward()
    assert z.grad[2, 1] != 0
    assert_close(z.grad.double(), true.grad, 2e-5, 0)


@pytest.mark.parametrize("shape", [(2200, 1000), (3, 800000), (200, 40, 30, 30)], ids=str)
def test_block_boundaries_threads_and_repeats(shape):
    "블록보다 큰 줄, 나누어떨어지지 않는 줄. 스레드 수가 달라도, 다시 돌려도."
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(shape, generator=generator), torch.randint(shape[1], shape[:1] + shape[2:], generator=generator)
    y.view(-1)[-1] = -100
    true = x.clone().requires_grad_()
    F.cross_entropy(true, y).backward()
    kept, grads = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 2):
            torch.set_num_threads(threads)
            z = x.clone().requires_grad_()
            cross_entropy(z, y).backward()
            assert_close(z.grad, true.grad, 1e-4, 1e-9)
            grads.append(z.grad)
    finally:
        torch.set_num_threads(kept)
    assert torch.equal(grads[1], grads[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_every_block(dtype, blocked, monkeypatch):
    "블록이 어디에서 끊기든, 곧 작은 꼬리 블록이 있어도 됩니다."
    monkeypatch.setattr("crossent.plumbing.blocks.BLOCK", 6)
    for rows, inner in ((3, 5), (3, 4), (5, 7), (4, 10), (1, 13)):
        x = torch.randn(rows, 2, inner, generator=torch.Generator().manual_seed(0)).to(dtype)
        y = torch.arange(rows * inner).reshape(rows, inner) % 2
        z, true = x.clone().requires_grad_(), x.double().requires_grad_()
        value, expected = cross_entropy(z, y), F.cross_entropy(true, y)
        value.backward()
        expected.backward()
        assert_close(value.detach(), expected.detach().to(dtype), 1e-5, 1e-6)
        assert_close(z.grad, true.grad.to(dtype), 2**-7 if dtype == torch.bfloat16 else 1e-5, 1e-7)
        assert_close(cross_entropy(x, y), value.detach())


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("odd", [float("nan"), float("inf")])
def test_ignored_rows_never_meet_the_weight_of_class_zero(odd, reduction, every_path):
    "무시한 표본의 기울기는 두 번 미분하려 할 때도 0입니다. 빈자리를 채운 클래스 0의 가중치가 새지 않습니다."
    x = torch.randn(4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y, weight = torch.tensor([1, -100, 2, -100]), torch.tensor([odd, 1.0, 2.0], dtype=torch.float64)
    grads = []
    for function in (F.cross_entropy, cross_entropy):
        (grad,) = torch.autograd.grad(function(x, y, weight, reduction=reduction).sum(), x, create_graph=True)
        grads.append(grad.detach())
    assert_close(grads[1], grads[0])
    assert not grads[1][1::2].any()


@pytest.mark.parametrize("row", [[1e20, 2e20, 0.0], [torch.finfo(torch.float32).min] * 3, [-torch.inf] * 3, [torch.inf, 0.0, 1.0]], ids=str)
def test_extremes_meet_nothing_that_is_off(row, every_path):
    "끈 z-loss는 아주 큰 로짓에도 아무것도 더하지 않고, log-sum-exp는 torch.logsumexp와 같습니다."
    x, y = torch.tensor([row, [1.0, 2.0, 3.0]]), torch.tensor([0, 1])
    loss, lse = cross_entropy(x, y, reduction="none", return_lse=True)
    assert_close(loss, F.cross_entropy(x, y, reduction="none"))
    assert_close(lse, x.logsumexp(1))


def test_half_gradient_of_a_float32_loss_is_rounded_once(blocked):
    "손실이 float32이면 기울기도 상류 기울기를 곱한 다음에 한 번만 반올림합니다."
    x = torch.randn(64, 50, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y, wide = torch.randint(0, 50, (64,), generator=torch.Generator().manual_seed(1)), x.detach().double().requires_grad_()
    truth = torch.autograd.grad(F.cross_entropy(wide, y, reduction="sum") / 3, wide)[0]
    mine = torch.autograd.grad(cross_entropy(x, y, reduction="sum", dtype=torch.float32) / 3, x)[0]
    theirs = torch.autograd.grad(F.cross_entropy(x.float(), y, reduction="sum") / 3, x)[0]
    assert (mine.double() - truth).abs().max() <= (theirs.double() - truth).abs().max()


def test_second_derivative_of_images_in_a_batch(every_path):
    "위치가 있는 로짓도 두 번째 미분을 한꺼번에 할 수 있습니다."
    x, y = torch.randn(2, 3, 2, dtype=torch.float64), torch.randint(0, 3, (2, 2))
    mine, theirs = (torch.autograd.functional.hessian(lambda z: f(z, y), x, vectorize=True) for f in (cross_entropy, F.cross_entropy))
    assert_close(mine, theirs, atol=1e-12)


THREADS = """
import atexit, threading, torch
from crossent import cross_entropy

torch.set_num_threads(3)
x, y = torch.randn(9000, 1000).requires_grad_(), torch.randint(0, 1000, (9000,))
seen, stop = [], threading.Event()

def watch():
    while not stop.is_set():
        other = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
        other.start(), other.join()

watcher = threading.Thread(target=watch)
watcher.start()
for _ in range(3):
    cross_entropy(x, y).backward()
stop.set(), watcher.join()
assert set(seen) == {3} and torch.get_num_threads() == 3, set(seen)
with torch.inference_mode():
    assert torch.isfinite(cross_entropy(x.detach(), y))

def late():
    import time
    time.sleep(0.5)  # 주 스레드는 이미 끝났습니다
    cross_entropy(x, y).backward()
    print("주 스레드 뒤")

threading.Thread(target=late).start()
atexit.register(lambda: (cross_entropy(x, y).backward(), print("atexit")))
"""


def test_threads_and_endings():
    "호출하는 동안 태어난 스레드의 스레드 수도 그대로이고, 주 스레드가 끝난 뒤와 atexit에서도 학습됩니다."
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0 and done.stdout.split("\n")[:2] == ["주 스레드 뒤", "atexit"], (done.stdout, done.stderr)


def test_only_one_block_besides_the_gradient():
    "no_grad에서는 블록보다 큰 텐서를 만들지 않습니다."
    from torch.utils._python_dispatch import TorchDispatchMode

    made = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            out = function(*args, **(kwargs or {}))
            made.extend(t.untyped_storage().nbytes() for t in torch.utils._pytree.tree_leaves(out) if isinstance(t, torch.Tensor) and not t.data_ptr() == x.data_ptr())
            return out

    x, y = torch.randn(400, 8000), torch.randint(8000, (400,))
    options = checked(x, y, None, "mean", -100, 0.0)
    with torch.no_grad(), Watch():
        blocked_loss(x[:, :], y, None, options)
    views = {x.untyped_storage().nbytes()}
    assert max(size for size in made if size not in views) <= blocks.SCRATCH * 4 < x.nbytes / 4
    made.clear()
    x = x.bfloat16()
    with torch.no_grad(), Watch():
        blocked_loss(x, y, None, options, torch.bfloat16)
    assert sorted(set(made))[-2] <= blocks.SCRATCH * 4 < sorted(set(made))[-1] == x.nbytes


def test_module(every_path):
    plain = torch.nn.CrossEntropyLoss(torch.tensor([1.0, 2.0]), label_smoothing=0.1)
    ours = CrossEntropyLoss(torch.tensor([1.0, 2.0]), label_smoothing=0.1)
    assert repr(ours) == repr(plain) and list(ours.state_dict()) == list(plain.state_dict()) == ["weight"]
    x, y = torch.randn(3, 2, requires_grad=True), torch.tensor([0, 1, 1])
    value = ours(x, y)
    for other in (pickle.loads(pickle.dumps(ours)), copy.deepcopy(ours)):
        other.load_state_dict(plain.state_dict())
        assert_close(other(x, y).detach(), plain(x, y).detach())
    value.backward(torch.tensor(0.7))
    assert_close(ours.backward(0.7), x.grad)
    assert_close(ours.backward(torch.tensor(0.7)), x.grad)
    each = CrossEntropyLoss(reduction="none")
    upstream = torch.randn(3)
    (expected,) = torch.autograd.grad(each(x, y), x, upstream)
    assert_close(each.backward(upstream), expected)
    with pytest.raises(RuntimeError, match="backward needs"):
        CrossEntropyLoss().backward(1.0)
    each(x.detach() * 1, y)
    with pytest.raises(RuntimeError, match="변수에 담아"):
        each.backward(upstream)


def test_extras_off_change_nothing(blocked):
    x, y = torch.randn(4, 5), torch.randint(5, (4,))
    assert torch.equal(cross_entropy(x, y), cross_entropy(x, y, z_loss=0.0, softcap=None))
    with pytest.raises(TypeError):
        cross_entropy(x, y, None, None, -100, None, "mean", 0.0, 0.1)
    with pytest.raises(ValueError, match="softcap must be positive"):
        cross_entropy(x, y, softcap=0.0)


@pytest.mark.parametrize("kind", ["index", "probabilities"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_extras(kind, reduction):
    torch.manual_seed(0)
    x = torch.randn(6, 5, 2, dtype=torch.float64, requires_grad=True)
    y = torch.randint(5, (6, 2)) if kind == "index" else torch.rand(6, 5, 2, dtype=torch.float64)
    if kind == "index":
        y[0] = -100
    capped = 3 * torch.tanh(x / 3)
    each = 0.1 * torch.logsumexp(capped, 1) ** 2
    counted = torch.ones(6, 2, dtype=bool) if kind == "probabilities" else y != -100
    each = torch.where(counted, each, 0.0)
    extra = {"none": each, "sum": each.sum(), "mean": each.sum() / counted.sum()}[reduction]
    expected = F.cross_entropy(capped, y, reduction=reduction) + extra
    mine = cross_entropy(x, y, reduction=reduction, z_loss=0.1, softcap=3.0)
    assert_close(mine.detach(), expected.detach(), 1e-12, 1e-14)
    upstream = torch.randn_like(mine)
    grads = [torch.autograd.grad(value, x, upstream)[0] for value in (mine, expected)]
    assert_close(*grads, 1e-12, 1e-14)  # 중간에 float32로 좁아지는 곳이 있으면 1e-9쯤 어긋납니다


def test_confident_rows_keep_their_gradient(blocked):
    "블록의 길은 확신하는 표본의 정답 자리 기울기 −r을 자릿수까지 지킵니다. p − 1로 구하면 0이 됩니다."
    gaps = torch.linspace(1, 60, 30)
    x = torch.zeros(30, 3)
    x[:, 0] = gaps
    z, r = x.clone().requires_grad_(), 2 * torch.exp(-gaps.double())
    cross_entropy(z, torch.zeros(30, dtype=torch.long)).backward()
    assert_close(z.grad[:, 0], -r / (1 + r) / 30, 1e-5, 0, check_dtype=False)


@pytest.mark.parametrize("choices", [dict(label_smoothing=torch.tensor(0.1)), dict(ignore_index=torch.tensor(1)), dict(dtype=torch.float64, reduction="sum")], ids=str)
def test_module_backward_goes_where_forward_went(choices, every_path):
    "PyTorch만 아는 인자와 넓은 dtype에서도 backward는 autograd와 같은 기울기를 냅니다."
    x, y = (30 * torch.randn(50, 9, generator=torch.Generator().manual_seed(0))).requires_grad_(), torch.arange(50) % 9
    module = CrossEntropyLoss(**choices)
    expected = torch.autograd.grad(module(x, y), x)[0]
    assert_close(module.backward(1.0), expected, rtol=2e-7, atol=1e-12)
