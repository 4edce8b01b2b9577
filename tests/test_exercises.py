"연습문제의 채점: 빈 답, 틀린 답, 반쯤 맞은 답, 한 예의 답만 적은 것은 틀렸다고 하고, 노트북의 답은 맞았다고 하는지 봅니다."

import re

import pytest

from blog import live, notebooks
from blog.kernel import Kernel, Names, plain

# 함수마다 틀린 답들. 이름은 무엇이 틀렸는지입니다.
WRONG = {
    "question_bits": {"예의 답만": "return 0.46899559", "내트": "return -yes * np.log(yes) - (1 - yes) * np.log(1 - yes)", "한쪽만": "return -yes * np.log2(yes)"},
    "extra_bits": {
        "엔트로피를 빼지 않음": "return cross_entropy([rain, 1 - rain], [forecast, 1 - forecast], base=2)",
        "내트": "return kl_divergence([rain, 1 - rain], [forecast, 1 - forecast])",
        "거꾸로": "return kl_divergence([forecast, 1 - forecast], [rain, 1 - rain], base=2)",
    },
    "know_nothing": {"예의 답만": "return 9.32117", "밑을 잊음": "return np.log(c)"},
    "huffman_length": {"엔트로피": "return entropy(probs, base=2)", "모두 같은 길이": "return np.log2(len(probs))"},
    "trapezoid": {"간격이 고르다고 여김": "return ((y[1:] + y[:-1]) / 2).sum() * (x[1] - x[0])", "왼쪽 높이": "return (y[:-1] * np.diff(x)).sum()"},
    "temperature_for": {"예의 답만": "return 2 / np.log(10)", "차이를 잊음": "return 2 / np.log(ratio)", "곱하기": "return gap * np.log(ratio)"},
    "warmer": {"합이 1이 아님": "return np.asarray(p) ** (1 / T)", "온도가 2라고 여김": "return np.sqrt(p) / np.sqrt(p).sum()", "제곱": "return p**T / (p**T).sum()"},
    "curvature": {
        "평균을 빼지 않음": "return (p * g**2).sum()",
        "그냥 평균": "return (p * (g - g.mean()) ** 2).sum()",
        "행렬을 만듦": "return g @ (np.diag(p) - np.outer(p, p)) @ g",
    },
    "ceiling": {"예의 답만": "return 0.5761169", "한 번만": "return 1.0"},
    "lse_of_equal": {"곱하기": "return m * np.log(c)", "넘침": "return np.log(c * np.exp(m))"},
    "merge": {"넘침": "return np.log(np.exp(parts).sum())", "최댓값": "return parts.max()", "더하기": "return parts.sum()"},
    "first_gradient": {"확률에서 1을 뺌": "return softmax(z)[0] - 1", "부호": "return -np.expm1(log_softmax(z)[0])"},
    "perplexity": {"예의 답만": "return 3.75677", "정답을 고르지 않음": "return np.exp(-log_probs.mean())", "더하기": "return np.exp(nll_loss(log_probs, target, 'sum'))"},
    "importance_vjp": {
        "N을 잊음": "return nll_loss_vjp(dloss * importance, log_probs, target, 'none')",
        "중요도를 잊음": "return nll_loss_vjp(dloss, log_probs, target)",
        "받은 것을 덮어씀": "log_probs *= 0; log_probs[np.arange(len(target)), target] = -dloss * importance / len(target); return log_probs",
    },
    "pair_vjp": {"겹치면 한 번": "d = np.zeros_like(log_probs); d[np.arange(len(pairs))[:, None], pairs] -= 1; return d"},
    "importance_mean": {"모든 짝": "return (kept * importance).mean()", "중요도를 잊음": "return kept.mean()"},
    "binary_gradient": {"부호": "return y - 1 / (1 + np.exp(-z))", "확률": "return 1 / (1 + np.exp(-z))"},
    "gradient_at_zero": {"예의 답만": "return np.array([0.25, -0.75, 0.25, 0.25])", "확률": "return np.full(c, 1 / c)", "부호": "d = np.full(c, -1 / c); d[y] += 1; return d"},
    "temperature_gradient": {
        "속미분을 잊음": "return (softmax(logits / T) - np.eye(logits.shape[1])[target]) / len(target)",
        "N을 잊음": "return (softmax(logits / T) - np.eye(logits.shape[1])[target]) / T",
    },
    "soft_gradient": {"합이 1이라고 여김": "return softmax(z) - Y", "전체 합": "return softmax(z) * Y.sum() - Y"},
    "first_loss": {"예의 답만": "return 9.3212", "비트": "return np.log2(c)"},
    "refer": {"모두에서 셈": "k = np.exp(log_softmax(logits)).max(1) < bar; return k.sum(), (logits.argmax(1) != y).sum()", "로짓으로": "k = logits.max(1) < bar; return k.sum(), ((logits.argmax(1) != y) & ~k).sum()"},
    "noise_floor": {"예의 답만": "return 0.5448", "c로 나눔": "p = np.array([1 - share] + [share / c] * (c - 1)); return -(p * np.log(p)).sum()"},
}


def exercises(path):
    "(쓸 자리, 답, 채점)의 목록."
    found, start, between = [], None, []
    for cell in live.cells(path):
        if cell["role"] == "start":
            start, between = cell, []
        elif cell["role"] == "check":
            found.append((start, between, cell))
        else:
            between.append(cell)
    return found


def name_of(start):
    return re.search(r"^def (\w+)", start["source"], re.M)[1]


POSTS = [notebooks.NBS / f"{stem}.ipynb" for stem in live.LIVE]
CASES = [(path, exercise) for path in POSTS for exercise in exercises(path)]


@pytest.fixture(scope="module")
def kernels(monkeypatch_module):
    "글마다, 모두 돌린 커널."
    ready = {}

    def kernel(path):
        if path not in ready:
            ready[path] = Kernel()
            for number, cell in enumerate(live.cells(path)):
                if cell["role"]:
                    continue
                if path.name.startswith("07") and not cell["setup"]:
                    continue  # 글 07의 채점은 불러온 것만 씁니다. 학습은 오래 걸립니다
                result = ready[path].run(cell["source"], f"셀 {number}", lambda *_: None)
                assert result["state"] in ("ok", "skipped"), result
        return ready[path]

    return kernel


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLBACKEND", "agg")
        yield patch


def test_every_live_post_has_three():
    for path in POSTS:
        found = exercises(path)
        assert len(found) >= 3, path.name
        assert all(len(check["hints"]) == 2 for _, _, check in found), path.name
    assert {name_of(start) for _, (start, _, _) in CASES} == set(WRONG)


@pytest.mark.parametrize("path, exercise", CASES, ids=[name_of(start) for _, (start, _, _) in CASES])
def test_checks_judge(kernels, path, exercise):
    kernel, (start, answers, check) = kernels(path), exercise
    answers = [cell for cell in answers if "torch" not in cell["source"]]
    judge = lambda source: kernel.check(source, check["source"], start["binds"], "답", lambda *_: None)
    assert judge(start["source"])["verdict"] == judge("x = 1")["verdict"] == "wrong"  # 글의 답을 빌려 오지 못합니다
    head = re.search(r"^def .*:$", start["source"], re.M)[0]
    for what, body in WRONG[name_of(start)].items():
        found = judge(f"{head}\n    {body}")
        assert found["verdict"] == "wrong", what
        assert re.search("[가-힣]", found.get("say") or found["error"]["message"] + found["error"]["help"]), what
    if not path.name.startswith("07"):  # 글 07의 답은 학습한 모델을 씁니다. 노트북 검사가 돌립니다
        assert judge("\n".join(cell["source"] for cell in answers)) == {"verdict": "right"}
    right = re.search(rf"^def {name_of(start)}\b(?:.*\n)+?(?=\S|\Z)", "\n".join(cell["source"] for cell in answers) + "\n", re.M)[0]
    assert judge(right) == {"verdict": "right"}
    for hint in check["hints"]:
        assert "return" not in hint


def test_reading_and_making_names():
    "셀이 만드는 이름과 읽는 이름을 맞게 찾는지 봅니다. 낡은 셀과 먼저 돌 셀을 이것으로 정합니다."

    def names(source):
        found = Names().of(source)
        return sorted(found.binds), sorted(found.loads)

    assert names("y = x + 1") == (["y"], ["x"])
    assert names("x = 1\ny = x") == (["x", "y"], [])
    assert names("def f(a):\n    b = a + c\n    return b") == (["f"], ["c"])
    assert names("losses.append(loss)") == (["losses"], ["loss", "losses"])
    assert names("plt.plot(x)") == ([], ["plt", "x"])
    assert names("d[rows, target] = -1") == (["d"], ["d", "rows", "target"])
    assert names("moving -= 0.5") == (["moving"], ["moving"])
    assert names("[k for k in orders if k]") == ([], ["orders"])
    assert names("draw = rng.normal()") == (["draw", "rng"], ["rng"])
    assert names("if True:\n    %pip install x\nfrom a import b as c") == (["c"], [])


def test_cells_that_need_torch_are_skipped():
    "torch가 만들었어야 할 이름을 쓰는 셀도 건너뛰고, 그 이름을 새로 만들면 다시 돕니다."
    kernel, quiet = Kernel(), lambda *_: None
    states = [kernel.run(source, "셀", quiet)["state"] for source in ("z = 1", "import torch\nz = torch.ones(2)", "print(z)", "z = 2", "print(z)")]
    assert states == ["ok", "skipped", "skipped", "ok", "ok"]


def test_errors_are_explained():
    kernel = Kernel()
    cases = {"x = 1\ny = 1 / 0": ("ZeroDivisionError", 2), "print(없는_이름)": ("NameError", 1), "def f(:": ("SyntaxError", 1), "assert 1 == 2": ("AssertionError", 1)}
    for source, (name, line) in cases.items():
        error = kernel.run(source, "셀", lambda *_: None)["error"]
        assert (error["name"], error["line"]) == (name, line)
        assert re.search("[가-힣]", error["help"]) and error["text"] == source.splitlines()[line - 1].strip()
    ours = kernel.run("from crossent.softmax import softmax\nsoftmax(['a'])", "셀", lambda *_: None)["error"]
    assert "실수형" in ours["message"] and ours["help"] == ""


def test_output_flood_is_cut():
    out = []
    Kernel().run("for k in range(100000): print(k, 'x' * 50)", "셀", lambda kind, text: out.append(text))
    assert len("".join(out)) < 110_000 and "너무 길어" in "".join(out)


@pytest.mark.parametrize("source", ['text = ("%s에"\n    % name)', "same = (1\n    != 2)", 'text = """\n%d줄\n!\n"""'])
def test_python_is_left_alone(source):
    assert plain(source) == source


def test_magic_lines_become_pass():
    assert plain("if True:\n    %pip install x\n!ls\ny = 1") == "if True:\n    pass\npass\ny = 1"
