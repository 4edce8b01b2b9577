"GPU가 있으면 CUDA 텐서에서도 PyTorch와 같은지 봅니다. CI에는 GPU가 없어도 됩니다."

import pytest
import torch
from torch.nn import functional as F

from crossent.linear import linear_cross_entropy
from crossent.loss import CrossEntropyLoss, cross_entropy
from crossent.testing import assert_close

if not torch.cuda.is_available():
    pytest.skip("CUDA GPU가 없습니다", allow_module_level=True)

DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
TOLERANCE = {torch.float64: (1e-9, 1e-11), torch.float32: (2e-5, 2e-6), torch.float16: (5e-3, 1e-3), torch.bfloat16: (3e-2, 5e-3)}
OPTIONS = [
    {},
    {"label_smoothing": 0.1},
    {"weight": True},
    {"weight": True, "label_smoothing": 0.3},
    {"ignore_index": 3},
]


def graded(function, x, upstream):
    "값과, 무작위 상류 기울기에 대한 기울기."
    x = x.detach().requires_grad_()
    loss = function(x)
    (grad,) = torch.autograd.grad(loss, x, upstream.to(loss.dtype).reshape(loss.shape))
    return loss.detach(), grad


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(7, 11), (3, 5, 4), (2, 6, 3, 5), (300, 4001)], ids=str)
@pytest.mark.parametrize("kind", ["index", "probability"])
def test_parity(dtype, options, reduction, shape, kind):
    if kind == "probability" and "ignore_index" in options:
        pytest.skip("확률 정답에는 ignore_index가 없습니다")
    generator = torch.Generator("cuda").manual_seed(0)
    x = (3 * torch.randn(shape, device="cuda", generator=generator)).to(dtype)
    y = torch.randint(shape[1], shape[:1] + shape[2:], device="cuda", generator=generator)
    if kind == "probability":
        y = torch.rand(shape, device="cuda", generator=generator).softmax(1).to(dtype)
    arguments = dict(options, reduction=reduction)
    if "weight" in options:
        arguments["weight"] = torch.rand(shape[1], device="cuda", generator=generator).add(0.1).to(dtype)
    up = torch.rand(shape[:1] + shape[2:] if reduction == "none" else (), device="cuda", generator=generator) + 0.5
    ours = graded(lambda z: cross_entropy(z, y, **arguments), x, up)
    wide = {name: value.double() if torch.is_tensor(value) else value for name, value in arguments.items()}
    answer = y.double() if kind == "probability" else y
    truth = graded(lambda z: F.cross_entropy(z, answer, **wide), x.double(), up)
    rtol, atol = TOLERANCE[dtype]
    for name, a, b in zip(("loss", "dlogits"), ours, truth):
        assert a.dtype == dtype
        assert_close(a, b, rtol, atol * max(1.0, b.abs().max().item()), check_dtype=False, name=name)


def test_double_backward_and_explicit_backward():
    x = torch.randn(4, 6, device="cuda", dtype=torch.float64, requires_grad=True)
    y = torch.randint(6, (4,), device="cuda")
    assert torch.autograd.gradgradcheck(lambda z: cross_entropy(z, y, label_smoothing=0.1), (x,))
    module = CrossEntropyLoss()
    loss = module(x, y)
    assert_close(module.backward(0.7), torch.autograd.grad(loss, x, torch.full_like(loss, 0.7))[0])


def test_upstream_scaling_keeps_inputs():
    x = torch.randn(64, 1000, device="cuda", requires_grad=True)
    y = torch.randint(1000, (64,), device="cuda")
    before = x.detach().clone()
    loss = cross_entropy(x, y)
    first = torch.autograd.grad(loss, x, torch.tensor(0.3, device="cuda"), retain_graph=True)[0].clone()
    second = torch.autograd.grad(loss, x, torch.tensor(0.3, device="cuda"))[0]
    assert_close(first, second)
    assert torch.equal(x, before)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_linear(dtype, reduction):
    generator = torch.Generator("cuda").manual_seed(1)

    def make(*shape):
        return torch.randn(shape, device="cuda", generator=generator, dtype=torch.float64).to(dtype)

    hidden, matrix, bias = make(300, 32), make(501, 32) / 6, make(501)
    y = torch.randint(501, (300,), device="cuda", generator=generator)
    y[::7] = -100
    up = torch.rand(300 if reduction == "none" else (), device="cuda", generator=generator) + 0.5
    leaves = [t.detach().requires_grad_() for t in (hidden, matrix, bias)]
    loss = linear_cross_entropy(*leaves[:2], y, linear_bias=leaves[2], reduction=reduction)
    ours = torch.autograd.grad(loss, leaves, up.to(loss.dtype))
    wide = [t.detach().double().requires_grad_() for t in (hidden, matrix, bias)]
    truth_loss = F.cross_entropy(F.linear(*wide), y, reduction=reduction)
    truth = torch.autograd.grad(truth_loss, wide, up.double())
    rtol, atol = TOLERANCE[dtype]
    for name, a, b in zip(("loss", "dx", "dW", "db"), (loss.detach(), *ours), (truth_loss.detach(), *truth)):
        assert_close(a, b, 4 * rtol, 4 * atol * max(1.0, b.abs().max().item()), check_dtype=False, name=name)


# Triton. tests/test_triton.py도 GPU가 있으면 인터프리터가 아니라 GPU에서 돕니다.


@pytest.fixture
def triton_door():
    pytest.importorskip("triton")
    from crossent import triton

    return triton


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("shape", [(7, 11), (3, 5, 4), (300, 4097), (16, 128256)], ids=str)
def test_triton(triton_door, dtype, options, reduction, shape):
    generator = torch.Generator("cuda").manual_seed(0)
    x = (3 * torch.randn(shape, device="cuda", generator=generator)).to(dtype)
    y = torch.randint(shape[1], shape[:1] + shape[2:], device="cuda", generator=generator)
    arguments = dict(options, reduction=reduction)
    if "weight" in options:
        arguments["weight"] = torch.rand(shape[1], device="cuda", generator=generator).add(0.1).to(dtype)
    up = torch.rand(y.shape if reduction == "none" else (), device="cuda", generator=generator) + 0.5
    ours = graded(lambda z: triton_door.cross_entropy(z, y, **arguments), x, up)
    wide = {name: value.double() if torch.is_tensor(value) else value for name, value in arguments.items()}
    truth = graded(lambda z: F.cross_entropy(z, y, **wide), x.double(), up)
    rtol, atol = TOLERANCE[dtype]
    for name, a, b in zip(("loss", "dlogits"), ours, truth):
        assert a.dtype == dtype
        assert_close(a, b, rtol, atol * max(1.0, b.abs().max().item()), check_dtype=False, name=name)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_triton_linear(triton_door, dtype, reduction):
    generator = torch.Generator("cuda").manual_seed(1)
    make = lambda *shape: torch.randn(shape, device="cuda", generator=generator, dtype=torch.float64).to(dtype).requires_grad_()
    leaves = make(700, 32), make(5001, 32), make(5001)
    y = torch.randint(5001, (700,), device="cuda", generator=generator)
    y[::7] = -100
    loss = triton_door.linear_cross_entropy(*leaves[:2], y, linear_bias=leaves[2], reduction=reduction)
    wide = [leaf.detach().double().requires_grad_() for leaf in leaves]
    truth = F.cross_entropy(F.linear(*wide), y, reduction=reduction)
    rtol, atol = TOLERANCE[dtype]
    pairs = zip((loss, *torch.autograd.grad(loss, leaves)), (truth, *torch.autograd.grad(truth, wide)))
    for a, b in pairs:
        assert_close(a, b, 4 * rtol, 4 * atol * max(1.0, b.abs().max().item()), check_dtype=False)


def test_triton_never_waits_and_makes_one_large_tensor(triton_door):
    "값을 CPU로 읽지 않고, 로짓만큼 큰 것은 기울기 하나만 만듭니다."
    x = torch.randn(1024, 32000, device="cuda", dtype=torch.bfloat16, requires_grad=True)
    y = torch.randint(32000, (1024,), device="cuda")
    step = lambda: torch.autograd.grad(triton_door.cross_entropy(x, y, label_smoothing=0.1, z_loss=1e-4), x)
    step()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    torch.cuda.set_sync_debug_mode("error")
    try:
        grad = step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert torch.cuda.max_memory_allocated() - before < 1.1 * x.nbytes
    assert grad[0].shape == x.shape
