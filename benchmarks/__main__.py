"""`make bench`: 손실과 선형층의 속도, 메모리, 정확도, GPU의 커널과 글 안에서 돌리는 시간을 잽니다.

    python -m benchmarks            # 모두
    python -m benchmarks loss       # 하나만
"""

import importlib
import sys
import time

import torch

from benchmarks import harness

ALL = ("loss", "linear", "triton", "live")


def main():
    torch.set_num_threads(min(2, torch.get_num_threads()))
    print(" · ".join(f"{key} {value}" for key, value in harness.machine().items()))
    for name in sys.argv[1:] or ALL:
        start = time.perf_counter()
        module = importlib.import_module(f"benchmarks.{name}")
        result = module.measure()
        if result:  # 잴 수 없는 것은 앞서 잰 것을 그대로 둡니다
            harness.save(name, result)
        show = getattr(module, "show", None)
        show(result) if show else print(f"{name}: {result}")
        print(f"({name}: {time.perf_counter() - start:.0f}초)\n")
    print(f"결과를 {harness.RESULTS.relative_to(harness.RESULTS.parents[2])}에 적었습니다.")


if __name__ == "__main__":
    main()
