"""PyTorch가 거절하는 것을 우리도 같은 종류, 같은 첫 문장으로 거절하는지. 그 뒤에는 한국어 도움말이 있습니다."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from crossent import CrossEntropyLoss, cross_entropy

pytestmark = pytest.mark.usefixtures("every_path")

X = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
Y = torch.tensor([1, 2, 3])
W = torch.rand(5)


def z(*shape):
    return torch.zeros(shape)


def long(*shape):
    return torch.zeros(shape, dtype=torch.long)


CASES = {
    "배열": (X.numpy(), Y, {}),
    "로짓 하나에 (1,) 정답, 스무딩": (X[0], Y[:1], dict(label_smoothing=0.1)),
    "없는 정답": (X, None, {}),
    "없는 로짓": (None, Y, {}),
    "정답이 목록": (X, [1, 2, 3], {}),
    "weight가 목록": (X, Y, dict(weight=[1.0] * 5)),
    "ignore_index None": (X, Y, dict(ignore_index=None)),
    "ignore_index 실수": (X, Y, dict(ignore_index=1.0)),
    "ignore_index 참": (X, Y, dict(ignore_index=True)),
    "smoothing 글자": (X, Y, dict(label_smoothing="a")),
    "reduction": (X, Y, dict(reduction="foo")),
    "reduction None": (X, Y, dict(reduction=None)),
    "reduction 목록": (X, Y, dict(reduction=["mean"])),
    "정수 확률": (X, long(3, 5), {}),
    "참거짓 확률": (X, torch.ones(3, 5, dtype=torch.bool), {}),
    "확률과 ignore_index": (X, torch.rand(3, 5), dict(ignore_index=0)),
    "확률과 짧은 weight": (X, torch.rand(3, 5), dict(weight=W[:4])),
    "확률과 smoothing": (X, torch.rand(3, 5), dict(label_smoothing=1.1)),
    "smoothing": (X, Y, dict(label_smoothing=1.1)),
    "smoothing 긴 수": (X, Y, dict(label_smoothing=1.23456789)),
    "정수 로짓": (X.long(), Y, {}),
    "복소수 로짓": (X.to(torch.complex64), Y, {}),
    "복소수 로짓 1차원": (X[0].to(torch.complex64), long(5), {}),
    "참거짓 로짓": (X.bool(), Y, {}),
    "정수 로짓 3차원": (long(2, 5, 3), long(2, 3), {}),
    "배치": (X, Y[:2], {}),
    "배치 smoothing": (X, Y[:2], dict(label_smoothing=0.1)),
    "0차원 정답": (X, Y[0], {}),
    "1차원 로짓": (X[0], Y, {}),
    "(N, 1)": (X, Y[:, None], {}),
    "3차원 자리": (z(2, 5, 3), long(2, 4), {}),
    "3차원 배치만": (z(2, 5, 3), long(2), {}),
    "4차원 자리": (z(2, 5, 3, 3), long(2, 3, 4), {}),
    "4차원 2차원 정답": (z(2, 5, 3, 3), long(2, 3), {}),
    "5차원 자리": (z(2, 5, 3, 3, 3), long(2, 3, 3, 4), {}),
    "int32 정답": (X, Y.int(), {}),
    "bool 정답": (X, Y.bool(), {}),
    "실수 정답": (X, Y.float(), {}),
    "int32 3차원": (z(2, 5, 3), long(2, 3).int(), {}),
    "uint8 3차원": (z(2, 5, 3), long(2, 3).byte(), {}),
    "uint8 무게 스무딩": (X, Y.byte(), dict(weight=W, label_smoothing=0.1)),
    "짧은 weight": (X, Y, dict(weight=W[:4])),
    "2차원 weight": (X, Y, dict(weight=W[None])),
    "짧은 weight 3차원": (z(2, 5, 3), long(2, 3), dict(weight=W[:4])),
    "weight 자료형": (X, Y, dict(weight=W.double())),
    "너무 큰 정답": (X, Y + 2, {}),
    "음수 정답": (X, Y - 2, {}),
    "너무 큰 정답 none": (X, Y + 2, dict(reduction="none", label_smoothing=0.1)),
    "너무 큰 정답 3차원": (z(2, 5, 3), long(2, 3) + 9, {}),
    "너무 큰 정답 1차원": (X[0], Y[0] + 7, {}),
    "클래스 0개": (z(3, 0), long(3), {}),
    "0차원 로짓": (torch.tensor(1.0), torch.tensor(1.0), {}),
    "0차원 로짓과 번호": (torch.tensor(1.0), torch.tensor(1), {}),
    "0차원 로짓과 (1)": (torch.tensor(1.0), Y[:1], {}),
}


def failure(function, *arguments, **options):
    with pytest.raises(Exception) as caught:
        function(*arguments, **options)
    return caught.type, str(caught.value)


def has_gradient(logits):
    return isinstance(logits, torch.Tensor) and logits.is_floating_point()


@pytest.mark.parametrize("name", CASES)
def test_same_error(name):
    logits, target, options = CASES[name]
    refused_alike(logits, target, options)
    if has_gradient(logits):
        refused_alike(logits.clone().requires_grad_(), target, options)


def refused_alike(logits, target, options):
    kind, english = failure(F.cross_entropy, logits, target, **options)
    mine, text = failure(cross_entropy, logits, target, **options)
    assert mine is kind and text.startswith(english + "\n")
    assert any("가" <= letter <= "힣" for letter in text[len(english) :])


FAULTS = {
    "reduction": dict(reduction="foo"),
    "smoothing": dict(label_smoothing=1.1),
    "int logits": dict(input=X.long()),
    "batch": dict(target=Y[:2]),
    "target dtype": dict(target=Y.int()),
    "short weight": dict(weight=W[:4]),
    "weight dtype": dict(weight=W.double()),
    "bounds": dict(target=Y + 9),
    "probabilities": dict(target=long(3, 5)),
}


@pytest.mark.parametrize("pair", list(itertools.combinations(FAULTS, 2)), ids=str)
def test_order_of_errors(pair):
    "둘이 함께 틀리면 PyTorch가 먼저 말하는 것을 우리도 먼저 말합니다."
    options = dict(input=X, target=Y) | FAULTS[pair[0]] | FAULTS[pair[1]]
    kind, english = failure(F.cross_entropy, **options)
    mine, text = failure(cross_entropy, **options)
    assert mine is kind and text.startswith(english)


def test_help_names_value_and_place():
    target = torch.tensor([[0, 1, 2], [3, 9, 4]])
    _, text = failure(cross_entropy, z(2, 5, 3), target)
    assert "target[1, 4]" not in text and "target[1, 1]의 값이 9" in text
    _, text = failure(cross_entropy, X, Y[:, None])
    assert "(3, 1)" in text and "squeeze(1)" in text
    _, text = failure(CrossEntropyLoss(weight=W[:4]), X, Y)
    assert "(4,)" in text and "5개" in text


def test_byte_target_is_not_taken_for_minus_hundred(every_path):
    "uint8에서 -100은 156이지만, 156은 범위 밖의 번호입니다."
    target = torch.tensor([0, 156, 1], dtype=torch.uint8)
    assert failure(F.cross_entropy, X, target) == (IndexError, "Target 156 is out of bounds.")
    kind, text = failure(cross_entropy, X, target)
    assert kind is IndexError and "target[1]의 값이 156" in text


def test_silent_where_pytorch_is_silent():
    assert torch.isfinite(cross_entropy(X, torch.full((3, 5), 4.0)))
    assert torch.isfinite(cross_entropy(torch.softmax(X, 1), Y))


@pytest.mark.parametrize("average", [None, True, False])
@pytest.mark.parametrize("reduce", [None, True, False])
def test_old_arguments(average, reduce):
    results = []
    for function, module in ((cross_entropy, CrossEntropyLoss), (F.cross_entropy, torch.nn.CrossEntropyLoss)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = function(X, Y, size_average=average, reduce=reduce, reduction="sum")
            other = module(size_average=average, reduce=reduce, reduction="sum")(X, Y)
        results.append((value, other, [(w.category, str(w.message)) for w in caught]))
    (mine, my_module, my_words), (theirs, their_module, words) = results
    torch.testing.assert_close(mine, theirs)
    torch.testing.assert_close(my_module, their_module)
    assert my_words == words


def test_old_arguments_warn_once_when_refused():
    with warnings.catch_warnings(record=True) as caught, pytest.raises(ValueError, match="batch_size"):
        warnings.simplefilter("always")
        cross_entropy(X, Y[:1], size_average=True)
    assert len(caught) == 1


def test_elementwise_mean_and_numpy_options():
    with pytest.warns(UserWarning, match="elementwise_mean"):
        value = cross_entropy(X, Y, reduction="elementwise_mean")
    torch.testing.assert_close(value, F.cross_entropy(X, Y))
    torch.testing.assert_close(cross_entropy(X, Y, ignore_index=np.int64(2)), F.cross_entropy(X, Y, ignore_index=2))


def test_weight_gradient_with_indices_is_right():
    "PyTorch는 거절하지만, 합성한 길은 옳은 기울기를 줍니다."
    weight = W.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda w: cross_entropy(X.double(), Y, w, label_smoothing=0.1), weight)
