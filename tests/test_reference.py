"""crossent.reference는 나머지 모두의 명세입니다. PyTorch(float64), autograd, scikit-learn, 차분과 견줍니다."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn._loss import HalfMultinomialLoss

from crossent import cross_entropy as fast
from crossent import linear_cross_entropy as fast_linear
from crossent.reference import cross_entropy, cross_entropy_grad, linear_cross_entropy
from crossent.testing import assert_close, numerical_grad

SHAPES = [(5,), (4, 5), (1, 5), (4, 1), (0, 5), (2, 5, 3), (2, 5, 0), (2, 5, 3, 2), (2, 5, 2, 1, 3), (3, 0), (0, 0)]
SPECIALS = [None, -np.inf, None, np.inf, np.nan, None, 1e4]


def classes_of(shape):
    return shape[0] if len(shape) == 1 else shape[1]


def loss_shape(shape):
    return shape[:1] + shape[2:] if len(shape) > 1 else ()


def make_logits(rng, shape, special):
    logits = rng.normal(size=shape) * 3
    if special is not None and logits.size:
        logits.flat[rng.integers(logits.size)] = special
        logits.flat[rng.integers(logits.size)] = -np.inf
    return logits


def make_target(rng, shape, kind, ignore_index):
    n_classes, where = classes_of(shape), loss_shape(shape)
    if kind == "확률":
        target = rng.random(shape)
        return np.round(target) if rng.random() < 0.3 else target
    if kind == "모두 무시" or n_classes == 0:
        return np.full(where, ignore_index)
    target = rng.integers(0, n_classes, size=where)
    return np.where(rng.random(where) < 0.3, ignore_index, target)


def make_weight(rng, kind, n_classes):
    values = {"음수도": rng.normal(size=n_classes), "0도": np.round(rng.random(n_classes)), "모두 0": np.zeros(n_classes)}
    return values.get(kind)


def check_against_torch(rng, logits, target, weight, **options):
    kept = [np.array(a, copy=True) for a in (logits, target) + (() if weight is None else (weight,))]
    tensor = torch.tensor(logits, requires_grad=True)
    expected = F.cross_entropy(tensor, torch.as_tensor(target), weight=None if weight is None else torch.tensor(weight), **options)
    upstream = rng.normal(size=tuple(expected.shape))
    (dlogits,) = torch.autograd.grad(expected, tensor, torch.tensor(upstream))
    assert_close(cross_entropy(logits, target, weight, **options), expected, name="loss")
    assert_close(cross_entropy_grad(upstream, logits, target, weight, **options), dlogits, name="dlogits")
    for before, after in zip(kept, (logits, target, weight)):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["번호", "확률", "모두 무시"])
@pytest.mark.parametrize("weight_kind", [None, "음수도", "0도", "모두 0"])
def test_every_combination_equals_torch(shape, kind, weight_kind):
    rng = np.random.default_rng(len(shape))
    ignored = [-100, -1] if kind == "확률" else [-100, -1, 999] + [1] * (classes_of(shape) > 1)
    specials = itertools.cycle(SPECIALS)
    for reduction, eps, ignore_index in itertools.product(["none", "mean", "sum"], [0.0, 0.1, 1.0], ignored):
        special = next(specials)
        target = make_target(rng, shape, kind, ignore_index)
        if kind != "확률" and target.shape == shape:
            continue  # 모양이 같으면 PyTorch는 확률로 읽습니다
        weight = make_weight(rng, weight_kind, classes_of(shape))
        options = dict(ignore_index=ignore_index, reduction=reduction, label_smoothing=eps)
        check_against_torch(rng, make_logits(rng, shape, special), target, weight, **options)


@pytest.mark.parametrize("eps", [-0.5, float("nan")])
def test_negative_and_nan_smoothing_mean_none(eps):
    rng = np.random.default_rng(0)
    for target in (rng.integers(0, 5, 4), rng.random((4, 5))):
        check_against_torch(rng, rng.normal(size=(4, 5)), target, None, label_smoothing=eps)


def test_byte_targets():
    rng = np.random.default_rng(0)
    check_against_torch(rng, rng.normal(size=(4, 5)), rng.integers(0, 5, 4).astype(np.uint8), None)


def test_unbatched_target_of_size_one():
    """PyTorch 2.13은 이때 값은 내지만 역전파에서 멈춥니다. 우리는 모양이 ()인 정답과 같게 합니다."""
    logits = np.random.default_rng(0).normal(size=5)
    assert_close(cross_entropy(logits, np.array([3])), F.cross_entropy(*tensors(logits, np.array([3]))))
    assert_close(cross_entropy_grad(1.0, logits, np.array([3])), cross_entropy_grad(1.0, logits, np.array(3)))


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_lower_precision_inputs_are_widened(dtype):
    rng = np.random.default_rng(0)
    logits, target = rng.normal(size=(4, 5)).astype(dtype), rng.integers(0, 5, 4)
    expected = F.cross_entropy(torch.tensor(logits).double(), torch.tensor(target))
    assert_close(cross_entropy(logits, target), expected)
    assert cross_entropy_grad(1.0, logits, target).dtype == np.float64


def test_strided_inputs():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(3, 4, 6, 2)).transpose(2, 3, 0, 1)[::2]
    assert not logits.flags["C_CONTIGUOUS"]
    check_against_torch(rng, logits, rng.integers(0, 2, (4, 3, 3)).transpose(2, 1, 0), None, label_smoothing=0.1)


@pytest.mark.parametrize("weight_kind", [None, "양수"])
def test_scikit_learn_agrees(weight_kind):
    rng = np.random.default_rng(1)
    logits, target = rng.normal(size=(50, 7)) * 5, rng.integers(0, 7, 50)
    weight = None if weight_kind is None else rng.random(7)
    sample_weight = None if weight is None else weight[target]
    loss, grad = HalfMultinomialLoss(n_classes=7).loss_gradient(target.astype(float), logits, sample_weight)
    assert_close(cross_entropy(logits, target, weight, reduction="none"), loss)
    assert_close(cross_entropy_grad(1.0, logits, target, weight, reduction="sum"), grad)


@pytest.mark.parametrize("kind", ["번호", "확률"])
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_central_differences_agree(kind, reduction):
    rng = np.random.default_rng(2)
    logits, weight = rng.normal(size=(3, 4, 2)), rng.random(4)
    target = make_target(rng, logits.shape, kind, 1 if kind == "번호" else -100)
    options = dict(weight=weight, ignore_index=1 if kind == "번호" else -100, reduction=reduction, label_smoothing=0.2)
    upstream = rng.normal(size=np.shape(cross_entropy(logits, target, **options)))
    measured = numerical_grad(lambda z: (upstream * cross_entropy(z, target, **options)).sum(), logits)
    assert_close(cross_entropy_grad(upstream, logits, target, **options), measured, rtol=1e-6, atol=1e-8)


def test_an_ignored_row_equals_a_dropped_row():
    rng = np.random.default_rng(3)
    logits, target, weight = rng.normal(size=(6, 5)), rng.integers(0, 5, 6), rng.random(5)
    keep = np.array([0, 2, 3, 5])
    hidden = np.full(6, -7)
    hidden[keep] = target[keep]
    options = dict(weight=weight, ignore_index=-7, label_smoothing=0.1)
    assert_close(cross_entropy(logits, hidden, **options), cross_entropy(logits[keep], target[keep], **options))
    grad = cross_entropy_grad(1.0, logits, hidden, **options)
    assert_close(grad[keep], cross_entropy_grad(1.0, logits[keep], target[keep], **options))
    assert not grad[[1, 4]].any()


def test_rows_permute_and_constants_vanish():
    rng = np.random.default_rng(4)
    logits, target = rng.normal(size=(6, 5)), rng.integers(0, 5, 6)
    order = rng.permutation(6)
    losses = cross_entropy(logits, target, reduction="none")
    assert_close(cross_entropy(logits[order], target[order], reduction="none"), losses[order])
    assert_close(cross_entropy(logits + rng.normal(size=(6, 1)), target, reduction="none"), losses)


def tensors(*arrays):
    return [None if a is None else torch.as_tensor(a) for a in arrays]


ERRORS = {
    "없는 줄이기": ((3, 5), (3,), None, dict(reduction="foo")),
    "줄이기 None": ((3, 5), (3,), None, dict(reduction=None)),
    "스무딩이 1을 넘음": ((3, 5), (3,), None, dict(label_smoothing=1.1)),
    "스무딩이 1을 넘음, 확률": ((3, 5), "확률", None, dict(label_smoothing=1.1)),
    "확률에 ignore_index": ((3, 5), "확률", None, dict(ignore_index=0)),
    "정수 확률": ((3, 5), (3, 5), None, {}),
    "정수 확률 1": ((3, 1), (3, 1), None, {}),
    "가중치 길이": ((3, 5), (3,), 4, {}),
    "가중치 길이, 스무딩": ((3, 5), (3,), 4, dict(label_smoothing=0.1)),
    "가중치 길이, 확률": ((3, 5), "확률", 4, {}),
    "가중치 길이, 배치 없음": ((5,), (), 4, {}),
    "가중치 길이, 3차원": ((2, 5, 3), (2, 3), 4, {}),
    "가중치 길이, 4차원": ((2, 5, 3, 2), (2, 3, 2), 4, {}),
    "배치 크기": ((3, 5), (2,), None, {}),
    "배치 크기, 정답이 수": ((3, 5), (), None, {}),
    "배치 크기, 확률 같은 것": ((3, 5), (1, 5), None, {}),
    "배치 크기, 3차원": ((2, 4, 3), (3, 3), None, {}),
    "배치 없는 로짓": ((5,), (3,), None, {}),
    "배치 없는 로짓에 2차원": ((5,), (1, 1), None, {}),
    "배치 없는 로짓에 빈 정답": ((5,), (0,), None, {}),
    "(N, 1) 정답": ((3, 5), (3, 1), None, {}),
    "(N, 1, 1) 정답": ((3, 5), (3, 1, 1), None, {}),
    "3차원": ((2, 5, 3), (2, 4), None, {}),
    "3차원, 축 하나 모자람": ((2, 5, 3), (2,), None, {}),
    "4차원": ((2, 5, 3, 3), (2, 3, 4), None, {}),
    "4차원, 축 수": ((2, 5, 3, 3), (2, 3), None, {}),
    "5차원": ((2, 5, 3, 3, 3), (2, 3, 3, 4), None, {}),
    "로짓이 수": ((), (3,), None, {}),
    "로짓이 수, 확률": ((), "확률", None, {}),
}


def raised_by(function, *args, **kwargs):
    with pytest.raises(Exception) as caught:
        function(*args, **kwargs)
    return caught.value


def check_error(logits, target, weight, **options):
    theirs = raised_by(F.cross_entropy, *tensors(logits, target, weight), **options)
    for ours in (
        raised_by(cross_entropy, logits, target, weight, **options),
        raised_by(cross_entropy_grad, 1.0, logits, target, weight, **options),
    ):
        assert type(ours) is type(theirs)
        english, korean = str(ours).split("\n", 1)
        assert english == str(theirs)
        assert any("가" <= letter <= "힣" for letter in korean)
    return korean


@pytest.mark.parametrize("name", ERRORS)
def test_errors_have_torchs_type_and_sentence(name):
    shape, target_shape, n_weights, options = ERRORS[name]
    target = np.full(shape, 0.2) if target_shape == "확률" else np.zeros(target_shape, dtype=np.int64)
    check_error(np.zeros(shape), target, None if n_weights is None else np.ones(n_weights), **options)


@pytest.mark.parametrize("dtype", ["int64", "int32", "bool", "complex64"])
@pytest.mark.parametrize("target", [np.zeros(3, dtype=np.int64), np.full((3, 5), 0.2)], ids=["번호", "확률"])
def test_logits_must_be_floating(dtype, target):
    assert dtype in check_error(np.zeros((3, 5), dtype), target, None)


# PyTorch 2.12가 문장과 검사하는 차례를 바꾸었습니다. 우리는 새 문장을 씁니다.
new_sentence = pytest.mark.skipif(tuple(map(int, torch.__version__.split(".")[:2])) < (2, 12), reason="PyTorch 2.12에서 바뀐 문장입니다")


@new_sentence
@pytest.mark.parametrize("dtype", ["int32", "int16", "int8", "uint16", "bool", "float32", "float64"])
def test_indices_must_be_long(dtype):
    assert dtype in check_error(np.zeros((3, 5)), np.zeros(3, dtype), None)


@pytest.mark.parametrize("value", [5, -1, -101, 10**6])
@pytest.mark.parametrize("shape", [(5,), (3, 5), (2, 5, 3), (2, 5, 3, 2)], ids=str)
def test_out_of_range_indices_name_value_and_place(value, shape):
    target = np.zeros(loss_shape(shape), dtype=np.int64)
    target[(-1,) * target.ndim] = value
    korean = check_error(np.zeros(shape), target, None)
    assert str(value) in korean and (target.ndim == 0 or str([n - 1 for n in target.shape]) in korean)


@pytest.mark.parametrize("reduction, shape", [("none", ()), ("none", (4,)), ("mean", (3,)), ("sum", (1,))])
def test_upstream_gradient_must_have_the_losss_shape(reduction, shape):
    error = raised_by(cross_entropy_grad, np.ones(shape), np.zeros((3, 5)), np.zeros(3, dtype=np.int64), reduction=reduction)
    assert type(error) is RuntimeError and str(error).startswith("Mismatch in shape: ")


@new_sentence
def test_the_first_broken_rule_is_reported():
    """잘못이 둘이면 PyTorch가 먼저 말하는 쪽을 말합니다."""
    long = np.zeros((3, 5), dtype=np.int64)
    check_error(long, np.zeros(2, dtype=np.int64), None, reduction="foo", label_smoothing=2.0)
    check_error(long, np.zeros(2, dtype=np.int64), None, label_smoothing=2.0)
    check_error(long, np.zeros(2, dtype=np.int64), None)
    check_error(np.zeros((3, 5)), np.zeros(2, dtype=np.int32), np.ones(4))
    check_error(np.zeros((3, 5)), np.zeros(3, dtype=np.int32), np.ones(4))
    check_error(np.zeros((3, 5)), np.full(3, 9), np.ones(4))
    check_error(np.zeros((3, 5)), long, np.ones(4), ignore_index=0)
    check_error(long, np.full((3, 5), 0.2), np.ones(4), ignore_index=0, label_smoothing=2.0)
    check_error(long, np.full((3, 5), 0.2), np.ones(4), label_smoothing=2.0)
    check_error(long, np.full((3, 5), 0.2), None, label_smoothing=2.0)


# 우리가 더한 인자: z_loss, softcap, dtype, return_lse. 답은 PyTorch의 연산으로 풀어 쓴 것(float64)입니다

def written_out(logits, target, weight, z_loss, softcap, **options):
    "손실과 log-sum-exp."
    dim = 0 if logits.dim() == 1 else 1
    pressed = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    loss, lse = F.cross_entropy(pressed, target, weight, **options), torch.logsumexp(pressed, dim)
    if target.shape == logits.shape:
        counted = torch.ones_like(lse)
    else:
        counted = (target != options["ignore_index"]).double()
    squares = torch.where(counted > 0, z_loss * lse.square(), 0.0)
    reduction = options["reduction"]
    more = squares if reduction == "none" else squares.sum() / (counted.sum() if reduction == "mean" else 1)
    return loss + more, lse


@pytest.mark.parametrize("shape", [s for s in SHAPES if classes_of(s) > 1], ids=str)
@pytest.mark.parametrize("kind", ["번호", "확률"])
@pytest.mark.parametrize("z_loss, softcap", [(0.1, None), (0.0, 2.0), (0.1, 2.0), (0.0, None)])
def test_extras_equal_the_written_out_formula(shape, kind, z_loss, softcap):
    rng = np.random.default_rng(5)
    for reduction, eps, weight_kind in itertools.product(["none", "mean", "sum"], [0.0, 0.1], [None, "음수도"]):
        logits, ignored = rng.normal(size=shape) * 3, -100 if kind == "확률" else 1
        target, weight = make_target(rng, shape, kind, ignored), make_weight(rng, weight_kind, classes_of(shape))
        options = dict(ignore_index=ignored, reduction=reduction, label_smoothing=eps)
        extras = dict(z_loss=z_loss, softcap=softcap)
        tensor, (t, w) = torch.tensor(logits, requires_grad=True), tensors(target, weight)
        expected = written_out(tensor, t, w, **extras, **options)
        ups = [rng.normal(size=tuple(each.shape)) for each in expected]
        (dlogits,) = torch.autograd.grad(expected, tensor, [torch.tensor(up) for up in ups])
        for mine, theirs in zip(cross_entropy(logits, target, weight, return_lse=True, **extras, **options), expected):
            assert_close(mine, theirs.detach())
        assert_close(cross_entropy(logits, target, weight, **extras, **options), expected[0].detach())
        mine = cross_entropy_grad(ups[0], logits, target, weight, grad_lse=ups[1], **extras, **options)
        assert_close(mine, dlogits)


def test_dtype_is_the_type_of_the_loss():
    logits, target = np.random.default_rng(0).normal(size=(4, 5)), np.array([0, 1, 2, 3])
    for dtype in (np.float16, np.float32, np.float64):
        assert cross_entropy(logits, target, dtype=dtype).dtype == dtype
        assert cross_entropy(logits, target, reduction="none", dtype=dtype).dtype == dtype
    loss, lse = cross_entropy(logits, target, dtype=np.float16, return_lse=True)
    assert loss == np.float16(cross_entropy(logits, target)) and lse.dtype == np.float64


@pytest.mark.parametrize("given, kind", [(dict(z_loss="a"), TypeError), (dict(z_loss=-1.0), ValueError), (dict(z_loss=True), TypeError), (dict(softcap=0.0), ValueError), (dict(softcap="b"), TypeError)])
def test_wrong_extras_are_told(given, kind):
    logits, target = np.zeros((3, 5)), np.zeros(3, dtype=np.int64)
    ours = [raised_by(f, *a, **given) for f, a in ((cross_entropy, (logits, target)), (fast, tensors(logits, target)))]
    ours.append(raised_by(cross_entropy_grad, 1.0, logits, target, **given))
    assert {type(each) for each in ours} == {kind} and len({str(each) for each in ours}) == 1


# 빠른 코드는 이 명세와 같습니다

OPTIONS = dict(
    ignore_index=st.sampled_from([-100, 1]),
    reduction=st.sampled_from(["none", "mean", "sum"]),
    label_smoothing=st.sampled_from([0.0, 0.2, 1.0]),
    z_loss=st.sampled_from([0.0, 0.1]),
    softcap=st.sampled_from([None, 2.0]),
)


def same_loss_and_grads(found, leaves, expected, backward):
    "손실, log-sum-exp와, 무작위 상류 기울기로 구한 기울기들."
    assert [assert_close(mine.detach(), np.asarray(theirs)) for mine, theirs in zip(found, expected)]
    ups = [torch.randn(mine.shape).double() for mine in found]
    grads = torch.autograd.grad(found, leaves, ups)
    assert [assert_close(mine, theirs) for mine, theirs in zip(grads, backward(*(up.numpy() for up in ups)))]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([(5,), (4, 5), (1, 2), (2, 5, 3), (2, 3, 2, 2), (3, 1)]),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1.0, 30.0, 1e3]),
    st.sampled_from([2, 7, 2**21]),
    st.fixed_dictionaries(OPTIONS),
    st.integers(0, 2**31),
)
def test_the_loss_equals_the_specification(shape, is_probs, weighted, scale, block, options, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    if is_probs or classes_of(shape) == 1:
        options["ignore_index"] = -100
    logits = scale * rng.normal(size=shape)
    target = make_target(rng, shape, "확률" if is_probs else "번호", options["ignore_index"])
    weight = rng.random(classes_of(shape)) if weighted else None
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("loss.SMALL", 0), ("loss.FEW", 0), ("plumbing.blocks.BLOCK", block)):
            patch.setattr(f"crossent.{name}", value)
        leaf, (t, w) = torch.tensor(logits, requires_grad=True), tensors(target, weight)
        found = fast(leaf, t, w, return_lse=True, **options)
        expected = cross_entropy(logits, target, weight, return_lse=True, **options)
        backward = lambda up, lift: [cross_entropy_grad(up, logits, target, weight, grad_lse=lift, **options)]
        same_loss_and_grads(found, [leaf], expected, backward)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=3),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
    st.integers(1, 5),
    st.fixed_dictionaries(OPTIONS),
    st.integers(0, 2**31),
)
def test_the_linear_loss_equals_the_specification(places, shift, is_probs, weighted, rows, options, seed):
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    places, h, v = (*places[:-1], places[-1] + shift), 3, 6
    if is_probs:
        options["ignore_index"] = -100
    target = rng.dirichlet(np.ones(v), places) if is_probs else rng.integers(v, size=places)
    arrays = [rng.normal(size=size) for size in ((*places, h), (v, h), (v,))]
    weight = rng.random(v) if weighted else None
    leaves, (t, w) = [torch.tensor(each, requires_grad=True) for each in arrays], tensors(target, weight)
    every = dict(return_lse=True, return_predictions=True, return_entropy=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("crossent.core.sweep.BLOCK_NUMBERS", 0)
        patch.setattr("crossent.core.sweep.FEWEST_ROWS", rows)
        found = fast_linear(*leaves[:2], t, linear_bias=leaves[2], weight=w, shift=shift, **every, **options)
        expected = linear_cross_entropy(*arrays[:2], target, linear_bias=arrays[2], weight=weight, shift=shift, **options)
        assert [assert_close(mine.detach(), np.asarray(theirs)) for mine, theirs in zip(found[2:], expected[2:])]

        def backward(up, lift):
            kept = arrays[0][..., : places[-1] - shift, :]
            x, answers = kept.reshape(-1, h), target[..., shift:, :] if is_probs else target[..., shift:]
            answers = answers.reshape(-1, v) if is_probs else answers.reshape(-1)
            up = up.reshape(-1) if up.ndim else up
            dlogits = cross_entropy_grad(up, x @ arrays[1].T + arrays[2], answers, weight, grad_lse=lift.reshape(-1), **options)
            dx = np.zeros_like(arrays[0])
            dx[..., : places[-1] - shift, :] = (dlogits @ arrays[1]).reshape(kept.shape)
            return dx, dlogits.T @ x, dlogits.sum(0)

        same_loss_and_grads(found[:2], leaves, expected[:2], backward)
