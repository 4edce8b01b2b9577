"선형층까지 한 번에 셈하는 손실의 시간과 메모리. 글 12의 그림이 이 결과를 읽습니다. `python -m benchmarks.linear`로 이것만 잽니다."

import ctypes
import gc
import json
import platform
import statistics
import time
from pathlib import Path

import torch
from torch.nn import functional as F

from crossent import linear
from crossent.linear import linear_cross_entropy

N, H, V = 2048, 512, 32000
ROWS = (16, 32, 64, 128, 192, 256, 512)


def problem():
    "모든 상대가 함께 쓰는 입력, 가중치, 정답."
    torch.manual_seed(0)
    x = (torch.randn(N, H) / 2).requires_grad_()
    w = (torch.randn(V, H) / 20).requires_grad_()
    return x, w, torch.randint(0, V, (N,))


def contenders(x, w, y):
    "이름 → 손실과 기울기를 한 번 구하는 함수. floor는 행렬 곱 세 번입니다."

    def grads(loss):
        return torch.autograd.grad(loss, (x, w))

    def three_products():
        with torch.no_grad():
            z = x @ w.T
            return z @ w, z.T @ x

    found = {
        "floor": three_products,
        "plain": lambda: grads(F.cross_entropy(F.linear(x, w), y)),
        "linear_cross_entropy": lambda: grads(linear_cross_entropy(x, w, y)),
    }
    if hasattr(F, "linear_cross_entropy"):
        options = torch.nn.LinearCrossEntropyOptions()
        found["torch"] = lambda: grads(F.linear_cross_entropy(x, w, y, options=options))
    return found


def seconds_of(function):
    "한 번 부르는 데 걸린 초."
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def interleaved(functions, repeats):
    "몸을 풀고, 번갈아 재서 이름마다 잰 값의 목록을 돌려줍니다."
    for function in functions.values():
        function()
    runs = {name: [] for name in functions}
    for _ in range(repeats):
        for name, function in functions.items():
            runs[name].append(seconds_of(function))
    return runs


def median_ratio(above, below):
    "같은 바퀴끼리 나눈 비의 가운데 값."
    return statistics.median(a / b for a, b in zip(above, below))


def peak_megabytes(function, returned):
    "부르는 동안 더 쓴 물리 메모리의 꼭대기(MB). 돌려받는 기울기의 바이트는 뺍니다. 리눅스에서만 잽니다."
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # 할당기가 쥐고 있는 빈 쪽을 돌려주어야 새로 쓰는 것이 보입니다
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")
    before = _status("VmRSS")
    function()
    return (_status("VmHWM") - before - returned) / 1e6


def _status(key):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def steps(x, w, y, rows=192):
    "블록 하나를 걸음마다 재고 블록 수를 곱합니다."
    with torch.no_grad():
        hidden, answers, none = x[:rows], y[:rows], linear._Options()
        logits, d_hidden, d_weight = torch.empty(rows, V), torch.empty(rows, H), torch.zeros(V, H)

        def soft():
            seen = linear._losses_and_probs(logits, answers, None, none)
            linear._probs_to_grads(logits, seen, answers, None, none)

        parts = {
            "whole": lambda: torch.mm(hidden, w.T, out=logits),
            "$XW^T$": lambda: linear._project(hidden, w, None, logits),
            "소프트맥스와 나머지": soft,
            "$GW$": lambda: torch.mm(logits, w, out=d_hidden),
            "$G^TX$": lambda: linear._accumulate(d_weight, logits, hidden, first=False),
        }
        runs = interleaved(parts, 7)
    return {name: statistics.median(times) * N / rows for name, times in runs.items()}


def by_rows(x, w, y, repeats):
    "블록의 줄 수를 바꾸어 가며 잽니다. 블록 크기를 정하는 두 상수를 잠시 바꿉니다."
    saved = linear.BLOCK_NUMBERS, linear.FEWEST_ROWS

    def with_rows(rows):
        linear.BLOCK_NUMBERS, linear.FEWEST_ROWS = 0, rows
        torch.autograd.grad(linear_cross_entropy(x, w, y), (x, w))

    functions = {rows: lambda rows=rows: with_rows(rows) for rows in ROWS}
    functions["floor"] = contenders(x, w, y)["floor"]
    try:
        return {str(rows): statistics.median(times) for rows, times in interleaved(functions, repeats).items()}
    finally:
        linear.BLOCK_NUMBERS, linear.FEWEST_ROWS = saved


def measure(repeats=7):
    "글 12가 읽을 결과 한 벌."
    x, w, y = problem()
    functions = contenders(x, w, y)
    runs = interleaved(functions, repeats)
    ours = runs["linear_cross_entropy"]
    gradients = 4 * (x.numel() + w.numel())
    memory = {name: peak_megabytes(f, gradients) for name, f in functions.items() if name != "floor"}
    rows, parts = by_rows(x, w, y, max(3, repeats // 2)), steps(x, w, y)
    return {
        "machine": processor(),
        "shape": [N, H, V],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "seconds": {name: statistics.median(times) for name, times in runs.items()},
        "times_faster": {name: median_ratio(runs[name], ours) for name in runs if name in ("plain", "torch")},
        "over_floor": median_ratio(ours, runs["floor"]),
        "memory": memory,
        "logits": 4 * N * V / 1e6,
        "rows_floor": rows.pop("floor"),
        "rows": rows,
        "whole_projection": parts.pop("whole"),
        "steps": parts,
    }


def processor():
    "이 컴퓨터의 처리기 이름."
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    torch.set_num_threads(2)
    path = Path(__file__).parent.parent / "nbs" / "data" / "benchmarks.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept["linear"] = measure()
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    print(json.dumps(kept["linear"], ensure_ascii=False, indent=1))
