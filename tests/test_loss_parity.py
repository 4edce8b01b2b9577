"""crossent.loss가 PyTorch와 같은지: 모양 × 자료형 × 선택지의 모든 조합을, 무작위 상류 기울기로."""

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from crossent import loss, reference
from crossent.testing import assert_close

SHAPES = [(5,), (4, 5), (1, 5), (3, 1), (3, 5, 2), (2, 5, 2, 3), (2, 5, 2, 1, 2), (0, 5), (2, 5, 0)]
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}


@pytest.fixture
def block(every_path):
    pass


def classes_of(shape):
    return shape[0] if len(shape) == 1 else shape[1]


def rows_of(shape):
    return shape[:1] + shape[2:] if len(shape) > 1 else ()


def problem(shape, dtype, probabilities, ignore_index, contiguous, generator):
    "로짓과 정답 하나. 무시할 자리가 섞여 있습니다."
    logits = (torch.randn(shape, generator=generator, dtype=torch.float64) * 3).to(dtype)
    if not contiguous and len(shape) > 1:
        logits = logits.transpose(0, -1).contiguous().transpose(0, -1)
    if probabilities:
        return logits, torch.rand(shape, generator=generator, dtype=torch.float64).to(dtype)
    target = torch.randint(classes_of(shape), rows_of(shape), generator=generator)
    dropped = torch.rand(rows_of(shape), generator=generator) < 0.3
    return logits, torch.where(dropped, ignore_index, target)


def value_and_grads(function, logits, target, upstream, **options):
    "손실과, 로짓(그리고 확률 정답)의 기울기."
    leaves = [logits.detach().clone().requires_grad_()]
    if target.is_floating_point() and options.pop("target_grad", False):
        leaves.append(target.detach().clone().requires_grad_())
    options.pop("target_grad", None)
    value = function(leaves[0], leaves[1] if len(leaves) > 1 else target, **options)
    upstream = torch.randn(value.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64) if upstream is None else upstream
    return value.detach(), torch.autograd.grad(value, leaves, upstream.to(value.dtype))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_parity_matrix(shape, dtype, block):
    generator = torch.Generator().manual_seed(0)
    tolerance = TOLERANCE[dtype]
    for probabilities, weighted, ignore_index, reduction, smoothing, contiguous in itertools.product(
        (False, True), (None, "rand", "zeros"), (-100, 1, 999), ("none", "mean", "sum"), (0.0, 0.1, 1.0), (True, False)
    ):
        if probabilities and (ignore_index >= 0 or not contiguous):
            continue
        logits, target = problem(shape, dtype, probabilities, ignore_index, contiguous, generator)
        weight = None if weighted is None else torch.rand(classes_of(shape), generator=generator, dtype=torch.float64).to(dtype)
        if weighted == "zeros":
            weight[: classes_of(shape) // 2] = 0
        options = dict(weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=smoothing)
        case = f"{shape} {dtype} prob={probabilities} {options} contiguous={contiguous}"
        mine, grads = value_and_grads(loss.cross_entropy, logits, target, None, **options)
        theirs, expected = value_and_grads(F.cross_entropy, logits, target, None, **options)
        assert mine.dtype == theirs.dtype and grads[0].dtype == dtype, case
        if dtype.itemsize == 2:  # 반정밀도에서는 PyTorch가 아니라 float64 참값과 견줍니다
            wide = options | dict(weight=None if weight is None else weight.double())
            upstream = torch.randn(mine.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype).double()
            theirs, expected = value_and_grads(F.cross_entropy, logits.double(), target.double() if probabilities else target, upstream, **wide)
        assert_close(mine, theirs, tolerance, tolerance, check_dtype=False, name=case)
        assert_close(grads[0], expected[0], tolerance, tolerance, check_dtype=False, name=case)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_gradients_of_probabilities_and_weight(reduction):
    torch.manual_seed(0)
    logits, target, weight = (torch.randn(s, dtype=torch.float64, requires_grad=True) for s in ((4, 5, 2), (4, 5, 2), (5,)))
    leaves = logits, target, weight
    mine = loss.cross_entropy(logits, target, weight, reduction=reduction, label_smoothing=0.2)
    theirs = F.cross_entropy(logits, target, weight, reduction=reduction, label_smoothing=0.2)
    upstream = torch.randn_like(mine)
    for ours, expected in zip(torch.autograd.grad(mine, leaves, upstream), torch.autograd.grad(theirs, leaves, upstream)):
        assert_close(ours, expected)


@pytest.mark.parametrize("pair", [(torch.float32, torch.float64), (torch.float64, torch.float32), (torch.bfloat16, torch.float32), (torch.bfloat16, torch.float16)])
def test_probability_dtypes_promote(pair):
    torch.manual_seed(0)
    logits, target = torch.randn(3, 5, dtype=pair[0]), torch.rand(3, 5, dtype=torch.float64).to(pair[1])
    mine, theirs = loss.cross_entropy(logits, target), F.cross_entropy(logits, target)
    assert mine.dtype == theirs.dtype
    assert_close(mine, theirs, 2e-2, 2e-2)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, -0.1, float("nan")])
def test_uint8_targets_and_odd_smoothing(smoothing):
    torch.manual_seed(0)
    logits, target = torch.randn(4, 200), torch.tensor([3, 156, 0, 199], dtype=torch.uint8)
    # int64로 견줍니다. PyTorch 2.13은 스무딩이 있으면 uint8의 156을 -100으로 잘못 읽습니다 (156 = 256 - 100)
    expected = F.cross_entropy(logits, target.long(), label_smoothing=smoothing)
    assert_close(loss.cross_entropy(logits, target, label_smoothing=smoothing), expected)


def special(kind):
    "nan과 inf가 나오는 로짓과 정답."
    generator = torch.Generator().manual_seed(0)
    logits, target = torch.randn(4, 5, generator=generator), torch.tensor([1, 3, 0, 2])
    if kind == "−inf":
        logits[0, 2] = -torch.inf
    elif kind == "정답이 −inf":
        logits[0, 1] = -torch.inf
    elif kind == "+inf":
        logits[0, 2] = torch.inf
    elif kind == "모두 −inf":
        logits[0] = -torch.inf
    elif kind == "무시한 줄의 nan":
        logits[0], target[0] = torch.nan, -100
    elif kind == "모두 무시":
        target[:] = -100
    elif kind == "1e4":
        logits *= 1e4
    return logits, target


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("kind", ["−inf", "정답이 −inf", "+inf", "모두 −inf", "무시한 줄의 nan", "모두 무시", "1e4", "무게의 합이 0", "무게가 모두 0"])
def test_nan_and_inf_in_the_same_places(kind, reduction, smoothing):
    logits, target = special(kind)
    weights = [None, torch.tensor([1.0, -1.0, 0.0, 2.0, -3.0])]
    if kind.startswith("무게"):
        logits, target = logits[:2], torch.tensor([0, 1])
        weights = [torch.tensor([1.0, -1.0, 0.5, 2.0, 0.0])] if kind == "무게의 합이 0" else [torch.zeros(5)]
    for weight in weights:
        options = dict(weight=weight, reduction=reduction, label_smoothing=smoothing)
        mine, grads = value_and_grads(loss.cross_entropy, logits, target, None, **options)
        theirs, expected = value_and_grads(F.cross_entropy, logits, target, None, **options)
        assert_close(mine, theirs, 1e-5, 1e-5)
        if kind == "무게의 합이 0" and smoothing and reduction == "mean":  # 0으로 나눈 값: inf와 nan이 섞이는 순서까지는 따르지 않습니다
            assert torch.equal(grads[0].isfinite(), expected[0].isfinite())
        else:
            assert_close(grads[0], expected[0], 1e-5, 1e-5)


@pytest.mark.parametrize("bad", [torch.inf, -torch.inf, torch.nan])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_weight_not_finite(reduction, bad):
    "유한하지 않은 무게는 그 클래스가 정답인 표본만 망칩니다. 무시한 표본의 기울기는 그대로 0입니다."
    logits, target = special("보통")
    target[2] = -100
    for place in range(5):
        weight = torch.tensor([1.0, 2.0, 0.5, 3.0, 0.0])
        weight[place] = bad
        options = dict(weight=weight, reduction=reduction)
        mine, (grad,) = value_and_grads(loss.cross_entropy, logits, target, None, **options)
        theirs, (expected,) = value_and_grads(F.cross_entropy, logits, target, None, **options)
        assert_close(mine, theirs)
        assert_close(grad, expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_nan_and_inf_with_probabilities(reduction):
    logits = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    logits[0, 2] = -torch.inf
    onehot = F.one_hot(torch.tensor([1, 2, 3]), 5).float()
    mine, grads = value_and_grads(loss.cross_entropy, logits, onehot, None, reduction=reduction)
    theirs, expected = value_and_grads(F.cross_entropy, logits, onehot, None, reduction=reduction)
    assert_close(mine, theirs)
    assert_close(grads[0], expected[0])


@pytest.mark.parametrize("upstream", [float("inf"), float("nan"), 0.0, 0.3, 2.0])
def test_odd_upstream(upstream):
    torch.manual_seed(0)
    logits, target = torch.randn(3, 5), torch.tensor([1, -100, 2])
    for reduction in ("mean", "sum"):
        _, mine = value_and_grads(loss.cross_entropy, logits, target, torch.tensor(upstream), reduction=reduction)
        _, theirs = value_and_grads(F.cross_entropy, logits, target, torch.tensor(upstream), reduction=reduction)
        assert_close(mine[0], theirs[0])


@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_empty_classes(reduction, smoothing, ignored):
    "C = 0: 확률 정답과, 모두 무시한 클래스 번호."
    target = torch.full((3,), -100) if ignored else torch.zeros(3, 0)
    logits = torch.zeros(3, 0)
    options = dict(reduction=reduction, label_smoothing=smoothing)
    assert_close(loss.cross_entropy(logits, target, **options), F.cross_entropy(logits, target, **options))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_against_the_reference(reduction, smoothing):
    "NumPy로 쓴 명세와 float64에서."
    rng = np.random.default_rng(0)
    logits, weight = rng.normal(size=(6, 5, 3)), rng.random(5)
    target = rng.integers(0, 5, (6, 3))
    target[1] = -100
    options = dict(ignore_index=-100, reduction=reduction, label_smoothing=smoothing)
    z = torch.tensor(logits, requires_grad=True)
    mine = loss.cross_entropy(z, torch.tensor(target), torch.tensor(weight), **options)
    upstream = torch.randn(mine.shape, dtype=torch.float64)
    mine.backward(upstream)
    assert_close(mine.detach(), reference.cross_entropy(logits, target, weight, **options), check_dtype=False)
    expected = reference.cross_entropy_grad(upstream.numpy(), logits, target, weight, **options)
    assert_close(z.grad, expected)
