"선형층까지 한 번에 계산하는 손실의 시간과 메모리. 글 12의 표와 그림이 이 결과를 읽습니다. `python -m benchmarks linear`로 이것만 잽니다."

import json

import torch
from torch.nn import functional as F

from benchmarks.harness import ALLOCATORS, in_fresh_process, interleaved, machine, medians, peak_megabytes, ratios
from crossent.core import sweep
from crossent.core.sweep import TORCH_MM
from crossent.linear import linear_cross_entropy
from crossent.plumbing import linear_function

N, H, V = 2048, 512, 32000
ROWS = (32, 64, 128, 160, 256, 512)
NAMES = {
    "products": "행렬 곱 셋",
    "plain": "평범한 두 줄",
    "ours": "crossent",
    "ours_mm": "crossent, torch.mm으로",
    "torch": "torch의 조각",
}


def problem():
    "모든 상대가 함께 쓰는 입력, 가중치, 정답."
    torch.manual_seed(0)
    x = (torch.randn(N, H) / 2).requires_grad_()
    w = (torch.randn(V, H) / 20).requires_grad_()
    return x, w, torch.randint(0, V, (N,))


def contenders(x, w, y):
    "이름 → 손실과 기울기를 한 번 구하는 함수. products는 torch.mm 세 번입니다."

    def grads(loss):
        return torch.autograd.grad(loss, (x, w))

    def three_products():
        with torch.no_grad():
            z = x @ w.T
            return z @ w, z.T @ x

    def with_torch_mm():
        kept, linear_function.FASTEST = linear_function.FASTEST, TORCH_MM
        try:
            return grads(linear_cross_entropy(x, w, y))
        finally:
            linear_function.FASTEST = kept

    found = {
        "products": three_products,
        "plain": lambda: grads(F.cross_entropy(F.linear(x, w), y)),
        "ours": lambda: grads(linear_cross_entropy(x, w, y)),
        "ours_mm": with_torch_mm,
    }
    if hasattr(F, "linear_cross_entropy"):
        options = torch.nn.LinearCrossEntropyOptions()
        found["torch"] = lambda: grads(F.linear_cross_entropy(x, w, y, options=options))
    return found


def by_rows(x, w, y, repeats=3):
    "블록의 줄 수를 바꾸어 가며 잽니다. 블록 크기를 정하는 두 상수를 잠시 바꿉니다."
    saved = sweep.BLOCK_NUMBERS, sweep.FEWEST_ROWS

    def with_rows(rows):
        sweep.BLOCK_NUMBERS, sweep.FEWEST_ROWS = 0, rows
        torch.autograd.grad(linear_cross_entropy(x, w, y), (x, w))

    functions = {str(rows): lambda rows=rows: with_rows(rows) for rows in ROWS}
    try:
        return medians(interleaved(functions, repeats, warm_up=1))
    finally:
        sweep.BLOCK_NUMBERS, sweep.FEWEST_ROWS = saved


def pairs(repeats=9):
    "한 할당기 설정에서 잰 시간. 새 프로세스에서 부릅니다."
    torch.set_num_threads(min(2, torch.get_num_threads()))
    runs = interleaved(contenders(*problem()), repeats, warm_up=1)
    return {"seconds": medians(runs), "times_plain": {name: 1 / ratio for name, ratio in ratios(runs, "plain").items()}}


def memory():
    "한 번 돌리는 동안 더 쓴 메모리의 최댓값(MB). 돌려줄 기울기도 들어 있습니다. 평범한 두 줄은 최댓값일 때 기울기가 아직 없습니다."
    x, w, y = problem()
    peaks = {name: peak_megabytes(f) for name, f in contenders(x, w, y).items() if name != "products"}
    return {"peak": peaks, "gradients": 4 * (x.numel() + w.numel()) / 1e6, "logits": 4 * N * V / 1e6}


def measure():
    "글 12가 읽을 결과 한 벌."
    found = {name: in_fresh_process("benchmarks.linear", setting) for name, setting in ALLOCATORS.items()}
    return {"machine": machine(), "shape": [N, H, V], **found, "memory": memory(), "rows": by_rows(*problem())}


def show(result):
    "터미널에 찍을 표."
    print(f"선형층까지 (N, H, V) = {tuple(result['shape'])}, float32. 평범한 두 줄의 몇 배 빠른지 (그대로 · THP를 켜고)")
    for name, second in result["plain"]["seconds"].items():
        faster = [result[setting]["times_plain"].get(name, 1.0) for setting in ALLOCATORS]
        peak = result["memory"]["peak"].get(name)
        print(f"  {NAMES[name]:<22}{second:8.3f} 초  {faster[0]:.2f} · {faster[1]:.2f}  {'' if peak is None else f'{peak:8.1f} MB'}")
    print("  기울기", result["memory"]["gradients"], "MB, 로짓", result["memory"]["logits"], "MB")


if __name__ == "__main__":
    print(json.dumps(pairs()))
