"PyTorch의 `loss_parallel`과 글 13의 함수를 같은 로짓 조각에. `python nbs/practice/loss_parallel.py`"

import os
import socket
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard, distribute_tensor
from torch.distributed.tensor.parallel import loss_parallel
from torch.nn import functional as F

from crossent.parallel import vocab_parallel_cross_entropy

RANKS, N, VOCABULARY = 2, 6, 101


def work(rank, port):
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=str(port))
    dist.init_process_group("gloo", rank=rank, world_size=RANKS)
    mesh = init_device_mesh("cpu", (RANKS,))
    torch.manual_seed(0)
    whole, target = torch.randn(N, VOCABULARY), torch.randint(VOCABULARY, (N,))
    truth = F.cross_entropy(whole.requires_grad_(), target)
    (expected,) = torch.autograd.grad(truth, whole)

    shards = distribute_tensor(whole.detach(), mesh, [Shard(1)]).requires_grad_()
    with loss_parallel():
        theirs = F.cross_entropy(shards, target)
        theirs.backward()

    mine = shards.detach().to_local().clone().requires_grad_()  # 51칸과 50칸
    ours = vocab_parallel_cross_entropy(mine, target)
    ours.backward()
    torch.testing.assert_close(theirs.full_tensor().detach(), truth.detach())
    torch.testing.assert_close(ours.detach(), truth.detach())
    torch.testing.assert_close(mine.grad, shards.grad.to_local())
    torch.testing.assert_close(DTensor.from_local(mine.grad, mesh, [Shard(1)], shape=whole.shape, stride=whole.stride()).full_tensor(), expected)
    smooth = vocab_parallel_cross_entropy(mine.detach(), target, label_smoothing=0.1)
    torch.testing.assert_close(smooth, F.cross_entropy(whole.detach(), target, label_smoothing=0.1))
    if rank == 0:
        print(f"loss_parallel {theirs.full_tensor():.4f}, crossent.parallel {ours:.4f}, 나누지 않고 {truth:.4f}")
        print(f"스무딩까지 {smooth:.4f} (loss_parallel은 오류를 냅니다)")
    sys.stdout.flush()
    os._exit(0)  # DTensor가 모임을 놓지 않아, 그대로 끝나면 gloo의 스레드가 뒤늦게 죽을 수 있습니다


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    mp.spawn(work, (port,), RANKS)
