"crossent.triton을 float64의 답과 견줍니다. GPU가 없으면 Triton의 인터프리터로 돌립니다."

import inspect
import itertools
import json
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
from packaging.version import Version

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
triton = pytest.importorskip("triton", reason="Triton은 리눅스에만 있습니다")
if not torch.cuda.is_available() and Version(triton.__version__) < Version("3.7") and Version(np.__version__) >= Version("2.4"):
    pytest.skip("Triton 3.6까지의 인터프리터는 NumPy 2.4에서 range를 돌지 못합니다", allow_module_level=True)

from torch.nn import functional as F

import crossent
from crossent import triton as door
from crossent.core import triton_kernel
from crossent.core.formula import Options, composed_loss
from crossent.plumbing import triton_function
from crossent.testing import assert_close

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # 인터프리터의 NumPy가 inf와 nan에 하는 경고
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
OPTIONS = [
    {},
    dict(weight=True),
    dict(label_smoothing=0.1),
    dict(weight=True, label_smoothing=0.3, z_loss=0.05, softcap=2.0),
    dict(z_loss=0.1, ignore_index=1),
    dict(softcap=1.5, label_smoothing=1.0),
]


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    "한 줄을 여러 조각으로 나누어 읽게 합니다."
    monkeypatch.setattr(triton_kernel, "BLOCK", 4)


def problem(shape, dtype=torch.float64, seed=0, ignore=-100):
    "로짓, 정답, 클래스 가중치."
    g = torch.Generator().manual_seed(seed)
    classes = shape[0] if len(shape) == 1 else shape[1]
    logits = 3 * torch.randn(shape, generator=g, dtype=torch.float64)
    target = torch.randint(classes, shape[:1] + shape[2:] if len(shape) > 1 else (), generator=g)
    target.view(-1)[1::3] = ignore
    weight = torch.rand(classes, generator=g, dtype=torch.float64)
    return logits.to(DEVICE, dtype), target.to(DEVICE), weight.to(DEVICE, dtype)


def graded(function, leaves, ups=None):
    "값들과, 무작위 상류 기울기에 대한 기울기."
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    found = function(*leaves)
    found = found if isinstance(found, tuple) else (found,)
    g = torch.Generator().manual_seed(5)
    ups = [torch.randn(each.shape, generator=g, dtype=torch.float64) for each in found] if ups is None else ups
    ups = [up.to(each.device, each.dtype) for up, each in zip(ups, found)]
    return [each.detach() for each in found], torch.autograd.grad(found, leaves, ups)


def chosen(options, weight):
    return options | ({"weight": weight} if "weight" in options else {})


def truth(leaves, target, logits_of=lambda z: z, lse=False, **options):
    "float64로 이어 만든 식의 값과 기울기."
    weight, smoothing = options.pop("weight", None), options.pop("label_smoothing", 0.0)
    options = Options(smoothing=smoothing, dtype=torch.float64, lse=lse, **options)
    weight = None if weight is None else weight.double()
    return graded(lambda *each: composed_loss(logits_of(*each), target, weight, options), [leaf.double() for leaf in leaves])


def agree(mine, theirs, dtype):
    for ours, expected in zip(itertools.chain(*mine), itertools.chain(*theirs)):
        assert_close(ours, expected, TOLERANCE[dtype], TOLERANCE[dtype], check_dtype=False)


# 손실

@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_options(options, reduction):
    x, y, weight = problem((5, 7), ignore=options.get("ignore_index", -100))
    options = chosen(options, weight) | {"reduction": reduction}
    agree(graded(lambda z: door.cross_entropy(z, y, **options), [x]), truth([x], y, **options), x.dtype)


@pytest.mark.parametrize("options", [OPTIONS[0], OPTIONS[3]], ids=str)
@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
def test_dtypes(dtype, options):
    x, y, weight = problem((6, 9), dtype)
    options = chosen(options, weight)
    mine = graded(lambda z: door.cross_entropy(z, y, **options), [x])
    assert mine[0][0].dtype == mine[1][0].dtype == dtype
    agree(mine, truth([x], y, **options), dtype)


@pytest.mark.parametrize("shape", [(5,), (1, 1), (3, 1), (4, 4), (2, 13), (2, 5, 3), (2, 3, 2, 2)], ids=str)
def test_shapes(shape):
    x, y, _ = problem(shape)
    mine = graded(lambda z: door.cross_entropy(z, y, reduction="none", return_lse=True), [x])
    theirs = graded(lambda z: crossent.cross_entropy(z, y, reduction="none", return_lse=True), [x])
    assert mine[0][0].shape == mine[0][1].shape == y.shape
    agree(mine, theirs, x.dtype)


STRIDES = {
    "뒤집은 축": lambda x: x.t().contiguous().t(),
    "건너뛴 칸": lambda x: torch.cat([x, x], 1).reshape(len(x), 2, -1).transpose(1, 2).flatten(1)[:, ::2],
    "건너뛴 줄": lambda x: x.repeat_interleave(2, 0)[::2],
    "한 줄을 펼친 것": lambda x: x[:1].expand(len(x), -1),
}


@pytest.mark.parametrize("name", STRIDES)
def test_strides(name):
    x, y, weight = problem((5, 7))
    x, wide = STRIDES[name](x), weight.repeat_interleave(2)[::2]
    mine = graded(lambda z: door.cross_entropy(z, y, wide, label_smoothing=0.2), [x])
    agree(mine, truth([x], y, weight=weight, label_smoothing=0.2), x.dtype)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_hard_logits(dtype, smoothing):
    "±1e4, 확신, 틀린 확신, −inf, 모두 −inf, inf, nan."
    inf = float("inf")
    rows = [[1e4, -1e4, 0, 1, 2], [-1e4] * 5, [90, 0, 1, 2, 3], [-90, 0, 1, 2, 3], [-inf, 1, 2, 3, -inf], [0, -inf, -inf, -inf, -inf]]
    rows += [[-inf] * 5, [inf, 0, 0, 0, 0], [0, float("nan"), 0, 0, 0], [-inf, -1e4, -1e4, -1e4, -1e4], [-1e4, -inf, -inf, -inf, -1e4]]
    x = torch.tensor(rows, dtype=dtype, device=DEVICE)
    y = torch.zeros(len(x), dtype=torch.int64, device=DEVICE)
    call = lambda f: graded(lambda z: f(z, y, reduction="none", label_smoothing=smoothing), [x])
    mine, wide = call(door.cross_entropy), graded(lambda z: F.cross_entropy(z, y, reduction="none", label_smoothing=smoothing), [x.double()])
    agree(mine, wide, torch.float32)


def test_confident_rows_keep_their_digits():
    gap = torch.tensor([5.0, 14, 30, 60, 90], device=DEVICE)
    x = torch.zeros(5, 3, device=DEVICE)
    x[:, 0] = gap
    (loss,), (grad,) = graded(lambda z: door.cross_entropy(z, torch.zeros(5, dtype=torch.int64, device=DEVICE), reduction="none"), [x], [torch.ones(5)])
    exact = torch.log1p(2 * torch.exp(-gap.double()))
    assert_close(loss, exact, rtol=1e-5, atol=0, check_dtype=False)
    assert_close(grad[:, 0], -2 / (gap.double().exp() + 2), rtol=1e-5, atol=0, check_dtype=False)


def test_half_logits_are_widened_before_they_are_capped():
    "소프트캡은 반정밀도가 아니라 float32로 누릅니다."
    x, y, _ = problem((6, 9), torch.float16)
    mine = door.cross_entropy(x, y, softcap=2.0, dtype=torch.float32)
    truth = composed_loss(x.double(), y, None, Options("mean", softcap=2.0, dtype=torch.float64))
    assert_close(mine.double(), truth, rtol=2e-6, atol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_softcap_keeps_small_logits(dtype):
    x = torch.tensor([[1e-6, -1e-3, 0.04, 0.06, 0.2]], dtype=dtype, device=DEVICE)
    facts = triton_kernel.scan(x.T.contiguous(), torch.zeros(5, dtype=torch.int64, device=DEVICE), None, Options(softcap=1.0))
    assert_close(triton_kernel.lse(facts), torch.tanh(x[0].double()), rtol={torch.float64: 1e-11, torch.float32: 3e-6}[dtype], atol=0, check_dtype=False)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
def test_nothing_to_count(weighted, reduction):
    "모두 무시, 가중치의 합이 0, 빈 배치."
    x, y, weight = problem((4, 5))
    cases = [(x, torch.full_like(y, -100), weight if weighted else None), (x[:0], y[:0], weight if weighted else None)]
    cases += [(x, y, torch.zeros_like(weight)), (x, y % 2, weight * (torch.arange(5, device=DEVICE) > 1))] if weighted else []
    for z, t, w in cases:
        for smoothing in (0.0, 0.1):
            call = lambda f, **more: graded(lambda v: f(v, t, w, reduction=reduction, label_smoothing=smoothing, **more), [z])
            agree(call(door.cross_entropy), call(F.cross_entropy), x.dtype)
            agree(call(door.cross_entropy, z_loss=0.1), call(crossent.cross_entropy, z_loss=0.1), x.dtype)


def test_linear_without_anything_to_divide_by():
    "정답의 클래스만 가중치가 0이면 손실은 있는데 나눌 것이 없습니다."
    (x, w, _), _, weight = layer(4, 3, 5)
    weight[:2], y = 0, torch.tensor([0, 1, 0, 1], device=DEVICE)
    call = lambda f: graded(lambda a, b: f(a, b, y, weight), [x, w])
    mine = call(lambda a, b, y, c: door.linear_cross_entropy(a, b, y, weight=c, label_smoothing=0.1))
    agree(mine, call(lambda a, b, y, c: F.cross_entropy(F.linear(a, b), y, c, label_smoothing=0.1)), torch.float64)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_infinite_upstream(reduction):
    x, y, _ = problem((4, 5))
    y, ups = y.clamp(0), [torch.tensor(torch.inf) if reduction != "none" else torch.tensor([1.0, torch.inf, 2.0, 3.0])]
    agree(*(graded(lambda z: f(z, y, reduction=reduction), [x], ups) for f in (door.cross_entropy, F.cross_entropy)), x.dtype)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_infinite_weight(reduction):
    x = torch.tensor([[3.0, 1, 2, 0, -1], [1, 2, 3, 4, 5], [0, 1, 2, 0, 7]], dtype=torch.float64, device=DEVICE)
    y, w = torch.tensor([1, -100, 2], device=DEVICE), torch.tensor([torch.inf, 1, 2, 3, 4], dtype=torch.float64, device=DEVICE)
    agree(*(graded(lambda z: f(z, y, w, label_smoothing=0.1, reduction=reduction), [x]) for f in (door.cross_entropy, F.cross_entropy)), x.dtype)


def test_a_first_chunk_of_nothing_but_minus_infinity():
    x = torch.tensor([[-torch.inf] * 4 + [1.0, 2.0]], dtype=torch.float64, device=DEVICE)
    y = torch.zeros(1, dtype=torch.int64, device=DEVICE)
    agree(*(graded(lambda z: f(z, y, reduction="none"), [x]) for f in (door.cross_entropy, F.cross_entropy)), x.dtype)
    assert_close(door.cross_entropy(x, y, reduction="none", return_lse=True)[1], x.logsumexp(1))


def test_lse_alone_and_with_z_loss():
    "log-sum-exp로만 흘러든 상류 기울기(펼친 텐서)와, z-loss의 것에 더해진 것."
    x, y, weight = problem((4, 6))
    leaf = x.clone().requires_grad_()
    for w in (None, torch.zeros_like(weight)):
        alone = lambda f: torch.autograd.grad(f(leaf, y, w, return_lse=True)[1].sum(), leaf)[0]
        assert_close(alone(door.cross_entropy), alone(crossent.cross_entropy))
    mine = graded(lambda z: door.cross_entropy(z, y, reduction="none", return_lse=True, z_loss=0.1), [x])
    agree(mine, truth([x], y, lse=True, reduction="none", z_loss=0.1), x.dtype)


def test_sums_are_wider_than_half():
    "가중치의 합은 float16을 넘고, bfloat16 기울기를 bfloat16으로 더하면 모자랍니다."
    y, weight = torch.randint(3, (4000,), device=DEVICE), torch.tensor([100.0, 90, 80], device=DEVICE).half()
    assert_close(triton_kernel.z_share(y, weight, Options(z_loss=0.1)).double(), 0.1 * weight.double()[y].mean(), rtol=1e-5)
    zeros = lambda *shape: torch.zeros(shape, dtype=torch.bfloat16, device=DEVICE)
    bias = zeros(4).requires_grad_()
    loss = door.linear_cross_entropy(zeros(512, 1), zeros(4, 1), torch.zeros(512, dtype=torch.long, device=DEVICE), linear_bias=bias)
    assert_close(torch.autograd.grad(loss, bias)[0].float(), torch.tensor([-0.75, 0.25, 0.25, 0.25], device=DEVICE), rtol=1e-2)


@pytest.mark.parametrize("reduction", ["none", "sum"])
def test_a_loss_may_be_changed_in_place(reduction):
    x, y, _ = problem((4, 6))
    x.requires_grad_()
    loss = door.cross_entropy(x, y, reduction=reduction)
    loss.mul_(2)
    expected = 2 * F.cross_entropy(x, y, reduction=reduction)
    assert_close(torch.autograd.grad(loss.sum(), x)[0], torch.autograd.grad(expected.sum(), x)[0])


def test_a_short_row_still_has_a_warp():
    seen = []

    class Launched:
        def __getitem__(self, grid):
            return lambda *_, num_warps: seen.append((*grid, num_warps))

    triton_kernel.launch(Launched(), 32, torch.zeros(2, 3), options=Options())
    assert seen == [(2, 1)]


def test_ignored_rows_give_lse_and_no_gradient():
    x, y, _ = problem((4, 5))
    x[1] = -torch.inf  # 무시한 줄
    (loss, lse), (grad,) = graded(lambda z: door.cross_entropy(z, y, return_lse=True), [x], [torch.tensor(0.7), torch.zeros(4)])
    assert_close(lse, torch.logsumexp(x, 1))
    assert y[1] == -100 and not loss.isnan()
    assert_close(grad[[0, 2, 3]], graded(lambda z: F.cross_entropy(z, y[[0, 2, 3]]), [x[[0, 2, 3]]], [torch.tensor(0.7)])[1][0])


@pytest.mark.parametrize("softcap", [None, 2.0])
def test_double_backward_and_many_at_once(softcap):
    x, y, weight = problem((3, 5))
    x.requires_grad_()
    call = lambda f: f(x, y, weight, label_smoothing=0.1, softcap=softcap, return_lse=True)
    ours, theirs = (sum(each.sin().sum() for each in call(f)) for f in (door.cross_entropy, crossent.cross_entropy))
    mine, expected = (torch.autograd.grad(each, x, create_graph=True)[0] for each in (ours, theirs))
    assert_close(mine, expected)
    assert_close(*(torch.autograd.grad(each.square().sum(), x)[0] for each in (mine, expected)))
    ups = torch.randn(2, 3, dtype=torch.float64, device=DEVICE)
    batched = [torch.autograd.grad(f(x, y, reduction="none"), x, ups, is_grads_batched=True)[0] for f in (door.cross_entropy, F.cross_entropy)]
    assert_close(*batched)


def test_nothing_handed_in_is_changed():
    x, y, weight = problem((4, 6))
    x.requires_grad_()
    kept = [each.clone() for each in (x, y, weight)]
    loss = door.cross_entropy(x, y, weight, softcap=2.0)
    up = torch.tensor(0.3, dtype=torch.float64, device=DEVICE)
    first, second = (torch.autograd.grad(loss, x, up, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second) and up == 0.3
    assert all(torch.equal(a, b) for a, b in zip(kept, (x, y, weight)))


def test_dtype_asked_and_autocast():
    x, y, _ = problem((4, 6), torch.bfloat16)
    loss = door.cross_entropy(x, y, dtype=torch.float32)
    assert loss.dtype == torch.float32
    assert_close(loss, F.cross_entropy(x.double(), y), rtol=1e-6, check_dtype=False)
    assert door.cross_entropy(x, y, dtype=torch.float64).dtype == torch.float64
    with torch.autocast(DEVICE, torch.bfloat16):
        assert door.cross_entropy(x, y).dtype == torch.float32


def test_out_of_range_is_never_a_number():
    "GPU에서는 정답의 값을 미리 읽지 않으므로 커널이 스스로 nan을 냅니다."
    x, _, _ = problem((3, 5))
    for wrong in (-1, 5):
        facts = triton_kernel.scan(x, torch.tensor([0, wrong, 4], device=DEVICE), None, Options())
        assert facts[0].isnan().tolist() == [False, True, False]
        assert facts[1].tolist() == [1, 0, 1]  # 가중치의 밖을 읽지 않습니다


# 선형층

def layer(n, h, v, dtype=torch.float64, seed=0):
    g = torch.Generator().manual_seed(seed)
    leaves = [torch.randn(shape, generator=g, dtype=torch.float64).to(DEVICE, dtype) for shape in ((n, h), (v, h), (v,))]
    target = torch.randint(v, (n,), generator=g)
    target[1::4] = -100
    return leaves, target.to(DEVICE), torch.rand(v, generator=g, dtype=torch.float64).to(DEVICE, dtype)


@pytest.mark.parametrize("options", [each for each in OPTIONS if "ignore_index" not in each], ids=str)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_linear_options(reduction, options, monkeypatch):
    monkeypatch.setattr(triton_kernel, "LEAST_ROWS", 1)
    leaves, y, weight = layer(7, 3, 9)
    options = chosen(options, weight) | {"reduction": reduction}
    called = lambda x, w, b: door.linear_cross_entropy(x, w, y, linear_bias=b, **options)
    theirs = truth(leaves, y, F.linear, **options)
    agree(graded(called, leaves), theirs, torch.float64)
    assert_close(called(*leaves), theirs[0][0])  # 미분할 것이 없을 때


@pytest.mark.parametrize("dtype", list(TOLERANCE), ids=str)
def test_linear_dtypes(dtype, monkeypatch):
    monkeypatch.setattr(triton_kernel, "LEAST_ROWS", 3)
    leaves, y, _ = layer(8, 4, 6, dtype)
    mine = graded(lambda x, w, b: door.linear_cross_entropy(x, w, y, linear_bias=b), leaves)
    assert {each.dtype for each in itertools.chain(*mine)} == {dtype}
    agree(mine, truth(leaves, y, F.linear), dtype)


@pytest.mark.parametrize("kept", [0, 2])
def test_linear_ignored_rows_stay_zero_under_infinity(kept):
    "상류 기울기가 inf여도 무시한 줄의 기울기는 PyTorch처럼 0입니다."
    x, y, _ = problem((4, 3))
    weight, target = torch.randn(5, 3, dtype=torch.float64).to(DEVICE), torch.where(torch.arange(4, device=DEVICE) < kept, 1, -100)
    leaves = [x.requires_grad_(), weight.requires_grad_()]
    mine = torch.autograd.grad(door.linear_cross_entropy(*leaves, target, reduction="sum"), leaves, torch.tensor(torch.inf, dtype=torch.float64, device=DEVICE))
    assert not mine[0][kept:].any() and bool(mine[1].any()) == bool(kept)


def test_log_sum_exp_of_extremes():
    x = torch.tensor([[1.0, 2, 3], [-torch.inf] * 3, [torch.inf, 0, 1]], device=DEVICE)
    assert_close(door.cross_entropy(x, torch.zeros(3, dtype=torch.long, device=DEVICE), reduction="none", return_lse=True)[1], x.logsumexp(1))


def test_linear_half_weight_gradient_is_summed_before_it_is_divided():
    "나누기 전의 합은 float16을 넘을 수 있습니다: 줄 32개 × 기울기 0.75 × 은닉 값 3000."
    hidden, target = torch.full((32, 1), 3000.0).half().to(DEVICE), torch.zeros(32, dtype=torch.long, device=DEVICE)
    weight = torch.zeros(4, 1, device=DEVICE).half().requires_grad_()
    (grad,) = torch.autograd.grad(door.linear_cross_entropy(hidden, weight, target), weight)
    assert_close(grad.float(), torch.tensor([[-2250.0], [750.0], [750.0], [750.0]]), rtol=1e-3)


@pytest.mark.parametrize("needs", [(True, False, False), (False, True, True)])
def test_linear_needs_only_some(needs):
    leaves, y, _ = layer(5, 3, 6)
    leaves = [leaf.requires_grad_(need) for leaf, need in zip(leaves, needs)]
    wanted = [leaf for leaf, need in zip(leaves, needs) if need]
    loss = door.linear_cross_entropy(*leaves[:2], y, linear_bias=leaves[2])
    expected = F.cross_entropy(F.linear(*leaves), y)
    for a, b in zip(*(torch.autograd.grad(each, wanted, torch.tensor(-0.6, dtype=torch.float64, device=DEVICE)) for each in (loss, expected))):
        assert_close(a, b)
    found = triton_kernel.sweep_rows(leaves[0].detach(), y, [leaf.detach() for leaf in leaves[1:]], None, Options(), needs)[1]
    assert [grad is not None for grad in found] == list(needs)


def test_linear_gives_zeros_where_nothing_is_counted():
    leaves, y, _ = layer(6, 3, 5)
    torch.use_deterministic_algorithms(True)  # 채우지 않은 텐서를 nan으로 채웁니다
    try:
        _, grads = graded(lambda x, w, b: door.linear_cross_entropy(x, w, torch.full_like(y, -100), linear_bias=b), leaves)
    finally:
        torch.use_deterministic_algorithms(False)
    assert not any(grad.any() for grad in grads)


def test_linear_many_at_once():
    (x, w, _), _, _ = layer(4, 3, 5)
    leaves, y = [x.requires_grad_(), w.requires_grad_()], torch.arange(4, device=DEVICE)
    ups = torch.randn(2, dtype=torch.float64).to(DEVICE)
    both = door.linear_cross_entropy(x, w, y), F.cross_entropy(x @ w.T, y)
    for a, b in zip(*(torch.autograd.grad(each, leaves, ups, is_grads_batched=True) for each in both)):
        assert_close(a, b)


def test_linear_skips_ignored_rows():
    "무시한 줄의 nan이 번지지 않고, 모두 무시하면 nan과 0입니다."
    leaves, y, _ = layer(6, 3, 5)
    broken = leaves[0].clone()
    broken[y == -100] = torch.nan
    mine = graded(lambda x, w: door.linear_cross_entropy(x, w, y), [broken, leaves[1]])
    theirs = graded(lambda x, w: F.cross_entropy(F.linear(x, w), y), leaves[:2])
    agree(mine, theirs, torch.float64)
    loss, (dx, dw) = graded(lambda x, w: door.linear_cross_entropy(x, w, torch.full_like(y, -100)), leaves[:2])
    assert loss[0].isnan() and not dx.any() and not dw.any()


def test_linear_shift_and_positions():
    (x, w, _), _, _ = layer(12, 3, 7)
    y = torch.randint(7, (2, 6), device=DEVICE)
    mine = graded(lambda x, w: door.linear_cross_entropy(x.view(2, 6, 3), w, y, shift=2), [x, w])
    theirs = graded(lambda x, w: crossent.linear_cross_entropy(x.view(2, 6, 3), w, y, shift=2), [x, w])
    agree(mine, theirs, torch.float64)


def test_linear_double_backward():
    leaves, y, _ = layer(4, 3, 5)
    leaves = [leaf.requires_grad_() for leaf in leaves]
    both = door.linear_cross_entropy(*leaves[:2], y, linear_bias=leaves[2]), F.cross_entropy(F.linear(*leaves), y)
    grads = [torch.autograd.grad(each, leaves, create_graph=True) for each in both]
    again = [torch.autograd.grad(sum(g.square().sum() for g in each), leaves) for each in grads]
    for a, b in zip(itertools.chain(grads[0], again[0]), itertools.chain(grads[1], again[1])):
        assert_close(a, b)


def test_linear_never_holds_the_logits(monkeypatch):
    "로짓 조각보다 큰 것은 생기지 않습니다."
    monkeypatch.setattr(triton_kernel, "LEAST_ROWS", 2)
    sizes, project = [], triton_kernel.project
    monkeypatch.setattr(triton_kernel, "project", lambda x, w, b, out: sizes.append(tuple(out.shape)) or project(x, w, b, out))
    leaves, y, _ = layer(9, 2, 20)
    door.linear_cross_entropy(*leaves[:2], y.clamp(0))
    assert sizes == [(2, 20)] * 4 + [(1, 20)]


def test_block_is_as_large_as_the_weight():
    assert triton_kernel.block_rows(8192, 4096) == 4096
    assert triton_kernel.block_rows(8192, 32) == triton_kernel.LEAST_ROWS
    assert triton_kernel.block_rows(7, 32) == 7


# 다른 길

def test_same_arguments_as_the_siblings():
    for name in ("cross_entropy", "linear_cross_entropy"):
        assert inspect.signature(getattr(door, name)) == inspect.signature(getattr(crossent, name))


def test_what_the_kernel_does_not_know_goes_to_the_sibling(monkeypatch):
    monkeypatch.setattr(triton_kernel, "launch", lambda *_, **__: pytest.fail("커널을 불렀습니다"))
    x, y, weight = problem((4, 5))
    probs = torch.softmax(x, 1)
    for call in (lambda f: f(x, probs, label_smoothing=0.1), lambda f: f(x, y, weight.requires_grad_())):
        assert_close(call(door.cross_entropy), call(crossent.cross_entropy))
    each = torch.func.vmap(lambda z, t: door.cross_entropy(z[None], t[None]))(x, y.clamp(0))
    assert_close(each, F.cross_entropy(x, y.clamp(0), reduction="none"))
    (h, w, _), t, _ = layer(4, 3, 5)
    for more in (dict(reduction="none"), dict(return_lse=True), dict(return_predictions=True, return_entropy=True)):
        for a, b in zip(*(f(h, w, t, **more) for f in (door.linear_cross_entropy, crossent.linear_cross_entropy))):
            assert_close(a, b)
    assert_close(door.linear_cross_entropy(h[0], w, t[0]), crossent.linear_cross_entropy(h[0], w, t[0]))


WRONG = [
    lambda ce, lce, x, y: ce(x, y + 100),
    lambda ce, lce, x, y: ce(x, y[:, None]),
    lambda ce, lce, x, y: ce(x, y.float()),
    lambda ce, lce, x, y: ce([1.0, 2.0], y),
    lambda ce, lce, x, y: ce(x, y, reduction="avg"),
    lambda ce, lce, x, y: ce(x, y, softcap=-1.0),
    lambda ce, lce, x, y: lce(x, x[:, :2], y),
    lambda ce, lce, x, y: lce(x, x, y + 100),
    lambda ce, lce, x, y: lce(x, x, y[:2]),
    lambda ce, lce, x, y: lce(x[None], x, y[None], shift=9),
]


OUT_OF_RANGE = 0, 7  # GPU에서는 값을 읽지 않으니 오류가 아니고, PyTorch의 것은 프로세스를 멈춥니다


@pytest.mark.parametrize("call", [call for i, call in enumerate(WRONG) if DEVICE == "cpu" or i not in OUT_OF_RANGE])
def test_wrong_arguments_are_told_as_the_siblings_tell(call):
    x, y = torch.randn(4, 5, device=DEVICE), torch.tensor([0, 1, 2, 3], device=DEVICE)
    told = []
    for module in (door, crossent):
        with pytest.raises(Exception) as error:
            call(module.cross_entropy, module.linear_cross_entropy, x, y)
        told.append((error.type, str(error.value)))
    assert told[0] == told[1]


def test_a_cpu_tensor_without_the_interpreter(monkeypatch):
    monkeypatch.setattr(triton_function, "INTERPRETED", False)
    x, y = torch.randn(2, 3), torch.tensor([0, 1])
    for call in (lambda: door.cross_entropy(x, y), lambda: door.linear_cross_entropy(x, x, y)):
        with pytest.raises(RuntimeError, match="needs tensors on a GPU. Got: cpu\n.*TRITON_INTERPRET=1"):
            call()


def run(code, **environment):
    clean = {name: value for name, value in os.environ.items() if name != "TRITON_INTERPRET"}
    return subprocess.run([sys.executable, "-c", code], env=clean | environment, capture_output=True, encoding="utf-8")


def test_without_triton():
    "Triton이 없으면 무엇을 설치할지 말하고, crossent는 그대로 됩니다."
    done = run("import sys; sys.modules['triton'] = None\nimport crossent\nprint(crossent.cross_entropy.__name__)\nimport crossent.triton")
    assert done.stdout.strip() == "cross_entropy"
    assert "No module named 'triton'\n" in done.stderr and 'pip install triton' in done.stderr


def test_nothing_else_imports_triton():
    code = "import sys, crossent; crossent.cross_entropy; crossent.linear_cross_entropy; import crossent.parallel; sys.exit('triton' in sys.modules)"
    assert run(code).returncode == 0


COMPILE = """
import json
from itertools import product
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from crossent.core import triton_kernel as library

found = []
for (z, wide), smooth, softcap, weight in [(("bf16", "fp32"), 0.0, None, None), (("fp64", "fp64"), 0.1, 30.0, "*fp64"), (("fp16", "fp32"), 0.1, None, None)]:
    kinds = dict(z=f"*{z}", out=f"*{z}", y="*i64", facts=f"*{wide}", up=f"*{wide}", lift=weight, weight=weight)
    chosen = dict(SMOOTH=smooth, SOFTCAP=softcap, BLOCK=library.BLOCK) | {name: None for name in ("weight", "lift") if not weight}
    for kernel, each in (library.scan_kernel, library.SCAN_EACH), (library.gradient_kernel, library.FILL_EACH):
        fixed = {name: chosen[name] for name in kernel.arg_names if name in chosen}
        types = {name: "constexpr" if name in fixed else kinds.get(name, "i32") for name in kernel.arg_names}
        made = triton.compile(ASTSource(kernel, types, fixed), GPUTarget("cuda", 90, 32), dict(num_warps=library.BLOCK // (32 * each)))
        found.append(len(made.asm["cubin"]) > 0)
        assert not kernel.used_global_vals, "바깥의 값은 부를 때마다 ==로 견주므로 nan이면 두 번째 호출이 멈춥니다"
print(json.dumps(found))
"""


def test_kernels_compile_for_a_gpu():
    "인터프리터가 받아 준 커널을 컴파일러가 거절할 수 있습니다. GPU가 없어도 H100의 코드까지는 만들어 봅니다."
    done = run(COMPILE, TRITON_INTERPRET="0")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [True] * 6


def test_the_linear_loss_lets_go_after_backward():
    "역전파를 마친 손실은 입력을 붙들지 않고, 다시 미분하면 PyTorch의 오류가 납니다."
    for function in (door.linear_cross_entropy, crossent.linear_cross_entropy):
        x, w = (torch.randn(5, 3, device=DEVICE).requires_grad_() for _ in range(2))
        hidden = x * 1
        seen, y = weakref.ref(hidden), torch.tensor([0, 1, 2, 3, 4], device=DEVICE)
        loss = function(hidden, w, y)
        loss.backward()
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            torch.autograd.grad(loss, w)
        del hidden
        assert seen() is None


def test_deprecation_points_at_the_caller():
    x, y = torch.randn(2, 3, device=DEVICE), torch.tensor([0, 1], device=DEVICE)
    for function in (door.cross_entropy, crossent.cross_entropy):
        with pytest.warns(UserWarning, match="deprecated") as found:
            function(x, y, reduce=False)
        assert [warning.filename for warning in found] == [__file__]
