"작은 언어 모델의 한 스텝에서 살아 있는 메모리: 평범한 두 줄과 선형층 손실. `python nbs/practice/memory_timeline.py`"

import json
import tempfile
from itertools import accumulate
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.profiler import profile

from crossent import linear_cross_entropy

VOCABULARY, HIDDEN, BATCH, LENGTH = 8000, 64, 16, 128


class Tiny(nn.Module):  # 로짓 대신 은닉 벡터를 돌려주는 모델
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, HIDDEN)
        self.layer = nn.TransformerEncoderLayer(HIDDEN, 4, 2 * HIDDEN, dropout=0.0, batch_first=True)

    def forward(self, tokens):
        return self.layer(self.embedding(tokens), nn.Transformer.generate_square_subsequent_mask(LENGTH))


def plain(hidden, weight, tokens):
    return F.cross_entropy(F.linear(hidden, weight)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())


def in_blocks(hidden, weight, tokens):
    return linear_cross_entropy(hidden, weight, tokens, shift=1)


def timeline(step):
    "메모리를 얻거나 놓을 때마다, step이 새로 얻어 들고 있는 바이트."
    with tempfile.TemporaryDirectory() as folder:
        with profile(profile_memory=True) as seen:
            step()
        seen.export_chrome_trace(f"{folder}/trace.json")
        events = json.loads(Path(folder, "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    return list(accumulate(size for _, size in sorted((e["ts"], e["args"]["Bytes"]) for e in events if e["name"] == "[memory]")))


def drawn(curve, top, width=60):
    # 칸마다 그동안의 최댓값
    parts = [max(curve[len(curve) * k // width : len(curve) * (k + 1) // width + 1]) for k in range(width)]
    return "".join(" ▁▂▃▄▅▆▇█"[round(8 * part / top)] if part > 0 else " " for part in parts)


if __name__ == "__main__":
    torch.manual_seed(0)
    model, tokens = Tiny(), torch.randint(VOCABULARY, (BATCH, LENGTH))
    step = lambda loss_of: loss_of(model(tokens), model.embedding.weight, tokens).backward()
    curves = {name: timeline(lambda: step(f)) for name, f in {"평범한 두 줄": plain, "선형층 손실": in_blocks}.items()}
    for name, curve in curves.items():
        print(f"{drawn(curve, max(map(max, curves.values())))}  가장 많을 때 {max(curve) / 1e6:6.1f} MB  {name}")
    print(f"로짓 한 벌 {4 * BATCH * LENGTH * VOCABULARY / 1e6:.1f} MB")
    assert max(curves["선형층 손실"]) < max(curves["평범한 두 줄"]) / 3
