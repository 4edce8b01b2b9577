"NumPy만 쓰는 아래층(information, softmax, testing): 노트북 셀에 담기 어려운 짓궂은 입력."

import subprocess
import sys
import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from crossent import information
from crossent.softmax import log_softmax, log_softmax_vjp, logsumexp, softmax, softmax_jacobian, softmax_vjp
from crossent.testing import assert_close, compare, numerical_grad

FORWARD = {
    "softmax": (softmax, torch.softmax),
    "log_softmax": (log_softmax, torch.log_softmax),
    "logsumexp": (logsumexp, torch.logsumexp),
}
BACKWARD = {"softmax": (softmax, softmax_vjp, torch.softmax), "log_softmax": (log_softmax, log_softmax_vjp, torch.log_softmax)}
DTYPES = [np.float16, np.float32, np.float64]
INF = np.inf


def make(kind, dtype, shape=(4, 5)):
    rng = np.random.default_rng(0)
    values = {
        "보통": rng.normal(size=shape),
        "±1만": rng.choice([-1e4, 0.0, 1e4], size=shape),
        "큰 바닥 위": 5e3 + rng.normal(size=shape),
        "가림": np.where(rng.random(shape) < 0.4, -INF, rng.normal(size=shape)),
        "모두 같음": np.full(shape, 7.0),
    }[kind]
    return values.astype(dtype)


KINDS = ["보통", "±1만", "큰 바닥 위", "가림", "모두 같음"]


@pytest.mark.parametrize("name", FORWARD)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_forward_matches_torch(name, dtype, kind):
    ours, theirs = FORWARD[name]
    logits = make(kind, dtype)
    before = logits.copy()
    for dim in (0, 1, -1, -2):
        assert_close(ours(logits, dim), theirs(torch.tensor(logits), dim), name=f"{name} dim={dim}")
    assert_close(logits, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BACKWARD)
def test_backward_matches_torch(name, dtype, kind):
    "autograd를 float64 참값으로 삼고, 상류 기울기는 무작위입니다."
    forward, backward, theirs = BACKWARD[name]
    logits = make(kind, dtype)
    upstream = np.random.default_rng(1).normal(size=logits.shape).astype(dtype)
    for dim in (0, 1, -1):
        truth = torch.tensor(logits.astype(np.float64), requires_grad=True)
        (expected,) = torch.autograd.grad(theirs(truth, dim), truth, torch.tensor(upstream.astype(np.float64)))
        out = forward(logits, dim)
        kept = out.copy(), upstream.copy()
        actual = backward(upstream, out, dim)
        assert actual.dtype == dtype and actual.shape == logits.shape
        # 순전파의 출력이 이미 dtype으로 반올림되어 있으므로, 허용 오차는 그 자료형의 것입니다
        rtol, atol = {"float16": (2e-2, 1e-2), "float32": (1e-4, 1e-5), "float64": (1e-7, 1e-9)}[np.dtype(dtype).name]
        assert_close(actual, expected, rtol=rtol, atol=atol, check_dtype=False, name=f"{name} dim={dim}")
        assert_close(out, kept[0])
        assert_close(upstream, kept[1])


@pytest.mark.parametrize("row", [[-INF, -INF], [INF, 0.0], [INF, INF], [np.nan, 0.0], [INF, -INF], [-INF, 3.0]])
@pytest.mark.parametrize("name", FORWARD)
def test_infinities_and_nan_match_torch(name, row):
    ours, theirs = FORWARD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy의 경고도 새지 않아야 합니다
        actual = ours(np.array([row, [1.0, 2.0]]))
    assert_close(actual, theirs(torch.tensor([row, [1.0, 2.0]], dtype=torch.float64), -1))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (1, 1), (3, 1), (1, 3), (2, 3, 0)])
@pytest.mark.parametrize("name", FORWARD)
def test_empty_and_single(name, shape):
    ours, theirs = FORWARD[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch처럼 조용해야 합니다
        assert_close(ours(np.zeros(shape)), theirs(torch.zeros(shape, dtype=torch.float64), -1))


def test_non_contiguous():
    base = np.random.default_rng(0).normal(size=(6, 8, 4))
    for view in (base.T, base[::2, ::-1], base[:, 1:5].swapaxes(0, 1), np.broadcast_to(base[0], (3, 8, 4))):
        copy = np.ascontiguousarray(view)
        for dim in range(view.ndim):
            assert_close(softmax(view, dim), softmax(copy, dim))
            assert_close(log_softmax(view, dim), log_softmax(copy, dim))
            assert_close(logsumexp(view, dim), logsumexp(copy, dim))
            assert_close(softmax_vjp(view, softmax(view, dim), dim), softmax_vjp(copy, softmax(copy, dim), dim))
            assert_close(log_softmax_vjp(view, log_softmax(view, dim), dim), log_softmax_vjp(copy, log_softmax(copy, dim), dim))


def test_image_shaped_logits():
    "(N, C, H, W)에서 클래스 축은 1입니다."
    logits = np.random.default_rng(0).normal(size=(2, 5, 3, 4))
    moved = np.moveaxis(logits, 1, -1)
    assert_close(softmax(logits, 1), np.moveaxis(softmax(moved), -1, 1))
    assert_close(logsumexp(logits, 1, keepdim=True), torch.logsumexp(torch.tensor(logits), 1, keepdim=True))


def test_half_accumulates_in_float32():
    "float16으로 더하면 합이 2048에서 멈춥니다."
    logits = np.zeros((5000, 2), dtype=np.float16)
    assert_close(logsumexp(logits, 0), np.float16([np.log(5000)] * 2))
    assert_close(log_softmax(logits, 0)[0], np.float16([-np.log(5000)] * 2))
    assert_close(log_softmax_vjp(np.ones_like(logits), log_softmax(logits, 0), 0), np.zeros_like(logits), atol=5e-3)


def test_integers_become_float64():
    assert_close(softmax([[1, 2, 3], [2, 0, 0]]), softmax(np.array([[1.0, 2, 3], [2, 0, 0]])))
    assert_close(softmax(np.array([200, 255], dtype=np.uint8)), softmax(np.array([200.0, 255.0])))


def test_confident_rows_stay_finite():
    for gap in (50, 104, 200, 1e4, 1e30):
        logits = np.float32([0, gap])
        assert_close(log_softmax(logits), np.float32([-gap, 0]))
        assert_close(log_softmax_vjp(np.float32([-1, 0]), log_softmax(logits)), np.float32([-1, 1]))


def exact_rest(gap, others):
    "log(1 + others·e^−gap)의 참값. 60자리 소수로 셉니다."
    with localcontext() as context:
        context.prec = 60
        return float((1 + others * (-Decimal(gap)).exp()).ln())


@pytest.mark.parametrize("others", [1, 2, 399])
@pytest.mark.parametrize("gap", [0.5, 5, 15, 17, 24, 36, 40, 80])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_small_terms_survive_beside_the_largest(dtype, gap, others):
    "잘 맞힌 클래스의 손실은 1에 더해져 사라지지 않습니다. 어느 축이든, 최댓값이 어디 있든 같습니다."
    truth = exact_rest(gap, others)
    tight = {"rtol": (20 + others) * np.finfo(dtype).eps, "atol": 0}
    for place in (0, others // 2, others):
        row = np.full(others + 1, -gap, dtype)
        row[place] = 0
        assert_close(logsumexp(row), dtype(truth), **tight)
        assert_close(-log_softmax(row)[place], dtype(truth), **tight)
        moved = np.stack([row, np.roll(row, 1)], axis=1)  # 클래스 축이 0
        assert_close(logsumexp(moved, 0), dtype([truth, truth]), **tight)
        assert_close(log_softmax(moved, 0), log_softmax(moved.T.copy()).T)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ties", [1, 2, 5])
def test_ties_at_the_top_count_once_each(dtype, ties):
    row = np.array([3.0] * ties + [-INF], dtype)
    assert_close(logsumexp(row), dtype(3 + np.log(ties)))
    assert_close(log_softmax(row), np.array([-np.log(ties)] * ties + [-INF], dtype))


def test_small_terms_reach_the_reference():
    "NumPy로 적은 명세도 같은 자릿수를 지킵니다."
    from crossent.reference import cross_entropy

    for gap in (20, 40, 100):
        loss = cross_entropy(np.array([[0.0, -gap], [0.0, -gap]]), np.array([0, 0]))
        assert_close(loss, exact_rest(gap, 1), rtol=1e-12, atol=0, check_dtype=False)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", [[1.0, 2.0, 3.0], [2.0, 0.0, 0.0], [0.0, 0.0], [5.0], [0.0, -30.0, 1.0, 1.0]])
def test_jacobian_matches_autograd_and_the_vjp(row, dtype):
    probs = softmax(np.array(row, dtype))
    jacobian = softmax_jacobian(probs)
    truth = torch.autograd.functional.jacobian(lambda z: z.softmax(-1), torch.tensor(row, dtype=torch.float64))
    loose = {np.float16: 2e-3, np.float32: 1e-6, np.float64: 1e-12}[dtype]
    assert jacobian.dtype == dtype
    assert_close(jacobian, truth, rtol=0, atol=loose, check_dtype=False)
    upstream = np.random.default_rng(0).normal(size=len(row)).astype(dtype)
    assert_close(upstream @ jacobian, softmax_vjp(upstream, probs), rtol=0, atol=4 * loose)


@pytest.mark.parametrize(
    "error, english, call",
    [
        (IndexError, r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)", lambda: softmax(np.ones((2, 3)), 2)),
        (IndexError, r"Dimension out of range", lambda: log_softmax(np.ones(3), -2)),
        (IndexError, r"Dimension out of range", lambda: logsumexp(np.ones(3), 1)),
        (IndexError, r"tensor has no dimensions", lambda: softmax(3.0)),
        (NotImplementedError, r"not implemented for 'complex128'", lambda: softmax(np.array([1j, 2]))),
        (NotImplementedError, r"not implemented for 'bool'", lambda: log_softmax(np.array([True, False]))),
        (NotImplementedError, r"not implemented for", lambda: logsumexp(["a", "b"])),
        (RuntimeError, r"Mismatch in shape: grad_output\[0\] has a shape of", lambda: softmax_vjp(np.ones(3), np.ones((2, 3)) / 3)),
        (RuntimeError, r"Mismatch in shape", lambda: log_softmax_vjp(np.ones((2, 1)), np.ones((2, 3)))),
        (ValueError, r"expected a 1D array of probabilities", lambda: softmax_jacobian(np.ones((2, 3)) / 3)),
        (ValueError, r"p must be between 0 and 1, but got -0.1 at index \(1, 0\)", lambda: information.entropy([[0.5, 0.5], [-0.1, 1.1]])),
        (ValueError, r"p must be between 0 and 1, but got nan", lambda: information.surprisal([0.5, np.nan])),
        (ValueError, r"p must sum to 1, but the sum is 0.9 at row \(1,\)", lambda: information.entropy([[0.5, 0.5], [0.4, 0.5]])),
        (ValueError, r"q must sum to 1, but the sum is 0.9\.", lambda: information.kl_divergence([0.5, 0.5], [0.4, 0.5])),
        (ValueError, r"p and q must have the same shape", lambda: information.cross_entropy([[0.5, 0.5]], [0.5, 0.5])),
        (ValueError, r"p must have a class axis", lambda: information.entropy(1.0)),
        (ValueError, r"sigma must be positive, but got 0", lambda: information.normal_entropy([1.0, 0.0])),
        (ValueError, r"base must be greater than 1, but got 1", lambda: information.surprisal(0.5, base=1)),
    ],
)
def test_bad_input(error, english, call):
    "영어 문장이 먼저, 다음 줄에 한국어."
    with pytest.raises(error, match=english) as caught:
        call()
    first, _, rest = str(caught.value).partition("\n")
    assert first.isascii()
    assert any("가" <= letter <= "힣" for letter in rest)


def test_softmax_errors_are_of_torch_types():
    x = torch.ones(2, 3)
    with pytest.raises(IndexError) as theirs:
        torch.softmax(x, 2)
    with pytest.raises(IndexError) as ours:
        softmax(x.numpy(), 2)
    assert str(ours.value).startswith(str(theirs.value))
    leaf = torch.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        torch.autograd.grad(torch.softmax(leaf, -1), leaf, torch.ones(3))


finite = arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=5), elements=st.floats(-1e4, 1e4))


@settings(deadline=None, max_examples=50)
@given(finite, st.floats(-1e4, 1e4))
def test_properties(logits, shift):
    probs = softmax(logits)
    assert_close(probs.sum(axis=-1), np.ones(logits.shape[:-1]))
    assert_close(softmax(logits + shift), probs, rtol=1e-6, atol=1e-9)
    assert_close(np.exp(log_softmax(logits)), probs)
    lse, top = logsumexp(logits), logits.max(axis=-1)
    slack = 1e-9 * (1 + abs(top))
    assert (top <= lse + slack).all() and (lse <= top + np.log(logits.shape[-1]) + slack).all()
    upstream = np.cos(np.arange(logits.size, dtype=float)).reshape(logits.shape)
    for gradient in (softmax_vjp(upstream, probs), log_softmax_vjp(upstream, log_softmax(logits))):
        assert_close(gradient.sum(axis=-1), np.zeros(logits.shape[:-1]))


@settings(deadline=None, max_examples=50)
@given(finite)
def test_information_properties(logits):
    p, q = softmax(logits), softmax(-logits)
    h, kl = information.entropy(p), information.kl_divergence(p, q)
    assert (h >= 0).all() and (h <= np.log(p.shape[-1]) + 1e-9).all() and (kl >= 0).all()
    assert_close(information.cross_entropy(p, q), np.where(np.isinf(kl), np.inf, h + kl))
    assert_close(information.entropy(p, base=2), h / np.log(2))


@pytest.mark.parametrize("dtype", DTYPES)
def test_information_keeps_dtype_and_inputs(dtype):
    p, q = np.array([[0.75, 0.25], [0.5, 0.5]], dtype), np.array([[0.5, 0.5], [0.25, 0.75]], dtype)
    kept = p.copy(), q.copy()
    assert information.surprisal(p).dtype == dtype and information.surprisal(p).shape == p.shape
    for value in (information.entropy(p), information.cross_entropy(p, q), information.kl_divergence(p, q)):
        assert value.dtype == dtype and value.shape == (2,)
    assert information.normal_entropy(dtype(2.5)).dtype == dtype
    assert_close(p, kept[0])
    assert_close(q, kept[1])


@pytest.mark.parametrize("dtype", DTYPES)
def test_softmax_output_is_accepted_as_probabilities(dtype):
    "넓은 어휘의 소프트맥스도 합이 1이라고 받아들여야 합니다."
    probs = softmax(np.random.default_rng(0).normal(size=(2, 3000)).astype(dtype))
    truth = -torch.special.entr(torch.tensor(probs.astype(np.float64))).sum(-1)
    assert_close(information.entropy(probs), -truth, check_dtype=False, rtol=2e-3 if dtype == np.float16 else 1e-5)


def test_information_matches_torch():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), size=7), rng.dirichlet(np.ones(5), size=7)
    P, Q = (torch.distributions.Categorical(probs=torch.tensor(x)) for x in (p, q))
    assert_close(information.entropy(p), P.entropy())
    assert_close(information.kl_divergence(p, q), torch.distributions.kl_divergence(P, Q))
    assert_close(information.normal_entropy(2.5), torch.distributions.Normal(torch.tensor(0.0).double(), 2.5).entropy())


def exact_kl(p, q):
    "합이 1이 되게 나눈 두 확률의 KL 발산. 60자리 소수로 셉니다."
    with localcontext() as context:
        context.prec = 60
        p, q = [Decimal(float(x)) for x in p], [Decimal(float(x)) for x in q]
        p, q = [x / sum(p) for x in p], [x / sum(q) for x in q]
        return float(sum(x * (x / y).ln() for x, y in zip(p, q) if x))


@pytest.mark.parametrize("size", [1e-1, 1e-3, 1e-5, 1e-7, 1e-9, 1e-11])
@pytest.mark.parametrize("base", [np.e, 2])
def test_kl_of_nearly_equal_distributions_keeps_its_digits(size, base):
    rng = np.random.default_rng(0)
    for classes in (2, 3, 50):
        p = rng.dirichlet(np.ones(classes))
        step = rng.normal(size=classes) * p
        q = p + size * (step - p * step.sum())
        q /= q.sum()
        actual, truth = information.kl_divergence(p, q, base=base), exact_kl(p, q) / np.log(base)
        assert actual > 0
        assert_close(actual, truth, rtol=max(1e-12, 1e-15 / size), atol=0, check_dtype=False)


@pytest.mark.parametrize("p, q", [([1.0, 0.0], [1e-300, 1.0]), ([1e-320, 1.0], [0.5, 0.5]), ([1e-300, 1.0], [1.0, 1e-300]), ([0.0, 1.0], [0.25, 0.75]), ([0.5, 0.5], [0.5, 0.5])])
def test_kl_of_far_and_lopsided_distributions(p, q):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_close(information.kl_divergence(p, q), exact_kl(p, q), check_dtype=False)
    assert information.kl_divergence(p, p) == 0


@pytest.mark.parametrize("dtype", DTYPES)
def test_kl_is_never_negative(dtype):
    rng = np.random.default_rng(0)
    p = softmax(rng.normal(size=(200, 30)).astype(dtype))
    for q in (p, np.nextafter(p, dtype(1)), np.roll(p, 1, axis=0), softmax(np.log(p) + rng.normal(size=p.shape).astype(dtype) / 1000)):
        assert (information.kl_divergence(p, q) >= 0).all()


@pytest.mark.parametrize("classes", [2, 10, 3000])
@pytest.mark.parametrize("narrow", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("wide", [torch.float32, torch.float64])
def test_probabilities_rounded_elsewhere_are_accepted(narrow, wide, classes):
    "NumPy에 없는 bfloat16의 확률은 float32로 넓혀 들어옵니다. 합이 1에서 벗어난 만큼을 봐줍니다."
    generator = torch.Generator().manual_seed(0)
    exact = torch.randn(50, classes, generator=generator, dtype=torch.float64).mul(2).softmax(-1)
    probs = exact.to(narrow).to(wide)
    if wide == torch.float64 and narrow == torch.bfloat16:
        probs = probs[(probs.sum(-1) - 1).abs() < 1e-3]  # float64로 넓힌 bfloat16까지 약속하지는 않습니다
    truth = torch.special.entr(exact).sum(-1).numpy()[: len(probs)]
    found = information.entropy(probs.numpy())
    assert found.shape == truth.shape
    if len(probs) == 50:
        assert_close(found, truth, rtol=1e-2, atol=1e-2, check_dtype=False)
    assert (information.kl_divergence(probs.numpy(), probs.numpy()) == 0).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("wrong", [[0.5, 0.48], [0.9, 0.12], [0.33, 0.33, 0.3], [1.0, 0.05]])
def test_sums_that_no_rounding_makes_are_refused(dtype, wrong):
    for call in (information.entropy, lambda p: information.kl_divergence(p, p)):
        with pytest.raises(ValueError, match="p must sum to 1"):
            call(np.array(wrong, dtype))


def test_probabilities_written_by_hand_are_accepted():
    for written in ([0.3333, 0.3333, 0.3333], [0.0900, 0.2447, 0.6652]):
        assert_close(information.entropy(written), information.entropy(np.array(written) / sum(written)), rtol=1e-3)


def test_zero_probabilities_make_no_nan_or_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert information.surprisal(0.0) == INF
        assert information.entropy([1.0, 0.0]) == 0 and not np.signbit(information.entropy([1.0, 0.0]))
        assert information.cross_entropy([1.0, 0.0], [1.0, 0.0]) == 0
        assert information.cross_entropy([0.5, 0.5], [1.0, 0.0]) == INF == information.kl_divergence([0.5, 0.5], [1.0, 0.0])


def test_numerical_grad_leaves_input_alone():
    x = np.float32([[1.0, 2.0]])
    grad = numerical_grad(lambda x: (x**2).sum(), x)
    assert grad.dtype == np.float64
    assert_close(grad, np.array([[2.0, 4.0]]), rtol=1e-6)
    assert_close(x, np.float32([[1.0, 2.0]]))


@pytest.mark.parametrize(
    "actual, expected",
    [
        (np.ones((3, 1)), np.ones(3)),
        (np.ones(3), torch.ones(3)),
        (np.array([np.nan, 1.0]), np.array([1.0, 1.0])),
        (np.array([1.0, 1.0]), np.array([np.nan, 1.0])),
        (np.array([INF]), np.array([-INF])),
        (np.array([1e300]), np.array([INF])),
        (np.array([1.0]), np.array([1.0 + 1e-6])),
        (torch.tensor([1.0]), torch.tensor([1.001])),
        (np.array([True]), np.array([False])),
    ],
)
def test_comparisons_fail_when_they_should(actual, expected):
    with pytest.raises(AssertionError):
        assert_close(actual, expected)
    with pytest.raises(AssertionError):
        compare(값=(actual, expected))
    assert_close(actual, actual)


def test_import_without_torch():
    "torch를 못 찾게 막아도 아래층은 불러와지고 셈도 합니다."
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from crossent import information, nll, plot, softmax, testing\n"
        "import numpy as np\n"
        "testing.assert_close(softmax.softmax([0.0, 0.0]), np.array([0.5, 0.5]))\n"
        "print(information.entropy([0.8, 0.2], base=2).round(4))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "0.7219"
