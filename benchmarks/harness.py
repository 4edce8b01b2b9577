"나란히 재는 도구: 한 프로세스에서 번갈아 돌리고, 같은 바퀴끼리 나눈 비의 가운데 값을 씁니다. 바퀴마다 차례를 섞습니다."

import ctypes
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

RESULTS = Path(__file__).parent.parent / "nbs" / "data" / "benchmarks.json"
ALLOCATORS = {"plain": "0", "thp": "1"}  # PyTorch의 THP_MEM_ALLOC_ENABLE: 텐서에 큰 페이지를 청하는지


def in_fresh_process(module, thp):
    "`python -m module`을 그 할당기 설정의 새 프로세스에서 돌리고, 찍은 JSON을 읽습니다."
    settings = os.environ | {"THP_MEM_ALLOC_ENABLE": thp}
    done = subprocess.run([sys.executable, "-m", module], env=settings, stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return json.loads(done.stdout.splitlines()[-1])


def processor():
    "이 컴퓨터의 처리기 이름."
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def machine():
    "결과와 함께 남길 컴퓨터와 판의 이름."
    found = {"processor": processor(), "threads": torch.get_num_threads()}
    found |= {"python": platform.python_version(), "torch": torch.__version__, "system": platform.system()}
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def seconds_of(function, device="cpu"):
    "한 번 부르는 데 걸린 초. GPU에서는 이벤트로 잽니다."
    if device == "cpu":
        start = time.perf_counter()
        function()
        return time.perf_counter() - start
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    function()
    end.record()
    torch.cuda.synchronize()
    return start.elapsed_time(end) / 1000


def settle_allocator():
    "30 MB를 빌렸다 돌려주어, 할당기가 그보다 작은 것은 운영 체제에 돌려주지 않고 다시 쓰게 합니다. 오래 돈 프로세스처럼."
    torch.empty(7_500_000).fill_(0)


def give_back_memory():
    "할당기가 쥐고 있는 빈 쪽을 운영 체제에 돌려줍니다. 다음에 쓸 때는 새 쪽을 받아야 합니다."
    ctypes.CDLL(None).malloc_trim(0)


def interleaved(functions, repeats, device="cpu", warm_up=3, before=lambda: None):
    "몸을 풀고, 번갈아 재서 이름마다 잰 초의 목록을 돌려줍니다. before는 잴 때마다 먼저 부르고 재지 않습니다."
    for _ in range(warm_up):
        for function in functions.values():
            function()
    runs, order, mix = {name: [] for name in functions}, list(functions), random.Random(0).shuffle
    for _ in range(repeats):
        mix(order)
        for name in order:
            before()
            runs[name].append(seconds_of(functions[name], device))
    return runs


def medians(runs):
    "이름마다 가운데 값(초)."
    return {name: statistics.median(times) for name, times in runs.items()}


def ratios(runs, ours):
    "같은 바퀴에서 우리보다 몇 배 걸렸는지의 가운데 값."
    return {name: statistics.median(a / b for a, b in zip(times, runs[ours])) for name, times in runs.items() if name != ours}


def paired(functions, ours, repeats, device="cpu", before=lambda: None):
    "상대마다 우리와 둘이서만 번갈아 잽니다. 이름마다 가운데 초와, 우리보다 몇 배 걸렸는지."
    seconds, faster, ours_runs = {}, {}, []
    for name in functions:
        if name == ours:
            continue
        runs = interleaved({name: functions[name], ours: functions[ours]}, repeats, device, before=before)
        seconds[name], faster[name] = statistics.median(runs[name]), ratios(runs, ours)[name]
        ours_runs += runs[ours]
    return seconds | {ours: statistics.median(ours_runs)}, faster


def peak_megabytes(function):
    "호출하는 동안 더 쓴 물리 메모리의 최댓값(MB). 처음 호출할 때만 드는 것은 뺍니다. 리눅스에서만 잽니다. 없으면 None."
    refs = Path("/proc/self/clear_refs")
    if not refs.exists():
        return None
    function()
    gc.collect()
    give_back_memory()  # 그래야 새로 쓰는 것이 보입니다
    refs.write_text("5", encoding="utf-8")
    before = status_bytes("VmRSS")
    result = function()
    peak = status_bytes("VmHWM") - before
    del result
    return peak / 1e6


def status_bytes(key):
    "커널이 세는 이 프로세스의 메모리."
    with open("/proc/self/status", encoding="utf-8") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def save(name, result):
    "결과를 글이 읽는 JSON에 적습니다. 다른 결과는 그대로 둡니다."
    kept = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    kept[name] = result
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")
