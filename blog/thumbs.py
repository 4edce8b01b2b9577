"""글마다 하나인 작은 그림. 축과 글자 없이 모양 하나로 글을 알아보게 합니다. 숫자는 모두 여기서 계산합니다.

그림은 320 × 180 자리에 놓인 조각의 목록입니다: (종류, 색 이름, 자리…). SVG로도(카드), Pillow로도(나눌 때의 그림) 그립니다.
"""

from html import escape

import numpy as np

WIDE, TALL = 320, 180
LOGITS = np.array([1.0, 2.0, 3.0])
PROBS = np.exp(LOGITS) / np.exp(LOGITS).sum()
INK = {"accent": "#1d55b5", "warm": "#b23c12", "green": "#1a6b47", "purple": "#6d3ca8", "muted": "#5c626d", "line": "#d8d2c6"}


def line(x, y, color="accent", width=5):
    "x와 y가 0에서 1 사이인 곡선."
    return ("line", color, [(30 + 260 * a, 158 - 136 * b) for a, b in zip(x, y)], width)


def bar(x, y, wide, tall, color="accent"):
    return ("bar", color, x, y, wide, tall)


def bars(heights, colors=("accent",), left=40, wide=60, gap=30):
    "바닥에서 솟은 막대."
    return [bar(left + i * (wide + gap), 158 - 136 * h, wide, 136 * h, colors[i % len(colors)]) for i, h in enumerate(heights)]


def grid(rows, columns, color, lit=(), size=34, left=40, top=24, lit_color="warm"):
    return [bar(left + j * (size + 6), top + i * (size + 6), size, size, lit_color if (i, j) in lit else color) for i in range(rows) for j in range(columns)]


def dot(x, y, color="warm", radius=9):
    return ("dot", color, 30 + 260 * x, 158 - 136 * y, radius)


def words(x, y, text, color="muted", size=40):
    return ("text", color, x, y, text, size)


def arrow(x, start, end, color):
    way = 9 if end > start else -9
    return [("line", color, [(x, start), (x, end)], 5), ("line", color, [(x - 9, end - way), (x, end), (x + 9, end - way)], 5)]


FLOOR = ("line", "line", [(24, 158), (296, 158)], 3)
X = np.linspace(0, 1, 80)


def descending(seed, rate, noise, floor=0.06):
    "흔들리며 내려가는 손실."
    return floor + (1 - floor) * np.exp(-rate * X) + noise * np.random.default_rng(seed).normal(size=len(X)) * np.exp(-X)


def information():
    return [FLOOR, line(X, np.minimum(1, -np.log2(0.06 + 0.94 * X) / 4)), dot(0.25, -np.log2(0.06 + 0.94 * 0.25) / 4)]


def softmax():
    return [FLOOR, *bars(PROBS / PROBS.max(), ("purple", "green", "accent"))]


def log_softmax():
    good = 1 - 0.85 * X
    half = X <= 0.55
    return [FLOOR, line(X, good, "green"), line([*X[half], 0.56], [*good[half], 0], "warm")]


def nll():
    return grid(3, 6, "line", {(0, 4), (1, 1), (2, 3)})


def cross_entropy():
    difference = PROBS - [0, 0, 1]
    lengths = [arrow(70 + 90 * i, 90, 90 - 190 * d, "warm" if d < 0 else "accent") for i, d in enumerate(difference)]
    return [("line", "line", [(24, 90), (296, 90)], 3), *sum(lengths, [])]


def autograd():
    boxes = [bar(30 + 100 * i, y, 60, 46, color) for i in range(3) for y, color in ((34, "accent"), (102, "warm"))]
    ways = [("line", "muted", [(92 + 100 * i + 4, y), (128 + 100 * i - 4, y)], 4) for i in range(2) for y in (57, 125)]
    return boxes + ways


def training():
    valid = descending(1, 6, 0, 0.2) + 0.25 * X**2
    return [FLOOR, line(X, descending(0, 5, 0.05)), line(X, valid, "warm")]


def reduction():
    parts, colors = [80, 50, 90, 40], ("accent", "warm", "green", "purple")
    starts = np.cumsum([0, *parts])
    return [*(bar(30 + a, 42, w - 4, 34, c) for a, w, c in zip(starts, parts, colors)), ("line", "muted", [(30, 92), (286, 92)], 4), *(bar(30 + 65 * i, 108, 61, 34, c) for i, c in enumerate(colors))]


def options():
    smooth = 0.7 * np.array([0, 1, 0]) + 0.1
    return [FLOOR, *bars(smooth / 0.9, ("accent", "accent", "accent")), ("line", "warm", [(132, 22), (188, 22)], 6)]


def precision():
    edges = np.arange(9) / 8  # 둥글린 값은 계단입니다
    return [FLOOR, line(X, X, "line", 8), line(np.repeat(edges, 2)[1:-1], np.repeat(edges[:-1] + 1 / 16, 2), "warm")]


def speed():
    return [bar(30, 34, 250, 30, "line"), bar(30, 76, 160, 30, "accent"), bar(30, 118, 70, 30, "green")]


def linear():
    return [bar(70, 24, 210, 132, "line"), bar(70, 66, 210, 20, "green"), bar(36, 24, 26, 132, "accent")]


def parallel():
    return [bar(30 + 66 * i, 30, 60, 118, color) for i, color in enumerate(("accent", "warm", "green", "purple"))]


def language_model():
    return [("line", "line", [(24, 40), (296, 40)], 3), line(X, 0.86 * descending(3, 4, 0.04, 0.25)), words(218, 64, "가나다", "muted", 28)]


def pitfalls():
    rows = [bar(36, 36 + 30 * i, wide, 14, "line") for i, wide in enumerate((190, 230, 150))]
    return [*rows, bar(36, 130, 240, 16, "warm")]


def draft():
    return [words(36, 76, "−", "warm", 60), bar(86, 48, 190, 16, "line"), words(36, 142, "+", "green", 60), bar(86, 114, 150, 16, "green")]


def glossary():
    return [words(40, 116, "z  p  ℓ  L", "accent", 58)]


def triton():
    rows = range(5)
    return [*(bar(40, 24 + 27 * i, 240, 18, "line") for i in rows), *(bar(40 + 36 * i, 24 + 27 * i, 60, 18, "accent") for i in rows)]


DRAWN = {f.__name__: f for f in (information, softmax, log_softmax, nll, cross_entropy, autograd, training, reduction, options, precision, speed, linear, parallel, language_model, pitfalls, draft, glossary, triton)}


def shapes(page):
    "그 글의 조각. 그려 둔 것이 없으면 계산 그래프입니다."
    return DRAWN.get(page.url.removesuffix(".html"), autograd)()


def svg(page):
    "카드에 넣을 그림. 색은 사이트의 색 이름을 따라 밝고 어두운 바탕에서 바뀝니다."
    parts = []
    for kind, color, *rest in shapes(page):
        ink = f"var(--{color})"
        if kind == "line":
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in rest[0])
            parts.append(f'<polyline points="{points}" fill="none" stroke="{ink}" stroke-width="{rest[1]}" stroke-linejoin="round" stroke-linecap="round"/>')
        elif kind == "bar":
            x, y, wide, tall = (f"{number:.1f}" for number in rest)
            parts.append(f'<rect x="{x}" y="{y}" width="{wide}" height="{tall}" rx="4" fill="{ink}"/>')
        elif kind == "dot":
            parts.append(f'<circle cx="{rest[0]:.1f}" cy="{rest[1]:.1f}" r="{rest[2]}" fill="{ink}"/>')
        else:
            parts.append(f'<text x="{rest[0]}" y="{rest[1]}" fill="{ink}" font-size="{rest[3]}" font-weight="700">{escape(rest[2])}</text>')
    return f'<svg class="thumb" viewBox="0 0 {WIDE} {TALL}" aria-hidden="true">{"".join(parts)}</svg>'


def paint(pen, page, left, top, scale, font):
    "같은 조각을 Pillow로 그립니다. font(크기)는 글꼴을 돌려줍니다."
    at = lambda x, y: (left + scale * x, top + scale * y)
    for kind, color, *rest in shapes(page):
        ink = INK[color]
        if kind == "line":
            pen.line([at(*point) for point in rest[0]], fill=ink, width=round(scale * rest[1]), joint="curve")
        elif kind == "bar":
            x, y, wide, tall = rest
            pen.rounded_rectangle([*at(x, y), *at(x + max(wide, 1), y + max(tall, 1))], radius=4 * scale, fill=ink)
        elif kind == "dot":
            x, y, r = rest
            pen.ellipse([*at(x - r, y - r), *at(x + r, y + r)], fill=ink)
        else:
            pen.text(at(rest[0], rest[1]), rest[2], ink, font(round(scale * rest[3])), anchor="ls")
