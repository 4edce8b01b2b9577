"`crossent.cross_entropy`를 PyTorch와 나란히 잽니다. 글 11의 표와 그림이 이 결과를 읽습니다."

import json
import resource
import statistics

import torch
from torch.nn import functional as F

from benchmarks.harness import ALLOCATORS, in_fresh_process, interleaved, machine, medians, paired, peak_megabytes, ratios, settle_allocator
from crossent import autograd
from crossent.loss import FEW, SMALL, cross_entropy
from crossent.plumbing import blocks

SHAPES = {
    (1024, 32000): 11,
    (512, 128256): 11,
    (512, 3000): 60,
    (256, 1000): 200,
    (8, 3000): 300,
    (64, 10): 300,
    (1000000, 2): 21,
    (8, 21, 512, 512): 7,
}
COMPILED = ((1024, 32000), (512, 128256))  # torch.compile과 글 06의 Function은 이 크기에서만 잽니다
NAMES = {"torch": "F.cross_entropy", "compile": "torch.compile", "readable": "글 06의 Function", "ours": "crossent"}


def step(function, x, y):
    "손실과 기울기를 한 번."
    x = x.detach().requires_grad_()
    function(x, y).backward()
    return x.grad


def readable(x, y):
    "글 06의 읽기 좋은 Function."
    return autograd.NegativeLogLikelihoodLoss.apply(autograd.LogSoftmax.apply(x, 1), y)


def problem(shape, dtype=torch.float32, device="cpu"):
    "무작위 로짓과 정답."
    torch.manual_seed(0)
    x = torch.randn(shape, device=device).to(dtype)
    return x, torch.randint(shape[1], shape[:1] + shape[2:], device=device)


def one_shape(shape, dtype, repeats, compiled, device="cpu"):
    "한 크기를 상대마다 우리와 번갈아 잽니다."
    x, y = problem(shape, dtype, device)
    settle_allocator()
    functions = {"ours": cross_entropy, "torch": F.cross_entropy}
    if shape in COMPILED and dtype == torch.float32:
        functions |= {"readable": readable, "compile": compiled}
    steps = {name: lambda function=function: step(function, x, y) for name, function in functions.items()}
    seconds, faster = paired(steps, "ours", repeats, device)
    return {"shape": list(shape), "dtype": str(dtype).replace("torch.", ""), "device": device, "seconds": seconds, "times_faster": faster}


def faults_of(function):
    "한 번 부르는 동안의 페이지 폴트 수."
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    function()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def changed(**settings):
    "plumbing.blocks의 수를 바꾸고 한 걸음 도는 함수를 만듭니다."

    def run(x, y):
        kept = {name: getattr(blocks, name) for name in settings}
        try:
            for name, value in settings.items():
                setattr(blocks, name, value)
            return step(cross_entropy, x, y)
        finally:
            for name, value in kept.items():
                setattr(blocks, name, value)

    return run


def on_one_thread(run):
    "스레드 하나로 도는 함수."

    def alone(x, y):
        kept = torch.get_num_threads()
        try:
            torch.set_num_threads(1)
            return run(x, y)
        finally:
            torch.set_num_threads(kept)

    return alone


EVERYTHING = 2**62  # 로짓을 통째로 한 블록에


def ablation(shape=(1024, 32000), repeats=11):
    "하나씩 빼 보기: 큰 페이지, 블록, 둘 다, 스레드. 합치기까지 빼면 F.cross_entropy입니다."
    x, y = problem(shape)
    ours, theirs = changed(), lambda x, y: step(F.cross_entropy, x, y)
    ways = {
        "ours": ours,
        "no_huge": changed(HUGE=EVERYTHING),
        "no_blocks": changed(BLOCK=EVERYTHING),
        "neither": changed(HUGE=EVERYTHING, BLOCK=EVERYTHING),
        "torch": theirs,
        "ours_one_thread": on_one_thread(ours),
        "torch_one_thread": on_one_thread(theirs),
    }
    functions = {name: lambda way=way: way(x, y) for name, way in ways.items()}
    runs = interleaved(functions, repeats)
    faults = {name: statistics.median(faults_of(function) for _ in range(3)) for name, function in functions.items()}
    return {"shape": list(shape), "seconds": medians(runs), "times_ours": ratios(runs, "ours"), "faults": faults}


def confident(shape=(1024, 32000), repeats=11, sure=0.7):
    "학습이 된 모델처럼 열에 일곱은 확신하는 로짓에서도 같은지."
    x, y = problem(shape)
    rows = torch.rand(shape[0]) < sure
    x[torch.arange(shape[0]), y] += torch.where(rows, 14.0, 0.0)
    functions = {"ours": lambda: step(cross_entropy, x, y), "torch": lambda: step(F.cross_entropy, x, y)}
    return paired(functions, "ours", repeats)[1]["torch"]


def memory(shape=(1024, 32000)):
    "한 번 돌리는 동안 더 쓴 메모리의 최댓값(MB). 로짓은 미리 있고, 돌려줄 기울기는 포함됩니다."
    x, y = problem(shape)

    def quiet(function):
        with torch.no_grad():
            return function(x, y)

    functions = {"torch": F.cross_entropy, "ours": cross_entropy, "readable": readable}
    peaks = {name: peak_megabytes(lambda f=function: step(f, x, y)) for name, function in functions.items()}
    silent = {name: peak_megabytes(lambda f=function: quiet(f)) for name, function in functions.items() if name != "readable"}
    return {"logits": x.nbytes / 1e6, "block": blocks.SCRATCH * 4 / 1e6, "step": peaks, "no_grad": silent}


def block_sizes(shape=(1024, 32000), powers=range(12, 26)):
    "블록의 크기를 바꾸어 가며 잽니다."
    x, y = problem(shape)
    functions = {str(power): lambda run=changed(BLOCK=2**power): run(x, y) for power in powers}
    return medians(interleaved(functions, 9, warm_up=1))


def random_case(generator):
    "로짓과 정답 하나: 보통, 확신하는, ±1e4의, −inf가 섞인 로짓. 블록으로 가는 크기입니다."
    rows = 9000
    x = torch.randn(rows, int(torch.randint(260, 1000, (), generator=generator)), generator=generator)
    assert x.numel() - FEW * rows >= SMALL
    kind = int(torch.randint(4, (), generator=generator))
    x = x * (1, 20, 1e4, 1)[kind]
    y = torch.randint(x.shape[1], (rows,), generator=generator)
    if kind == 3:
        x[torch.rand(x.shape, generator=generator) < 0.3] = -torch.inf
        x[torch.arange(rows), y] = 0.0
    return x, y


def errors(cases=100):
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


def pairs():
    "한 할당기 설정에서 잰 짝들. 새 프로세스에서 부릅니다."
    torch.set_num_threads(min(2, torch.get_num_threads()))
    compiled = torch.compile(F.cross_entropy, dynamic=False)
    runs = []
    for dtype in (torch.float32, torch.bfloat16):
        for shape, repeats in SHAPES.items():
            torch.compiler.reset()
            runs.append(one_shape(shape, dtype, repeats, compiled))
    if torch.cuda.is_available():
        for shape in ((8192, 32000), (4096, 128256)):
            torch.compiler.reset()
            runs.append(one_shape(shape, torch.bfloat16, 20, compiled, "cuda"))
    return {"runs": runs, "ablation": ablation(), "confident": confident()}


def measure():
    "글 11이 읽을 결과 한 벌. 짝들은 할당기 설정마다 새 프로세스에서 잽니다."
    found = {name: in_fresh_process("benchmarks.loss", setting) for name, setting in ALLOCATORS.items()}
    return {"machine": machine(), **found, "memory": memory(), "blocks": block_sizes(), "errors": errors()}


def show(result):
    "터미널에 표로."
    print(f"{'크기':>20} {'자료형':>9} {'crossent':>10}   우리보다 몇 배 걸렸나 (그대로 · THP를 켜고)")
    for run, huge in zip(result["plain"]["runs"], result["thp"]["runs"]):
        others = "  ".join(f"{NAMES[name]} {value:.2f} · {huge['times_faster'][name]:.2f}" for name, value in run["times_faster"].items())
        print(f"{str(tuple(run['shape'])):>20} {run['dtype']:>9} {run['seconds']['ours'] * 1e3:8.3f}ms   {others}")
    for name in ALLOCATORS:
        found = result[name]["ablation"]
        print(f"하나씩 빼기({name}), 우리의 몇 배:", {way: round(value, 2) for way, value in found["times_ours"].items()}, "폴트", found["faults"])
        print(f"확신하는 로짓({name}):", round(result[name]["confident"], 2))
    print("메모리의 최댓값(MB):", result["memory"])
    print(f"상대 오차의 {result['errors']['points']} 분위 ({result['errors']['cases']}번):")
    for name in ("torch", "ours"):
        for part, values in result["errors"][name].items():
            print(f"{NAMES[name]:>16} {part:>9} " + "  ".join(f"{value:.1e}" for value in values))


if __name__ == "__main__":
    print(json.dumps(pairs()))
