"GPU에서 crossent.triton을 F.cross_entropy, torch.compile, 그리고 깔려 있다면 Liger Kernel, cut-cross-entropy와 나란히. GPU가 없으면 재지 않습니다."

from importlib.util import find_spec

import torch
from torch.nn import functional as F

from benchmarks.harness import machine, paired

LOSS = ((8192, 32000), (4096, 128256))
LINEAR = ((8192, 4096, 32000), (8192, 2048, 128256))
BLOCKS, WARPS = (1024, 2048, 4096, 8192, 16384), (4, 8, 16)
ROWS = (128, 256, 512, 1024, 2048)
NAMES = {"ours": "crossent.triton", "torch": "F.cross_entropy", "compile": "torch.compile", "liger": "Liger Kernel", "cce": "cut-cross-entropy"}


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


def losses(y):
    "로짓에서 손실까지: 이름 → 로짓을 받는 함수."
    from crossent.triton import cross_entropy

    compiled = torch.compile(F.cross_entropy, dynamic=False)
    found = {"ours": lambda z: cross_entropy(z, y), "torch": lambda z: F.cross_entropy(z, y), "compile": lambda z: compiled(z, y)}
    if find_spec("liger_kernel"):  # 로짓을 기울기로 덮어쓰므로 사본을 건넵니다
        from liger_kernel.transformers.functional import liger_cross_entropy

        found["liger"] = lambda z: liger_cross_entropy(z.clone(), y)
    return found


def linear_losses(y):
    "은닉 벡터에서 손실까지."
    from crossent.triton import linear_cross_entropy

    def two_lines(x, w):
        return F.cross_entropy(F.linear(x, w), y)

    found = {"ours": lambda x, w: linear_cross_entropy(x, w, y), "torch": two_lines, "compile": torch.compile(two_lines, dynamic=False)}
    if find_spec("liger_kernel"):
        from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy

        found["liger"] = lambda x, w: liger_fused_linear_cross_entropy(x, w, y)
    if find_spec("cut_cross_entropy"):
        from cut_cross_entropy import linear_cross_entropy as cut

        found["cce"] = lambda x, w: cut(x, w, y)
    return found


def compared(functions, leaves, repeats=20):
    "가운데 초, 우리보다 몇 배 걸렸나, 메모리."
    steps = {name: stepped(function, *leaves) for name, function in functions.items()}
    seconds, times = paired(steps, "ours", repeats, "cuda")
    return {"seconds": seconds, "times_ours": times, "megabytes": {name: peak_megabytes(step) for name, step in steps.items()}}


def one_loss(shape):
    "손실 한 크기. share는 로짓의 세 배를 옮기는 데 걸린 시간을 복사의 빠르기와 견준 것입니다."
    z = torch.randn(shape, device="cuda", dtype=torch.bfloat16)
    found, out = compared(losses(torch.randint(shape[1], shape[:1], device="cuda")), [z]), torch.empty_like(z)
    copy = paired({"ours": lambda: out.copy_(z), "again": lambda: out.copy_(z)}, "ours", 20, "cuda")[0]["ours"]
    share = {name: (3 / seconds) / (2 / copy) for name, seconds in found["seconds"].items()}
    return found | {"shape": list(shape), "share_of_copy": share}


def one_linear(shape):
    n, h, v = shape
    x, w = (torch.randn(each, device="cuda", dtype=torch.bfloat16) / h**0.5 for each in ((n, h), (v, h)))
    return compared(linear_losses(torch.randint(v, (n,), device="cuda")), [x, w], 10) | {"shape": list(shape)}


def varied(names, choices, functions, leaves):
    "상수를 바꾸어 가며 우리 것만 잰 초. 고를 때 씁니다."
    from crossent.core import triton_kernel

    kept, found = [getattr(triton_kernel, name) for name in names], {}
    try:
        for choice in choices:
            for name, value in zip(names, choice):
                setattr(triton_kernel, name, value)
            step = stepped(functions["ours"], *leaves)
            found[" ".join(map(str, choice))] = paired({"ours": step, "again": step}, "ours", 10, "cuda")[0]["ours"]
    finally:
        for name, value in zip(names, kept):
            setattr(triton_kernel, name, value)
    return found


def measure():
    if not torch.cuda.is_available() or not find_spec("triton"):
        return {}
    z = torch.randn(LOSS[0], device="cuda", dtype=torch.bfloat16)
    n, h, v = LINEAR[1]
    x, w = torch.randn(n, h, device="cuda", dtype=torch.bfloat16), torch.randn(v, h, device="cuda", dtype=torch.bfloat16)
    answers = lambda rows, classes: torch.randint(classes, (rows,), device="cuda")
    blocks = varied(("BLOCK", "WARPS"), [(b, k) for b in BLOCKS for k in WARPS], losses(answers(*LOSS[0])), [z])
    rows = varied(("FEWEST_ROWS",), [(each,) for each in ROWS], linear_losses(answers(n, v)), [x, w])
    del z, x, w
    found = {"loss": [one_loss(shape) for shape in LOSS], "linear": [one_linear(shape) for shape in LINEAR]}
    return {"machine": machine(), **found, "blocks": blocks, "rows": rows}


def show(result):
    if not result:
        return print("Triton: GPU가 없어 재지 않았습니다.")
    for part in ("loss", "linear"):
        for run in result[part]:
            print(part, tuple(run["shape"]), "bfloat16. 우리의 몇 배 걸렸나, 더 쓴 메모리, 복사의 몇 %")
            for name, seconds in run["seconds"].items():
                share = run.get("share_of_copy", {}).get(name)
                words = "" if share is None else f"  {share:.0%}"
                print(f"  {NAMES[name]:<18}{seconds * 1e3:8.2f} ms  {run['times_ours'].get(name, 1):.2f}  {run['megabytes'][name]:8.0f} MB{words}")
    for name in ("blocks", "rows"):
        best = min(result[name], key=result[name].get)
        print(f"{name}: {best}이 가장 빠릅니다.", {key: f"{value * 1e3:.2f} ms" for key, value in result[name].items()})
