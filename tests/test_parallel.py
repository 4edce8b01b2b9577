"crossent.parallel을 진짜 프로세스 여럿으로 시험합니다. 비교의 기준은 한 프로세스에서 통째로 계산한 F.cross_entropy입니다."

import itertools
import os
import time
from datetime import timedelta

import pytest

torch = pytest.importorskip("torch")

import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F

from crossent.parallel import vocab_parallel_cross_entropy, vocab_parallel_linear_cross_entropy
from crossent.testing import assert_close

WIDTHS = {1: [11], 2: [7, 4], 3: [2, 8, 1], 4: [3, 0, 7, 1]}  # 폭이 다르고, 0인 랭크도 있습니다
DTYPES = {torch.float64: 1e-12, torch.float32: 2e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}


def join(rank, world, folder, seconds=60):
    "프로세스 모임에 들어갑니다."
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/store", rank=rank, world_size=world, timeout=timedelta(seconds=seconds)
    )


def launch(worker, world, folder, *arguments):
    "worker(rank, world, folder, …)를 랭크마다 한 프로세스에서 부릅니다. 하나라도 실패하면 예외가 납니다."
    mp.spawn(worker, args=(world, str(folder), *arguments), nprocs=world)


def close(actual, expected, dtype, name):
    "자료형에 맞는 허용 오차로, 큰 쪽을 잣대로 삼아 견줍니다."
    atol = DTYPES[dtype] * max(float(expected.abs().nan_to_num(0, 0, 0).max()) if expected.numel() else 0.0, 1e-6)
    assert_close(actual, expected, rtol=DTYPES[dtype], atol=atol, check_dtype=False, name=name)


def mine(tensor, rank, widths, dim):
    "통째 텐서에서 이 랭크의 조각."
    return tensor.split(widths, dim)[rank].detach().clone().requires_grad_()


def make(dtype, n=13, h=5, v=11, ignore=True):
    "모든 랭크가 똑같이 만드는 입력, 가중치, 큰 편향, 정답."
    torch.manual_seed(0)
    target = torch.randint(0, v, (n,))
    if ignore:
        target[::4] = -100
    return torch.randn(n, h).to(dtype), torch.randn(v, h).to(dtype), (6 * torch.randn(v)).to(dtype), target


def check_logits(rank, widths, logits, target, dtype, **choices):
    "로짓 판: 값과 두 번의 역전파."
    whole = logits.detach().double().requires_grad_()
    truth = F.cross_entropy(whole, target, **choices)
    upstream = torch.randn(truth.shape, dtype=torch.float64)
    (expected,) = torch.autograd.grad(truth, whole, upstream)
    local = mine(logits, rank, widths, 1)
    before = local.detach().clone()
    loss = vocab_parallel_cross_entropy(local, target, **choices)
    assert loss.dtype == dtype and loss.shape == truth.shape
    close(loss, truth.detach(), dtype, f"손실 {choices}")
    for _ in range(2):
        (grad,) = torch.autograd.grad(loss, local, upstream.to(dtype), retain_graph=True)
        close(grad, expected.split(widths, 1)[rank], dtype, f"로짓 {choices}")
    assert torch.equal(local, before)


def check_linear(rank, widths, tensors, target, dtype, **choices):
    "선형층 판: 값과 입력, 가중치, 편향의 기울기."
    whole = [t.detach().double().requires_grad_() for t in tensors]
    truth = F.cross_entropy(F.linear(*whole), target, **choices)
    upstream = torch.randn(truth.shape, dtype=torch.float64)
    expected = torch.autograd.grad(truth, whole, upstream)
    leaves = [tensors[0].clone().requires_grad_(), *(mine(t, rank, widths, 0) for t in tensors[1:])]
    loss = vocab_parallel_linear_cross_entropy(*leaves[:2], target, local_bias=leaves[2], **choices)
    close(loss, truth.detach(), dtype, f"손실 {choices}")
    for _ in range(2):
        grads = torch.autograd.grad(loss, leaves, upstream.to(dtype), retain_graph=True)
        close(grads[0], expected[0], dtype, f"입력 {choices}")
        close(grads[1], expected[1].split(widths)[rank], dtype, f"가중치 {choices}")
        close(grads[2], expected[2].split(widths)[rank], dtype, f"편향 {choices}")


def everything(rank, world, folder):
    "한 번 띄운 프로세스들로 모든 것을 봅니다. 띄우는 시간이 검사보다 깁니다."
    join(rank, world, folder)
    widths = WIDTHS[world]
    for dtype in DTYPES:
        equal_to_one_process(rank, widths, dtype)
    hard_cases(rank, widths)
    traffic(rank, world, widths)
    if world in (2, 3):
        same_error_everywhere(rank, world)
    dist.destroy_process_group()


def equal_to_one_process(rank, widths, dtype):
    "줄이기 셋과 스무딩. 무시한 줄은 float64에서 있고 없고를 모두, 나머지 자료형에서는 있는 쪽만 봅니다."
    for ignore in (True, False) if dtype == torch.float64 else (True,):
        x, w, b, target = make(dtype, ignore=ignore)
        for reduction, smoothing in itertools.product(("mean", "sum", "none"), (0.0, 0.2)):
            choices = dict(reduction=reduction, label_smoothing=smoothing)
            torch.manual_seed(1)
            check_logits(rank, widths, F.linear(x, w, b), target, dtype, **choices)
            if dtype in (torch.float64, torch.float32):
                check_linear(rank, widths, (x, w, b), target, dtype, **choices)


def hard_cases(rank, widths):
    "자신 있는 줄, ±1e4, -inf 가림, 모두 무시, 모두 가려진 조각, 0줄, 이어지지 않은 입력."
    _, _, _, target = make(torch.float64, ignore=False)
    torch.manual_seed(2)
    logits = 1e4 * torch.randn(13, 11, dtype=torch.float64)
    check_logits(rank, widths, logits, target, torch.float64)
    masked = torch.randn(13, 11, dtype=torch.float64)
    masked[:, : widths[0]] = -torch.inf
    if len(widths) > 1:
        inside = torch.full_like(target, 10)
        check_logits(rank, widths, masked, inside, torch.float64, reduction="sum")
    sure = torch.zeros(13, 11)
    sure[range(13), target] = 20.0
    check_logits(rank, widths, sure, target, torch.float32)
    check_logits(rank, widths, logits.T.contiguous().T, target, torch.float64, ignore_index=int(target[0]))
    local = mine(logits, rank, widths, 1)
    loss = vocab_parallel_cross_entropy(local, torch.full((13,), -100))
    assert loss.isnan() and torch.autograd.grad(loss, local)[0].abs().sum() == 0
    assert vocab_parallel_cross_entropy(local[:0], target[:0], reduction="sum") == 0


def traffic(rank, world, widths):
    "오간 수: 순전파는 줄마다 셋(스무딩이면 넷), 역전파는 선형층 판의 입력 기울기뿐."
    sent, real = [], dist.all_reduce

    def counting(tensor, *arguments, **keywords):
        sent.append(tensor.numel())
        return real(tensor, *arguments, **keywords)

    dist.all_reduce = counting
    try:
        x, w, b, target = make(torch.float32, ignore=False)
        local = mine(F.linear(x, w, b), rank, widths, 1)
        vocab_parallel_cross_entropy(local, target).backward()
        assert sum(sent) == 3 * 13, sent
        sent.clear()
        vocab_parallel_cross_entropy(local, target, label_smoothing=0.1).backward()
        assert sum(sent) == 4 * 13, sent
        sent.clear()
        leaf = x.clone().requires_grad_()
        loss = vocab_parallel_linear_cross_entropy(leaf, mine(w, rank, widths, 0), target)
        assert sum(sent) == 3 * 13
        loss.backward()
        assert sum(sent) == 3 * 13 + x.numel()
    finally:
        dist.all_reduce = real


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_equal_to_one_process_and_the_same_errors_everywhere(world, tmp_path):
    launch(everything, world, tmp_path)


def wrong_calls(rank, world):
    "이름 → (오류 종류, 영어 조각, 부르기). 틀린 것은 랭크 1뿐이거나 모두입니다."
    logits, target = torch.zeros(4, 3), torch.tensor([0, 1, 5, 2])
    odd = rank == 1
    call, linear = vocab_parallel_cross_entropy, vocab_parallel_linear_cross_entropy
    return {
        "줄 수": (ValueError, "ranks disagree on rows", lambda: call(logits[: 3 if odd else 4], target[: 3 if odd else 4])),
        "정답": (ValueError, "ranks disagree on target", lambda: call(logits, target.flip(0) if odd else target)),
        "짝": (ValueError, "Expected input batch_size (4)", lambda: call(logits, target[: 3 if odd else 4])),
        "자료형": (ValueError, "ranks disagree on dtype", lambda: call(logits.double() if odd else logits, target)),
        "정수 로짓": (NotImplementedError, "floating point", lambda: call(logits.long() if odd else logits, target)),
        "차원": (RuntimeError, "dimensionality 2", lambda: call(logits[0] if odd else logits, target)),
        "범위": (IndexError, f"Target {3 * world} is out of bounds.", lambda: call(logits, target + 3 * world - 5)),
        "int32": (RuntimeError, "Long", lambda: call(logits, target.int() if odd else target)),
        "줄이기": (ValueError, "is not a valid value for reduction", lambda: call(logits, target, reduction="avg")),
        "스무딩": (ValueError, "disagree on smoothing", lambda: call(logits, target, label_smoothing=0.1 * rank)),
        "가중치": (RuntimeError, "in_features", lambda: linear(logits, torch.zeros(3, 2 if odd else 3), target)),
    }


def same_error_everywhere(rank, world):
    "어긋난 부름마다 모든 랭크가 같은 오류를 냅니다."
    for name, (kind, words, call) in wrong_calls(rank, world).items():
        with pytest.raises(kind) as caught:
            call()
        message = str(caught.value)
        assert words in message and "\n" in message, (name, message)
        messages = [None] * world
        dist.all_gather_object(messages, message)
        assert len(set(messages)) == 1, messages


def one_rank_dies(rank, world, folder):
    join(rank, world, folder, seconds=5)
    torch.manual_seed(0)
    local, target = torch.randn(4, 3, requires_grad=True), torch.tensor([0, 1, 5, 2])
    vocab_parallel_cross_entropy(local, target)
    if rank == world - 1:
        os._exit(0)
    start = time.monotonic()
    with pytest.raises(RuntimeError):
        vocab_parallel_cross_entropy(local, target)
    open(f"{folder}/ended{rank}", "w").write(str(time.monotonic() - start))
    os._exit(0)


def test_a_dead_rank_ends_the_others(tmp_path):
    launch(one_rank_dies, 3, tmp_path)
    waits = [float((tmp_path / f"ended{rank}").read_text()) for rank in range(2)]
    assert max(waits) < 20


def test_without_a_group_the_error_says_what_to_do():
    with pytest.raises(ValueError, match="(?s)Default process group has not been initialized.*torchrun"):
        vocab_parallel_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]))
