"crossent.linear를 F.cross_entropy(F.linear(...))의 float64 답과 견줍니다."

import copy
import itertools
import pickle

import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import crossent
from crossent.core import sweep
from crossent.plumbing import matmul
from crossent.linear import LinearCrossEntropyLoss, linear_cross_entropy
from crossent.loss import cross_entropy
from crossent.testing import assert_close

TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}
DTYPES = list(TOLERANCE)


SETTINGS = "core.sweep.BLOCK_NUMBERS", "core.sweep.FEWEST_ROWS", "plumbing.matmul.TILE_NUMBERS", "plumbing.matmul.LARGE"
SIZES = {"한 블록": (), "여러 블록": (50, 7, 40), "한 줄짜리 블록": (1, 1, 1), "oneDNN, 한 블록": (10**6, 1, 10**6, 0), "oneDNN, 여러 블록": (50, 7, 40, 0)}


@pytest.fixture(params=SIZES.values(), ids=SIZES)
def blocks(request, monkeypatch):
    "블록과 타일의 크기를 줄여 경계를 많이 만듭니다. (1, 1, 1)에서는 한 줄이 블록보다 큽니다. 작은 곱도 oneDNN에 맡겨 봅니다."
    for name, value in zip(SETTINGS, request.param):
        monkeypatch.setattr(f"crossent.{name}", value)


def make(dtype=torch.float64, n=23, h=5, v=11, ignore=True, seed=0):
    "입력, 가중치, 큰 편향, 정답, 클래스 가중치."
    g = torch.Generator().manual_seed(seed)
    x, w, b = (torch.randn(*shape, generator=g, dtype=torch.float64) for shape in ((n, h), (v, h), (v,)))
    target = torch.randint(0, v, (n,), generator=g)
    if ignore:
        target[::4] = -100
    weight = torch.rand(v, generator=g, dtype=torch.float64)
    leaves = [t.to(dtype).requires_grad_() for t in (x, w, 6 * b)]
    return leaves, target, weight.to(dtype)


def truth(leaves, target, weight=None, upstream=None, z_loss=0.0, softcap=None, **choices):
    "float64로 통째 계산한 손실과 기울기."
    whole = [t.detach().double().requires_grad_() for t in leaves]
    logits = F.linear(*whole)
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    loss = F.cross_entropy(logits, target, None if weight is None else weight.double(), **choices)
    if z_loss:
        kept = target != choices.get("ignore_index", -100)
        z = torch.where(kept, z_loss * logits.logsumexp(1) ** 2, 0.0)
        reduction = choices.get("reduction", "mean")
        loss = loss + (z if reduction == "none" else z.sum() / (kept.sum() if reduction == "mean" else 1))
    return loss.detach(), torch.autograd.grad(loss, whole, upstream.double())


def check(leaves, target, weight=None, **choices):
    "값과 기울기, 두 번째 역전파, 입력이 그대로인지, 두 번 불러 똑같은지."
    dtype, before = leaves[0].dtype, [t.detach().clone() for t in leaves]
    call = lambda: linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], weight=weight, **choices)
    loss = call()
    torch.manual_seed(1)
    upstream = torch.randn_like(loss)
    kept_upstream = upstream.clone()
    expected, expected_grads = truth(leaves, target, weight, upstream, **choices)
    first = torch.autograd.grad(loss, leaves, upstream, retain_graph=True)
    second = torch.autograd.grad(loss, leaves, upstream)
    again = call()
    assert loss.dtype == dtype and torch.equal(loss.nan_to_num(), again.nan_to_num())
    for ours, theirs in zip((loss, *first, *second), (expected, *expected_grads, *expected_grads)):
        size = max(float(theirs.abs().max()), 1e-3)
        assert_close(ours, theirs, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * size, check_dtype=False)
    assert all(torch.equal(a, b) for a, b in zip((*leaves, upstream), (*before, kept_upstream)))
    assert all(torch.equal(a, b) for a, b in zip(first, torch.autograd.grad(again, leaves, upstream)))


@pytest.mark.parametrize("reduction, smoothing", list(itertools.product(["mean", "sum", "none"], [0.0, 0.15])))
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_matrix(dtype, reduction, smoothing, blocks):
    for weighted, ignore in itertools.product([False, True], repeat=2):
        leaves, target, weight = make(dtype, ignore=ignore)
        check(leaves, target, weight if weighted else None, reduction=reduction, label_smoothing=smoothing)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_z_loss_and_softcap(reduction, blocks):
    leaves, target, weight = make()
    check(leaves, target, weight, reduction=reduction, label_smoothing=0.1, z_loss=0.01, softcap=4.0)
    check(leaves, target, weight, reduction=reduction, z_loss=0.01)
    check(leaves, target, reduction=reduction, softcap=4.0)


@pytest.mark.parametrize("n, h, v", [(1, 3, 5), (7, 1, 2), (5, 4, 1), (2, 3, 400), (64, 2, 3)])
def test_shapes(n, h, v, blocks):
    leaves, target, weight = make(n=n, h=h, v=v, ignore=False)
    check(leaves, target, weight)
    check(leaves, target, reduction="none", label_smoothing=0.1)


@pytest.mark.parametrize("large", [0, 2**62], ids=["oneDNN", "torch.mm"])
def test_rounding_error_beside_pytorch(large, monkeypatch):
    "float64 참값에서 벗어난 평균은 torch.mm이면 PyTorch와 같고, oneDNN이면 더하는 차례가 달라 그 세 배 안입니다."
    monkeypatch.setattr(matmul, "LARGE", large)
    (x, w, b), y, _ = make(torch.float32, n=200, h=256, v=3000, ignore=False)
    exact = [t.detach().double().requires_grad_() for t in (x, w)]
    truth = torch.autograd.grad(F.cross_entropy(F.linear(*exact), y), exact)
    ours = torch.autograd.grad(linear_cross_entropy(x, w, y), (x, w))
    theirs = torch.autograd.grad(F.cross_entropy(F.linear(x, w), y), (x, w))
    for mine, other, true in zip(ours, theirs, truth):
        assert (mine.double() - true).abs().mean() <= (3 if large == 0 else 1.2) * (other.double() - true).abs().mean()


def test_only_whole_matrices_go_to_onednn():
    "띄엄띄엄 놓인 행렬은 oneDNN이 아주 느리게 곱하므로 torch.mm에 맡깁니다."
    a, b = torch.randn(300, 600), torch.randn(600, 1200)
    assert matmul.suits_onednn(a, b[:, :600].contiguous()) and matmul.suits_onednn(a, b[:, :600].contiguous().T)
    assert not matmul.suits_onednn(a, b[:, :600]) and not matmul.suits_onednn(a, b[:, ::2])
    assert not matmul.suits_onednn(a.double(), b.double()) and not matmul.suits_onednn(a[:1], b)


def test_not_contiguous(blocks):
    leaves, target, _ = make(ignore=False)
    x = leaves[0].detach().T.contiguous().T.requires_grad_()
    w = torch.cat([leaves[1].detach()] * 2, 1)[:, : leaves[1].shape[1]].requires_grad_()
    wide = torch.stack([target, target], 1)[:, 0]
    check([x, w, leaves[2]], wide)


def test_confident_and_large_logits():
    leaves, target, _ = make(h=11, ignore=False)
    eye = torch.eye(11, dtype=torch.float64).requires_grad_()
    zero = torch.zeros(11, dtype=torch.float64).requires_grad_()
    for scale in (30.0, 1e4):
        x = (scale * F.one_hot(target, 11).double() - scale / 2).requires_grad_()
        check([x, eye, zero], target)
        check([-x.detach().requires_grad_(), eye, zero], target)
    sure = torch.tensor([[20.0, 0.0, 0.0]], requires_grad=True)
    (grad,) = torch.autograd.grad(linear_cross_entropy(sure, torch.eye(3), torch.tensor([0])), sure)
    exact = torch.softmax(sure.detach().double(), 1)[0]
    assert_close(grad[0, 0], -(exact[1] + exact[2]).float(), rtol=1e-5)


def test_masked_logits():
    leaves, target, _ = make(h=11, ignore=False)
    x = leaves[0].detach()
    bias = torch.zeros(11, dtype=torch.float64)
    masked = (target[0] + 1) % 11
    bias[masked] = -torch.inf
    keep = target != masked
    x, target = x[keep].requires_grad_(), target[keep]
    w = leaves[1].detach().requires_grad_()
    ours = linear_cross_entropy(x, w, target, linear_bias=bias)
    theirs = F.cross_entropy(F.linear(x, w, bias), target)
    assert_close(ours, theirs)
    for a, b in zip(torch.autograd.grad(ours, (x, w)), torch.autograd.grad(theirs, (x, w))):
        assert_close(a, b, rtol=1e-10, atol=1e-12)
    smoothed = linear_cross_entropy(x, w, target, linear_bias=bias, label_smoothing=0.1)
    assert smoothed.item() == F.cross_entropy(F.linear(x, w, bias), target, label_smoothing=0.1).item() == torch.inf


def test_all_ignored_is_nan_with_zero_gradient():
    leaves, target, weight = make()
    ignored = torch.full_like(target, -100)
    for w in (None, weight):
        loss = linear_cross_entropy(*leaves[:2], ignored, linear_bias=leaves[2], weight=w)
        assert loss.isnan()
        for grad in torch.autograd.grad(loss, leaves):
            assert grad.abs().sum() == 0
    try:
        torch.use_deterministic_algorithms(True)  # 채우지 않은 자리에는 nan이 들어 있습니다
        for reduction in ("sum", "none"):
            loss = linear_cross_entropy(*leaves[:2], ignored, linear_bias=leaves[2], reduction=reduction)
            assert loss.abs().sum() == 0
            for grad in torch.autograd.grad(loss.sum(), leaves):
                assert grad.abs().sum() == 0
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("bad", [torch.inf, torch.nan])
@pytest.mark.parametrize("options", [dict(reduction="sum"), dict(reduction="none"), dict(reduction="mean"), dict(reduction="sum", return_lse=True)], ids=str)
@pytest.mark.parametrize("twice", [False, True])
def test_all_ignored_stays_zero_under_any_upstream(bad, options, twice):
    leaves, target, _ = make()
    loss = linear_cross_entropy(*leaves[:2], torch.full_like(target, -100), linear_bias=leaves[2], **options)
    loss = loss[0] if isinstance(loss, tuple) else loss
    for _ in range(1 + twice):
        for grad in torch.autograd.grad(loss, leaves, torch.full_like(loss, bad), retain_graph=twice):
            assert grad.abs().sum() == 0


def test_an_empty_hidden_axis_and_a_sparse_weight():
    leaves, target, _ = make(h=0)
    assert_close(linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2]), F.cross_entropy(F.linear(*leaves), target))
    (x, w, _), target, _ = make()
    assert_close(linear_cross_entropy(x, w.detach().to_sparse(), target), linear_cross_entropy(x, w, target))


@pytest.mark.parametrize("index", [-100, 3, -1, 999])
def test_ignore_index(index):
    leaves, target, weight = make(ignore=False)
    target[::3] = index
    check(leaves, target, weight, ignore_index=index)


def test_ignored_nan_rows_leave_everything_clean():
    leaves, target, _ = make()
    dirty = leaves[0].detach().clone()
    dirty[0] = torch.nan
    dirty.requires_grad_()
    ours = torch.autograd.grad(linear_cross_entropy(dirty, leaves[1], target), (dirty, leaves[1]))
    clean = torch.autograd.grad(linear_cross_entropy(leaves[0], leaves[1], target), leaves[:2])
    assert all(torch.equal(a, b) for a, b in zip(ours, clean))


@pytest.mark.parametrize("extras", [{}, dict(return_lse=True), dict(return_predictions=True)], ids=str)
def test_ignored_rows_never_meet_an_infinite_weight(extras, blocks):
    "한 번도 나오지 않은 클래스의 가중치가 inf여도, 무시한 줄이 그것을 만나지 않습니다."
    leaves, target, weight = make()
    target[target == 0] = 1
    weight[0] = torch.inf
    found = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], weight=weight, **extras)
    loss = found if not extras else found[0]
    upstream = torch.ones((), dtype=torch.float64)
    for mine, theirs in zip(torch.autograd.grad(loss, leaves), truth(leaves, target, weight, upstream)[1]):
        assert_close(mine, theirs, rtol=1e-10, atol=1e-12)
    smoothed = [f(*leaves) for f in (lambda x, w, b: linear_cross_entropy(x, w, target, linear_bias=b, weight=weight, label_smoothing=0.1), lambda x, w, b: F.cross_entropy(F.linear(x, w, b), target, weight, label_smoothing=0.1))]
    assert smoothed[0] == smoothed[1] == torch.inf


def test_half_weight_gradient_is_summed_before_it_is_divided():
    "줄이 많으면 나누기 전의 합이 float16을 넘습니다."
    hidden, target = torch.full((30000, 1), 10.0).half(), torch.zeros(30000, dtype=torch.long)
    weight = torch.zeros(4, 1).half().requires_grad_()
    (grad,) = torch.autograd.grad(linear_cross_entropy(hidden, weight, target), weight)
    assert_close(grad, torch.tensor([[-7.5], [2.5], [2.5], [2.5]]).half())


def test_only_the_length_is_dynamic():
    "은닉 벡터의 길이만 바뀔 수 있다고 해도 모양이 같은 정답을 받습니다."
    hidden, weight, target = torch.randn(5, 8, 3), torch.randn(7, 3), torch.randint(7, (5, 8))
    torch._dynamo.maybe_mark_dynamic(hidden, 1)
    found = torch.compile(lambda h, y: linear_cross_entropy(h, weight, y), backend="eager")(hidden, target)
    assert_close(found, F.cross_entropy(F.linear(hidden, weight).flatten(0, 1), target.flatten()), rtol=1e-5)


def test_empty_batch():
    leaves, target, _ = make()
    empty, none = leaves[0][:0], target[:0]
    assert linear_cross_entropy(empty, leaves[1], none).isnan()
    assert linear_cross_entropy(empty, leaves[1], none, reduction="sum") == 0
    assert linear_cross_entropy(empty, leaves[1], none, reduction="none").shape == (0,)


def test_one_sample_without_a_batch():
    leaves, target, _ = make(ignore=False)
    for answer in (target[0], target[:1]):
        for reduction in ("mean", "none"):
            ours = linear_cross_entropy(leaves[0][0], leaves[1], answer, reduction=reduction)
            theirs = F.cross_entropy(F.linear(leaves[0][0], leaves[1]), answer, reduction=reduction)
            assert_close(ours, theirs)


def test_only_what_is_needed():
    leaves, target, _ = make()
    for needed in itertools.product([False, True], repeat=3):
        mine = [t.detach().requires_grad_(n) for t, n in zip(leaves, needed)]
        loss = linear_cross_entropy(*mine[:2], target, linear_bias=mine[2])
        assert loss.requires_grad == any(needed)
        if any(needed):
            loss.backward()
        assert [t.grad is not None for t in mine] == list(needed)


class Shapes(TorchDispatchMode):
    "만들어진 텐서의 가장 큰 저장 공간을 float32 칸 수로 적습니다."

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        sizes = [t.untyped_storage().nbytes() // 4 for t in tree_leaves(result) if isinstance(t, torch.Tensor)]
        self.largest = max([self.largest, *sizes])
        return result


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_never_holds_the_logits(reduction, monkeypatch):
    leaves, target, _ = make(torch.float32, n=2000, h=3, v=5000)
    for module in ("linear", "plumbing.linear_function"):  # 지켜보면 두 줄 그대로 가므로, 보지 않는 척합니다
        monkeypatch.setattr(f"crossent.{module}.is_watched", lambda: False)
    with Shapes() as seen:
        loss = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], reduction=reduction)
        loss.sum().backward()
    assert sweep.FEWEST_ROWS * 5000 <= seen.largest < 2000 * 5000 * 0.7


def test_threads_agree():
    leaves, target, _ = make(torch.float32, n=400, h=32, v=3000)
    threads, results = torch.get_num_threads(), []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            loss = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2])
            results.append((loss, *torch.autograd.grad(loss, leaves)))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results):
        assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_half_accumulates_in_float32():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40_000, 4, generator=generator).half()
    w = torch.randn(10, 4, generator=generator).half()
    target = torch.randint(0, 10, (40_000,), generator=generator)
    exact = F.cross_entropy(F.linear(x, w).double(), target)
    ours = linear_cross_entropy(x, w, target)
    assert ours.dtype == torch.float16 and abs(ours.double() - exact) < 2e-3 * exact


def test_probability_targets_and_spatial_classes():
    leaves, _, weight = make()
    probs = torch.rand(23, 11, dtype=torch.float64)
    ours = linear_cross_entropy(*leaves[:2], probs, linear_bias=leaves[2], weight=weight, label_smoothing=0.1)
    theirs = F.cross_entropy(F.linear(*leaves), probs, weight, label_smoothing=0.1)
    assert_close(ours, theirs)
    for a, b in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(theirs, leaves)):
        assert_close(a, b, rtol=1e-9, atol=1e-12)
    wide = torch.randn(11, 2, 3, 5, dtype=torch.float64)
    target = torch.randint(0, 11, (23, 2, 3))
    logits = torch.einsum("nh,vabh->nvab", leaves[0], wide)
    assert_close(linear_cross_entropy(leaves[0], wide, target), F.cross_entropy(logits, target))


def test_transforms_take_the_plain_path():
    leaves, target, _ = make(n=4, ignore=False)
    x, w = (t.detach() for t in leaves[:2])
    assert torch.autograd.gradgradcheck(lambda a, b: linear_cross_entropy(a, b, target), leaves[:2])
    assert torch.autograd.gradcheck(lambda a, b: linear_cross_entropy(a, b, target), leaves[:2], check_forward_ad=True)
    plain = lambda a: F.cross_entropy(F.linear(a, w), target)
    ours = lambda a: linear_cross_entropy(a, w, target)
    assert_close(torch.func.grad(ours)(x), torch.func.grad(plain)(x))
    assert_close(torch.func.hessian(ours)(x), torch.func.hessian(plain)(x), atol=1e-12)
    tangent = torch.randn_like(x)
    assert_close(torch.func.jvp(ours, (x,), (tangent,))[1], torch.func.jvp(plain, (x,), (tangent,))[1])
    compiled = torch.compile(ours, backend="eager", fullgraph=True)
    assert_close(compiled(x), plain(x))


def test_autocast():
    wide, target, _ = make(torch.float64)
    with torch.autocast("cpu", torch.bfloat16):  # float64는 F.linear처럼 그대로 둡니다
        assert_close(linear_cross_entropy(*wide[:2], target, linear_bias=wide[2]), F.cross_entropy(F.linear(*wide), target))
    leaves, target, _ = make(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        ours = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2])
        theirs = F.cross_entropy(F.linear(*leaves), target)
    assert ours.dtype == theirs.dtype == torch.float32
    assert_close(ours, theirs, rtol=2e-2, atol=1e-3)
    for a, b in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(theirs, leaves)):
        assert_close(a, b, rtol=5e-2, atol=5e-3)


def test_checkpoint_and_no_grad():
    from torch.utils.checkpoint import checkpoint

    leaves, target, _ = make()
    loss = checkpoint(lambda a, b: linear_cross_entropy(a, b, target), *leaves[:2], use_reentrant=False)
    direct = linear_cross_entropy(*leaves[:2], target)
    for a, b in zip(torch.autograd.grad(loss, leaves[:2]), torch.autograd.grad(direct, leaves[:2])):
        assert torch.equal(a, b)
    with torch.no_grad():
        quiet = linear_cross_entropy(*leaves[:2], target)
    assert not quiet.requires_grad and torch.equal(quiet, direct)


WRONG = {
    "가중치 1차원": lambda x, w, t: dict(linear_weight=w[0]),
    "은닉 크기": lambda x, w, t: dict(linear_weight=w.T),
    "편향": lambda x, w, t: dict(linear_bias=torch.zeros(3)),
    "자료형": lambda x, w, t: dict(linear_weight=w.double()),
    "편향 자료형": lambda x, w, t: dict(linear_bias=torch.zeros(11).double()),
    "줄이기": lambda x, w, t: dict(reduction="avg"),
    "정답 수": lambda x, w, t: dict(target=t[:-1]),
    "정답 모양": lambda x, w, t: dict(target=t[:, None]),
    "정답 자료형": lambda x, w, t: dict(target=t.int()),
    "범위": lambda x, w, t: dict(target=t + 11),
    "클래스 가중치": lambda x, w, t: dict(weight=torch.ones(3)),
    "스무딩": lambda x, w, t: dict(label_smoothing=1.5),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_are_pytorchs_and_korean(name):
    leaves, target, _ = make(torch.float32, ignore=False)
    x, w = (t.detach() for t in leaves[:2])
    arguments = dict(input=x, linear_weight=w, target=target) | WRONG[name](x, w, target)
    if not hasattr(F, "linear_cross_entropy"):
        pytest.skip("torch 2.13부터 있는 함수와 견줍니다")
    with pytest.raises(Exception) as theirs:
        F.linear_cross_entropy(**arguments)
    with pytest.raises(type(theirs.value)) as ours:
        linear_cross_entropy(**arguments)
    english, korean = str(ours.value).split("\n", 1)
    assert english == str(theirs.value).strip()
    assert any("가" <= letter <= "힣" for letter in korean)


@pytest.mark.parametrize("bias", [False, True])
def test_module(bias):
    layer = LinearCrossEntropyLoss(5, 11, bias=bias, dtype=torch.float64, label_smoothing=0.1, weight=torch.rand(11).double())
    (x, _, _), target, _ = make()
    loss = layer(x, target)
    upstream = torch.randn_like(loss)
    leaves = [x, *layer.linear.parameters()]
    for a, b in zip(layer.backward(upstream), torch.autograd.grad(loss, leaves, upstream)):
        assert_close(a, b)
    if hasattr(torch.nn, "LinearCrossEntropyLoss"):
        twin = torch.nn.LinearCrossEntropyLoss(5, 11, bias=bias, dtype=torch.float64, label_smoothing=0.1, weight=torch.ones(11).double())
        twin.load_state_dict(layer.state_dict())
        assert_close(loss, twin(x, target))
    with pytest.raises(RuntimeError, match="expected weight shape"):
        LinearCrossEntropyLoss(5, 11, weight=torch.ones(3))
    with pytest.raises(RuntimeError, match="label_smoothing"):
        LinearCrossEntropyLoss(5, 11, label_smoothing=-0.1)
    with pytest.raises(RuntimeError, match="backward needs"):
        LinearCrossEntropyLoss(5, 11).backward(1.0)


BATCH = torch.randn(2, 4, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([[1, 2, 3, 4], [0, 10, 1, 1]])
CHANGED = dict(reduction="sum", ignore_index=1, label_smoothing=0.3, z_loss=0.1, softcap=2.0, loss_dtype=torch.float64, shift=1, return_lse=True)


@pytest.mark.parametrize("name", CHANGED)
def test_changed_attributes_change_the_loss(name):
    "만든 뒤에 바꾼 속성은 만들 때 준 것과 같습니다. 복사하고 저장해도 남습니다."
    module, asked = LinearCrossEntropyLoss(5, 11), LinearCrossEntropyLoss(5, 11, **{name: CHANGED[name]})
    asked.load_state_dict(module.state_dict())
    before = module(*BATCH)
    setattr(module, name, CHANGED[name])
    assert getattr(asked, name) == CHANGED[name] and repr(module) == repr(asked)
    for each in (module, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        found, wanted = each(*BATCH), asked(*BATCH)
        assert type(found) is type(wanted) and all(map(torch.equal, tree_leaves(found), tree_leaves(wanted)))
    assert type(found) is not type(before) or found.dtype != before.dtype or found != before


def test_the_module_is_pytorchs():
    "torch 2.13의 모듈이면서, 속성과 소개도 같습니다."
    theirs = getattr(torch.nn, "LinearCrossEntropyLoss", None)
    if theirs is None:
        pytest.skip("torch 2.13부터 있는 모듈과 견줍니다")
    for options in ({}, dict(bias=True, out_features=(2, 3), weight=torch.ones(11), label_smoothing=0.1)):
        mine, plain = LinearCrossEntropyLoss(5, 11, **options), theirs(5, 11, **options)
        assert isinstance(mine, theirs) and mine.extra_repr().startswith(plain.extra_repr())
        assert vars(plain).keys() <= vars(mine).keys() and list(mine.state_dict()) == list(plain.state_dict())


def test_top_level_names():
    assert crossent.linear_cross_entropy is linear_cross_entropy
    assert crossent.LinearCrossEntropyLoss is LinearCrossEntropyLoss


def test_same_as_the_plain_path():
    leaves, target, weight = make()
    choices = dict(weight=weight, label_smoothing=0.1, z_loss=0.02, softcap=3.0)
    ours = linear_cross_entropy(*leaves[:2], target, linear_bias=leaves[2], **choices)
    plain = cross_entropy(F.linear(*leaves), target, **choices)
    assert_close(ours, plain)
    for a, b in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(plain, leaves)):
        assert_close(a, b, rtol=1e-9, atol=1e-12)


def test_used_module_can_be_pickled():
    module = LinearCrossEntropyLoss(5, 7)
    input, target = torch.randn(6, 5), torch.randint(7, (6,))
    loss = module(input, target)
    again = pickle.loads(pickle.dumps(module))
    assert_close(again(input, target), loss)


def test_none_means_the_default_ignore_index():
    input, matrix, target = torch.randn(6, 5), torch.randn(7, 5), torch.tensor([0, -100, 2, 3, -100, 5])
    assert_close(linear_cross_entropy(input, matrix, target, ignore_index=None), F.cross_entropy(input @ matrix.T, target))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_zero_weights_give_nan_only_to_counted_rows(smoothing):
    "정답의 무게가 모두 0이면 평균은 nan입니다. 무시한 줄의 기울기는 PyTorch처럼 0으로 남습니다."
    torch.manual_seed(0)
    hidden, matrix, target = torch.randn(4, 3), torch.randn(5, 3), torch.tensor([1, -100, 2, 0])
    for weight in (torch.zeros(5), torch.tensor([0.0, 0.0, 0.0, 1.0, 2.0])):  # 나머지 클래스의 무게는 있어도 없어도
        found = []
        for function in (linear_cross_entropy, lambda x, w, y, **k: F.cross_entropy(F.linear(x, w), y, **k)):
            leaves = [hidden.clone().requires_grad_(), matrix.clone().requires_grad_()]
            loss = function(*leaves, target, weight=weight, label_smoothing=smoothing)
            found.append((loss, *torch.autograd.grad(loss, leaves)))
        for mine, theirs in zip(*found):
            assert_close(mine, theirs)


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_batched_upstream(reduction):
    "여러 상류 기울기를 한꺼번에(is_grads_batched) 넣어도 하나씩 넣은 것과 같습니다."
    torch.manual_seed(0)
    leaves = [torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, requires_grad=True)]
    value = linear_cross_entropy(*leaves, torch.tensor([1, -100, 2, 0]), reduction=reduction)
    upstream = torch.randn(3, *value.shape)
    together = torch.autograd.grad(value, leaves, upstream, is_grads_batched=True, retain_graph=True)
    for k in range(3):
        for all_at_once, single in zip(together, torch.autograd.grad(value, leaves, upstream[k], retain_graph=True)):
            assert_close(all_at_once[k], single, 1e-5, 1e-6)


def test_a_freed_graph_gives_pytorchs_error():
    (x, w, _), y, _ = make()
    used = linear_cross_entropy(x.requires_grad_(), w, y)
    used.backward()
    for again in (False, True):
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            torch.autograd.grad(used, x, create_graph=again)


@pytest.mark.parametrize("reduction, shape", [("none", (1,)), ("none", (4, 1)), ("mean", (1,))])
def test_module_backward_refuses_another_shape(reduction, shape):
    "모양이 다른 상류 기울기를 늘려 쓰지 않고, CrossEntropyLoss와 같은 오류를 냅니다."
    x, y, told = torch.randn(4, 3), torch.tensor([0, 1, 2, 0]), []
    for module, leaf in ((crossent.LinearCrossEntropyLoss(3, 3, reduction=reduction), x), (crossent.CrossEntropyLoss(reduction=reduction), x)):
        module(leaf, y)
        with pytest.raises(RuntimeError, match="(?s)Mismatch in shape: grad_output.*상류") as error:
            module.backward(torch.ones(shape))
        told.append(str(error.value))
    assert told[0] == told[1]
