"bfloat16 모델과 float32 손실. `python nbs/practice/bf16.py`"

import torch
from torch import nn
from torch.nn import functional as F

from crossent import linear_cross_entropy

VOCABULARY, HIDDEN = 500, 64
torch.manual_seed(0)
embedding, mixer = nn.Embedding(VOCABULARY, HIDDEN), nn.GRU(HIDDEN, HIDDEN, batch_first=True)
model = nn.ModuleList([embedding, mixer]).bfloat16()
tokens = torch.randint(VOCABULARY, (16, 64))
hidden = mixer(embedding(tokens))[0]  # bfloat16

layer = hidden, embedding.weight
truth = F.cross_entropy((hidden.double() @ embedding.weight.double().T)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
rounded = linear_cross_entropy(*layer, tokens, shift=1)
kept = linear_cross_entropy(*layer, tokens, shift=1, dtype=torch.float32)  # 손실은 반올림하지 않습니다
for name, loss in {"dtype을 주지 않으면": rounded, "dtype=torch.float32": kept, "float64로 구한 값": truth}.items():
    print(f"{loss.item():.6f}  {str(loss.dtype):15} {name}")
assert rounded.dtype == torch.bfloat16 and kept.dtype == torch.float32
assert abs(kept - truth) < abs(rounded.double() - truth)

# 파라미터는 float32로 두고 계산만 bfloat16으로 할 때(autocast)는 손실이 저절로 float32입니다.
model.float()
optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
for step in range(21):
    with torch.autocast("cpu", torch.bfloat16):
        loss = linear_cross_entropy(mixer(embedding(tokens))[0], embedding.weight, tokens, shift=1, dtype=torch.float32)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 10 == 0:
        print(f"스텝 {step:2}  손실 {loss.item():.4f}  {loss.dtype}")
assert loss < truth
