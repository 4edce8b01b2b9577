"선형층까지 한 번에 셈하는 손실의 시간과 메모리. 글 12의 그림이 이 결과를 읽습니다. `python -m benchmarks linear`로 이것만 잽니다."

import statistics

import torch
from torch.nn import functional as F

from benchmarks.harness import interleaved, medians, peak_megabytes, processor, ratios
from crossent import linear
from crossent.linear import linear_cross_entropy

N, H, V = 2048, 512, 32000
ROWS = (32, 64, 128, 160, 256, 512)


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


def steps(x, w, y):
    "블록 하나를 걸음마다 재고 블록 수를 곱합니다. 곱셈은 torch.mm에 맡긴 것도 함께."
    rows = linear.rows_per_block(N, V)
    with torch.no_grad():
        hidden, answers, none = x[:rows], y[:rows], linear._Options()
        logits, d_hidden, d_weight = torch.empty(rows, V), torch.empty(rows, H), torch.zeros(V, H)

        def soft():
            seen = linear._losses_and_probs(logits, answers, None, none)
            linear._probs_to_grads(logits, seen, answers, None, none)

        parts = {
            "$XW^T$": lambda: linear._project(hidden, w, None, logits),
            "$GW$": lambda: linear._product(logits, w, out=d_hidden),
            "$G^TX$": lambda: linear._accumulate(d_weight, logits, hidden, first=False),
            "소프트맥스와 나머지": soft,
        }
        bare = {
            "$XW^T$": lambda: torch.mm(hidden, w.T, out=logits),
            "$GW$": lambda: torch.mm(logits, w, out=d_hidden),
            "$G^TX$": lambda: torch.addmm(d_weight, logits.T, hidden, out=d_weight),
        }
        runs = interleaved(parts | {name + "mm": function for name, function in bare.items()}, 7, warm_up=1)
    seconds = {name: second * N / rows for name, second in medians(runs).items()}
    return {name: seconds[name] for name in parts}, {name: seconds[name + "mm"] for name in bare}


def by_rows(x, w, y, repeats):
    "블록의 줄 수를 바꾸어 가며 잽니다. 블록 크기를 정하는 두 상수를 잠시 바꿉니다."
    saved = linear.BLOCK_NUMBERS, linear.FEWEST_ROWS

    def with_rows(rows):
        linear.BLOCK_NUMBERS, linear.FEWEST_ROWS = 0, rows
        torch.autograd.grad(linear_cross_entropy(x, w, y), (x, w))

    functions = {rows: lambda rows=rows: with_rows(rows) for rows in ROWS}
    functions["floor"] = contenders(x, w, y)["floor"]
    try:
        return {str(rows): second for rows, second in medians(interleaved(functions, repeats, warm_up=1)).items()}
    finally:
        linear.BLOCK_NUMBERS, linear.FEWEST_ROWS = saved


def measure(repeats=11):
    "글 12가 읽을 결과 한 벌."
    x, w, y = problem()
    functions = contenders(x, w, y)
    runs = interleaved(functions, repeats, warm_up=1)
    ours = "linear_cross_entropy"
    gradients = 4 * (x.numel() + w.numel()) / 1e6  # 누구나 돌려주어야 하는 것은 뺍니다
    memory = {name: (peak_megabytes(f) or gradients) - gradients for name, f in functions.items() if name != "floor"}
    rows, (parts, bare) = by_rows(x, w, y, 3), steps(x, w, y)
    return {
        "machine": processor(),
        "shape": [N, H, V],
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "seconds": medians(runs),
        "times_faster": {name: ratio for name, ratio in ratios(runs, ours).items() if name != "floor"},
        "over_floor": statistics.median(a / b for a, b in zip(runs[ours], runs["floor"])),
        "memory": memory,
        "logits": 4 * N * V / 1e6,
        "rows_floor": rows.pop("floor"),
        "rows": rows,
        "steps": parts,
        "mm": bare,
    }


def show(result):
    "터미널에 찍을 표."
    print(f"선형층까지 (N, H, V) = {tuple(result['shape'])}, float32")
    for name, second in result["seconds"].items():
        extra = f"{result['memory'][name]:8.1f} MB" if name in result["memory"] else ""
        print(f"  {name:<22}{second:8.3f} 초  바닥의 {second / result['seconds']['floor']:5.2f}배  {extra}")
    faster = ", ".join(f"{name}보다 {ratio:.2f}배" for name, ratio in result["times_faster"].items())
    print(f"  linear_cross_entropy는 {faster} 빠르고, 바닥의 {result['over_floor']:.2f}배입니다.")
