"FSDP2로 나누어 가진 마지막 층. 랭크 둘을 CPU에서 띄웁니다. `python nbs/practice/fsdp.py`"

import os
import socket
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn import functional as F

from crossent import LinearCrossEntropyLoss

RANKS, VOCABULARY, HIDDEN = 2, 50, 8


def make():
    torch.manual_seed(0)
    return nn.ModuleDict(dict(body=nn.Embedding(VOCABULARY, HIDDEN), head=LinearCrossEntropyLoss(HIDDEN, VOCABULARY, shift=1)))


def work(rank, port):
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=RANKS)
    mesh, model, whole = init_device_mesh("cpu", (RANKS,)), make(), make()
    # 손실까지 품은 모듈을 나눕니다. forward에 들어가면 FSDP가 가중치를 모아 주므로 보통 텐서로 보입니다.
    # 나눈 `head.linear.weight`를 밖에서 함수에 넘기면 제 조각뿐이라 안 됩니다.
    fully_shard(model["head"], mesh=mesh)
    fully_shard(model["body"], mesh=mesh)
    tokens = torch.randint(VOCABULARY, (RANKS, 2, 6), generator=torch.Generator().manual_seed(1))
    loss = model["head"](model["body"](tokens[rank]), tokens[rank])
    loss.backward()

    # 나누지 않고 한 번에: 랭크마다의 평균을 평균 낸 것
    logits = F.linear(whole["body"](tokens), whole["head"].linear.weight)[..., :-1, :]
    expected = F.cross_entropy(logits.flatten(0, 2), tokens[..., 1:].flatten())
    expected.backward()
    weight = model["head"].linear.weight
    torch.testing.assert_close(weight.grad.full_tensor(), whole["head"].linear.weight.grad)
    torch.testing.assert_close(model["body"].weight.grad.full_tensor(), whole["body"].weight.grad)
    dist.all_reduce(loss.detach_())
    if rank == 0:
        print(f"손실 {loss / RANKS:.4f}, 한 번에 {expected:.4f}. 랭크가 가진 조각 {tuple(weight.to_local().shape)}, 전체 {tuple(weight.shape)}")
    torch.testing.assert_close(loss / RANKS, expected.detach())
    sys.stdout.flush()
    os._exit(0)  # 나눈 모델이 모임을 놓지 않아, 그대로 끝나면 gloo의 스레드가 뒤늦게 죽을 수 있습니다


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    mp.spawn(work, (port,), RANKS)
