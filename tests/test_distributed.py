"나누어 담은 텐서(DTensor), DDP, FSDP2와 두 손실. 진짜 프로세스 둘로 시험하고, 기준은 F.cross_entropy입니다."

import itertools
from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate, Shard, distribute_tensor
from torch.distributed.tensor.parallel import loss_parallel
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from crossent import CrossEntropyLoss, LinearCrossEntropyLoss, cross_entropy, linear_cross_entropy
from crossent.parallel import vocab_parallel_linear_cross_entropy
from crossent.testing import assert_close
from test_parallel import join, launch

OLD = tuple(map(int, torch.__version__.split(".")[:2])) < (2, 13)
N, H, V = 8, 6, 12
SIZES = [(N, V), (450, 5000)]  # 블록으로 가는 크기의 양쪽
OPTIONS = {
    "그냥": {},
    "무시": dict(ignore_index=3),
    "가중치": dict(weight=True),
    "스무딩": dict(label_smoothing=0.1),
    "확률": dict(probabilities=True),
}


def whole(tensor):
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def inputs(size, weight=False, probabilities=False, **options):
    "모든 랭크에 같은 로짓, 정답, 선택지."
    torch.manual_seed(0)
    logits, target = torch.randn(size), torch.randint(0, size[1], size[:1])
    if probabilities:
        target = torch.softmax(torch.randn(size), 1)
    return logits, target, options | (dict(weight=torch.rand(size[1])) if weight else {})


def run(function, logits, target, options):
    "손실과 로짓의 기울기, 또는 오류의 종류와 첫 줄."
    logits = logits.detach().requires_grad_()
    torch.manual_seed(1)
    try:
        loss = function(logits, target, **options)
        upstream = torch.randn(loss.shape)
        if isinstance(loss, DTensor):
            upstream = distribute_tensor(upstream, loss.device_mesh, loss.placements)
        loss.backward(upstream)
    except (RuntimeError, ValueError) as error:
        return type(error), str(error).splitlines()[0]
    return whole(loss.detach()), whole(logits.grad)


def same_as_pytorch(mesh, placement, parallel):
    "PyTorch가 하는 것은 똑같이 하고, 거절하는 것은 같은 오류로 거절합니다."
    done = 0
    for size, (name, options), reduction in itertools.product(SIZES, OPTIONS.items(), ("mean", "sum", "none")):
        if size != SIZES[0] and reduction == "sum":
            continue  # 큰 것은 느립니다
        if parallel and name in ("스무딩", "확률"):
            continue  # loss_parallel은 받지 않고, 오류가 난 뒤에는 문맥에서 나오지 못합니다
        logits, target, chosen = inputs(size, reduction=reduction, **options)
        logits = distribute_tensor(logits, mesh, [placement])
        if not parallel:
            rows = placement if placement == Shard(0) else Replicate()
            target = distribute_tensor(target, mesh, [rows])
            chosen = {k: distribute_tensor(v, mesh, [Replicate()]) if k == "weight" else v for k, v in chosen.items()}
        with loss_parallel() if parallel else nullcontext():
            theirs, ours = (run(f, logits, target, chosen) for f in (F.cross_entropy, cross_entropy))
        assert type(ours[0]) is type(theirs[0]), (name, reduction, ours, theirs)
        if isinstance(theirs[0], type):
            assert ours == theirs, (name, ours, theirs)
            continue
        assert all(torch.equal(mine, other) for mine, other in zip(ours, theirs)), (name, reduction, size)
        done += 1
    assert done >= (10 if OLD else 15), done


def extras_on_shards(mesh, placement):
    "z_loss와 softcap도 나누어 담은 로짓에서 통째와 같습니다."
    for extras, reduction in itertools.product((dict(z_loss=0.1), dict(softcap=2.0)), ("mean", "sum", "none")):
        logits, target, chosen = inputs((N, V), reduction=reduction, **extras)
        rows = placement if placement == Shard(0) else Replicate()
        spread = distribute_tensor(logits, mesh, [placement]), distribute_tensor(target, mesh, [rows])
        found = run(cross_entropy, *spread, chosen)
        if OLD and isinstance(found[0], type):
            continue  # 2.9의 나누어 담은 텐서에는 logsumexp이 없습니다. 틀린 값이 아니라 PyTorch의 오류가 납니다
        for mine, other in zip(found, run(cross_entropy, logits, target, chosen)):
            assert_close(mine, other, atol=1e-6)


def refused_with_advice(mesh):
    "섞어 넘기면 무엇을 하라고 말해 주고, 그대로 하면 됩니다."
    torch.manual_seed(0)
    hidden, weight, target = torch.randn(N, H), torch.randn(V, H), torch.randint(0, V, (N,))
    x, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
    truth = F.cross_entropy(F.linear(x, w), target)
    truth.backward()
    mine = hidden.clone().requires_grad_()
    sharded = nn.Parameter(distribute_tensor(weight, mesh, [Shard(0)]))
    with pytest.raises(RuntimeError, match=r"(?s)mixed torch.Tensor and DTensor.*full_tensor\(\).*to_local\(\)"):
        linear_cross_entropy(mine, sharded, target)
    for call in (
        lambda: linear_cross_entropy(mine, sharded.full_tensor(), target),
        lambda: vocab_parallel_linear_cross_entropy(mine, sharded.to_local(), target),
    ):
        mine.grad = sharded.grad = None
        loss = call()
        loss.backward()
        assert_close(loss.detach(), truth.detach())
        assert_close(mine.grad, x.grad, atol=1e-6)
        grad = whole(sharded.grad)
        assert_close(grad, w.grad, atol=1e-6)
    logits = distribute_tensor(F.linear(hidden, weight), mesh, [Shard(1)])
    with pytest.raises(RuntimeError, match=r"(?s)mixed torch.Tensor and DTensor.*loss_parallel.*distribute_tensor"):
        cross_entropy(logits, target)
    with pytest.raises(RuntimeError, match=r"(?s)mixed torch.Tensor and DTensor.*distribute_tensor"):
        cross_entropy(logits, target, z_loss=0.1)
    with loss_parallel():
        assert_close(whole(cross_entropy(logits, target)), truth.detach())
    assert_close(whole(cross_entropy(logits, distribute_tensor(target, mesh, [Replicate()]))), truth.detach())


class Model(nn.Module):
    "몸통과 손실을 함께 담은 모델."

    def __init__(self, linear):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(4, H), nn.Identity() if linear else nn.Linear(H, V))
        self.loss = LinearCrossEntropyLoss(H, V, bias=True) if linear else CrossEntropyLoss()

    def forward(self, x, y):
        return self.loss(self.body(x), y)


def wrapped(model, how, mesh):
    "DDP나 FSDP2로 감쌉니다."
    if how == "DDP":
        return DistributedDataParallel(model)
    if how == "FSDP2 층마다":
        fully_shard(model.body, mesh=mesh)
        if next(model.loss.parameters(), None) is not None:
            fully_shard(model.loss, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def data_parallel(rank, world, mesh, linear, how):
    "배치를 나누어 두 걸음 배운 기울기가 한 프로세스의 것과 같습니다."
    torch.manual_seed(1)
    x, y = torch.randn(N, 4), torch.randint(0, V, (N,))
    alone, together = Model(linear), wrapped(Model(linear), how, mesh)
    for model, given in ((alone, (x, y)), (together, (x.chunk(world)[rank], y.chunk(world)[rank]))):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        for _ in range(2):
            optimizer.zero_grad()
            model(*given).backward()
            optimizer.step()
    for expected, actual in zip(alone.parameters(), together.parameters()):
        assert_close(whole(actual.grad), expected.grad, atol=1e-6, name=how)
        assert_close(whole(actual.detach()), expected.detach(), atol=1e-6, name=how)


def head_sharded_alone(mesh):
    "손실 모듈 안의 선형층만 나누면 무엇을 하라고 말해 줍니다."
    model = Model(True)
    fully_shard(model.loss.linear, mesh=mesh)
    with pytest.raises(RuntimeError, match="(?s)mixed torch.Tensor and DTensor.*fully_shard"):
        model(torch.randn(2, 4), torch.tensor([0, 1]))


def everything(rank, world, folder):
    join(rank, world, folder)
    mesh = init_device_mesh("cpu", (world,))
    same_as_pytorch(mesh, Shard(1), True)
    for placement in (Shard(1), Shard(0), Replicate()):
        same_as_pytorch(mesh, placement, False)
        extras_on_shards(mesh, placement)
    refused_with_advice(mesh)
    for linear, how in itertools.product((True, False), ("DDP", "FSDP2", "FSDP2 층마다")):
        data_parallel(rank, world, mesh, linear, how)
    head_sharded_alone(mesh)
    dist.destroy_process_group()


def test_sharded_tensors_and_data_parallel_as_pytorch(tmp_path):
    launch(everything, 2, tmp_path)
