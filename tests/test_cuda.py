"GPU가 있으면 CUDA 텐서에서도 PyTorch와 같은지 봅니다. CI에는 GPU가 없어도 됩니다."

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from crossent.core.sweep import accumulate
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
    make = lambda *shape: torch.randn(shape, device="cuda", generator=generator, dtype=torch.float64)
    leaves = [leaf.to(dtype).requires_grad_() for leaf in (make(700, 32), make(5001, 32) / 6, make(5001))]
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


# 손실 곁에서 PyTorch로 하던 일들

N, H, V = 24, 16, 51


def linear(function):
    head = torch.randn(V, H, device="cuda", generator=torch.Generator("cuda").manual_seed(3)) / 4
    return lambda x, y, **options: function(x, head, y, **options)


@pytest.fixture(params=["loss", "linear", "triton", "triton-linear"])
def calls(request):
    "우리 함수와, 같은 값을 내는 PyTorch의 것. 둘 다 (x, y)를 받습니다."
    functions = {"loss": cross_entropy, "linear": linear(linear_cross_entropy)}
    if "triton" in request.param:
        pytest.importorskip("triton")
        from crossent import triton as door

        functions = {"triton": door.cross_entropy, "triton-linear": linear(door.linear_cross_entropy)}
    plain = linear(lambda x, w, y, **options: F.cross_entropy(x @ w.T, y, **options)) if "linear" in request.param else F.cross_entropy
    return functions[request.param], plain


def batch(seed=0):
    generator = torch.Generator("cuda").manual_seed(seed)
    x, y = torch.randn(N, H, device="cuda", generator=generator), torch.randint(H, (N,), device="cuda", generator=generator)
    y[::5] = -100
    return x, y


def agree(step, plain, *data):
    "손실과 기울기가 PyTorch와 같은지."
    x, *rest = data or batch()
    found = [graded(lambda z: each(z, *rest), x, torch.tensor(0.7, device="cuda")) for each in (step, plain)]
    for mine, theirs in zip(*found):
        assert_close(mine, theirs, 2e-5, 2e-6)


def test_compiled(calls):
    agree(torch.compile(lambda x, y: calls[0](x * 2, y), fullgraph=True), lambda x, y: calls[1](x * 2, y))


def test_checkpointed(calls):
    agree(lambda x, y: checkpoint(calls[0], x, y, use_reentrant=False), calls[1])


def test_autocast(calls):
    x, y = batch()
    x.requires_grad_()
    with torch.autocast("cuda", torch.bfloat16):
        losses = [each(x, y) for each in calls]
    grads = [torch.autograd.grad(loss, x)[0] for loss in losses]
    for mine, theirs in (losses, grads):
        assert mine.dtype == theirs.dtype
        assert_close(mine.detach(), theirs.detach(), 3e-2, 1e-3)


def test_twice_through_the_same_graph(calls):
    "담아 둔 기울기를 제자리에서 바꾸면 두 번째가 달라집니다."
    x, y = batch()
    x.requires_grad_()
    loss, up = calls[0](x, y), torch.tensor(0.3, device="cuda")
    first = torch.autograd.grad(loss, x, up, retain_graph=True)[0].clone()
    assert torch.equal(first, torch.autograd.grad(loss, x, up)[0])


def test_half_mean_of_many_rows():
    "PyTorch는 분모를 float16으로 담아, 표본이 65504개를 넘으면 기울기가 0입니다."
    x, y = torch.zeros(70000, 2, device="cuda", dtype=torch.float16, requires_grad=True), torch.zeros(70000, dtype=torch.long, device="cuda")
    weight = torch.full((2,), 100.0, device="cuda", dtype=torch.float16)
    for given in ((x, y), (x[:1000], y[:1000], weight)):
        (grad,) = torch.autograd.grad(cross_entropy(*given), x, torch.tensor(1000.0, device="cuda", dtype=torch.float16))
        assert_close(grad[0].float().cpu(), torch.tensor([-500.0, 500.0]) / len(given[1]), 2e-3, 0)
    assert not torch.autograd.grad(F.cross_entropy(x, y), x, torch.tensor(1000.0, device="cuda", dtype=torch.float16))[0].any()


def test_on_another_stream(calls):
    x, y = batch()
    expected, stream = calls[1](x, y), torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        found = calls[0](x, y)
    stream.synchronize()
    assert_close(found, expected, 2e-5, 2e-6)


def test_captured_in_a_cuda_graph(calls):
    x, y = batch()
    x.requires_grad_()
    step = lambda call=calls[0]: torch.autograd.grad(call(x, y), x)[0]
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):  # 커널을 컴파일하고, 행렬 곱이 쓸 것을 만들어 둡니다
        step(), step(calls[1])
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = step()
    later, answers = batch(1)
    with torch.no_grad():
        x.copy_(later)
    y.copy_(answers)
    graph.replay()
    assert_close(found, torch.autograd.grad(calls[1](x, y), x)[0], 2e-5, 2e-6)


def test_deterministic(calls):
    torch.use_deterministic_algorithms(True)
    try:
        agree(*calls)
    finally:
        torch.use_deterministic_algorithms(False)


def test_vmap_and_hessian(calls):
    x, y = batch()
    x, y = x.double(), y.clamp(0)
    if calls[1] is not F.cross_entropy:
        pytest.skip("가중치가 float32입니다")
    for transform in (lambda f: torch.func.vmap(lambda z, t: f(z[None], t[None]))(x, y), lambda f: torch.func.hessian(lambda z: f(z, y[:3]))(x[:3])):
        assert_close(transform(calls[0]), transform(calls[1]))


def test_threads(calls):
    def work(seed):
        agree(*calls, *batch(seed))
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(16)))


def test_logits_changed_before_backward(calls):
    "바뀐 것을 알려 주거나 맞는 기울기를 냅니다. 틀린 기울기는 내지 않습니다."
    x, y = batch()
    z = x.clone().requires_grad_()
    hidden = z * 1
    loss, expected = calls[0](hidden, y), torch.autograd.grad(calls[1](z, y), z)[0]
    hidden.add_(1)
    try:
        found = torch.autograd.grad(loss, z)[0]
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)
    else:
        assert_close(found, expected, 2e-5, 2e-6)


def test_large_half_logits_are_as_light_as_pytorchs():
    "반정밀도 로짓은 GPU에서 PyTorch의 함수가 맡습니다."
    x, y = torch.randn(1024, 32000, device="cuda", dtype=torch.bfloat16, requires_grad=True), torch.randint(32000, (1024,), device="cuda")
    peaks = []
    for function in (cross_entropy, F.cross_entropy):
        torch.autograd.grad(function(x, y), x)
        torch.cuda.reset_peak_memory_stats()
        torch.autograd.grad(function(x, y), x)
        peaks.append(torch.cuda.max_memory_allocated())
    assert peaks[0] == peaks[1]


@pytest.mark.parametrize("first", [True, False])
def test_half_products_are_added_up_in_float32(first):
    "first면 있던 nan을 읽지 않습니다."
    total = torch.full((64, 48), torch.nan if first else 2.0, device="cuda")
    g, x = (torch.randn(100, n, device="cuda", dtype=torch.float16) for n in (64, 48))
    expected = g.double().T @ x.double() + (0 if first else 2)
    accumulate(total, g, x, first)
    assert_close(total.double(), expected, 1e-5, 1e-4)


# 글 15가 적은 GPU의 오류 문장

SENTENCES = {
    "target.float()": "\"nll_loss_forward_reduce_cuda_kernel_2d_index\" not implemented for 'Float'",
    "target.int()": "\"nll_loss_forward_reduce_cuda_kernel_2d_index\" not implemented for 'Int'",
    "target.cpu()": "Expected all tensors to be on the same device, but got target is on cpu, different from other tensors on cuda:0 (when checking argument in method wrapper_CUDA_nll_loss_forward)",
    "target + 2": "CUDA error: device-side assert triggered",
    "target - 1": "Assertion `t >= 0 && t < n_classes` failed.",
}
HELP = {"target.float()": "정답의 자료형이 float32입니다", "target.int()": "정답의 자료형이 int32입니다", "target.cpu()": "target.to('cuda:0')"}


@pytest.mark.parametrize("target", SENTENCES)
def test_sentences_of_post_15(target):
    "새 프로세스에서 냅니다. device-side assert가 나면 그 프로세스에서는 아무것도 할 수 없습니다."
    code = f"""
import sys, torch, crossent
from torch.nn import functional as F
logits, target = torch.randn(4, 3, device="cuda"), torch.tensor([0, 1, 2, 0], device="cuda")
print((F if sys.argv[1] == "torch" else crossent).cross_entropy(logits, {target}).item())
"""
    said = [subprocess.run([sys.executable, "-W", "ignore", "-c", code, who], capture_output=True, encoding="utf-8").stderr for who in ("torch", "crossent")]
    assert SENTENCES[target] in said[0] and SENTENCES[target] in said[1]
    assert HELP.get(target, "") in said[1]
    notebook = json.loads((Path(__file__).parent.parent / "nbs" / "15_pitfalls.ipynb").read_text(encoding="utf-8"))
    assert SENTENCES[target] in "".join("".join(cell["source"]) for cell in notebook["cells"])
