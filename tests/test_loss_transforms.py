"""crossent.loss가 PyTorch의 변환들 속에서도 같은지."""

import pytest
import torch
from torch.nn import functional as F

from crossent import CrossEntropyLoss, cross_entropy
from crossent.testing import assert_close

pytestmark = pytest.mark.usefixtures("every_path")

torch.manual_seed(0)
X = torch.randn(4, 5, dtype=torch.float64)
Y = torch.tensor([1, -100, 4, 0])
P = torch.rand(4, 5, dtype=torch.float64)
W = torch.rand(5, dtype=torch.float64)
CASES = [
    pytest.param(target, dict(weight=weight, reduction=reduction, label_smoothing=smoothing), id=f"{kind}-{reduction}-{smoothing}-{weight is not None}")
    for kind, target in (("index", Y), ("prob", P))
    for reduction in ("none", "mean", "sum")
    for smoothing in (0.0, 0.1)
    for weight in (None, W)
]


@pytest.mark.parametrize("target, options", CASES)
def test_gradcheck(target, options):
    x = X.clone().requires_grad_()
    every = dict(check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)
    assert torch.autograd.gradcheck(lambda z: cross_entropy(z, target, **options), x, **every)
    assert torch.autograd.gradgradcheck(lambda z: cross_entropy(z, target, **options), x, check_batched_grad=True)


def test_double_backward_through_probabilities():
    assert torch.autograd.gradgradcheck(lambda z, t: cross_entropy(z, t, W), (X.clone().requires_grad_(), P.clone().requires_grad_()))


def test_extras_twice():
    assert torch.autograd.gradgradcheck(lambda z: cross_entropy(z, Y, z_loss=0.1, softcap=2.0), X.clone().requires_grad_())


@pytest.mark.parametrize("target, options", CASES)
def test_functorch(target, options):
    total = {name: (lambda z, f=f: f(z, target, **options).sum()) for name, f in (("ours", cross_entropy), ("theirs", F.cross_entropy))}
    assert_close(torch.func.grad(total["ours"])(X), torch.func.grad(total["theirs"])(X))
    assert_close(torch.func.hessian(total["ours"])(X), torch.func.hessian(total["theirs"])(X))
    each = dict(options, reduction="none")
    jacobians = [torch.func.jacrev(lambda z, f=f: f(z, target, **each))(X) for f in (cross_entropy, F.cross_entropy)]
    assert_close(*jacobians)
    moved = [torch.func.jvp(lambda z, f=f: f(z, target, **options), (X,), (P,))[1] for f in (cross_entropy, F.cross_entropy)]
    assert_close(*moved)


@pytest.mark.parametrize(
    "target, options",
    [
        pytest.param(torch.tensor([1, 999, 4, 0]), dict(ignore_index=999), id="클래스 수보다 큰 무시 번호"),
        pytest.param(torch.tensor([1, -100, 1, 1]), dict(weight=torch.tensor([1.0, 0, 2, 3, 4], dtype=torch.float64)), id="정답의 무게가 모두 0"),
    ],
)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_corners_in_transforms(target, options, smoothing):
    "변환 속의 길에서도 모서리의 값과 기울기가 PyTorch와 같습니다."
    results = []
    for function in (cross_entropy, F.cross_entropy):
        loss = lambda z, f=function: f(z, target, label_smoothing=smoothing, **options)
        x = X.clone().requires_grad_()
        (grad,) = torch.autograd.grad(loss(x), x, create_graph=True)
        results.append((*torch.func.grad_and_value(loss)(X), grad))
    for mine, theirs in zip(*results):
        assert_close(mine, theirs)


def test_per_sample_gradients():
    def grads(function):
        return torch.vmap(torch.func.grad(lambda z, y: function(z, y, reduction="sum")))(X, Y)

    assert_close(grads(cross_entropy), grads(F.cross_entropy))
    both = torch.vmap(lambda z, y: cross_entropy(z[None], y[None], W, label_smoothing=0.1))(X[::2], Y[::2])
    one = torch.stack([F.cross_entropy(X[i : i + 1], Y[i : i + 1], W, label_smoothing=0.1) for i in (0, 2)])
    assert_close(both, one)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_compile(smoothing):
    options = dict(weight=W.float(), label_smoothing=smoothing)
    compiled = torch.compile(lambda z, y: cross_entropy(z, y, **options), fullgraph=True)
    z, other = X.float().requires_grad_(), X.float().requires_grad_()
    mine, theirs = compiled(z, Y), F.cross_entropy(other, Y, **options)
    (mine * 0.3).backward()
    (theirs * 0.3).backward()
    assert_close(mine.detach(), theirs.detach())
    assert_close(z.grad, other.grad)


def test_compile_module():
    compiled = torch.compile(CrossEntropyLoss(), fullgraph=True, backend="aot_eager")
    assert_close(compiled(X, Y), F.cross_entropy(X, Y))


def test_autocast():
    z, other = X.bfloat16().requires_grad_(), X.bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mine, theirs = cross_entropy(z, Y, W.float()), F.cross_entropy(other, Y, W.float())
        smooth = cross_entropy(z.detach(), Y, label_smoothing=0.1), F.cross_entropy(z.detach(), Y, label_smoothing=0.1)
        bare = cross_entropy(z.detach(), Y), F.cross_entropy(z.detach(), Y)
    assert_close(mine.detach(), theirs.detach())
    assert_close(*smooth)
    assert_close(*bare)
    mine.backward(torch.tensor(0.7))
    theirs.backward(torch.tensor(0.7))
    assert_close(z.grad, other.grad)


def test_inference_mode_and_no_grad():
    for quiet in (torch.inference_mode, torch.no_grad):
        with quiet():
            x = X.clone()
            assert_close(cross_entropy(x, Y), F.cross_entropy(x, Y))
            assert not cross_entropy(x.requires_grad_() if quiet is torch.no_grad else x, Y).requires_grad


def test_meta_fake_and_subclass():
    value = cross_entropy(torch.empty(4, 5, device="meta"), torch.empty(4, dtype=torch.long, device="meta"), reduction="none")
    assert value.device.type == "meta" and value.shape == (4,)
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        assert cross_entropy(torch.empty(4, 5), torch.empty(4, dtype=torch.long)).shape == ()

    class Mine(torch.Tensor):
        pass

    assert_close(torch.as_tensor(cross_entropy(X.as_subclass(Mine), Y)).as_subclass(torch.Tensor), F.cross_entropy(X, Y))
    with torch.device("cpu"):
        assert_close(cross_entropy(X, Y), F.cross_entropy(X, Y))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="GPU가 없습니다")
@pytest.mark.parametrize("target, options", CASES)
def test_cuda(target, options):
    options = {name: value.cuda() if isinstance(value, torch.Tensor) else value for name, value in options.items()}
    z, other = X.cuda().requires_grad_(), X.cuda().requires_grad_()
    mine, theirs = cross_entropy(z, target.cuda(), **options), F.cross_entropy(other, target.cuda(), **options)
    upstream = torch.randn_like(mine)
    mine.backward(upstream)
    theirs.backward(upstream)
    assert_close(mine.detach(), theirs.detach())
    assert_close(z.grad, other.grad)


def test_linearize():
    "로짓에 대한 선형 근사: 정답의 값을 읽지 않고도 추적됩니다."
    moved = [torch.func.linearize(lambda z, f=f: f(z, Y, W), X)[1](P) for f in (cross_entropy, F.cross_entropy)]
    assert_close(*moved)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layout", [torch.sparse_coo, torch.sparse_csr], ids=str)
def test_sparse_probabilities(layout):
    "성긴(sparse) 확률 정답은 PyTorch가 하는 대로."
    sparse = P.to_sparse(layout=layout)
    assert_close(cross_entropy(X, sparse), F.cross_entropy(X, sparse))


def twice_the_loss(logits, target):
    return 2 * cross_entropy(logits, target)


@pytest.mark.filterwarnings("ignore")
def test_scripted_function():
    "함수 자체도, 우리 함수를 부르는 함수도 TorchScript로 옮길 수 있습니다."
    assert_close(torch.jit.script(cross_entropy)(X, Y, label_smoothing=0.1), F.cross_entropy(X, Y, label_smoothing=0.1))
    assert_close(torch.jit.script(twice_the_loss)(X, Y), 2 * F.cross_entropy(X, Y))


@pytest.mark.filterwarnings("ignore")
def test_scripted_module():
    "TorchScript로 옮긴 모듈은 PyTorch의 것과 같은 값을 냅니다. 우리만의 선택지는 옮기지 못합니다."
    options = dict(weight=W, reduction="sum", label_smoothing=0.1)
    scripted = torch.jit.script(torch.nn.Sequential(CrossEntropyLoss(**options))[0])
    assert_close(scripted(X, Y), F.cross_entropy(X, Y, **options))
    with pytest.raises(torch.jit.frontend.NotSupportedError):
        torch.jit.script(CrossEntropyLoss(z_loss=0.1))


@pytest.mark.parametrize("options", [dict(z_loss=0.1), dict(softcap=2.0), {}], ids=str)
def test_per_sample_gradients_with_weights(options):
    "표본 하나씩의 기울기를 vmap으로: 우리만의 선택지와 가중치가 함께 있어도 됩니다."
    target = Y.clamp(min=0)
    found = torch.vmap(torch.func.grad(lambda z, y: cross_entropy(z, y, W, **options)))(X, target)
    for row, (z, y) in enumerate(zip(X, target)):
        leaf = z.clone().requires_grad_()
        cross_entropy(leaf, y, W, **options).backward()
        assert_close(found[row], leaf.grad)
