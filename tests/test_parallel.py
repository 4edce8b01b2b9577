"crossent.parallel을 진짜 프로세스 여럿으로 시험합니다. 비교의 기준은 한 프로세스에서 통째로 계산한 F.cross_entropy입니다."

import itertools
import multiprocessing
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

# 프로세스를 낳는 서버가 무거운 모듈을 한 번만 불러 둡니다. spawn이면 프로세스마다 torch를 다시 부릅니다
multiprocessing.set_forkserver_preload(["pytest", "torch", "crossent.parallel", "crossent.testing"])

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
    mp.start_processes(worker, args=(world, str(folder), *arguments), nprocs=world, start_method="forkserver")


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
    nothing_to_do(rank, widths)
    views_of_a_bigger_tensor(rank, widths)
    odd_smoothing(rank, widths)
    far_from_zero(rank, world)
    inside_autocast(rank, widths)
    second_derivative(rank, widths)
    traffic(rank, world, widths)
    if world in (2, 3):
        same_error_everywhere(rank, world)
    if world == 3:
        subgroup(rank)
    dist.destroy_process_group()


def equal_to_one_process(rank, widths, dtype):
    "줄이기 셋과 스무딩. 무시한 줄은 float64에서 있고 없고를 모두, 나머지 자료형에서는 있는 쪽만 봅니다."
    for ignore in (True, False) if dtype == torch.float64 else (True,):
        x, w, b, target = make(dtype, ignore=ignore)
        for reduction, smoothing in itertools.product(("mean", "sum", "none"), (0.0, 0.2)):
            choices = dict(reduction=reduction, label_smoothing=smoothing)
            torch.manual_seed(1)
            check_logits(rank, widths, F.linear(x, w, b), target, dtype, **choices)
            if dtype in (torch.float64, torch.float32) or (reduction, smoothing) == ("mean", 0.2):
                check_linear(rank, widths, (x, w, b), target, dtype, **choices)


def hard_cases(rank, widths):
    "자신 있는 줄, ±1e4, -inf 가림, 모두 가려진 조각, 이어지지 않은 입력."
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


def nothing_to_do(rank, widths):
    "모두 무시와 0줄: PyTorch처럼 평균은 nan, 합은 0이고 기울기는 0입니다."
    x, w, b, target = make(torch.float64, ignore=False)
    everyone = torch.full_like(target, -100)
    for rows, answers in ((slice(0, 13), everyone), (slice(0, 0), target[:0])):
        for reduction, smoothing in itertools.product(("mean", "sum", "none"), (0.0, 0.2)):
            choices = dict(reduction=reduction, label_smoothing=smoothing)
            check_logits(rank, widths, F.linear(x[rows], w, b), answers, torch.float64, **choices)
            check_linear(rank, widths, (x[rows], w, b), answers, torch.float64, **choices)


def views_of_a_bigger_tensor(rank, widths):
    "통째 로짓에서 잘라 낸 열, 건너뛴 열, 늘려 편 줄: 기울기가 원래 텐서까지 갑니다."
    x, w, b, target = make(torch.float64)
    logits = F.linear(x, w, b)
    doubled = logits.repeat_interleave(2, 1)
    for start, view in (
        (logits, lambda whole: whole),
        (doubled, lambda whole: whole[:, ::2]),
        (logits[:1], lambda whole: whole.expand(13, -1)),
    ):
        leaf, whole = start.clone().requires_grad_(), start.clone().requires_grad_()
        local = view(leaf).split(widths, 1)[rank]
        (actual,) = torch.autograd.grad(vocab_parallel_cross_entropy(local, target), leaf)
        dist.all_reduce(actual)  # 랭크마다 제 열만 채웁니다
        (expected,) = torch.autograd.grad(F.cross_entropy(view(whole), target), whole)
        close(actual, expected, torch.float64, "잘라 낸 로짓")


def odd_smoothing(rank, widths):
    "PyTorch는 음수와 nan인 label_smoothing을 조용히 0으로 봅니다. 정수 1은 1.0입니다."
    x, w, b, target = make(torch.float64)
    for smoothing in (float("nan"), -0.3, -float("inf"), 1):
        check_logits(rank, widths, F.linear(x, w, b), target, torch.float64, label_smoothing=smoothing)
        check_linear(rank, widths, (x, w, b), target, torch.float64, label_smoothing=smoothing)


def far_from_zero(rank, world):
    "로짓이 모두 만 안팎이어도 스무딩의 자릿수가 남습니다. 그대로 더하면 1e-4 넘게 틀립니다."
    torch.manual_seed(3)
    logits, target = torch.randn(5, 12_000) + 1e4, torch.randint(0, 12_000, (5,))
    choices = dict(label_smoothing=0.5, reduction="none")
    truth = F.cross_entropy(logits.double(), target, **choices)
    loss = vocab_parallel_cross_entropy(logits.chunk(world, 1)[rank], target, **choices)
    assert (loss - truth).abs().max() < 5e-6, loss - truth


def inside_autocast(rank, widths):
    "autocast 안: F.linear처럼 자료형을 맞추고, 손실은 F.cross_entropy처럼 float32입니다."
    x, w, b, target = make(torch.float32)
    half = torch.bfloat16
    for kinds in ((half, torch.float32, torch.float32), (torch.float32, half, torch.float32), (torch.float64,) * 3):
        tensors = [t.to(kind) for t, kind in zip((x, w, b), kinds)]
        whole = [t.clone().requires_grad_() for t in tensors]
        leaves = [tensors[0].clone().requires_grad_(), *(mine(t, rank, widths, 0) for t in tensors[1:])]
        local = mine(F.linear(x, w, b).to(kinds[0]), rank, widths, 1)
        with torch.autocast("cpu", dtype=half):
            truth = F.cross_entropy(F.linear(*whole), target)
            loss = vocab_parallel_linear_cross_entropy(*leaves[:2], target, local_bias=leaves[2])
            from_logits = vocab_parallel_cross_entropy(local, target)
        assert loss.dtype == truth.dtype and from_logits.dtype == truth.dtype, (loss.dtype, truth.dtype)
        close(loss, truth.detach(), half, "autocast 손실")
        close(from_logits, truth.detach(), half, "autocast 로짓 손실")
        expected = torch.autograd.grad(truth, whole)
        grads = torch.autograd.grad(loss, leaves)
        assert [g.dtype for g in grads] == list(kinds)
        for grad, piece, name in zip(grads, (expected[0], *(e.split(widths)[rank] for e in expected[1:])), "xwb"):
            close(grad, piece, half, f"autocast {name}")


def second_derivative(rank, widths):
    "create_graph로 구한 기울기의 값은 맞고, 한 번 더 미분하면 모든 랭크에서 도움말이 붙은 오류가 납니다."
    x, w, b, target = make(torch.float64)
    leaf, local = x.clone().requires_grad_(), mine(w, rank, widths, 0)
    logits = mine(F.linear(x, w), rank, widths, 1)
    losses = (vocab_parallel_linear_cross_entropy(leaf, local, target), vocab_parallel_cross_entropy(logits, target))
    for loss, tensor in zip(losses, (leaf, logits)):
        (plain,) = torch.autograd.grad(loss, tensor, retain_graph=True)
        (grad,) = torch.autograd.grad(loss, tensor, create_graph=True)
        assert torch.equal(plain, grad)
        with pytest.raises(RuntimeError, match="(?s)trying to differentiate twice.*create_graph=True를 빼세요"):
            grad.square().sum().backward()


def subgroup(rank):
    "전체가 아닌 모임: 랭크 0과 2만 함께 일합니다."
    group = dist.new_group([0, 2])
    if rank != 1:
        x, w, b, target = make(torch.float64)
        pieces = F.linear(x, w, b).split([4, 7], 1)
        loss = vocab_parallel_cross_entropy(pieces[rank // 2], target, group)
        close(loss, F.cross_entropy(F.linear(x, w, b), target), torch.float64, "모임")


def traffic(rank, world, widths):
    "오간 수: 순전파는 줄마다 셋(스무딩이면 넷), 역전파는 선형층 판의 입력 기울기뿐."
    sent, kinds, real = [], [], dist.all_reduce

    def counting(tensor, *arguments, **keywords):
        sent.append(tensor.numel())
        kinds.append(tensor.dtype)
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
        kinds.clear()
        leaf, piece = x.bfloat16().requires_grad_(), mine(w.bfloat16(), rank, widths, 0)
        vocab_parallel_linear_cross_entropy(leaf, piece, target).backward()
        assert kinds == [torch.float32] * 3, kinds  # 반정밀도의 합도 float32로 쌓습니다
    finally:
        dist.all_reduce = real


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_equal_to_one_process_and_the_same_errors_everywhere(world, tmp_path):
    launch(everything, world, tmp_path)


def wrong_calls(rank, world):
    "이름 → (오류 종류, 영어 조각, 부르기). 틀린 것은 랭크 1뿐이거나 모두입니다."
    logits, w, target = torch.zeros(4, 3), torch.zeros(3, 3), torch.tensor([0, 1, 5, 2])
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
        "줄이기": (ValueError, "avg is not a valid value for reduction", lambda: call(logits, target, reduction="avg")),
        "줄이기 하나": (ValueError, "disagree on reduction", lambda: call(logits, target, reduction="avg" if odd else "sum")),
        "틀린 줄이기 둘": (ValueError, "disagree on reduction", lambda: call(logits, target, reduction="avg" if odd else "max")),
        "스무딩": (ValueError, "disagree on smoothing", lambda: call(logits, target, label_smoothing=0.1 * rank)),
        "큰 스무딩": (RuntimeError, "between 0.0 and 1.0. Got: 1.5", lambda: linear(logits, w, target, label_smoothing=1.5)),
        "큰 스무딩 하나": (ValueError, "disagree on smoothing", lambda: call(logits, target, label_smoothing=1.5 if odd else 0.1)),
        "글자 스무딩": (TypeError, "must be float, not str", lambda: call(logits, target, label_smoothing="a")),
        "없는 스무딩 하나": (ValueError, "disagree on smoothing", lambda: call(logits, target, label_smoothing=None if odd else 0.1)),
        "없는 번호": (TypeError, "must be int, not NoneType", lambda: call(logits, target, ignore_index=None)),
        "없는 번호 하나": (ValueError, "disagree on ignore_index", lambda: call(logits, target, ignore_index=None if odd else 1)),
        "큰 번호": (ValueError, "Overflow", lambda: call(logits, target, ignore_index=2**70)),
        "가중치": (RuntimeError, "in_features", lambda: linear(logits, torch.zeros(3, 2 if odd else 3), target)),
        "기울기 하나": (ValueError, "disagree on needs_grad", lambda: linear(logits.clone().requires_grad_(odd), w, target)),
        "로짓의 기울기 하나": (ValueError, "disagree on needs_grad", lambda: call(logits.clone().requires_grad_(odd), target)),
        "없는 정답 하나": (TypeError, "rank 1 gave something else", lambda: call(logits, None if odd else target)),
        "목록 하나": (TypeError, "rank 1 gave something else", lambda: call(logits, [0, 1, 5, 2] if odd else target)),
        "배열 하나": (TypeError, "rank 1 gave something else", lambda: call(logits.numpy() if odd else logits, target)),
        "meta 하나": (TypeError, "rank 1 gave something else", lambda: call(logits.to("meta") if odd else logits, target)),
        "없는 가중치 하나": (TypeError, "rank 1 gave something else", lambda: linear(logits, None if odd else w, target)),
        "모두 없는 정답": (TypeError, "rank 0 gave something else", lambda: call(logits, None)),
        "0차원 가중치": (RuntimeError, "in_features", lambda: linear(logits, torch.zeros(()) if odd else w, target)),
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
