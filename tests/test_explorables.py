"""만져 보는 그림: 마우스, 손가락, 키보드로 움직이고, 숫자를 crossent와 1e-6까지 견줍니다.

`python tests/test_explorables.py`는 스크립트가 꺼진 곳에서 보일 정지 그림(nbs/images/explorable-*.png)을 다시 찍습니다.
"""

import io
import math
import re
from pathlib import Path

import numpy as np
import pytest
from browsing import chromium, needs_chromium, serve

from crossent import information, nll, reference, softmax

NBS = Path(__file__).parent.parent / "nbs"
STILLS = ["information", "softmax", "gradient", "logsumexp", "reduction", "memory", "rate", "smoothing", "rounding", "broadcast", "shards"]  # 정지 그림을 여기서 찍는 것. 홈의 graph는 그 노트북의 셀이 그립니다
NAMES = ["graph", *STILLS]
PAGE = """<!doctype html><html lang="ko" data-theme="{theme}"><meta charset="utf-8"><title>{name}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/styles.css"><link rel="stylesheet" href="/explorables/explorables.css">
<style>body {{ margin: 0 auto; max-width: {width}px; padding: 0 12px }}</style>
<main><h1>{name}</h1><div class="explorable" data-explorable="{name}"><img src="/images/{still}.png" alt="정지 그림"></div>
<p style="height: 1500px">아래 글</p></main><script type="module" src="/explorables/explorables.js"></script></html>"""
PAGES = {f"/{name}-{theme}": PAGE.format(name=name, theme=theme, width=992 if name == "graph" else 720, still="index" if name == "graph" else f"explorable-{name}") for name in NAMES for theme in ("light", "dark")}

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address():
    with serve(NBS, PAGES) as address:
        yield address


@pytest.fixture
def visit(browser, address):
    "그림 하나를 엽니다. 콘솔에 오류가 찍히면 끝날 때 실패합니다."
    errors, contexts = [], []

    def visit(name, theme="light", width=1300, query="", **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{address}/{name}-{theme}{query}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector(".x-ready output, .x-ready [data-name]", state="attached")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []


def numbers(page):
    "화면에 있는 숫자의 온전한 값. 보이는 글자가 그 값을 반올림한 것인지도 봅니다."
    values = {}
    for name, value, text in page.eval_on_selector_all("[data-name]", "nodes => nodes.map(n => [n.dataset.name, n.dataset.value, n.textContent])"):
        found = [float(part.replace("Infinity", "inf")) for part in value.split()]
        values[name] = found[0] if len(found) == 1 else found
        shown = re.fullmatch(r"[+]?([−-]?\d*\.\d+)", text)
        if shown and len(found) == 1:
            digits = len(text.split(".")[1])
            assert abs(float(shown[1].replace("−", "-")) - found[0]) <= 0.5001 * 10**-digits, (name, value, text)
        elif text in ("inf", "−inf", "nan"):
            assert text.replace("−", "-") == str(found[0]), (name, value, text)
    return values


def same(actual, expected):
    np.testing.assert_allclose(np.asarray(actual, dtype=float), np.asarray(expected, dtype=float), rtol=1e-6, atol=1e-6)


def press(page, button):
    page.get_by_role("button", name=button, exact=True).click()


def drag(page, handle, dx=0, dy=0):
    "마우스로 손잡이를 끕니다."
    handle.scroll_into_view_if_needed()
    box = handle.locator(".x-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx / 2, y + dy / 2)
    page.mouse.move(x + dx, y + dy)
    page.mouse.up()


def swipe(page, handle, dx=0, dy=0):
    "손가락으로 손잡이를 끕니다."
    handle.scroll_into_view_if_needed()
    box = handle.locator(".x-knob").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(1, 9):
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + dx * step / 8, "y": y + dy * step / 8}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def stand_still(page):
    "글이 열 프레임 동안 움직이지 않을 때까지 기다립니다."
    page.evaluate("""() => new Promise(done => {
        let last = scrollY, still = 0
        const look = () => {
            still = scrollY === last ? still + 1 : 0
            last = scrollY
            still < 10 ? requestAnimationFrame(look) : done()
        }
        look()
    })""")


# ---- 홈: 계산 그래프


def check_graph(values):
    "화면의 모든 숫자가 crossent와 같습니다."
    logits, target = np.array([[values[f"z{n}{c}"] for c in range(3)] for n in range(2)]), np.array([2, 1])
    log_probs = softmax.log_softmax(logits)
    dlog_probs = nll.nll_loss_vjp(1.0, log_probs, target)
    shown = lambda name: [[values[f"{name}{n}{c}"] for c in range(3)] for n in range(2)]
    same(shown("lp"), log_probs)
    same([values["l0"], values["l1"]], -log_probs[[0, 1], target])
    same(values["loss"], reference.cross_entropy(logits, target))
    same(shown("dlp"), dlog_probs)
    same([values["dl0"], values["dl1"], values["dloss"]], [0.5, 0.5, 1])
    same(shown("dz"), reference.cross_entropy_grad(1.0, logits, target))
    return logits


def test_graph_starts_with_the_running_example(visit):
    values = numbers(visit("graph"))
    same(check_graph(values), [[1, 2, 3], [2, 0, 0]])
    assert f"{values['loss']:.4f}" == "1.3236"


def test_graph_by_keyboard_mouse_and_touch(visit):
    page = visit("graph")
    page.get_by_label("첫 사진 새의 로짓").focus()
    page.keyboard.press("ArrowRight")
    assert check_graph(numbers(page))[0][2] == pytest.approx(3.1)
    box = page.get_by_label("둘째 사진 강아지의 로짓").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    assert check_graph(numbers(page))[1][1] > 4
    phone = visit("graph", width=390, has_touch=True, is_mobile=True)
    box = phone.get_by_label("둘째 사진 고양이의 로짓").bounding_box()
    phone.touchscreen.tap(box["x"] + 12, box["y"] + box["height"] / 2)
    assert check_graph(numbers(phone))[1][0] < -4


@pytest.mark.parametrize("guess, verdict", [("그대로다", "맞았습니다"), ("바뀐다", "아닙니다. 답은 ‘그대로다’")])
def test_a_guess_is_judged_after_the_try(visit, guess, verdict):
    page = visit("graph")
    before = numbers(page)
    press(page, guess)
    said = page.locator(".x-riddle-verdict")
    assert said.inner_text() == "이제 해 보세요."
    page.get_by_label("첫 사진 새의 로짓").press("ArrowRight")  # 물은 것은 둘째 사진입니다
    assert said.inner_text() == "이제 해 보세요."
    press(page, "처음으로")
    page.get_by_label("둘째 사진 새의 로짓").press("ArrowRight")
    assert said.inner_text().startswith(verdict)
    after = numbers(page)
    assert all(before[f"dz0{c}"] == after[f"dz0{c}"] and before[f"dz1{c}"] != after[f"dz1{c}"] for c in range(3))


def test_address_keeps_the_state(visit):
    page = visit("graph")
    page.get_by_label("둘째 사진 새의 로짓").press("PageUp")
    page.wait_for_function("location.search.includes('graph=logits:1,2,3,2,0,')")
    query = page.evaluate("location.search")
    again = visit("graph", query=query)
    same(check_graph(numbers(again)), check_graph(numbers(page)))
    press(again, "처음으로")
    again.wait_for_function("location.search === ''")
    for wrong in ("logits:1,2", "logits:1,2,3,2,0,99", "logits:1,2,3,2,0,nan", "logits:1,2,3,2,0,", "toString:1", "logits"):
        same(check_graph(numbers(visit("graph", query=f"?graph={wrong}"))), [[1, 2, 3], [2, 0, 0]])


ADDRESSES = {  # 주소에 적을 값과, 그때 화면에 있어야 하는 수
    "information": ("p:0.25,0.25,0.25,0.25;unit:nat", {"p0": 0.25, "entropy": math.log(4)}),
    "softmax": ("logits:0,0,0;temperature:2", {"p0": 1 / 3}),
    "gradient": ("logits:2,0,0;target:1", {"z0": 2, "loss": 2.2395447662}),
    "logsumexp": ("gap:102", {"gap": 102}),
    "reduction": ("ignored:true,true,true,true,true;reduction:sum", {"result": 0}),
    "memory": ("n:256;v:3000;dtype:float16", {"logits": 256 * 3000 * 2}),
    "broadcast": ("shape:(N 1);n:2", {"mean": 1.573575}),
    "shards": ("logits:0,0,0,0,0,0;ranks:3", {"loss": math.log(6), "s2": 2}),
    "rate": ("rate:3", {"floor": 0.6365141683}),
    "smoothing": ("eps:0.1;gap:3;classes:3", {"best": math.log(28)}),
    "rounding": ("dtype:bfloat16;power:10", {"total": 256}),
}


@pytest.mark.parametrize("name", ADDRESSES)
def test_address_opens_the_picture(visit, name):
    query, wanted = ADDRESSES[name]
    values = numbers(visit(name, query=f"?{name}={query}"))
    same([values[key] for key in wanted], list(wanted.values()))
    spoiled = re.sub(r":[^,;]+", ":9999", query)
    assert numbers(visit(name, query=f"?{name}={spoiled}")) == numbers(visit(name))


SOLVED = {  # 먼저 짐작할 답과, 해 볼 것
    "information": ("없다", lambda page: press(page, "q를 p와 같게")),
    "softmax": ("그대로다", lambda page: press(page, "모두 1 올리기")),
    "gradient": ("첫 스텝", lambda page: [press(page, words) for words in ("사진 2", "한 스텝", "한 스텝")]),
    "logsumexp": ("최댓값을 빼고", lambda page: press(page, "차이 102")),
    "reduction": ("작아진다", lambda page: page.get_by_label("표본 1 무시하기").check()),
    "memory": ("그대로", lambda page: page.get_by_label("토큰 수 N").press("ArrowRight")),
    "broadcast": ("값이 틀린다", lambda page: page.get_by_label("(N, 1)").check()),
    "shards": ("커진다", lambda page: page.get_by_label("그냥 더하기").check()),
    "rate": ("아니다", lambda page: [page.get_by_label("학습률 η").press("End")]),
    "smoothing": ("다시 커진다", lambda page: [page.get_by_role("slider", name=name).press("End") for name in ("간격", "스무딩 ε")]),
    "rounding": ("256에서 멈춘다", lambda page: [page.get_by_label("bfloat16").check(), page.get_by_label("표본 수").press("End")]),
}


@pytest.mark.parametrize("name", SOLVED)
def test_every_riddle_can_be_solved(visit, name):
    guess, solve = SOLVED[name]
    page = visit(name)
    press(page, guess)
    assert page.locator(".x-riddle-verdict").inner_text() == "이제 해 보세요."
    solve(page)
    assert page.locator(".x-riddle-verdict").inner_text().startswith("맞았습니다.")


@pytest.mark.parametrize("name", NAMES)
def test_only_the_sentence_and_the_verdict_speak(visit, name):
    "바뀌는 숫자를 하나하나 읽어 주지 않습니다."
    page = visit(name)
    loud = page.eval_on_selector_all(".x-box :is(output, [role=status], [aria-live])", "nodes => nodes.filter(n => n.getAttribute('aria-live') !== 'off').map(n => n.className)")
    assert sorted(loud) == ["x-riddle-verdict", "x-wide x-say"]


# ---- 글 01


def check_information(values, base):
    p, q = ([values[f"{which}{i}"] for i in range(4)] for which in "pq")
    same(sum(p), 1)
    same(sum(q), 1)
    with np.errstate(divide="ignore"):
        for which, probs in (("p", p), ("q", q)):
            same([values[f"surprisal_{which}{i}"] for i in range(4)], information.surprisal(np.array(probs), base=base))
        same(values["entropy"], information.entropy(np.array(p), base=base))
        same(values["cross_entropy"], information.cross_entropy(np.array(p), np.array(q), base=base))
        same(values["kl"], information.kl_divergence(np.array(p), np.array(q), base=base))
    return np.array(p), np.array(q)


def test_information_starts_with_a_round_number(visit):
    values = numbers(visit("information"))
    check_information(values, 2)
    same([values["entropy"], values["kl"], values["cross_entropy"]], [1.75, 0.625, 2.375])


def test_information_by_mouse_in_both_units(visit):
    page = visit("information")
    drag(page, page.get_by_role("slider", name="짜장면의 실제 확률 p"), dy=-50)
    drag(page, page.get_by_role("slider", name="볶음밥의 예측 확률 q"), dy=-70)
    p, q = check_information(numbers(page), 2)
    assert p[0] > 0.7 and q[2] > 0.5
    same(p[1:] / p[1], [1, 0.5, 0.5])  # 나머지는 비율대로 나눠 갖습니다
    page.get_by_text("정보량 표와 단위").click()
    page.get_by_label("내트").check()
    check_information(numbers(page), math.e)


def test_information_by_keyboard_up_to_infinity(visit):
    page = visit("information")
    snow = page.get_by_role("slider", name="탕수육의 예측 확률 q")
    snow.focus()
    page.keyboard.press("ArrowDown")
    assert check_information(numbers(page), 2)[1][3] == pytest.approx(0.24)
    assert snow.get_attribute("aria-valuetext") == "24.0퍼센트"
    page.keyboard.press("Home")
    values = numbers(page)
    check_information(values, 2)
    assert values["kl"] == math.inf
    press(page, "q를 p와 같게")
    assert numbers(page)["kl"] == 0
    rain = page.get_by_role("slider", name="볶음밥의 실제 확률 p")
    rain.focus()
    page.keyboard.press("End")
    values = numbers(page)
    check_information(values, 2)
    assert values["entropy"] == 0
    page.keyboard.press("PageDown")  # 나머지가 모두 0이었으니 고르게 나눕니다
    same(check_information(numbers(page), 2)[0], [1 / 30, 1 / 30, 0.9, 1 / 30])
    press(page, "처음으로")
    same(numbers(page)["cross_entropy"], 2.375)


def test_information_by_touch(visit):
    page = visit("information", width=390, has_touch=True, is_mobile=True)
    handle = page.get_by_role("slider", name="짬뽕의 실제 확률 p")
    before = page.evaluate("scrollY")
    swipe(page, handle, dy=-60)
    p, _ = check_information(numbers(page), 2)
    assert p[1] > 0.5
    assert page.evaluate("scrollY") == before  # 손잡이를 끄는 동안 글은 그대로입니다


def test_information_draws_what_it_counts(visit):
    "막대의 높이와 네모의 너비가 값에 비례합니다."
    page = visit("information")
    drag(page, page.get_by_role("slider", name="탕수육의 실제 확률 p"), dy=-40)
    p, q = check_information(numbers(page), 2)
    for which, probs in (("p", p), ("q", q)):
        heights = np.array([float(node.get_attribute("height")) for node in page.locator(f".x-bar.x-{which}").all()])
        same(heights / heights.sum(), probs)
    widths = np.array([float(node.get_attribute("width")) + 2 for node in page.locator(".x-fill-p").all()])
    same(widths / widths.sum(), p)


# ---- 글 02


def check_softmax(values, temperature=1.0):
    logits = np.array([values[f"z{c}"] for c in range(3)])
    same([values[f"p{c}"] for c in range(3)], softmax.softmax(logits / temperature))
    return logits


def test_softmax_starts_with_the_running_example(visit):
    page = visit("softmax")
    same(check_softmax(numbers(page)), [1, 2, 3])
    press(page, "사진 2: (2, 0, 0)")
    same(check_softmax(numbers(page)), [2, 0, 0])


def test_softmax_by_mouse_keyboard_and_temperature(visit):
    page = visit("softmax")
    drag(page, page.get_by_role("slider", name="강아지의 로짓"), dy=70)
    assert check_softmax(numbers(page))[1] < -2
    page.get_by_role("slider", name="새의 로짓").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    assert check_softmax(numbers(page))[2] == pytest.approx(1.9)
    page.get_by_label("온도 T").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    check_softmax(numbers(page), temperature=1.7)


def test_softmax_does_not_move_when_all_logits_do(visit):
    page = visit("softmax")
    before = numbers(page)
    press(page, "모두 1 올리기")
    after = numbers(page)
    same(check_softmax(after), [2, 3, 4])
    same([after[f"p{c}"] for c in range(3)], [before[f"p{c}"] for c in range(3)])
    page.wait_for_function("document.querySelector('.x-say').innerText.includes('이동 불변성')")
    for _ in range(5):
        press(page, "모두 1 올리기")
    same(check_softmax(numbers(page)), [4, 5, 6])  # 그림 끝에서 멈춥니다


def test_softmax_by_touch(visit):
    page = visit("softmax", width=390, has_touch=True, is_mobile=True)
    swipe(page, page.get_by_role("slider", name="고양이의 로짓"), dy=-40)
    assert check_softmax(numbers(page))[0] > 2


# ---- 글 05


def check_gradient(values, target, temperature=1.0, rate=3.0):
    logits = np.array([[values[f"z{c}"] for c in range(3)]])
    target = np.array([target])
    probs = softmax.softmax(logits / temperature)
    same([values[f"p{c}"] for c in range(3)], probs[0])
    same(values["loss"], reference.cross_entropy(logits / temperature, target))
    gradient = reference.cross_entropy_grad(1.0, logits / temperature, target)[0]
    same([values[f"difference{c}"] for c in range(3)], gradient)
    same([values[f"move{c}"] for c in range(3)], -rate * gradient / temperature)
    same(values["difference_sum"], 0)
    return logits[0]


def test_gradient_of_the_running_example(visit):
    page = visit("gradient")
    values = numbers(page)
    same(check_gradient(values, 2), [1, 2, 3])
    numpy_ce = reference.NumpyCrossEntropy()
    same(values["loss"], numpy_ce.cross_entropy(np.array([[1.0, 2.0, 3.0]]), np.array([2])))
    press(page, "사진 2")
    same(check_gradient(numbers(page), 1), [2, 0, 0])


def test_gradient_by_mouse_keyboard_and_temperature(visit):
    page = visit("gradient")
    page.get_by_label("고양이", exact=True).check()
    drag(page, page.get_by_role("slider", name="강아지의 로짓"), dy=70)
    assert check_gradient(numbers(page), 0)[1] < -2
    page.get_by_role("slider", name="새의 로짓").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("PageDown")
    assert check_gradient(numbers(page), 0)[2] == pytest.approx(1.9)
    page.get_by_label("온도 T").focus()
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    check_gradient(numbers(page), 0, temperature=1.7)


def test_gradient_walks_downhill(visit):
    page = visit("gradient", reduced_motion="reduce")
    press(page, "사진 2")
    logits, losses = np.array([[2.0, 0.0, 0.0]]), []
    for _ in range(3):
        logits = logits - 3.0 * reference.cross_entropy_grad(1.0, logits, np.array([1]))
        press(page, "한 스텝")
        values = numbers(page)
        same(check_gradient(values, 1), logits[0])
        losses.append(values["loss"])
    press(page, "열 스텝")
    values = numbers(page)
    check_gradient(values, 1)
    assert values["steps"] == 13
    assert losses[0] > losses[1] > losses[2] > values["loss"]
    assert page.locator(".x-curve").get_attribute("d").count("L") == 13  # 곡선이 스텝마다 한 점씩 자랍니다


def test_gradient_arrow_spans_p_minus_y(visit):
    "주황 화살표의 길이는 |p − Y|에 비례합니다."
    page = visit("gradient")
    values = numbers(page)
    ends = page.eval_on_selector_all(".x-arrow.x-ink-q .x-arrow-head", "nodes => nodes.map(n => Number(n.getAttribute('d').match(/L[\\d.]+ ([\\d.]+)Z/)[1]))")
    starts = page.eval_on_selector_all(".x-arrow.x-ink-q line", "nodes => nodes.map(n => Number(n.getAttribute('y1')))")
    lengths = (np.array(starts) - np.array(ends)) / 124
    np.testing.assert_allclose(lengths, [values[f"difference{c}"] for c in range(3)], atol=1e-3)


def test_gradient_by_touch(visit):
    page = visit("gradient", width=390, has_touch=True, is_mobile=True)
    swipe(page, page.get_by_role("slider", name="고양이의 로짓"), dy=-40)
    assert check_gradient(numbers(page), 2)[0] > 2
    page.get_by_role("button", name="한 스텝").tap()
    check_gradient(numbers(page), 2)


# ---- 글 03


def float32_steps(gap, shift):
    "나눗셈까지 float32로, 연산 하나마다 반올림해서 셉니다. exp와 log는 float64로 센 뒤 float32로 내립니다."
    f32 = np.float32
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        z = f32([gap, 0]) - f32(gap if shift else 0)
        exps = np.exp(z.astype(np.float64)).astype(f32)
        probs = exps / (exps[0] + exps[1])
        return np.log(probs.astype(np.float64)).astype(f32)[1]


@pytest.mark.parametrize("gap", [0, 1, 20, 88, 89, 92, 97, 102, 103, 104, 200])
def test_logsumexp_against_numpy_float32(visit, gap):
    page = visit("logsumexp")
    slider = page.get_by_role("slider", name="로짓의 차이")
    slider.focus()
    page.keyboard.press("Home")
    for key, times in (("PageUp", gap // 10), ("ArrowRight", gap % 10)):
        for _ in range(times):
            page.keyboard.press(key)
    values = numbers(page)
    assert values["gap"] == gap
    same(values["truth"], softmax.log_softmax(np.array([gap, 0.0]))[1])
    same(values["logsumexp"], softmax.log_softmax(np.array([gap, 0], dtype=np.float32))[1])
    same(values["plain"], float32_steps(gap, shift=False))
    same(values["shifted"], float32_steps(gap, shift=True))
    assert (values["plain"] == -math.inf) == (gap >= 89)
    assert (values["shifted"] == -math.inf) == (gap >= 104)
    # float32의 반올림보다 크게 틀리면 무너졌다고 말합니다
    truth = softmax.log_softmax(np.array([gap, 0.0]))[1]
    wrong = [not abs(values[way] - truth) <= 1e-6 * abs(truth) for way in ("plain", "shifted", "logsumexp")]
    assert page.locator(".x-broken").count() == sum(wrong)
    assert wrong == [gap >= 89, gap >= 97, False]


def test_logsumexp_by_mouse_and_touch(visit):
    page = visit("logsumexp")
    drag(page, page.get_by_role("slider", name="로짓의 차이"), dx=300)
    assert numbers(page)["gap"] > 100
    press(page, "차이 102")
    assert numbers(page)["gap"] == 102
    phone = visit("logsumexp", width=390, has_touch=True, is_mobile=True)
    swipe(phone, phone.get_by_role("slider", name="로짓의 차이"), dx=200)
    assert numbers(phone)["gap"] > 120


def test_logsumexp_leaves_vertical_swipes_to_the_page(visit):
    "가로 손잡이를 옆으로 끌면 손잡이가, 위로 쓸면 글이 움직입니다."
    page = visit("logsumexp", width=390, has_touch=True, is_mobile=True)
    handle = page.get_by_role("slider", name="로짓의 차이")
    swipe(page, handle, dx=200)
    gap = numbers(page)["gap"]
    assert gap > 100 and page.evaluate("scrollY") == 0
    swipe(page, handle, dy=-150)
    page.wait_for_function("scrollY > 50")
    assert numbers(page)["gap"] == gap
    stand_still(page)  # 쓸어 올린 글이 아직 움직이면 scrollTo가 되돌려집니다
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("scrollY == 0")
    swipe(page, handle, dx=-100)
    assert numbers(page)["gap"] < gap


# ---- 글 08

LOGITS = np.array([[1, 2, 3], [2, 0, 0], [0, 1, 0], [3, 1, 2], [1, 1, 1]], dtype=float)
TARGET = np.array([2, 1, 1, 0, 2])


def check_reduction(values, ignored=(), weight=None, reduction="mean"):
    target = TARGET.copy()
    target[list(ignored)] = -100
    weight = None if weight is None else np.array(weight)
    same([values[f"loss{n}"] for n in range(5)], reference.cross_entropy(LOGITS, TARGET, reduction="none"))
    with np.errstate(invalid="ignore"):
        expected = reference.cross_entropy(LOGITS, target, weight=weight, reduction=reduction)
    same(values["result"], expected)
    if reduction != "none" and len(ignored) < 5:
        # 표본마다의 기울기 = 기울기 몫 × (p − y)
        gradient = reference.cross_entropy_grad(1.0, LOGITS, target, weight=weight, reduction=reduction)
        difference = softmax.softmax(LOGITS) - np.eye(3)[TARGET]
        same(np.array([values[f"scale{n}"] for n in range(5)])[:, None] * difference, gradient)


def test_reduction_by_mouse(visit):
    page = visit("reduction")
    check_reduction(numbers(page))
    page.get_by_label("표본 1 무시하기").check()
    page.get_by_label("표본 4 무시하기").check()
    for reduction in ("none", "sum", "mean"):
        page.get_by_label(reduction, exact=True).check()
        check_reduction(numbers(page), ignored=[1, 4], reduction=reduction)
        page.get_by_label("켜기").check()
        check_reduction(numbers(page), ignored=[1, 4], weight=[0.5, 2, 1], reduction=reduction)
        page.get_by_label("끄기").check()


def test_reduction_of_nothing_is_nan(visit):
    page = visit("reduction")
    press(page, "모두 무시하기")
    values = numbers(page)
    assert math.isnan(values["result"])
    check_reduction(values, ignored=range(5))
    page.get_by_label("sum", exact=True).check()
    check_reduction(numbers(page), ignored=range(5), reduction="sum")


def test_reduction_by_keyboard_and_touch(visit):
    page = visit("reduction")
    page.get_by_label("표본 0 무시하기").focus()
    page.keyboard.press("Space")
    page.get_by_label("켜기").check()
    page.get_by_label("클래스 2의 가중치").focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    check_reduction(numbers(page), ignored=[0], weight=[0.5, 2, 1.5])
    phone = visit("reduction", width=390, has_touch=True, is_mobile=True)
    phone.get_by_label("표본 2 무시하기").tap()
    check_reduction(numbers(phone), ignored=[2])


def test_reduction_lights_up_the_share(visit):
    page = visit("reduction")
    page.get_by_label("표본 3 무시하기").hover()
    lit = page.eval_on_selector_all(".x-piece.x-on", "nodes => nodes.map(n => n.className)")
    assert len(lit) == 2 and all("x-kind-3" in name for name in lit)  # 분자에 하나, 분모에 하나
    page.get_by_label("켜기").check()
    values = numbers(page)
    for row, parts in (("분자", [values[f"loss{n}"] * values[f"weight{n}"] for n in range(5)]), ("분모", [values[f"weight{n}"] for n in range(5)])):
        widths = page.locator(".x-ribbon", has_text=row).locator(".x-piece").evaluate_all("nodes => nodes.map(n => n.getBoundingClientRect().width)")
        np.testing.assert_allclose(np.array(widths) / sum(widths), np.array(parts) / sum(parts), atol=0.01)


# ---- 글 12


def check_memory(values, n=8192, v=262144, h=2048, rows=256, dtype="float32"):
    size = np.dtype("float32" if dtype == "float32" else "float16").itemsize
    rows = min(rows, n)
    expected = {
        "hidden": n * h * size, "weight": v * h * size, "logits": n * v * size, "copies": 3 * n * v * size,
        "chunk": rows * v * size, "saved": (3 * n - rows) * v * size, "chunks": -(-n // rows),
    }
    assert {name: values[name] for name in expected} == expected


def test_memory_by_keyboard(visit):
    page = visit("memory")
    check_memory(numbers(page))
    page.get_by_label("토큰 수 N").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_label("은닉 크기 H").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_label("어휘 크기 V").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_label("bfloat16").check()
    check_memory(numbers(page), n=16384, v=128256, h=1024, dtype="bfloat16")
    assert page.get_by_label("어휘 크기 V").get_attribute("aria-valuetext") == "128,256 (Llama 3)"
    page.get_by_label("한 조각의 줄 수").focus()
    page.keyboard.press("End")
    page.get_by_label("토큰 수 N").focus()
    page.keyboard.press("Home")
    check_memory(numbers(page), n=256, v=128256, h=1024, rows=8192, dtype="bfloat16")


def test_memory_by_mouse_and_touch(visit):
    page = visit("memory")
    box = page.get_by_label("어휘 크기 V").bounding_box()
    page.mouse.click(box["x"] + 8, box["y"] + box["height"] / 2)
    check_memory(numbers(page), v=3000)
    phone = visit("memory", width=390, has_touch=True, is_mobile=True)
    phone.locator("label", has_text="float16").last.tap()
    check_memory(numbers(phone), dtype="float16")


def test_memory_areas_are_bytes(visit):
    page = visit("memory")
    values = numbers(page)
    areas = {}
    for name, tint in (("hidden", "p"), ("weight", "third"), ("logits", "q")):
        node = page.locator(f".x-area-{tint}")
        areas[name] = float(node.get_attribute("width")) * float(node.get_attribute("height"))
    for name in ("hidden", "weight"):
        assert areas[name] / areas["logits"] == pytest.approx(values[name] / values["logits"], rel=1e-6)


# ---- 글 04, 13


def test_broadcast_is_what_numpy_does(visit):
    page = visit("broadcast", query="?broadcast=shape:(N 1);n:5")
    log_probs, rows = softmax.log_softmax(LOGITS), np.arange(5)
    wrong = -log_probs[rows, TARGET[:, None]]
    values = numbers(page)
    same([[values[f"loss{i}{j}"] for j in range(5)] for i in range(5)], wrong)
    same([values["mean"], values["right"]], [wrong.mean(), -log_probs[rows, TARGET].mean()])
    page.get_by_label("(N)", exact=True).check()
    same(numbers(page)["mean"], -log_probs[rows, TARGET].mean())


@pytest.mark.parametrize("ranks", [1, 2, 3])
def test_shards_join_to_the_whole(visit, ranks):
    page = visit("shards", query=f"?shards=ranks:{ranks}")
    page.get_by_label("클래스 4의 로짓").press("End")
    page.get_by_label("클래스 0의 로짓").press("PageDown")
    values = numbers(page)
    logits = np.array([values[f"z{c}"] for c in range(6)])
    assert logits[4] == 6 and logits[0] < 1
    for r, part in enumerate(np.split(logits, ranks)):
        same([values[f"m{r}"], values[f"s{r}"]], [part.max(), np.exp(part - part.max()).sum()])
    whole = reference.cross_entropy(logits[None], np.array([3]))
    same([values["loss"], values["whole"]], [whole, whole])
    page.get_by_label("그냥 더하기").check()
    assert (numbers(page)["loss"] > whole + 0.01) == (ranks > 1)


# ---- 글 07, 09, 10


@pytest.mark.parametrize("rate", [0.01, 0.3, 1, 3])
def test_rate_is_gradient_descent(visit, rate):
    "입력이 4인 표본 셋(정답 1, 1, 0)에 로짓 (0, 4w)를 주는 소프트맥스 회귀와 같습니다."
    w, target = -1.0, np.array([1, 1, 0])
    logits = lambda w: np.array([[0, 4 * w]] * 3)
    for _ in range(20):
        w -= rate * 4 * reference.cross_entropy_grad(1.0, logits(w), target)[:, 1].sum()
    same(numbers(visit("rate", query=f"?rate=rate:{rate}"))["last"], reference.cross_entropy(logits(w), target))


def test_smoothing_is_the_smoothed_loss(visit):
    values = numbers(visit("smoothing", query="?smoothing=eps:0.2;gap:2.5;classes:5"))
    loss = lambda gap: reference.cross_entropy(np.array([[gap, 0, 0, 0, 0]]), np.array([0]), label_smoothing=0.2)
    same(values["loss"], loss(2.5))
    gaps = np.linspace(0, 8, 8001)
    assert abs(values["best"] - gaps[np.argmin([loss(gap) for gap in gaps])]) < 2e-3


@pytest.mark.parametrize("dtype, power", [("float32", 14), ("float16", 9), ("float16", 13), ("bfloat16", 10)])
def test_rounding_adds_like_the_machine(visit, dtype, power):
    import torch

    total, one = torch.tensor(0.0, dtype=getattr(torch, dtype)), torch.tensor(0.7, dtype=getattr(torch, dtype))
    for _ in range(2**power):
        total = total + one
    values = numbers(visit("rounding", query=f"?rounding=dtype:{dtype};power:{power}"))
    assert values["total"] == total.item() and values["mean"] == (total / 2**power).item()


# ---- 모두에게


@pytest.mark.parametrize("name", NAMES)
def test_every_control_is_reached_by_tab_and_named(visit, name):
    page = visit(name)
    wanted = page.eval_on_selector_all(
        ".explorable :is(button, input, summary, [tabindex])",
        """nodes => { const seen = new Set();
          return nodes.filter(n => n.checkVisibility()).filter(n => n.type !== 'radio' || (!seen.has(n.name) && seen.add(n.name))).length }""",
    )
    reached = set()
    for _ in range(wanted + 3):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.closest('.explorable') ? document.activeElement.name || (document.activeElement.dataset.seen ??= String(Math.random())) : ''"))
    assert len(reached - {""}) == wanted
    for role in ("slider", "button", "checkbox", "radio"):
        for node in page.get_by_role(role).all():
            label = node.get_attribute("aria-label") or node.evaluate("n => n.labels?.[0]?.textContent || n.textContent")
            assert label and re.search(r"[가-힣]|none|sum|mean|float|\(N", label)
    for node in page.get_by_role("slider").all():
        now = node.get_attribute("aria-valuenow") or node.input_value()
        assert node.get_attribute("aria-valuetext") and math.isfinite(float(now))
    assert page.locator("[aria-live=polite]").inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_live_sentence_follows(visit, name):
    page = visit(name)
    live = page.locator("[aria-live=polite]")
    before = live.inner_text()
    page.locator(".explorable [role=slider], .explorable input[type=range]").first.focus()
    page.keyboard.press("Home")
    page.keyboard.press("PageUp")
    if name == "reduction":
        page.get_by_label("표본 0 무시하기").check()
    page.wait_for_function("before => document.querySelector('[aria-live]').innerText !== before", arg=before, timeout=3000)


@pytest.mark.parametrize("width", [390, 1300])
def test_focus_ring_keeps_off_the_name(visit, width):
    page = visit("memory", width=width)
    for slider in page.locator("input[type=range]").all():
        slider.focus()
        page.keyboard.press("ArrowLeft")
        ring, gap = page.evaluate("""() => {
          const input = document.activeElement, style = getComputedStyle(input);
          const name = document.querySelector(`label[for="${input.id}"]`).getBoundingClientRect();
          const out = parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth), box = input.getBoundingClientRect();
          return [style.outlineStyle, Math.max(box.top - out - name.bottom, box.left - out - name.right)];
        }""")
        assert ring == "solid" and gap >= 0


@pytest.mark.parametrize("name", NAMES)
def test_fits_narrow_screens_and_holds_its_place(visit, name):
    for width in (390, 320, 1300):
        page = visit(name, width=width)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    for width in (390, 1300):
        page = visit(name, width=width)
        ready = page.locator(".explorable").bounding_box()["height"]
        kept = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.explorable')).getPropertyValue('--x-tall'))")
        assert abs(ready - kept) < 60, f"explorables.css에 적은 {name}의 높이는 {kept}px인데 {width}px 화면에서 실제는 {ready}px입니다"


TOUCHED = ".x-range, .x-slider, .x-body > :not(.x-riddle) .x-button, .x-choice, .x-check"
TALLEST = {"logsumexp": "?logsumexp=gap:102", "reduction": "?reduction=weighted:true"}  # 가장 길어지는 때
MOVED = ".x-panel, .x-cards, .x-sum, .x-lines, .x-fraction, .g-graph, .s-ranks"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_touched_stands_beside_what_moves(visit, name):
    "위의 막대(57px)를 뺀 노트북 화면(760px)에는 통째로, 휴대전화 화면(844px)에는 만지는 것과 움직이는 것이 함께 들어갑니다."
    for query in ("", TALLEST.get(name, "")):
        assert visit(name, query=query).locator(".x-box").bounding_box()["height"] <= 760 - 57
    boxes = visit(name, width=390).eval_on_selector_all(f":is({TOUCHED}, {MOVED}):not(.x-fold *)", "nodes => nodes.map(n => n.getBoundingClientRect()).filter(b => b.height).map(b => [b.top, b.bottom])")
    assert max(bottom for _, bottom in boxes) - min(top for top, _ in boxes) <= 844 - 57


@pytest.mark.parametrize("name", NAMES)
def test_still_picture_without_scripts(visit, name):
    page = visit(name, java_script_enabled=False)
    image = page.locator(".explorable img")
    assert image.is_visible() and image.bounding_box()["height"] > 200
    assert page.locator(".x-box").count() == 0
    assert page.locator(".explorable").bounding_box()["height"] < image.bounding_box()["height"] + 40


STILL = """:root { --panel: #fff; --line: #d5d9de } .x-box { border: 0 !important; padding: 4px !important }
.x-head, .x-hint, .x-body > .x-controls, .x-body > .x-buttons, .x-sliders, .x-riddle, .x-fold { display: none !important } .x-say { min-height: 0 !important }"""
PRESSED = {"gradient": ["사진 2"], "logsumexp": ["차이 104"]}
POSED = {"broadcast": "shape:(N 1);n:2", "rate": "rate:1", "smoothing": "eps:0.1;gap:6", "rounding": "dtype:bfloat16;power:10"}  # 주소로 잡는 자세


def posed(name):
    return f"?{name}={POSED[name]}" if name in POSED else ""


def pose(page, name):
    "정지 그림과 같은 자세를 잡습니다. 그때 적혀 있는 글과 숫자를 돌려줍니다."
    page.wait_for_selector(".x-ready")
    for press_this in PRESSED.get(name, []):
        page.get_by_role("button", name=press_this, include_hidden=True).evaluate("button => button.click()")
    page.wait_for_timeout(500)
    return re.sub(r"\s+", " ", page.locator(".x-box").text_content())


@pytest.mark.parametrize("name", STILLS)
def test_still_picture_tells_what_the_script_tells(visit, name):
    "정지 그림에는 찍을 때의 글과 숫자를 함께 적어 둡니다. 스크립트가 다른 것을 말하면 `python tests/test_explorables.py`로 다시 찍습니다."
    from PIL import Image

    assert Image.open(NBS / "images" / f"explorable-{name}.png").text["Description"] == pose(visit(name, width=744, query=posed(name)), name)


def shoot():
    "정지 그림을 찍습니다."
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    with chromium() as browser, serve(NBS, PAGES) as address:
        for name in STILLS:
            page = browser.new_page(viewport={"width": 744, "height": 1200}, device_scale_factor=1.5)
            page.goto(f"{address}/{name}-light{posed(name)}")
            page.add_style_tag(content=STILL)
            told = PngInfo()
            told.add_itxt("Description", pose(page, name), lang="ko")
            picture = Image.open(io.BytesIO(page.locator(".x-box").screenshot()))
            picture = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
            picture.save(NBS / "images" / f"explorable-{name}.png", optimize=True, pnginfo=told)


if __name__ == "__main__":
    shoot()
