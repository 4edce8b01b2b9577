"`crossent.cross_entropy`를 PyTorch와 나란히 잽니다. 글 11의 표와 그림이 이 결과를 읽습니다."

import platform

import torch
from torch.nn import functional as F

from benchmarks.harness import give_back_memory, interleaved, machine, medians, paired, peak_megabytes, settle_allocator
from crossent import autograd, loss
from crossent.loss import cross_entropy

SHAPES = {(1024, 32000): 15, (512, 128256): 15, (512, 3000): 60, (8, 3000): 300, (64, 10): 300}
MIDDLE = (512, 3000)  # 메모리를 어디서 얻느냐로 갈리는 크기: 새 쪽을 받아야 할 때도 잽니다
NAMES = {"torch": "F.cross_entropy", "compile": "torch.compile", "draft": "초안(글 06)", "ours": "crossent", "floor": "바닥"}


def step(function, x, y):
    "손실과 기울기를 한 번."
    x = x.detach().requires_grad_()
    function(x, y).backward()
    return x.grad


def write_gradient(x):
    "바닥: 새 기울기 자리를 얻어 한 번 쓰기."
    return loss._new_gradient(x).fill_(1.0)


def readable(x, y):
    "글 06의 읽기 좋은 Function."
    return autograd.NegativeLogLikelihoodLoss.apply(autograd.LogSoftmax.apply(x, 1), y)


def contenders(x, y, compiled):
    "이름 → 한 번 돌리는 함수."
    functions = {"ours": cross_entropy, "torch": F.cross_entropy}
    if x.dtype == torch.float32 and x.device.type == "cpu":
        functions["draft"] = readable
    functions["compile"] = compiled
    return {name: lambda function=function: step(function, x, y) for name, function in functions.items()}


def one_shape(shape, dtype, repeats, compiled, device="cpu"):
    "한 크기를 상대마다 우리와 번갈아 잽니다."
    torch.manual_seed(0)
    x, y = torch.randn(shape, device=device).to(dtype), torch.randint(shape[1], shape[:1], device=device)
    settle_allocator()
    functions = contenders(x, y, compiled)
    seconds, faster = paired(functions, "ours", repeats, device)
    floor = min(interleaved({"floor": lambda: write_gradient(x)}, repeats, device)["floor"])  # 바닥은 가장 빠른 한 번
    result = {"shape": list(shape), "dtype": str(dtype).replace("torch.", ""), "device": device}
    result |= {"seconds": seconds | {"floor": floor}, "times_faster": faster}
    if shape != MIDDLE or platform.system() != "Linux":
        return result
    two = {name: functions[name] for name in ("ours", "torch")}
    return result | {"new_pages": paired(two, "ours", repeats, before=give_back_memory)[1]["torch"]}


def copy_fraction(result, shape, dtype):
    "GPU: 로짓을 한 번 읽고 기울기를 한 번 쓰는 시간이 복사 대역폭의 몇 분의 일인지."
    source = torch.empty(shape, dtype=dtype, device="cuda")
    target = torch.empty_like(source)
    copy = medians(interleaved({"copy": lambda: target.copy_(source)}, 20, "cuda"))["copy"]
    return copy / result["seconds"]["ours"]


def memory(shape=(1024, 32000)):
    "한 번 돌리는 동안 더 쓴 메모리의 꼭대기(MB). 로짓은 미리 있고, 기울기는 포함됩니다."
    x, y = torch.randn(shape), torch.randint(shape[1], shape[:1])

    def quiet(function):
        with torch.no_grad():
            return function(x, y)

    functions = {"torch": F.cross_entropy, "ours": cross_entropy, "draft": readable}
    peaks = {name: peak_megabytes(lambda f=function: step(f, x, y)) for name, function in functions.items()}
    silent = {name: peak_megabytes(lambda f=function: quiet(f)) for name, function in functions.items() if name != "draft"}
    return {"logits": x.nbytes / 1e6, "block": loss._CPU_BLOCK * 4 / 1e6, "step": peaks, "no_grad": silent}


def blocks(shape=(1024, 32000), powers=range(12, 26)):
    "블록의 크기를 바꾸어 가며 잽니다."
    torch.manual_seed(0)
    x, y = torch.randn(shape), torch.randint(shape[1], shape[:1])
    kept = loss._CPU_BLOCK

    def with_block(power):
        loss._CPU_BLOCK = 2**power
        step(cross_entropy, x, y)

    try:
        return medians(interleaved({str(p): lambda p=p: with_block(p) for p in powers}, 9, warm_up=1))
    finally:
        loss._CPU_BLOCK = kept


def softmax_ways():
    "가운데 크기에서 확률 / N을 구하기: softmax로 하면, 2의 거듭제곱으로 한 번에 할 때의 몇 배 걸리는지."
    x = torch.randn(MIDDLE, generator=torch.Generator().manual_seed(0))
    settle_allocator()

    def by_exp2():
        exps, total = loss._exponentials(x)
        return exps.div_(total.mul_(len(x)))

    functions = {"exp2": by_exp2, "softmax": lambda: torch.softmax(x, 1).div_(len(x))}
    return paired(functions, "exp2", 100)[1]["softmax"]


def random_case(generator):
    "로짓과 정답 하나: 보통, 확신하는, ±1e4의, −inf가 섞인 로짓. 작은 부름보다 큽니다."
    rows = 2048
    x = torch.randn(rows, int(torch.randint(260, 1000, (), generator=generator)), generator=generator)
    assert x.numel() >= loss._SMALL
    kind = int(torch.randint(4, (), generator=generator))
    x = x * (1, 20, 1e4, 1)[kind]
    y = torch.randint(x.shape[1], (rows,), generator=generator)
    if kind == 3:
        x[torch.rand(x.shape, generator=generator) < 0.3] = -torch.inf
        x[torch.arange(rows), y] = 0.0
    return x, y


def errors(cases=2000):
    "float64 참값에서 벗어난 정도의 분포: 손실은 상대 오차, 기울기는 가장 큰 상대 오차."
    generator = torch.Generator().manual_seed(0)
    found = {"torch": {"loss": [], "gradient": []}, "ours": {"loss": [], "gradient": []}}
    for _ in range(cases):
        x, y = random_case(generator)
        true = x.double().requires_grad_()
        F.cross_entropy(true, y).backward()
        truth = F.cross_entropy(true.detach(), y)
        for name, function in {"torch": F.cross_entropy, "ours": cross_entropy}.items():
            z = x.clone().requires_grad_()
            value = function(z, y)
            value.backward()
            floor = torch.finfo(torch.float32).tiny
            found[name]["loss"].append(float((value.detach().double() - truth).abs() / truth.abs().clamp(min=floor)))
            off = (z.grad.double() - true.grad).abs() / true.grad.abs().clamp(min=1e-12)
            found[name]["gradient"].append(float(off.max()))
    points = torch.tensor([0.5, 0.9, 0.99, 1.0], dtype=torch.float64)
    quantiles = {
        name: {part: torch.tensor(v, dtype=torch.float64).quantile(points).tolist() for part, v in parts.items()}
        for name, parts in found.items()
    }
    return {"cases": cases, "points": points.tolist()} | quantiles


def measure():
    "글 11이 읽을 결과 한 벌."
    compiled = torch.compile(F.cross_entropy, dynamic=False)
    results = []
    for dtype in (torch.float32, torch.bfloat16):
        for shape, repeats in SHAPES.items():
            torch.compiler.reset()
            results.append(one_shape(shape, dtype, repeats, compiled))
    if torch.cuda.is_available():
        for shape in ((8192, 32000), (4096, 128256)):
            torch.compiler.reset()
            result = one_shape(shape, torch.bfloat16, 20, compiled, "cuda")
            results.append(result | {"copy_fraction": copy_fraction(result, shape, torch.bfloat16)})
    found = {"machine": machine(), "runs": results, "softmax_ways": softmax_ways()}
    return found | {"memory": memory(), "blocks": blocks(), "errors": errors()}


def show(result):
    "터미널에 표로."
    print(f"{'크기':>16} {'자료형':>9} {'crossent':>10}   우리보다 몇 배 걸렸나")
    for run in result["runs"]:
        others = "  ".join(f"{NAMES[name]} {value:.2f}" for name, value in run["times_faster"].items())
        print(f"{str(tuple(run['shape'])):>16} {run['dtype']:>9} {run['seconds']['ours'] * 1e3:8.3f}ms   {others}")
        if "new_pages" in run:
            print(f"{'':>16} 새 쪽을 받아야 할 때는 F.cross_entropy {run['new_pages']:.2f}")
        if "copy_fraction" in run:
            print(f"{'':>16} 복사 대역폭의 {run['copy_fraction']:.0%}")
    print(f"{MIDDLE}의 확률 / N: softmax로 하면 2의 거듭제곱으로 할 때의 {result['softmax_ways']:.2f}배")
    print("메모리 꼭대기(MB):", result["memory"])
    print(f"상대 오차의 {result['errors']['points']} 분위 ({result['errors']['cases']}번):")
    for name in ("torch", "ours"):
        for part, values in result["errors"][name].items():
            print(f"{NAMES[name]:>16} {part:>9} " + "  ".join(f"{value:.1e}" for value in values))
