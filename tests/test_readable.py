"읽으라고 쓴 세 모듈(nll, reference의 NumpyCrossEntropy, autograd)을 PyTorch와, 그리고 험한 입력으로 비교합니다."

import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from crossent.autograd import CrossEntropyLoss, LogSoftmax, NegativeLogLikelihoodLoss, PyTorchCrossEntropy, Softmax
from crossent.nll import nll_loss, nll_loss_vjp
from crossent.reference import NumpyCrossEntropy
from crossent.softmax import log_softmax, softmax_jacobian
from crossent.testing import assert_close, numerical_grad

REDUCTIONS = ("none", "mean", "sum")
DTYPES = (torch.float32, torch.float64)


def hard_logits(name, dtype=torch.float64):
    "이름 붙인 험한 로짓 (N, C)과 정답 (N)."
    generator = torch.Generator().manual_seed(7)

    def draw(*shape):
        return torch.randn(*shape, dtype=torch.float64, generator=generator)

    n, c = {"빈 배치": (0, 5), "표본 하나": (1, 5), "클래스 하나": (4, 1), "하나씩": (1, 1), "배치 8, 어휘 3000": (8, 3000)}.get(name, (6, 7))
    logits = draw(n, c)
    target = torch.randint(0, c, (n,), generator=generator)
    if name == "만 단위":
        logits = logits.sign() * 1e4
    if name == "확신":
        logits[range(n), target] += 80
    if name == "틀린 확신":
        logits[range(n), (target + 1) % c] += 500
    if name == "막은 칸":
        logits[range(n), (target + 1) % c] = -torch.inf
    if name == "막은 정답":
        logits[0, target[0]] = -torch.inf
    if name == "뒤집은 축":
        logits = draw(c, n).t()
    if name == "건너뛴 줄":
        logits, target = draw(2 * n, 2 * c)[::2, ::2], target.repeat_interleave(2)[::2]
    return logits.to(dtype), target


HARD = ("보통", "빈 배치", "표본 하나", "클래스 하나", "하나씩", "배치 8, 어휘 3000", "만 단위", "확신", "틀린 확신", "막은 칸", "막은 정답", "뒤집은 축", "건너뛴 줄")


def torch_answer(logits, target, reduction, upstream_seed=3):
    "PyTorch의 손실, 무작위로 뽑은 상류 기울기, 로짓의 기울기."
    leaf = logits.detach().clone().requires_grad_()
    loss = F.cross_entropy(leaf, target, reduction=reduction)
    upstream = torch.randn(loss.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(upstream_seed)).to(loss.dtype)
    (dlogits,) = torch.autograd.grad(loss, leaf, upstream)
    return loss.detach(), upstream, dlogits


def as_numpy(tensor):
    "NumPy로 옮기되 보폭은 그대로 둡니다."
    return tensor.detach().numpy()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", HARD)
def test_numpy_matches_torch(name, reduction, dtype):
    logits, target = hard_logits(name, dtype)
    loss, upstream, dlogits = torch_answer(logits, target, reduction)
    ours = NumpyCrossEntropy(reduction)
    assert_close(ours.cross_entropy(as_numpy(logits), as_numpy(target)), loss, name="손실")
    assert_close(ours.backward(as_numpy(upstream)), dlogits, name="기울기")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", HARD)
def test_autograd_matches_torch(name, reduction, dtype):
    logits, target = hard_logits(name, dtype)
    loss, upstream, dlogits = torch_answer(logits, target, reduction)
    ours, leaf = CrossEntropyLoss(reduction), logits.requires_grad_()
    our_loss = ours(leaf, target)
    assert_close(our_loss, loss, name="손실")
    (by_tape,) = torch.autograd.grad(our_loss, leaf, upstream)
    assert_close(by_tape, dlogits, name="테이프의 기울기")
    assert_close(ours.backward(upstream), dlogits, name="손으로 부른 backward")


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", HARD)
def test_nll_matches_torch(name, reduction):
    logits, target = hard_logits(name)
    log_probs = logits.log_softmax(-1).requires_grad_()
    theirs = F.nll_loss(log_probs, target, reduction=reduction)
    upstream = torch.randn_like(theirs)
    (expected,) = torch.autograd.grad(theirs, log_probs, upstream)
    assert_close(nll_loss(as_numpy(log_probs), as_numpy(target), reduction), theirs)
    assert_close(nll_loss_vjp(as_numpy(upstream), as_numpy(log_probs), as_numpy(target), reduction), expected)
    (ours,) = torch.autograd.grad(NegativeLogLikelihoodLoss.apply(log_probs, target, reduction), log_probs, upstream)
    assert_close(ours, expected)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_numpy_gradient_by_differences(reduction):
    rng = np.random.default_rng(2)
    logits, target = rng.normal(size=(4, 5)) * 3, rng.integers(0, 5, size=4)
    ours = NumpyCrossEntropy(reduction)
    upstream = rng.normal(size=np.shape(ours.cross_entropy(logits, target)))
    by_difference = numerical_grad(lambda z: (upstream * NumpyCrossEntropy(reduction).cross_entropy(z, target)).sum(), logits)
    assert_close(ours.backward(upstream), by_difference, atol=1e-7)


@pytest.mark.parametrize("dim", (0, 1, -1))
@pytest.mark.parametrize("function", (Softmax, LogSoftmax), ids=lambda f: f.__name__)
def test_softmax_twice_differentiable(function, dim):
    x = torch.randn(3, 4, 2, dtype=torch.float64).transpose(0, 2).requires_grad_()
    theirs = torch.softmax if function is Softmax else torch.log_softmax
    upstream = torch.randn_like(x)
    assert_close(function.apply(x, dim), theirs(x, dim))
    assert_close(torch.autograd.grad(function.apply(x, dim), x, upstream)[0], torch.autograd.grad(theirs(x, dim), x, upstream)[0])
    assert gradcheck(function.apply, (x, dim)) and gradgradcheck(function.apply, (x, dim))


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", ((4, 5), (1, 3), (3, 1)))
def test_loss_twice_differentiable(shape, reduction):
    x = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    target = torch.randint(0, shape[1], shape[:1])
    log_probs = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
    for function, leaf in ((CrossEntropyLoss(reduction), x), (lambda v, y: NegativeLogLikelihoodLoss.apply(v, y, reduction), log_probs)):
        assert gradcheck(function, (leaf, target)) and gradgradcheck(function, (leaf, target))


def test_hessian_of_one_row():
    z = torch.randn(6, dtype=torch.float64) * 4
    hessian = torch.autograd.functional.hessian(lambda v: CrossEntropyLoss()(v[None], torch.tensor([2])), z)
    assert_close(hessian, softmax_jacobian(as_numpy(z.softmax(0))))


def test_nothing_handed_in_is_changed():
    logits, target = hard_logits("보통")
    for reduction in REDUCTIONS:
        leaf, upstream = logits.clone().requires_grad_(), torch.randn(6 if reduction == "none" else (), dtype=torch.float64)
        given, ours = upstream.clone(), CrossEntropyLoss(reduction)
        ours(leaf, target).backward(upstream)
        ours.backward(upstream)
        array, answers = as_numpy(logits).copy(), as_numpy(target).copy()
        numpy_ours = NumpyCrossEntropy(reduction)
        numpy_ours.cross_entropy(array, answers)
        numpy_ours.backward(as_numpy(upstream))
        log_probs = log_softmax(array)
        kept = log_probs.copy()
        nll_loss_vjp(as_numpy(upstream), log_probs, answers, reduction)
        assert torch.equal(upstream, given) and torch.equal(leaf, logits)
        assert (array == as_numpy(logits)).all() and (answers == as_numpy(target)).all() and (log_probs == kept).all()


@pytest.mark.parametrize("extra_first", (True, False), ids=("먼저", "나중"))
@pytest.mark.parametrize("function", (Softmax, LogSoftmax), ids=lambda f: f.__name__)
def test_other_branches_keep_their_gradient(function, extra_first):
    "상류 기울기를 덮어쓰면 그것을 나누어 쓰는 다른 항이 망가집니다. 어느 항을 먼저 만드느냐에 따라 숨기도 하므로 두 차례를 모두 봅니다."
    extra, x = torch.zeros(3, requires_grad=True), torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    upstream = torch.tensor([0.1, 0.2, 0.3])
    if extra_first:
        doubled = 2 * extra
        out = function.apply(x, -1) + doubled
    else:
        out = function.apply(x, -1)
        out = out + 2 * extra
    out.backward(upstream)
    assert_close(extra.grad, torch.tensor([0.2, 0.4, 0.6]))
    assert_close(upstream, torch.tensor([0.1, 0.2, 0.3]))


def test_backward_uses_what_forward_saw():
    "순전파 뒤에 입력을 덮어써도 손으로 부른 backward는 순전파 때의 값을 씁니다."
    logits, target = hard_logits("보통")
    ours, numpy_ours = CrossEntropyLoss(), NumpyCrossEntropy()
    _, upstream, expected = torch_answer(logits, target, "mean")
    array, answers, changing = as_numpy(logits).copy(), as_numpy(target).copy(), target.clone()
    ours(logits, changing)
    numpy_ours.cross_entropy(array, answers)
    changing.zero_()
    array[:], answers[:] = 0, 0
    assert_close(ours.backward(upstream), expected)
    assert_close(numpy_ours.backward(as_numpy(upstream)), expected)
    assert_close(ours.backward(upstream), expected)  # 두 번 불러도 같습니다


def bad_inputs():
    "(이름, 로짓, 정답, 줄이기): PyTorch가 거절하는 것들."
    logits = torch.randn(3, 5)
    yield "표본 수", logits, torch.tensor([0, 1]), "mean"
    yield "세로로 선 정답", logits, torch.tensor([[0], [1], [2]]), "mean"
    yield "수 하나", logits, torch.tensor(1), "mean"
    yield "너무 큰 정답", logits, torch.tensor([0, 5, 1]), "none"
    yield "음수 정답", logits, torch.tensor([0, 1, -1]), "sum"
    yield "부동소수점 정답", logits, torch.tensor([0.0, 1.0, 2.0]), "mean"
    yield "nan 정답", logits, torch.tensor([0.0, torch.nan, 2.0]), "mean"
    yield "참거짓 정답", logits, torch.tensor([True, False, True]), "mean"
    yield "빈 배치의 모양", torch.zeros(0, 5), torch.zeros(2, dtype=torch.long), "mean"
    yield "클래스 없음", torch.zeros(2, 0), torch.zeros(2, dtype=torch.long), "sum"
    yield "없는 줄이기", logits, torch.tensor([0, 1, 2]), "avg"


@pytest.mark.parametrize("name, logits, target, reduction", list(bad_inputs()), ids=lambda v: v if isinstance(v, str) else "")
def test_bad_input_raises_like_torch(name, logits, target, reduction):
    with pytest.raises(Exception) as theirs:
        F.cross_entropy(logits, target, reduction=reduction)
    # 클래스가 0개이면 로그 소프트맥스가 먼저 멈추므로 종류만 같습니다.
    for ours in (lambda: CrossEntropyLoss(reduction)(logits, target), lambda: NumpyCrossEntropy(reduction).cross_entropy(logits.numpy(), target.numpy())):
        with pytest.raises(theirs.type) as error:
            ours()
        if name != "클래스 없음":
            first, _, korean = str(error.value).partition("\n")
            # PyTorch 2.11까지는 정답의 자료형을 다른 문장으로 말합니다.
            assert first == str(theirs.value) or str(theirs.value).startswith("expected scalar type Long but found ")
            assert any("가" <= letter <= "힣" for letter in korean)


@pytest.mark.parametrize("dtype", (torch.uint8, torch.int64), ids=str)
def test_integer_targets(dtype):
    logits, target = hard_logits("보통")
    loss, upstream, dlogits = torch_answer(logits, target, "none")
    ours, numpy_ours = CrossEntropyLoss("none"), NumpyCrossEntropy("none")
    leaf = logits.clone().requires_grad_()
    assert_close(ours(leaf, target.to(dtype)), loss)
    assert_close(torch.autograd.grad(ours(leaf, target.to(dtype)), leaf, upstream)[0], dlogits)
    assert_close(ours.backward(upstream), dlogits)
    assert_close(numpy_ours.cross_entropy(as_numpy(logits), as_numpy(target.to(dtype))), loss)
    assert_close(numpy_ours.backward(as_numpy(upstream)), dlogits)


def test_integer_logits():
    "정수 로짓: NumPy는 부동소수점으로 바꾸어 계산하고, PyTorch 쪽은 PyTorch처럼 거절합니다."
    expected = NumpyCrossEntropy().cross_entropy(np.array([[1.0, 2.0, 3.0]]), [2])
    assert_close(NumpyCrossEntropy().cross_entropy([[1, 2, 3]], [2]), expected)
    with pytest.raises(NotImplementedError, match='"log_softmax_lastdim_kernel_impl" not implemented for \'Long\''):
        CrossEntropyLoss()(torch.tensor([[1, 2, 3]]), torch.tensor([2]))
    with pytest.raises(NotImplementedError, match='"softmax_lastdim_kernel_impl" not implemented for \'Bool\''):
        Softmax.apply(torch.tensor([True, False]), -1)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_upstream_of_wrong_shape(reduction):
    logits, target = hard_logits("보통")
    ours, numpy_ours = CrossEntropyLoss(reduction), NumpyCrossEntropy(reduction)
    ours(logits, target)
    numpy_ours.cross_entropy(as_numpy(logits), as_numpy(target))
    right = (6,) if reduction == "none" else ()
    for shape in {(), (1,), (6,), (6, 1), (6, 7)} - {right}:
        for backward, upstream in ((ours.backward, torch.ones(shape)), (numpy_ours.backward, np.ones(shape))):
            with pytest.raises(RuntimeError, match=r"Mismatch in shape: grad_output\[0\] has a shape of"):
                backward(upstream)


def test_backward_before_forward():
    for ours in (CrossEntropyLoss(), NumpyCrossEntropy()):
        with pytest.raises(RuntimeError, match="backward called before"):
            ours.backward()


def test_three_parts():
    "부품을 따로 불러도 이어집니다."
    logits, target = hard_logits("배치 8, 어휘 3000")
    theirs = F.cross_entropy(logits, target)
    tce, nce = PyTorchCrossEntropy(), NumpyCrossEntropy()
    assert_close(tce.negative_log_likelihood(tce.log_softmax(logits), target), theirs)
    assert_close(nce.negative_log_likelihood(nce.log_softmax(as_numpy(logits)), as_numpy(target)), theirs)
    assert_close(tce.cross_entropy(logits, target), theirs)
    assert pickle.loads(pickle.dumps(tce.cross_entropy)).reduction == "mean"
    assert_close(nce.log_softmax(as_numpy(logits), dim=0), logits.log_softmax(0))


def test_half_precision_keeps_its_dtype():
    for dtype in (torch.float16, torch.bfloat16):
        logits = torch.randn(6, 7, dtype=dtype, requires_grad=True)
        target = torch.randint(0, 7, (6,))
        ours = CrossEntropyLoss("sum")
        loss = ours(logits, target)
        loss.backward()
        truth = F.cross_entropy(logits.detach().double(), target, reduction="sum")
        assert loss.dtype == logits.grad.dtype == ours.backward().dtype == dtype
        assert abs(loss.item() - truth.item()) < 0.02 * truth.item()


def test_mean_over_many_float16_rows():
    "표본이 float16의 최댓값보다 많아도 1/N이 0으로 사라지지 않습니다."
    n = 70_000
    dlogits = nll_loss_vjp(1.0, np.zeros((n, 1), np.float16), np.zeros(n, int))
    assert_close(dlogits, np.full((n, 1), -1 / n, np.float16))


def test_floors_below_autograd_do_not_import_torch():
    code = "import sys, crossent.nll, crossent.reference; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
