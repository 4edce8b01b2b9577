"""GPU에서 crossent.triton을 F.cross_entropy, torch.compile, 그리고 깔려 있다면 Liger Kernel, cut-cross-entropy와 나란히 잽니다.

잴 때마다 먼저 GPU에 다른 일을 1밀리초 넘게 시킵니다. 학습하는 프로그램처럼 CPU가 일을 미리 보내 두게 하고, 캐시를 비웁니다.
호출이 돌아올 때까지의 시간은 따로 잽니다. GPU가 없으면 재지 않습니다. 글 18의 표가 이 결과를 읽습니다.
"""

import statistics
import time
from importlib.metadata import version
from importlib.util import find_spec

import torch
from torch.nn import functional as F

from benchmarks.harness import machine, paired

LOSS = ((8192, 32000), (4096, 128256), (8192, 50257), (8192, 50304), (65536, 1024), (512, 3072), (1000000, 16))
LINEAR = ((8192, 4096, 32000), (8192, 2048, 128256))
BLOCKS, EACH = (1024, 2048, 4096, 8192), (8, 16, 32, 64)
ROWS = (512, 1024, 2048, 4096, 8192)
NAMES = {
    "ours": "crossent.triton",
    "plain": "crossent",
    "torch": "PyTorch",
    "compile": "torch.compile",
    "liger": "Liger Kernel",
    "liger32": "Liger (float32)",
    "cce": "CCE",
}


def stepped(function, *leaves):
    "손실과 기울기를 한 번 구하는 함수."
    leaves = [leaf.detach().requires_grad_() for leaf in leaves]
    return lambda: torch.autograd.grad(function(*leaves), leaves)


def peak_megabytes(step):
    "한 번 도는 동안 더 쓴 GPU 메모리의 최댓값(MB)."
    step()
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step()
    return (torch.cuda.max_memory_allocated() - before) / 1e6


def issue_seconds(step):
    "호출이 돌아올 때까지의 초. GPU를 기다리지 않는 함수라면 일을 보내는 데만 쓴 시간입니다."
    found = []
    for _ in range(20):
        torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def losses(y):
    "로짓에서 손실까지: 이름 → 로짓을 받는 함수."
    from crossent.triton import cross_entropy

    compiled = torch.compile(F.cross_entropy, dynamic=False)
    found = {"ours": lambda z: cross_entropy(z, y), "torch": lambda z: F.cross_entropy(z, y), "compile": lambda z: compiled(z, y)}
    if find_spec("liger_kernel"):  # 로짓을 기울기로 덮어씁니다. 잴 때마다 되돌려 놓습니다
        from liger_kernel.transformers.functional import liger_cross_entropy

        found["liger"] = lambda z: liger_cross_entropy(z, y)
    return found


def linear_losses(y):
    "은닉 벡터에서 손실까지."
    import crossent
    from crossent.triton import linear_cross_entropy

    def two_lines(x, w):
        return F.cross_entropy(F.linear(x, w), y)

    found = {"ours": lambda x, w: linear_cross_entropy(x, w, y), "plain": lambda x, w: crossent.linear_cross_entropy(x, w, y)}
    found |= {"torch": two_lines, "compile": torch.compile(two_lines, dynamic=False)}
    if find_spec("liger_kernel"):
        from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

        found["liger"] = lambda x, w: liger_fused_linear_cross_entropy(x, w, y)
        found["liger32"] = lambda x, w: liger_fused_linear_cross_entropy(x, w, y, accum_dtype=torch.float32)
    if find_spec("cut_cross_entropy"):
        from cut_cross_entropy import linear_cross_entropy as cut

        found["cce"] = lambda x, w: cut(x, w, y)
    return found


def busy(*restored):
    "재기 전에 시킬 일: (텐서, 원본) 짝을 되돌려 놓고, 4 GB를 0으로 채워 캐시를 비웁니다."
    flushed = torch.empty(2**30, dtype=torch.int8, device="cuda")

    def work():
        for tensor, kept in restored:
            tensor.copy_(kept)
        for _ in range(4):
            flushed.zero_()

    return work


def compared(functions, leaves, repeats, before):
    "이름마다 가운데 초, 우리보다 몇 배 걸렸나, 메모리, CPU가 보내는 초."
    steps = {name: stepped(function, *leaves) for name, function in functions.items()}
    seconds, times = paired(steps, "ours", repeats, "cuda", before)
    each = lambda measure: {name: measure(step) for name, step in steps.items()}
    return {"seconds": seconds, "times_ours": times, "megabytes": each(peak_megabytes), "issue": each(issue_seconds)}


def one_loss(shape):
    "손실 한 크기. share는 로짓의 세 배를 옮기는 데 걸린 시간을 복사의 빠르기와 견준 것입니다."
    torch.compiler.reset()  # 크기가 여럿이면 다시 컴파일하기를 그만둘 수 있습니다
    z = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    out, kept = torch.empty_like(z), z.clone()
    before = busy((z, kept))
    found = compared(losses(torch.randint(shape[1], shape[:1], device="cuda")), [z], 20, before)
    copy = paired({"ours": lambda: out.copy_(z), "again": lambda: out.copy_(z)}, "ours", 20, "cuda", before)[0]["ours"]
    share = {name: (3 / seconds) / (2 / copy) for name, seconds in found["seconds"].items()}
    return found | {"shape": list(shape), "share_of_copy": share, "copy_bytes_per_second": 2 * z.nbytes / copy}


def weight_errors(functions, x, w, y):
    "이름마다 dW의 상대 오차. float64와 견줍니다."
    leaf = w.double().requires_grad_()
    (truth,) = torch.autograd.grad(F.cross_entropy(x.double() @ leaf.T, y), leaf)
    error = lambda grad: float((grad - truth).norm() / truth.norm())
    return {name: error(stepped(function, x, w)()[1]) for name, function in functions.items()}


def one_linear(shape):
    n, h, v = shape
    x, w = torch.randn(n, h, device="cuda", dtype=torch.bfloat16), torch.randn(v, h, device="cuda", dtype=torch.bfloat16) / h**0.5
    y = torch.randint(v, (n,), device="cuda")
    functions = linear_losses(y)
    found = compared(functions, [x, w], 10, busy()) | {"shape": list(shape)}
    return found | {"weight_error": weight_errors(functions, x, w, y)}


def varied(settings, module, function, leaves):
    "모듈의 상수를 바꾸어 가며 잰 (초, MB). settings는 {이름표: {상수: 값}}입니다."
    found, before = {}, busy()
    for label, changed in settings.items():
        kept = {name: getattr(module, name) for name in changed}
        vars(module).update(changed)
        step = stepped(function, *leaves)
        found[label] = paired({"ours": step, "again": step}, "ours", 10, "cuda", before)[0]["ours"], peak_megabytes(step)
        vars(module).update(kept)
    return found


def chosen():
    "상수를 고른 까닭: BLOCK과 스레드마다의 칸, 블록의 줄 수를 바꾸어 잰 것."
    from crossent.core import sweep, triton_kernel

    answers = lambda rows, classes: torch.randint(classes, (rows,), device="cuda")
    (n, c), grid = LOSS[0], [(b, s, f) for b in BLOCKS for s in EACH for f in EACH if s == 32 or f == 8]
    settings = {f"{b} {s} {f}": dict(BLOCK=b, SCAN_EACH=s, FILL_EACH=f) for b, s, f in grid}
    z = torch.randn(n, c, device="cuda", dtype=torch.bfloat16)
    found = {"blocks": varied(settings, triton_kernel, losses(answers(n, c))["ours"], [z])}
    settings = {str(rows): dict(block_rows=lambda *_, rows=rows: rows) for rows in ROWS}
    for n, h, v in LINEAR:
        x, w = torch.randn(n, h, device="cuda", dtype=torch.bfloat16), torch.randn(v, h, device="cuda", dtype=torch.bfloat16) / h**0.5
        functions = linear_losses(answers(n, v))
        found[f"rows {h} {v}"] = varied(settings, triton_kernel, functions["ours"], [x, w])
        found[f"plain {h} {v}"] = varied({str(rows): dict(GPU_ROWS=rows) for rows in ROWS[:4]}, sweep, functions["plain"], [x, w])
    return found


def measure():
    if not torch.cuda.is_available() or not find_spec("triton"):
        return {}
    found = {"loss": [one_loss(shape) for shape in LOSS], "linear": [one_linear(shape) for shape in LINEAR]}
    versions = {name: version(name) for name in ("triton", "liger-kernel", "cut-cross-entropy") if find_spec(name.replace("-", "_"))}
    return {"machine": machine() | versions, **found, "chosen": chosen()}


def show(result):
    if not result:
        return print("Triton: GPU가 없어 재지 않았습니다.")
    for part in ("loss", "linear"):
        for run in result[part]:
            print(part, tuple(run["shape"]), "bfloat16. 시간, 우리의 몇 배, CPU가 보내는 시간, 더 쓴 메모리, 복사의 몇 %나 dW의 오차")
            for name, seconds in run["seconds"].items():
                ms, issue = seconds * 1e3, run["issue"][name] * 1e3
                last = f"{run['share_of_copy'][name]:.0%}" if part == "loss" else f"{run['weight_error'][name]:.4f}"
                print(f"  {NAMES[name]:<18}{ms:8.2f} ms  {run['times_ours'].get(name, 1):5.2f}  {issue:6.2f} ms  {run['megabytes'][name]:8.0f} MB  {last}")
    for name, seconds in result["chosen"].items():
        best = sorted(seconds, key=seconds.get)
        print(f"{name}:", ", ".join(f"({key}) {seconds[key][0] * 1e3:.2f} ms {seconds[key][1]:.0f} MB" for key in best[:8]))
