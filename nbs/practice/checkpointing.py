"기울기 체크포인트(층의 중간 값을 버리고 역전파에서 다시 계산하기)와 선형층 손실을 함께. `python nbs/practice/checkpointing.py`"

import torch
from torch import nn
from torch.nn import functional as F
from memory_timeline import timeline  # 옆에 있는 스크립트
from torch.utils.checkpoint import checkpoint

from crossent import linear_cross_entropy

VOCABULARY, HIDDEN, LAYERS = 4000, 64, 4
torch.manual_seed(0)
embedding = nn.Embedding(VOCABULARY, HIDDEN)
layers = nn.ModuleList(nn.TransformerEncoderLayer(HIDDEN, 4, 4 * HIDDEN, dropout=0.0, batch_first=True) for _ in range(LAYERS))
tokens = torch.randint(VOCABULARY, (8, 128))
mask = nn.Transformer.generate_square_subsequent_mask(128)


def body(again):
    "은닉 벡터. again이면 층마다 체크포인트를 둡니다."
    x = embedding(tokens)
    for layer in layers:
        x = checkpoint(layer, x, mask, use_reentrant=False) if again else layer(x, mask)
    return x


def plain(hidden):
    logits = F.linear(hidden, embedding.weight)[:, :-1]
    return F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())


def in_blocks(hidden):
    return linear_cross_entropy(hidden, embedding.weight, tokens, shift=1)


def step(loss_of, again):
    "임베딩의 기울기와, 살아 있는 메모리의 최댓값(MB)."
    embedding.zero_grad()
    curve = timeline(lambda: loss_of(body(again)).backward())
    return embedding.weight.grad.clone(), max(curve) / 1e6


found = {}
for name, loss_of in {"평범한 두 줄": plain, "선형층 손실": in_blocks}.items():
    for again in (False, True):
        grad, top = found[name, again] = step(loss_of, again)
        print(f"가장 많을 때 {top:6.1f} MB  {name}{' + 체크포인트' if again else ''}")
        torch.testing.assert_close(grad, found["평범한 두 줄", False][0], rtol=1e-4, atol=1e-6)
# 체크포인트는 층의 중간 값을, 선형층 손실은 로짓을 줄입니다. 둘을 함께 쓸 때 가장 적습니다.
assert min(found, key=lambda way: found[way][1]) == ("선형층 손실", True)
