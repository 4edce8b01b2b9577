"""글 안에서 돌리기를 진짜 브라우저로 봅니다: 글마다 한 번 누르고 모두 돌려, 나온 글자를 저장된 출력과 비교합니다.

파이썬을 받을 수 없는 곳에서 만든 사이트에는 단추가 없으므로 건너뜁니다.
"""

import re
import time

import pytest
from browsing import needs_chromium, serve
from test_browser import AXE, CHECK_AXE, LAYOUT, LOOKS, SCROLL_THROUGH, Reader
from test_exercises import WRONG, exercises, name_of
from test_notebooks import assert_same_text

from blog import kernel, live, notebooks

pytestmark = needs_chromium
POSTS = {stem: stem[3:] + ".html" for stem in live.LIVE}


@pytest.fixture(scope="module")
def address(site):
    if not (site / "live").exists():
        pytest.skip("파이썬(Pyodide)을 받지 못한 사이트입니다")
    with serve(site) as address:
        yield address


class Live(Reader):
    "글을 열고, 눌러서, 돌립니다."

    def press(self, url):
        page = self.open(url)
        page.locator("[data-live=start]").click()
        self.wait("ready", 120)
        return page

    def wait(self, state, seconds=60):
        self.page.wait_for_function("state => [state, 'failed'].includes(document.documentElement.dataset.live)", arg=state, timeout=1000 * seconds)
        assert self.page.evaluate("document.documentElement.dataset.live") == state, self.problems

    def cell(self, text):
        "그 글자가 든 첫 셀. 고쳐도 같은 셀을 가리킵니다."
        found = self.page.locator("[data-cell]", has=self.page.locator("[data-live=source]", has_text=text)).first
        return self.page.locator(f'[data-cell="{found.get_attribute("data-cell")}"]')

    def write(self, box, source):
        for fold in box.locator("xpath=ancestor-or-self::*[self::details]").all() + box.locator("details").all():
            fold.evaluate("node => { node.open = true; }")
        box.locator("[data-live=source]").fill(source)

    def run(self, cell):
        cell.locator("[data-live=run]").evaluate("node => node.click()")
        self.wait("ready")

    def run_all(self):
        self.page.locator("[data-live=run-all]").click()
        self.wait("ready", 600)

    def output(self, cell):
        return cell.locator("[data-live=output]").inner_text().strip()

    def judge(self, exercise, source):
        if source is not None:
            self.write(exercise, source)
        exercise.locator("[data-live=check]").click()
        self.page.wait_for_function("node => node.dataset.verdict", arg=exercise.locator("[data-live=verdict]").element_handle(), timeout=60_000)
        self.wait("ready")
        return exercise.locator("[data-live=verdict]").get_attribute("data-verdict")


@pytest.fixture(scope="module")
def visit(browser, address):
    "글을 여는 함수. 파일이 끝나면 모인 문제를 봅니다."
    readers = []

    def visit(**options):
        readers.append(Live(browser, address, **options))
        return readers[-1]

    yield visit
    for each in readers:
        each.context.close()
    for each in readers:
        each.verify()


@pytest.fixture(scope="module")
def reader(visit):
    "글을 차례로 여는 브라우저 하나. 파이썬은 처음 한 번만 받습니다."
    reader = visit()
    reader.asked = []
    reader.context.on("request", lambda request: reader.asked.append(request.url))
    return reader


TEXTS = """() => Object.fromEntries([...document.querySelectorAll("[data-cell]")].map((cell) => [cell.dataset.cell, {
    state: cell.dataset.state,
    text: [...cell.querySelectorAll("[data-live=output] .cell-output-stdout")].map((node) => node.textContent).join(""),
    figures: cell.querySelectorAll("[data-live=output] img").length,
}]))"""


def needs_torch(path):
    "브라우저에서는 건너뛰어야 하는 셀."
    lost, skipped = set(), set()
    for cell in live.cells(path):
        if kernel.imports(cell["source"]) & kernel.NO_BROWSER or lost & set(cell["loads"]):
            skipped.add(cell["id"])
            lost |= set(cell["binds"])
        else:
            lost -= set(cell["binds"])
    return skipped


@pytest.mark.parametrize("stem", POSTS)
def test_prints_what_is_stored(reader, stem):
    page = reader.press(POSTS[stem])
    stored = page.evaluate(TEXTS)
    assert {cell["state"] for cell in stored.values()} == {"stored"}
    reader.run_all()
    fresh, skipped = page.evaluate(TEXTS), needs_torch(notebooks.NBS / f"{stem}.ipynb")
    assert len(fresh) > 20
    for name, cell in fresh.items():
        assert cell["state"] == ("skipped" if name in skipped else "ok"), (name, page.locator(f'[data-cell="{name}"]').inner_text())
        assert_same_text(cell["text"], stored[name]["text"], f"{stem} {name}")
        assert cell["figures"] == stored[name]["figures"]
    judge_exercises(reader, stem)
    reader.verify()


def judge_exercises(reader, stem):
    "빈 답과 틀린 답은 틀렸다고, 노트북의 답은 맞았다고 합니다."
    for start, answers, check in exercises(notebooks.NBS / f"{stem}.ipynb"):
        box = reader.page.locator(f'[data-exercise="{start["id"]}"]')
        assert reader.judge(box, None) == "wrong"
        head = re.search(r"^def .*:$", start["source"], re.M)[0]
        wrong = next(iter(WRONG[name_of(start)].values()))
        assert reader.judge(box, f"{head}\n    {wrong}") == "wrong"
        source = "\n".join(cell["source"] for cell in answers if "torch" not in cell["source"])
        right = re.search(rf"^def {name_of(start)}\b(?:.*\n)+?(?=\S|\Z)", source + "\n", re.M)[0]
        assert reader.judge(box, right) == "right"
        for hint in check["hints"]:
            box.locator("[data-live=hint]").click()
            assert hint in box.inner_text()
        assert not box.locator("[data-live=hint]").is_visible()


def test_second_visit_asks_for_nothing_big(reader):
    "글을 여럿 눌렀지만 큰 파일은 하나에 한 번씩만 물었습니다. 두 번째부터는 브라우저에 둔 것을 씁니다."
    reader.press("nll.html")
    big = [url for url in reader.asked if re.search(r"\.(whl|z|zip|gz)\?", url)]
    assert len(big) > 10 and len(set(big)) == len(big)


@pytest.fixture(scope="module")
def softmax(reader):
    "글 02를 눌러 둔 쪽."
    reader.open("softmax.html").evaluate("localStorage.clear()")
    reader.press("softmax.html")
    return reader


def test_changed_number_changes_what_follows(softmax):
    first, printed = softmax.cell("logits = np.array("), softmax.cell("exps = np.exp(logits[0])")
    later, figure = softmax.cell("temperatures = np.geomspace"), softmax.cell("steps = [(")
    softmax.run(figure)
    old = softmax.output(printed), figure.locator("img").get_attribute("src")
    assert "20.0855" in old[0] and "방금" in printed.inner_text()
    softmax.write(first, first.locator("[data-live=source]").inner_text().replace("3.0", "4.0"))
    assert printed.get_attribute("data-stale") is not None and later.get_attribute("data-stale") is not None
    softmax.run(figure)
    assert "54.5982" in softmax.output(printed)
    assert figure.locator("img").get_attribute("src") != old[1]
    assert printed.get_attribute("data-state") == "error"  # 손으로 구한 값과 비교하던 assert가 어긋납니다
    assert printed.get_attribute("data-stale") is None and later.get_attribute("data-stale") is not None


def test_numbers_that_changed_are_marked(softmax):
    "로짓을 고치면 글에 적힌 옛 확률에 표시가 생기고, 처음으로 돌리면 사라집니다. 표시는 글을 바꾸지 않습니다."
    page, marked = softmax.press("softmax.html"), "article mark.live-old"
    prose = "document.querySelector('article > p, article section > p, article p').parentElement.textContent"
    page.locator("[data-live=reset]").click()  # 앞의 검사가 고친 것이 브라우저에 남아 있습니다
    softmax.wait("ready")
    text = page.evaluate(prose)
    softmax.run_all()
    assert page.locator(marked).count() == 0
    cell = softmax.cell("logits = np.array(")
    softmax.write(cell, cell.locator("[data-live=source]").inner_text().replace("3.0", "2.5"))
    softmax.run_all()
    found = page.locator(marked).all_inner_texts()
    assert "0.0900" in found and f"밑줄 친 수 {len(found)}개" in page.locator(".live-bar").inner_text()
    assert not page.locator("[data-cell] mark").count()
    page.locator("[data-live=reset]").click()
    softmax.wait("ready")
    assert page.locator(marked).count() == 0 and page.evaluate(prose) == text


def test_error_is_shown_with_help(softmax):
    cell = softmax.cell("scores = np.array([-1.0")
    softmax.write(cell, "scores = 1\nscores / 없는_이름")
    softmax.run(cell)
    assert cell.get_attribute("data-state") == "error"
    shown = softmax.output(cell)
    assert "NameError" in shown and "2번째 줄" in shown and "아직 만들지 않았습니다" in shown
    softmax.write(cell, "np.array([1.0, 2.0]).sum(axis=5)")
    softmax.run(cell)
    assert "AxisError" in softmax.output(cell)


def test_stop_and_run_again(softmax):
    page, cell = softmax.page, softmax.cell("names = [")
    before = cell.locator("[data-live=source]").inner_text()
    stored = softmax.output(cell)
    page.clock.install()
    softmax.write(cell, "while True:\n    pass")
    cell.locator("[data-live=run]").click()
    softmax.wait("running")
    page.clock.run_for(31_000)
    assert "멈출까요" in page.locator(".live-bar").inner_text()
    page.evaluate("scrollTo(0, 0)")  # 도는 동안에도 페이지는 움직입니다
    page.locator("[data-live=stop]").click()
    softmax.wait("ready")
    assert cell.get_attribute("data-state") == "stored" and softmax.output(cell) == stored
    softmax.write(cell, before)
    softmax.run(cell)
    assert cell.get_attribute("data-state") == "ok"
    page.clock.resume()


def test_what_was_written_stays_until_reset(softmax):
    page = softmax.page
    box = page.locator("[data-exercise]").first
    softmax.write(box, "def temperature_for(gap, ratio):\n    return 3")
    softmax.press("softmax.html")
    assert "return 3" in page.locator("[data-exercise]").first.locator("[data-live=source]").inner_text()
    page.locator("[data-live=reset]").click()
    softmax.wait("ready")
    assert "return 3" not in page.locator("[data-exercise]").first.inner_text()
    assert {cell["state"] for cell in page.evaluate(TEXTS).values()} == {"stored"}
    assert page.evaluate("localStorage.getItem('live:02_softmax')") is None


def test_keyboard_only(softmax):
    page = softmax.open("softmax.html")
    page.locator("[data-live=start]").focus()
    page.keyboard.press("Enter")
    softmax.wait("ready", 60)
    assert page.evaluate("document.activeElement.dataset.live") == "run-all"
    cell = softmax.cell("names = [")
    cell.locator("[data-live=run]").focus()
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.dataset.live") == "source"
    page.keyboard.press("Tab")  # 고치기 전에는 그냥 지나갑니다
    assert page.evaluate("document.activeElement.dataset.live") == "run"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+End")
    page.keyboard.type("\nif True:\nprint('한글')")
    page.keyboard.press("Shift+Enter")
    softmax.wait("ready")
    assert "한글" in softmax.output(cell)
    page.keyboard.press("Tab")  # 고치는 동안에는 들여쓰기입니다
    assert page.evaluate("document.activeElement.dataset.live") == "source"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.dataset.live") == "run"
    page.locator("[data-live=reset]").click()
    softmax.wait("ready")
    softmax.verify()


def test_looks(softmax):
    page = softmax.press("softmax.html")
    cell = softmax.cell("exps = np.exp(logits[0])")
    softmax.write(cell, "1 / 0")
    softmax.run(cell)
    softmax.judge(page.locator("[data-exercise]").first, None)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(SCROLL_THROUGH)
        softmax.ask(LAYOUT)
        if width == 390:
            softmax.ask(CHECK_AXE)
    softmax.verify()


def test_without_scripts(browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/softmax.html")
    assert not page.locator("[data-live=start]").is_visible()
    assert "30.1929" in page.locator("[data-live=output]", has_text="합 =").first.inner_text()
    assert page.locator("[data-exercise]").count() == 0
    context.close()


def test_opened_as_a_file(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto((site / "softmax.html").as_uri())
    assert "make serve" in page.locator("#by-file").inner_text()
    context.close()


def test_only_what_the_post_needs_is_loaded(visit):
    "누르기 전에는 아무것도, 그림이 없는 글에서는 그림 그릴 것을 받지 않습니다. 그런 글은 아직 없어, 글 02에서 그리는 셀을 뺍니다."
    quiet, asked = visit(), []
    quiet.context.on("request", lambda request: asked.append(request.url))
    quiet.open("softmax.html")
    time.sleep(0.3)
    assert not [url for url in asked if "/live/" in url]

    def without_figures(route):
        post = route.fetch().json()
        post["cells"] = [cell for cell in post["cells"] if not live.draws([cell]) and not cell["role"]]
        route.fulfill(json=post)

    quiet.context.route("**/live/softmax.json*", without_figures)
    quiet.press("softmax.html")
    cell = quiet.cell("names = [")
    quiet.run(cell)
    assert cell.get_attribute("data-state") == "ok"
    loaded = {url.rsplit("/", 1)[-1].partition("?")[0] for url in asked if "/live/" in url}
    assert {"worker.js", *live.loaded()} <= loaded and not loaded & set(live.drawing())


def test_size_and_licences(site):
    "그림이 없는 글은 9MB, 있는 글은 20MB를 넘지 않고, 함께 내보내는 것의 허락을 모두 적습니다."
    assert live.size(figures=False) < 9e6 and live.size(figures=True) < 20e6
    said = re.search(r"처음 한 번 (\d+)MB", (site / "softmax.html").read_text(encoding="utf-8"))[1]
    assert abs(int(said) - live.size(figures=True) / 1e6) < 1
    words = (site / "live" / "LICENSES.txt").read_text(encoding="utf-8")
    for name in ("pyodide 0.27.7", "numpy 2.0.2", "matplotlib 3.8.4", "@codemirror/view", "Open Font License", "PSF License"):
        assert name in words


def test_only_official_files_are_kept(tmp_path, monkeypatch):
    "SHA-256이 공식 목록과 다른 파일은 두지 않고, 받지 못하면 None입니다."
    monkeypatch.setattr(live, "CACHE", tmp_path)
    live.keep("a.whl", b"good", "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c")
    live.keep("b.whl", b"evil", "770e607624d689265ca6c44884d0807d9b054d23c473c106c72be9de08b7376c")
    assert [path.name for path in tmp_path.iterdir()] == ["a.whl"]
    monkeypatch.setattr(live, "from_wheel", lambda missing: None)
    monkeypatch.setattr(live, "from_official", lambda missing, version: None)
    assert live.runtime.__wrapped__() is None
