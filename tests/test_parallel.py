"crossent.parallel을 진짜 프로세스 여럿으로 시험합니다. 비교의 기준은 한 프로세스에서 통째로 계산한 F.cross_entropy입니다."

import faulthandler
import functools
import itertools
import multiprocessing
import os
import time
import weakref
from datetime import timedelta

import pytest

torch = pytest.importorskip("torch")

import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

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


def leave(rank, worker, *arguments):
    "끝나면 곧바로 나갑니다. 모임을 붙든 것이 남아 있으면 gloo의 스레드가 뒤늦게 죽을 수 있습니다(글 13)."
    faulthandler.dump_traceback_later(600, exit=True)  # 멈춘 랭크는 어디서 멈췄는지 적고 실패합니다
    worker(rank, *arguments)
    os._exit(0)


def launch(worker, world, folder, *arguments):
    "worker(rank, world, folder, …)를 랭크마다 한 프로세스에서 부릅니다. 하나라도 실패하면 예외가 납니다."
    mp.start_processes(leave, args=(worker, world, str(folder), *arguments), nprocs=world, start_method="forkserver")


def close(actual, expected, dtype, name, whole=None):
    "자료형에 맞는 허용 오차로, 통째 텐서에서 가장 큰 수를 잣대로 삼아 견줍니다."
    whole = expected if whole is None else whole
    atol = DTYPES[dtype] * max(float(whole.abs().nan_to_num(0, 0, 0).max()) if whole.numel() else 0.0, 1e-6)
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


def truth(logits, target, z_loss=0.0, softcap=None, **choices):
    "한 프로세스에서 통째로, 라이브러리의 코드 없이 구한 손실과 log-sum-exp."
    pressed = logits if softcap is None else softcap * torch.tanh(logits / softcap)
    loss, lse = F.cross_entropy(pressed, target, **choices), torch.logsumexp(pressed, 1)
    if z_loss:
        counted = target != choices.get("ignore_index", -100)
        squares, reduction = torch.where(counted, z_loss * lse.square(), 0.0), choices.get("reduction", "mean")
        total = squares.sum() / counted.sum() if reduction == "mean" else squares.sum()
        loss = loss + (squares if reduction == "none" else total)
    return loss, lse


def wide(choices):
    "클래스 가중치만 float64로."
    return {name: value.double() if name == "weight" else value for name, value in choices.items() if name != "dtype"}


def loss_kind(dtype, choices):
    "손실의 자료형: dtype을 주면 그것, 반정밀도 로짓에 float32 가중치면 float32."
    weight = choices.get("weight")
    return choices.get("dtype") or (dtype if weight is None else torch.promote_types(dtype, weight.dtype))


def compare_all(call, leaves, expected, dtype, name, kind):
    "손실, log-sum-exp, 무작위 상류 기울기로 구한 기울기. 두 번의 역전파와, log-sum-exp 없이도 봅니다."
    (loss, lse), wholes, cut = expected
    into, into_lse = torch.randn(loss.shape, dtype=torch.float64), torch.randn(lse.shape, dtype=torch.float64)
    kept = [leaf.detach().clone() for leaf in leaves]
    for both in (False, True):
        goal, found = (loss * into).sum(), call(return_lse=both)
        mine, upstream = [found[0] if both else found], [into.to(kind)]
        assert mine[0].dtype == kind and mine[0].shape == loss.shape
        close(mine[0], loss.detach(), dtype, f"손실 {name}")
        if both:
            goal = goal + (lse * into_lse).sum()
            assert found[1].dtype == torch.promote_types(torch.float64 if kind == torch.float64 else dtype, torch.float32)
            close(found[1], lse.detach(), dtype, f"lse {name}")
            mine, upstream = list(found), [*upstream, into_lse.to(found[1].dtype)]
        whole = torch.autograd.grad(goal, wholes, retain_graph=True)
        for _ in range(2):
            for actual, *grad in zip(torch.autograd.grad(mine, leaves, upstream, retain_graph=True), cut(whole), whole):
                close(actual, grad[0], dtype, f"기울기 {name}, lse {both}", grad[1])
    assert all(torch.equal(leaf, before) for leaf, before in zip(leaves, kept))


def check_logits(rank, widths, logits, target, source, check=True, **choices):
    "로짓 판을 통째와 견줍니다."
    whole = logits.detach().double().requires_grad_()
    local = mine(logits, rank, widths, 1)
    expected = truth(whole, target, **wide(choices)), [whole], lambda grads: [grads[0].split(widths, 1)[rank]]
    call = functools.partial(vocab_parallel_cross_entropy, local, target, check=check, **choices)
    compare_all(call, [local], expected, source, f"로짓 {choices}", loss_kind(source, choices))


def check_linear(rank, widths, tensors, target, source, check=True, **choices):
    "선형층 판을 통째와 견줍니다."
    whole = [t.detach().double().requires_grad_() for t in tensors]
    leaves = [tensors[0].clone().requires_grad_(), *(mine(t, rank, widths, 0) for t in tensors[1:])]
    cut = lambda grads: [grads[0], *(grad.split(widths)[rank] for grad in grads[1:])]
    expected = truth(F.linear(*whole), target, **wide(choices)), whole, cut
    kind = loss_kind(source, choices)
    choices |= dict(local_bias=leaves[2], check=check)
    call = functools.partial(vocab_parallel_linear_cross_entropy, *leaves[:2], target, **choices)
    compare_all(call, leaves, expected, source, f"선형층 {choices}", kind)


def everything(rank, world, folder):
    "한 번 띄운 프로세스들로 모든 것을 봅니다. 띄우는 시간이 검사보다 깁니다."
    join(rank, world, folder)
    widths = WIDTHS[world]
    for dtype in DTYPES:
        equal_to_one_process(rank, widths, dtype)
    half_logits_with_float32_weight(rank, widths)
    loss_types(rank, widths)
    if world == 1:
        memory()
    if world == 2:
        ignored_inside(rank, widths)
    with pytest.MonkeyPatch.context() as monkey:
        unchecked(rank, widths, monkey)
    hard_cases(rank, widths)
    nothing_to_do(rank, widths)
    views_of_a_bigger_tensor(rank, widths)
    changed_in_place(rank, widths)
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


def all_options(v, dtype):
    "선택지를 하나씩, 그리고 함께."
    weight = torch.rand(v, generator=torch.Generator().manual_seed(9)).to(dtype)
    yield {}
    yield dict(label_smoothing=0.2)
    yield dict(weight=weight)
    yield dict(z_loss=0.1)
    yield dict(softcap=2.0)
    yield dict(weight=weight, label_smoothing=0.2)
    yield dict(weight=weight, label_smoothing=0.2, z_loss=0.1, softcap=2.0)


def equal_to_one_process(rank, widths, dtype):
    "선택지와 줄이기. 선택지 하나하나는 두 랭크의 float64로, 나머지는 없을 때와 다 함께 줄 때만 봅니다."
    two, exact = len(widths) == 2, dtype == torch.float64
    for ignore in (True, False) if two else (True,):
        x, w, b, target = make(dtype, ignore=ignore)
        logits, every = F.linear(x, w, b), list(all_options(11, dtype))
        chosen = every if two and ignore and exact else [every[0], every[-1]]
        for options, reduction in itertools.product(chosen, ("mean", "sum", "none") if exact else ("mean", "none")):
            torch.manual_seed(1)
            options = options | dict(reduction=reduction, check=ignore)
            check_logits(rank, widths, logits, target, dtype, **options)
            check_linear(rank, widths, (x, w, b), target, dtype, **options)


def half_logits_with_float32_weight(rank, widths):
    "반정밀도 로짓에 float32 가중치."
    x, w, b, target = make(torch.bfloat16)
    weight = torch.rand(11, generator=torch.Generator().manual_seed(9))
    check_logits(rank, widths, F.linear(x, w, b), target, torch.bfloat16, weight=weight, label_smoothing=0.1)


def loss_types(rank, widths):
    "dtype은 손실의 자료형입니다. float16의 합도 float32로 받으면 넘치지 않고, float64면 계산도 float64입니다."
    for dtype, asked in ((torch.bfloat16, torch.float32), (torch.float16, torch.float64), (torch.float32, torch.float64)):
        x, w, b, target = make(dtype)
        options = dict(dtype=asked, label_smoothing=0.1, z_loss=0.01)
        check_logits(rank, widths, F.linear(x, w, b), target, dtype, **options)
        check_linear(rank, widths, (x, w, b), target, dtype, **options)
    logits = 20 * torch.randn(4096, 11, generator=torch.Generator().manual_seed(0)).half()
    target, local = torch.zeros(4096, dtype=torch.long), mine(logits, rank, widths, 1).detach()
    call = functools.partial(vocab_parallel_cross_entropy, local, target, reduction="sum")
    assert call().isinf() and call(dtype=torch.float32).isfinite()
    close(call(dtype=torch.float64), F.cross_entropy(logits.double(), target, reduction="sum"), torch.float64, "합")


def ignored_inside(rank, widths):
    "무시할 번호가 클래스 번호 안에 있어도, 무시한 줄의 log-sum-exp와 그 기울기가 있습니다."
    x, w, b, target = make(torch.float64, ignore=False)
    for options in all_options(11, torch.float64):
        check_logits(rank, widths, F.linear(x, w, b), target, torch.float64, ignore_index=int(target[0]), **options)
        check_linear(rank, widths, (x, w, b), target, torch.float64, ignore_index=int(target[0]), **options)


class Memory(TorchDispatchMode):
    "연산이 새로 만든 메모리가 가장 많았던 때."

    def __init__(self, *existing):
        super().__init__()
        self.seen, self.live, self.peak = {t.untyped_storage().data_ptr() for t in existing}, 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.count(tensor.untyped_storage())
        return result

    def count(self, storage):
        address, size = storage.data_ptr(), storage.nbytes()
        if size and address not in self.seen:
            self.seen.add(address)
            self.live += size
            self.peak = max(self.peak, self.live)
            weakref.finalize(storage, self.forget, address, size)

    def forget(self, address, size):
        self.seen.discard(address)
        self.live -= size


def memory():
    "로짓 판이 더 쓰는 것은 조각 한 벌(기울기)뿐입니다. 소프트캡과 반정밀도는 블록 몇 개를 더 씁니다."
    n, v = 1024, 4096
    weight, target = torch.rand(v), torch.arange(n)
    target[::3] = -100
    cases = [{}, dict(reduction="none"), dict(weight=weight, label_smoothing=0.1, z_loss=0.1), dict(softcap=5.0)]
    for dtype, options in [(torch.float32, options) for options in cases] + [(torch.bfloat16, {})]:
        local = torch.randn(n, v).to(dtype).requires_grad_()
        with Memory(local, target, weight) as meter:
            loss, lse = vocab_parallel_cross_entropy(local, target, return_lse=True, **options)
            (loss.sum() + lse.sum()).backward()
        most = 1.02 if dtype == torch.float32 and "softcap" not in options else 1.3  # 나머지는 블록이 더 듭니다
        assert meter.peak < most * local.nbytes, (options, meter.peak / local.nbytes)


class NoWaiting(TorchDispatchMode):
    "값을 기다리는 연산이 나오면 실패합니다."

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert function not in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default), function
        if function is torch.ops.aten.index.Tensor:
            assert all(i is None or i.dtype == torch.int64 for i in args[1]), "참과 거짓으로 고르기"
        return function(*args, **(kwargs or {}))


def unchecked(rank, widths, monkey):
    "check=False: 기다리는 곳이 없고, 정답이 범위를 벗어난 줄은 nan이고, 틀린 선택지는 그 자리에서 오류입니다."
    x, w, b, target = make(torch.float64)
    local = mine(F.linear(x, w, b), rank, widths, 1)
    for name in ("tolist", "cpu", "numpy", "item"):
        monkey.setattr(torch.Tensor, name, lambda *_, name=name: pytest.fail(name))
    for options in (dict(return_lse=True), dict(weight=torch.rand(11).double(), label_smoothing=0.1, reduction="none")):
        with NoWaiting():
            found = vocab_parallel_cross_entropy(local, target, check=False, **options)
            torch.autograd.backward(found, [torch.ones_like(each) for each in found] if options.get("return_lse") else torch.ones_like(found))
    monkey.undo()
    target[2] = 11
    for weight in (None, torch.rand(11).double()):
        choices = dict(reduction="none", weight=weight, check=False)
        losses = vocab_parallel_cross_entropy(local, target, **choices), vocab_parallel_linear_cross_entropy(x, mine(w, rank, widths, 0), target, **choices)
        assert all(each.isnan().tolist() == [row == 2 for row in range(13)] for each in losses)
    with pytest.raises(ValueError, match="avg"):
        vocab_parallel_cross_entropy(local, target, reduction="avg", check=False)
    with pytest.raises(RuntimeError, match="requires_grad"):
        vocab_parallel_cross_entropy(local, target, weight=torch.ones(11).double().requires_grad_(), check=False)


def hard_cases(rank, widths):
    "자신 있는 줄, ±1e4, -inf 가림, 모두 가려진 조각, 이어지지 않은 입력, 무한한 가중치."
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
    weight, answers = torch.rand(11, dtype=torch.float64).index_fill(0, torch.tensor(0), torch.inf), target.clamp(min=1)
    answers[0], logits = -100, torch.randn(13, 11, dtype=torch.float64).index_fill(1, torch.tensor(0), 5.0)  # 나온 적 없는 0번의 가중치가 inf이고, 로짓은 가장 큽니다
    for reduction, smoothing in itertools.product(("mean", "sum", "none"), (0.0, 0.1)):
        check_logits(rank, widths, logits, answers, torch.float64, weight=weight, reduction=reduction, label_smoothing=smoothing)


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


def changed_in_place(rank, widths):
    "돌려받은 손실과 log-sum-exp는 제자리에서 바꿀 수 있습니다."
    x, w, b, target = make(torch.float64)
    whole, local = F.linear(x, w, b).requires_grad_(), mine(F.linear(x, w, b), rank, widths, 1)
    leaf, piece = x.clone().requires_grad_(), mine(w, rank, widths, 0)
    bias = mine(b, rank, widths, 0)
    choices = dict(reduction="none", z_loss=0.1, return_lse=True)
    for call in (
        lambda: vocab_parallel_cross_entropy(local, target, **choices),
        lambda: vocab_parallel_linear_cross_entropy(leaf, piece, target, local_bias=bias, **choices),
    ):
        expected = [each.clone() for each in truth(whole, target, reduction="none", z_loss=0.1)]
        for pair in (expected, call()):
            for each in pair:
                each.mul_(torch.arange(13.0).double())
                each[3] = 0
            (pair[0] + 2 * pair[1]).sum().backward()
    close(local.grad, whole.grad.split(widths, 1)[rank] / 2, torch.float64, "바꾼 손실")
    close(leaf.grad, whole.grad @ w / 2, torch.float64, "바꾼 손실, 입력")


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
    full = torch.ones(3 * world)  # 클래스 가중치
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
        "스무딩": (ValueError, "disagree on label_smoothing", lambda: call(logits, target, label_smoothing=0.1 * rank)),
        "큰 스무딩": (RuntimeError, "between 0.0 and 1.0. Got: 1.5", lambda: linear(logits, w, target, label_smoothing=1.5)),
        "큰 스무딩 하나": (ValueError, "disagree on label_smoothing", lambda: call(logits, target, label_smoothing=1.5 if odd else 0.1)),
        "글자 스무딩": (TypeError, "must be float, not str", lambda: call(logits, target, label_smoothing="a")),
        "없는 스무딩 하나": (ValueError, "disagree on label_smoothing", lambda: call(logits, target, label_smoothing=None if odd else 0.1)),
        "없는 번호": (TypeError, "must be int, not NoneType", lambda: call(logits, target, ignore_index=None)),
        "없는 번호 하나": (ValueError, "disagree on ignore_index", lambda: call(logits, target, ignore_index=None if odd else 1)),
        "큰 번호": (ValueError, "Overflow", lambda: call(logits, target, ignore_index=2**70)),
        "가중치": (RuntimeError, "in_features", lambda: linear(logits, torch.zeros(3, 2 if odd else 3), target)),
        "기울기 하나": (ValueError, "disagree on needs_grad", lambda: linear(logits.clone().requires_grad_(odd), w, target)),
        "로짓의 기울기 하나": (ValueError, "disagree on needs_grad", lambda: call(logits.clone().requires_grad_(odd), target)),
        "가중치 조각의 기울기 하나": (ValueError, "disagree on needs_grad", lambda: linear(logits, w.clone().requires_grad_(odd), target)),
        "성긴 로짓 하나": (TypeError, "rank 1 gave sparse as local_logits", lambda: call(logits.to_sparse() if odd else logits, target)),
        "목록 가중치 하나": (TypeError, "rank 1 gave list as weight", lambda: call(logits, target, weight=[1.0] * 3 * world if odd else None)),
        "글자 가중치 하나": (TypeError, "rank 1 gave other as weight", lambda: call(logits, target, weight="mean" if odd else None)),
        "클래스 가중치 하나": (ValueError, "ranks disagree on weights: [", lambda: call(logits, target, weight=full if odd else None)),
        "클래스 가중치의 값": (ValueError, "ranks disagree on weight\n", lambda: call(logits, target, weight=full + odd)),
        "클래스 가중치의 조각": (RuntimeError, f"all {3 * world} classes", lambda: call(logits, target, weight=torch.ones(3))),
        "2차원 클래스 가중치": (RuntimeError, f"all {3 * world} classes", lambda: linear(logits, w, target, weight=full[None])),
        "클래스 가중치의 자료형": (RuntimeError, "expected weight to have the dtype", lambda: call(logits, target, weight=full.double())),
        "미분할 클래스 가중치": (RuntimeError, "no requires_grad", lambda: call(logits, target, weight=full.clone().requires_grad_(odd))),
        "z_loss 하나": (ValueError, "disagree on z_loss", lambda: call(logits, target, z_loss=0.1 * rank)),
        "참인 z_loss 하나": (ValueError, "disagree on z_loss", lambda: call(logits, target, z_loss=True if odd else 1)),
        "음수 z_loss": (ValueError, "z_loss must be non-negative", lambda: call(logits, target, z_loss=-1.0)),
        "softcap 하나": (ValueError, "disagree on softcap", lambda: linear(logits, w, target, softcap=30.0 if odd else None)),
        "글자 softcap": (TypeError, "softcap must be a number", lambda: call(logits, target, softcap="a")),
        "lse 하나": (ValueError, "disagree on return_lse", lambda: call(logits, target, return_lse=odd)),
        "dtype 하나": (ValueError, "disagree on loss_dtype", lambda: call(logits, target, dtype=torch.float64 if odd else None)),
        "글자 dtype": (TypeError, "dtype must be a floating point", lambda: linear(logits, w, target, dtype="float32")),
        "없는 정답 하나": (TypeError, "rank 1 gave NoneType as target", lambda: call(logits, None if odd else target)),
        "목록 하나": (TypeError, "rank 1 gave list as target", lambda: call(logits, [0, 1, 5, 2] if odd else target)),
        "배열 하나": (TypeError, "rank 1 gave ndarray as local_logits", lambda: call(logits.numpy() if odd else logits, target)),
        "meta 하나": (TypeError, "rank 1 gave meta as local_logits", lambda: call(logits.to("meta") if odd else logits, target)),
        "없는 가중치 하나": (TypeError, "rank 1 gave NoneType as local_weight", lambda: linear(logits, None if odd else w, target)),
        "모두 없는 정답": (TypeError, "rank 0 gave NoneType as target", lambda: call(logits, None)),
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
    open(f"{folder}/ended{rank}", "w", encoding="utf-8").write(str(time.monotonic() - start))
    os._exit(0)


def test_a_dead_rank_ends_the_others(tmp_path):
    launch(one_rank_dies, 3, tmp_path)
    waits = [float((tmp_path / f"ended{rank}").read_text(encoding="utf-8")) for rank in range(2)]
    assert max(waits) < 20


def test_without_a_group_the_error_says_what_to_do():
    with pytest.raises(ValueError, match="(?s)Default process group has not been initialized.*torchrun"):
        vocab_parallel_cross_entropy(torch.zeros(2, 3), torch.tensor([0, 1]))
