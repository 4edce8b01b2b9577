"Hugging Face `Trainer`에 `compute_loss_func`로: 로짓 없이, 함께 쓰는 임베딩, 한 칸 민 정답, 기울기 누적. `python nbs/practice/trainer.py`"

import tempfile

import torch
from torch import nn
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

from crossent import linear_cross_entropy

torch.manual_seed(0)
config = LlamaConfig(vocab_size=97, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, tie_word_embeddings=True)
language_model = LlamaForCausalLM(config)  # 가중치는 무작위입니다


class WithoutLogits(nn.Module):
    "몸통만 돌려 은닉 벡터를 돌려줍니다. 마지막 층은 손실이 씁니다."

    def __init__(self, language_model):
        super().__init__()
        self.language_model = language_model

    def forward(self, input_ids, attention_mask=None):
        hidden = self.language_model.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return {"hidden": hidden, "head": self.language_model.get_output_embeddings().weight}


def loss_func(outputs, labels, num_items_in_batch=None):
    "합을 모든 작은 배치에서 센 정답의 수로 나눕니다. 작은 배치의 평균을 평균 내면 틀립니다(글 08)."
    total = linear_cross_entropy(outputs["hidden"], outputs["head"], labels, shift=1, reduction="sum")
    return total / ((labels[:, 1:] != -100).sum() if num_items_in_batch is None else num_items_in_batch)


def example(length):
    tokens = torch.arange(16) * 5 % config.vocab_size
    labels = torch.where(torch.arange(16) < length, tokens, -100)  # 길이가 다른 문장
    labels[0] = -100  # 첫 토큰은 맞힐 것이 없으니 세지 않게 합니다
    return {"input_ids": tokens, "labels": labels}


data = [example(length) for length in (16, 4, 9, 12) * 4]
with tempfile.TemporaryDirectory() as folder:
    steps = dict(per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=20, learning_rate=1e-2)
    quiet = dict(logging_steps=10, report_to="none", save_strategy="no", use_cpu=True, disable_tqdm=True)
    arguments = TrainingArguments(folder, **steps, **quiet, remove_unused_columns=False)
    trainer = Trainer(WithoutLogits(language_model), arguments, train_dataset=data, compute_loss_func=loss_func)

    batch = {name: torch.stack([each[name] for each in data[:4]]) for name in data[0]}
    counted = (batch["labels"] != -100).sum()
    mine = loss_func(trainer.model(batch["input_ids"]), batch["labels"], counted)
    theirs = language_model(**batch).loss  # 로짓을 만들고 안에서 미는 손실
    print(f"우리 {mine:.6f}, Hugging Face {theirs:.6f}")
    torch.testing.assert_close(mine, theirs)
    trainer.train()
    after = language_model(**batch).loss
    print(f"스무 스텝 뒤 {after:.4f}")
    assert after < mine / 2
