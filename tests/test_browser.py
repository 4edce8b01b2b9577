"""완성된 블로그를 진짜 브라우저로 봅니다.

모든 쪽을 1300px와 390px, 밝게와 어둡게(평소에는 둘씩 짝지어) 열어 오류, 바깥 요청, 가로 넘침, 남은 TeX, 접근성, 글의 밀림을 보고,
CROSSENT_SCREENSHOTS=1이면 눈으로도 볼 수 있게 screenshots/에 찍어 둡니다(커밋하지 않습니다).
"""

import gzip
import os
import re
import unicodedata
from pathlib import Path

import pytest
from browsing import needs_chromium, serve
from test_search import ERRORS, TRACEBACK

ROOT = Path(__file__).parent.parent
AXE = ROOT / "blog" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "screenshots"
LOOKS = [(1300, "light"), (390, "dark")]  # 너비도 빛깔도 하나씩은 봅니다. 나머지 둘은 주간 검사가 봅니다
if os.environ.get("CROSSENT_EVERY_NOTEBOOK") or os.environ.get("CROSSENT_SCREENSHOTS"):
    LOOKS += [(1300, "dark"), (390, "light")]
EXPLORABLES = {
    "index.html": "graph", "training.html": "rate", "nll.html": "broadcast", "parallel.html": "shards", "options.html": "smoothing", "precision.html": "rounding",
    "information.html": "information", "softmax.html": "softmax", "cross_entropy.html": "gradient",
    "log_softmax.html": "logsumexp", "reduction.html": "reduction", "linear.html": "memory",
}

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(site):
    with serve(site) as address:
        yield address


@pytest.fixture(scope="module")
def urls(site):
    "사이트의 모든 쪽."
    found = sorted(str(path.relative_to(site)) for path in Path(site).rglob("*.html") if "_files" not in str(path))
    assert "index.html" in found and "404.html" in found
    return found


@pytest.fixture(scope="module")
def posts(urls):
    return [url for url in urls if "/" not in url and url not in ("index.html", "404.html")]


class Reader:
    "쪽을 열고, 열면서 생긴 문제를 모읍니다."

    def __init__(self, browser, address, width=1300, theme="light", **options):
        self.address, self.problems, self.responses, self.foreign = address, [], [], []
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **options)
        self.context.set_default_timeout(30_000)
        self.context.add_init_script(SHIFTS)
        self.page = self.context.new_page()
        self.context.route(lambda url: not url.startswith((address, "data:", "blob:")), self.refuse)
        self.page.on("console", lambda message: self.say(f"콘솔: {message.text}") if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.say(f"오류: {error}"))
        self.page.on("requestfailed", self.fail)
        self.page.on("response", self.note)

    def say(self, problem):
        self.problems.append(f"{self.page.url.removeprefix(self.address)}: {problem}")

    def fail(self, request):
        # 다른 쪽으로 넘어가느라 그만둔 요청은 잘못이 아닙니다.
        if request.url.startswith(self.address) and request.failure != "net::ERR_ABORTED":
            self.say(f"실패한 요청: {request.url}")

    def refuse(self, route):
        self.foreign.append(route.request.url)
        route.abort()

    def note(self, response):
        self.responses.append(response)
        if response.status >= 400:
            self.say(f"{response.status} {response.url}")

    def open(self, url):
        self.responses.clear()
        self.page.goto(f"{self.address}/{url}")
        self.page.wait_for_function("[...document.querySelectorAll('[data-explorable]')].every(node => node.classList.contains('x-ready'))")
        return self.page

    def ask(self, script, argument=None):
        for problem in self.page.evaluate(script, argument):
            self.say(problem)

    def verify(self):
        problems = self.problems + [f"바깥 요청: {url}" for url in self.foreign]
        self.problems, self.foreign = [], []
        assert not problems, "\n".join(problems)


@pytest.fixture
def reader(browser, address):
    "Reader를 만들어 줍니다. 모인 문제가 있으면 끝날 때 실패합니다."
    readers = []

    def reader(**options):
        readers.append(Reader(browser, address, **options))
        return readers[-1]

    yield reader
    for each in readers:
        each.context.close()
    for each in readers:
        each.verify()


SHIFTS = """
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""

SCROLL_THROUGH = """async () => {
  await document.fonts.ready;
  document.documentElement.style.scrollBehavior = "auto";
  for (let y = 0; y < document.body.scrollHeight; y += innerHeight * 0.8) {
    scrollTo(0, y);
    await new Promise(requestAnimationFrame);
  }
  const seen = [...document.images].filter((image) => image.checkVisibility());  // 접힌 곳의 그림은 펼 때 옵니다
  await Promise.all(seen.map((image) => image.decode().catch(() => {})));
  scrollTo(0, 0);
  await new Promise((done) => setTimeout(done, 50));
}"""

LAYOUT = r"""() => {
  const problems = [];
  const wide = document.documentElement;
  if (wide.scrollWidth > wide.clientWidth) problems.push(`가로로 넘칩니다: ${wide.scrollWidth} > ${wide.clientWidth}`);
  const boxed = (node) => {
    for (let box = node.parentElement; box && box !== document.body; box = box.parentElement)
      if (["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(box).overflowX)) return true;
    return false;
  };
  for (const node of document.querySelectorAll("article *")) {
    const { right, width } = node.getBoundingClientRect();
    if (width && right > innerWidth + 1 && !node.closest(".katex-mathml, svg") && node.checkVisibility() && !boxed(node))
      problems.push(`화면을 벗어납니다: <${node.tagName.toLowerCase()} class="${node.className}"> ${node.textContent.trim().slice(0, 30)}`);
  }
  for (const image of document.images) {
    if (!image.checkVisibility()) continue;
    if (!image.naturalWidth) problems.push(`그림이 없습니다: ${image.src}`);
    // 글자와 함께 링크에 든 카드 그림은 꾸밈이라 비워 둘 수 있습니다.
    if (!image.alt && !(image.getAttribute("alt") === "" && image.closest("a")?.textContent.trim())) problems.push(`그림에 대신할 말이 없습니다: ${image.src}`);
  }
  return problems;
}"""

MOVED = """() => {
  const shift = shifts.reduce((a, b) => a + b, 0);
  return shift >= 0.02 ? [`글이 밀립니다: ${shift.toFixed(3)}`] : [];
}"""

# 접힌 답과 코드를 펴고, 그 안의 그림까지 다 올 때까지 기다립니다.
UNFOLD = """async () => {
  for (const fold of document.querySelectorAll("article details")) fold.open = true;
  for (const image of document.images) image.loading = "eager";
  const seen = [...document.images].filter((image) => image.checkVisibility());  // 접힌 곳의 그림은 펼 때 옵니다
  await Promise.all(seen.map((image) => image.decode().catch(() => {})));
}"""

UNSET_TEX = r"""() => {
  const problems = [];
  for (const node of document.querySelectorAll(".katex-error")) problems.push(`짜지 못한 식: ${node.textContent}`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest("pre, code, script, style, .katex")) continue;
    const found = node.data.match(/\$[^$\n]*\$|\$\$|\\[a-zA-Z]{2,}|\\[()[\]]|:::/);
    if (found) problems.push(`글자로 남은 TeX: ${node.data.trim().slice(0, 80)}`);
  }
  return problems;
}"""

# 오래 걸리지 않도록, 화면 낭독기가 읽지 않는 식의 그림(.katex-html)과 앞에 나온 것과 같은 종류의 코드 조각은 빼고 봅니다.
CHECK_AXE = """async () => {
  scrollTo(0, 0);  // 머리띠가 글 위의 링크를 가리지 않는 자리
  for (const node of document.querySelectorAll(".katex-html")) node.remove();
  const seen = new Set();
  for (const node of document.querySelectorAll(".code span")) {
    if (seen.has(node.className)) node.replaceWith(node.textContent);
    seen.add(node.className);
  }
  // target-size: 누르는 것은 24px보다 작지 않거나 서로 그만큼 떨어져 있어야 합니다.
  const { violations } = await axe.run({ resultTypes: ["violations"], rules: { "target-size": { enabled: true } } });
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.slice(0, 3).map((node) => `axe ${id}: ${help}: ${node.target} ${node.any[0]?.message ?? ""}`));
}"""


@pytest.mark.parametrize("width, theme", LOOKS, ids=lambda value: str(value))
def test_every_page(reader, urls, width, theme):
    folder = SCREENSHOTS / f"{width}-{theme}"
    folder.mkdir(parents=True, exist_ok=True)
    browsing = reader(width=width, theme=theme, reduced_motion="reduce")
    axe = AXE.read_text(encoding="utf-8")
    for number, url in enumerate(urls):
        page = browsing.open(url)
        page.evaluate(SCROLL_THROUGH)
        browsing.ask(MOVED)
        page.evaluate(UNFOLD)
        browsing.ask(LAYOUT)
        browsing.ask(UNSET_TEX)
        if os.environ.get("CROSSENT_SCREENSHOTS"):
            photograph(page, folder / url.removesuffix(".html").replace("/", "-"))
        if number % 2 == (width == 390) or len(LOOKS) > 2:  # 접근성은 쪽마다 한 모습에서. 주간 검사는 모두에서
            page.evaluate(axe)
            browsing.ask(CHECK_AXE)
    browsing.verify()


def photograph(page, name, height=3000):
    "쪽 전체를 높이 3000px씩 나누어 찍습니다. Chromium은 16384px보다 긴 사진의 뒤를 비워 둡니다."
    screen = page.viewport_size
    page.set_viewport_size(screen | {"height": height})
    for number in range(-(-page.evaluate("document.documentElement.scrollHeight") // height)):
        page.evaluate("y => scrollTo(0, y)", number * height)
        page.screenshot(path=f"{name}-{number + 1}.jpg", type="jpeg", quality=70)
    page.set_viewport_size(screen)


def test_keyboard_reaches_everything(reader):
    "손잡이가 있는 쪽과, 틀이 저마다 다른 쪽 하나씩에서 Tab만 눌러 갑니다. 나머지 쪽은 같은 틀이고, 초점은 아래 검사가 봅니다."
    browsing = reader()
    for url in [*EXPLORABLES, "404.html", "pitfalls.html", "loss.html", "api.html", "api/loss.html"]:
        page = browsing.open(url)
        count = page.evaluate(MARK_FOCUSABLE)
        page.evaluate("document.activeElement.blur()")
        for _ in range(count + 5):
            page.keyboard.press("Tab")
        browsing.ask("() => [...focusable].filter(node => !visited.has(node)).map(node => `Tab으로 닿지 않습니다: ${node.outerHTML.slice(0, 120)}`)")
    browsing.verify()


MARK_FOCUSABLE = """() => {
  globalThis.visited = new Set();
  const groups = new Set();
  globalThis.focusable = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter((node) => {
    if (!node.checkVisibility({ visibilityProperty: true }) || node.disabled) return false;
    if (node.type !== "radio") return true;
    if (groups.has(node.name)) return false;
    groups.add(node.name);
    return true;
  });
  addEventListener("focusin", ({ target }) => {
    visited.add(target);
    if (target.type === "radio") for (const node of focusable) if (node.name === target.name) visited.add(node);
  });
  return focusable.length;
}"""


def test_focus_is_seen(reader, urls):
    "키보드로 옮겨 간 곳에는 테두리가 보입니다. 만져 보는 그림의 손잡이는 둘레의 고리가 대신합니다."
    browsing = reader()
    for url in urls:
        browsing.open(url)
        browsing.ask("""() => [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")].filter((node) => {
            if (!node.checkVisibility({ visibilityProperty: true })) return false;
            node.focus({ focusVisible: true });
            if (document.activeElement !== node) return false;
            const shown = node.querySelector(".x-ring") ?? (node.type === "radio" ? node.nextElementSibling : node);
            const { outlineStyle, outlineWidth, stroke } = getComputedStyle(shown);
            return shown.matches(".x-ring") ? stroke === "none" : outlineStyle === "none" || parseFloat(outlineWidth) < 1;
          }).map((node) => `초점이 보이지 않습니다: ${node.outerHTML.slice(0, 120)}`)""")
    browsing.verify()


@pytest.mark.parametrize("width", [1300, 390])
def test_korean_is_comfortable_to_read(reader, width):
    "낱말을 자르지 않고, 줄 사이가 넉넉하며, 한 줄이 마흔다섯 자를 넘지 않습니다."
    page = reader(width=width).open("information.html")
    style = page.evaluate("""() => {
      const { wordBreak, lineHeight, fontSize, fontFamily, width } = getComputedStyle(document.querySelector("article section > p"));
      return { wordBreak, fontFamily, size: parseFloat(fontSize), leading: parseFloat(lineHeight) / parseFloat(fontSize), letters: parseFloat(width) / parseFloat(fontSize) };
    }""")
    assert style["wordBreak"] == "keep-all" and style["size"] >= 16 and 1.6 <= style["leading"] <= 2
    assert style["letters"] <= 45 and all(face in style["fontFamily"] for face in ("Apple SD Gothic Neo", "Noto Sans KR", "Malgun Gothic"))


@pytest.mark.parametrize("width", [1300, 390])
def test_columns_of_outputs_line_up(reader, width):
    "이름에 한글과 영문이 섞여도 `compare` 표의 '최대 차이'가 한 줄에 섭니다."
    page = reader(width=width).open("testing.html")
    tables = page.evaluate("""() => [...document.querySelectorAll(".cell-output pre:has(.cells)")].map((pre) => {
      const walker = document.createTreeWalker(pre, NodeFilter.SHOW_TEXT), lefts = [], range = document.createRange();
      while (walker.nextNode()) for (const found of walker.currentNode.data.matchAll("최대 차이")) {
        range.setStart(walker.currentNode, found.index);
        range.setEnd(walker.currentNode, found.index + 1);
        lefts.push(range.getBoundingClientRect().left);
      }
      return lefts;
    })""")
    assert tables and all(len(lefts) > 1 and max(lefts) - min(lefts) < 1 for lefts in tables), tables


@pytest.mark.parametrize("url", ["index.html", "softmax.html", "options.html", "api/loss.html"])
def test_four_times_larger(reader, url):
    "320px(1280px 화면을 네 배로 크게 본 것)에서도 쪽이 옆으로 밀리지 않습니다."
    page = reader(width=320).open(url)
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.get_by_role("link", name="crossent", exact=True).bounding_box()["width"] > 20


def test_focus_is_not_under_the_bar(reader):
    "Shift+Tab으로 거슬러 올라가도 초점이 머리띠에 가리지 않습니다."
    browsing = reader(reduced_motion="reduce")
    page = browsing.open("softmax.html")
    page.locator(".foot a").last.focus()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        browsing.ask("""() => {
          const node = document.activeElement, bottom = document.querySelector(".bar").getBoundingClientRect().bottom;
          return node.closest(".bar, .series, .toc") || node.getBoundingClientRect().bottom > bottom ? [] : [`머리띠에 가렸습니다: ${node.outerHTML.slice(0, 80)}`];
        }""")
    browsing.verify()


def test_copy_buttons_are_there_on_touch(reader):
    "손가락에는 늘 보이고, 코드의 글자를 덮지 않습니다."
    page = reader(width=390, has_touch=True, is_mobile=True).open("softmax.html")
    button = page.locator(".copy:visible").first
    assert button.evaluate("node => getComputedStyle(node).opacity") == "1"
    boxes = page.locator(".code:visible").first.evaluate("node => [node.querySelector('.copy'), node.querySelector('pre code')].map(n => n.getBoundingClientRect()).map(b => [b.top, b.bottom])")
    assert boxes[0][0] >= boxes[1][1] - 4 and boxes[0][1] - boxes[0][0] >= 24


def test_contents_follow_the_reader(reader):
    "긴 글에서도 차례의 지금 읽는 곳이 보입니다."
    page = reader().open("pitfalls.html#stuck")
    page.wait_for_function("document.querySelector('.toc .here')?.hash === '#stuck'")
    link, box = page.locator(".toc .here").bounding_box(), page.locator("#toc").bounding_box()
    assert box["y"] <= link["y"] and link["y"] + link["height"] <= box["y"] + box["height"]


def test_wide_boxes_scroll_by_keyboard(reader, posts):
    "좁은 화면에서 옆으로 밀리는 식과 코드는 모두 초점을 받습니다."
    browsing = reader(width=390)
    for url in posts:
        browsing.open(url)
        browsing.ask("""() => [...document.querySelectorAll("article :is(pre, .equation, .table-box)")]
          .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1 && node.tabIndex < 0)
          .map(node => `키보드로 밀 수 없습니다: ${node.outerHTML.slice(0, 120)}`)""")
    browsing.verify()


def test_light_enough(reader, posts):
    "처음 여는 글이 받는 스크립트는 150KB, 그림을 뺀 전부는 500KB를 넘지 않습니다(gzip)."
    browsing, squeezed = reader(), {}
    for url in posts:
        browsing.open(url)
        browsing.page.wait_for_load_state("networkidle")
        size = {"script": 0, "all": 0}
        for response in browsing.responses:
            kind = response.request.resource_type
            if kind == "image":
                continue
            if response.url not in squeezed:
                squeezed[response.url] = len(gzip.compress(response.body()))
            size["all"] += squeezed[response.url]
            size["script"] += squeezed[response.url] if kind == "script" else 0
        assert size["script"] <= 150_000 and size["all"] <= 500_000, (url, size)


def test_readable_without_scripts(reader, urls):
    browsing = reader(java_script_enabled=False)
    page = browsing.page
    for url in urls:
        page.goto(f"{browsing.address}/{url}")
        assert page.locator("h1").first.is_visible()
        assert page.locator(".needs-script:visible").count() == 0
        for kind in (".katex-html", "[data-explorable] img"):
            nodes = page.locator(f"article {kind}")
            if nodes.count():
                assert nodes.first.is_visible(), (url, kind)
                assert nodes.first.bounding_box()["height"] > 5, (url, kind)


def test_explorables_are_in_their_posts(reader, urls):
    browsing = reader()
    for url, name in EXPLORABLES.items():
        assert url in urls
        page = browsing.open(url)
        box = page.locator(f"[data-explorable='{name}'].x-ready .x-box")
        assert box.count() == 1, f"{url}에 만져 보는 그림 {name}이 없습니다"
        if name == "reduction":
            box.get_by_label("켜기").check()  # 가중치의 막대는 가중치를 켜야 보입니다
        slider = box.locator("[role=slider]:visible, input[type=range]:visible").first
        values = "node => [...node.querySelectorAll('[data-value]')].map(n => n.dataset.value).join()"
        before = box.evaluate(values)
        slider.focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("PageUp")
        assert box.evaluate(values) != before


# ---- 찾기


def search(page, words):
    "찾기 창에 적고, 나온 결과의 (글, 절, 주소)를 돌려줍니다."
    if not page.locator("dialog.search[open]").count():
        page.keyboard.press("/")
    field = page.get_by_role("textbox", name="찾을 말")
    field.fill("")
    field.fill(words)
    page.wait_for_function("/찾았습니다|없습니다|곳입니다/.test(document.querySelector('dialog .status').textContent)")
    return page.eval_on_selector_all(
        "dialog li a", "nodes => nodes.map(n => [n.querySelector('b').textContent, n.querySelector('i')?.textContent ?? '', n.getAttribute('href')])"
    )


CROSS_ENTROPY = ["교차 엔트로피", "교차엔트로피", "크로스 엔트로피", "크로스엔트로피", "cross entropy", "Cross-Entropy", "CrossEntropy"]


def test_search_by_every_name(reader):
    page = reader().open("index.html")
    page.wait_for_load_state("networkidle")
    for words in CROSS_ENTROPY + [unicodedata.normalize("NFD", words) for words in CROSS_ENTROPY]:
        results = search(page, words)
        assert any("cross_entropy.html" in address for _, _, address in results), words
        assert re.search("크로스 엔트로피|교차", " ".join(results[0][:2])), (words, results[:3])


@pytest.mark.parametrize(
    "words, post",
    [
        ("로그 소프트맥스", "log_softmax"), ("로그소프트맥스", "log_softmax"), ("log softmax", "log_softmax"), ("로그합지수", "log_softmax"),
        ("음의로그가능도", "nll"), ("최대가능도추정", "information"), ("레이블스무딩", "options"), ("KL발산", "information"),
        ("소프트맥스의 야코비 행렬", "softmax"), ("야코비행렬", "softmax"), ("기울기누적", "reduction"), ("ignore_index", "reduction"), ("퍼플렉시티", "language_model"),
        ("p - y", "cross_entropy"), ("클래스 불균형", "options"), ("원핫 인코딩", "nll"), ("OOM", "speed"), ("분산 학습", "parallel"),
        ("수치 안정성", "precision"), ("손실이 nan", "pitfalls"), ("pip install", "index"), ("어디서부터 읽나요", "index"),
        ("크로스엔트로피란?", "cross_entropy"), ("이그노어 인덱스", "reduction"), ("Expected input batch_size", "pitfalls"),
    ],
)
def test_search_finds_the_post(reader, words, post):
    page = reader().open("index.html")
    page.wait_for_load_state("networkidle")
    for spelling in (words, unicodedata.normalize("NFD", words)):
        results = search(page, spelling)
        assert any(f"/{post}.html" in f"/{address}" for _, _, address in results[:5]), (words, [address for _, _, address in results[:5]])


@pytest.mark.parametrize(
    "words, post",
    [
        ("브로드캐스트버그", "nll"), ("로그소프트맥스역전파", "log_softmax"), ("빈칸무시", "reduction"), ("정답칸뽑기", "nll"),
        ("가중치평균", "options"), ("조용히틀리는법", "nll"),
    ],
)
def test_search_splits_words_typed_together(reader, words, post):
    "띄어 쓴 글에서, 붙여 쓴 말을 찾습니다. 글에 없는 말(버그, 소실)이 섞여도 나머지로 찾습니다."
    page = reader().open("index.html")
    page.wait_for_load_state("networkidle")
    for spelling in (words, unicodedata.normalize("NFD", words)):
        results = search(page, spelling)
        assert any(address.split("/")[-1].startswith(f"{post}.html") for _, _, address in results[:4]), (words, results[:4])
    results = search(page, "로그소프트맥스역전파")
    assert "log_softmax.html" in results[0][2]  # 제목에 있는 글이 먼저입니다


def test_search_does_not_find_abbreviations_inside_words(reader):
    page = reader().open("index.html")
    page.wait_for_load_state("networkidle")
    for words in ("ppl", "퍼플렉시티"):
        results = search(page, words)
        assert any("language_model.html" in address for _, _, address in results[:2])  # 용어의 뜻이 앞설 수 있습니다
        assert not any("/autograd.html" in address for _, _, address in results), words  # apply의 ppl


def test_search_names_the_section_and_goes_there(reader):
    page = reader().open("softmax.html")
    page.wait_for_load_state("networkidle")
    results = search(page, "로그 소프트맥스")
    spot = next(i for i, (_, section, _) in enumerate(results) if section)
    title, section, address = results[spot]
    assert title and "#" in address
    page.locator("dialog li a").nth(spot).click()
    page.wait_for_url(f"**/{address.split('/')[-1]}")  # 넘어간 쪽의 스크립트까지 다 오기를 기다립니다. 그 전에는 /를 받지 못합니다.
    heading = page.evaluate("document.getElementById(decodeURIComponent(location.hash.slice(1)))?.textContent")
    assert heading and section.strip(" ›") in heading
    assert search(page, "qqqzzz") == []


@pytest.mark.parametrize("width", [390, 1300])
def test_pasted_error_shows_its_fix_without_scrolling(reader, width):
    "오류를 붙이고 엔터를 누르면 틀린 줄과 맞는 줄이 첫 화면에, 옆으로 밀지 않고 보입니다."
    page = reader(width=width).open("index.html")
    for sentence, anchor in ERRORS.items():
        page.wait_for_load_state("networkidle")
        search(page, TRACEBACK + sentence)
        assert page.locator("dialog li a").first.get_attribute("class") == "first"
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/pitfalls.html#{anchor}")
        page.wait_for_function("() => { const top = document.getElementById(location.hash.slice(1)).getBoundingClientRect().top; return top >= 0 && top < 200; }")
        pair = page.locator(f"section:has(> #{anchor}) .code pre, #{anchor} ~ .cell .code pre").first
        box = pair.bounding_box()
        assert "✗" in pair.inner_text() and "✓" in pair.inner_text()
        assert box["y"] + box["height"] < page.viewport_size["height"] and pair.evaluate("node => node.scrollWidth <= node.clientWidth + 1"), sentence


def test_search_by_keyboard_alone(reader):
    page = reader().open("index.html")
    page.wait_for_load_state("networkidle")
    search(page, "소프트맥스")
    page.keyboard.press("ArrowDown")
    address = page.evaluate("document.activeElement.href")
    page.keyboard.press("Enter")
    page.wait_for_url(address)
    page.keyboard.press("/")
    page.get_by_role("textbox", name="찾을 말").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="찾을 말").wait_for(state="hidden")


# ---- 밝기, 댓글, 404


def darkness(page):
    return page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) < 384")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_holds_across_pages(reader, theme):
    browsing = reader(theme=theme)
    page = browsing.open("index.html")
    start = darkness(page)
    assert start == (theme == "dark")
    page.locator("#theme-button").click()
    assert darkness(page) != start
    for url in ("softmax.html", "404.html", "api.html"):
        assert darkness(browsing.open(url)) != start, url
    page.locator("#theme-button").click()
    assert darkness(browsing.open("nll.html")) == start


def test_explorable_follows_the_theme(reader):
    browsing = reader()
    page = browsing.open("softmax.html")
    color = "getComputedStyle(document.querySelector('.x-box')).backgroundColor"
    before = page.evaluate(color)
    page.locator("#theme-button").click()
    assert page.evaluate(color) != before


@pytest.mark.parametrize("wanted", ["light", "dark"])
def test_figures_follow_the_theme(reader, wanted):
    "기기의 밝기를 따르고, 단추로 바꾸면 단추를 따릅니다."
    filters = "getComputedStyle(document.querySelector('.figure-image')).filter"
    dark = "invert(0.93) hue-rotate(180deg)"
    page = reader(theme=wanted).open("softmax.html")
    assert page.evaluate(filters) == (dark if wanted == "dark" else "none")
    page.locator("#theme-button").click()
    assert page.evaluate(filters) == ("none" if wanted == "dark" else dark)


GISCUS = {
    "https://giscus.app/client.js": """const frame = document.createElement("iframe");
frame.className = "giscus-frame"; frame.title = "댓글"; frame.src = "https://giscus.app/widget";
document.querySelector("#comments").append(frame);""",
    "https://giscus.app/widget": "<!doctype html><body><script>onmessage = ({ data }) => (document.body.textContent = data.giscus.setConfig.theme)</script>기다림",
}


def test_comments_follow_the_theme(reader):
    "giscus를 흉내 낸 상자가 처음의 밝기와 바뀐 밝기를 받습니다."
    browsing = reader(theme="dark")

    def answer(route):
        kind = "text/javascript" if route.request.url.endswith(".js") else "text/html; charset=utf-8"
        route.fulfill(body=GISCUS[route.request.url], content_type=kind, headers={"Access-Control-Allow-Origin": "*"})

    browsing.context.route(lambda url: url in GISCUS, answer)
    page = browsing.open("softmax.html")
    page.get_by_role("button", name="댓글 열기").click()
    assert page.locator("script[src*='giscus.app']").get_attribute("data-theme") == "dark"
    frame = page.frame_locator("iframe.giscus-frame")
    frame.get_by_text("기다림").wait_for()
    for theme in ("light", "dark"):
        page.locator("#theme-button").click()
        frame.get_by_text(theme).wait_for()


def test_comments_ask_nobody_until_pressed(reader):
    browsing = reader()
    page = browsing.open("softmax.html")
    page.locator("#comments").scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    assert browsing.foreign == []
    with page.expect_request("https://giscus.app/client.js"):
        page.get_by_role("button", name="댓글 열기").click()
    page.wait_for_load_state("networkidle")
    assert browsing.foreign == ["https://giscus.app/client.js"]
    assert page.locator("script[src*='giscus.app']").get_attribute("data-lang") == "ko"
    browsing.foreign.clear()
    browsing.problems[:] = [problem for problem in browsing.problems if "ERR_FAILED" not in problem]


def test_menus_on_a_phone(reader):
    page = reader(width=390).open("softmax.html")
    for button, menu in (("글 목록", "#series"), ("이 글의 차례", "#toc")):
        assert not page.locator(menu).is_visible()
        page.get_by_role("button", name=button).click()
        assert page.locator(menu).is_visible()
        page.keyboard.press("Escape")
        page.locator(menu).wait_for(state="hidden")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_grow_when_touched(reader, theme):
    "휴대전화에서 그림을 누르면 화면보다 넓게 보이고, 다시 누르거나 Esc로 닫습니다."
    page = reader(width=390, theme=theme).open("nll.html")
    figure = page.locator("a.zoom").first
    small = figure.locator("img").bounding_box()["width"]
    figure.click()
    large = page.locator("dialog.zoomed img")
    assert small < 390 and large.bounding_box()["width"] > 1.5 * small
    assert large.get_attribute("alt")
    page.keyboard.press("Escape")
    large.wait_for(state="hidden")
    figure.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="닫기").click()
    assert not large.is_visible()


def test_copy_button_copies_the_code(reader):
    browsing = reader()
    browsing.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = browsing.open("softmax.html")
    block = page.locator(".code:visible").first
    block.hover()
    block.get_by_role("button", name="코드 복사").click()
    page.wait_for_function("[...document.querySelectorAll('.copy')].some(node => node.textContent === '복사했습니다')")
    assert page.evaluate("navigator.clipboard.readText()").strip() == block.locator("pre").inner_text().strip()


def test_home_shows_its_first_screen(reader):
    "노트북 화면 하나에 제목, 시작하는 단추, 계산 그래프의 손실과 기울기가 다 보입니다."
    browsing = reader()
    page = browsing.open("index.html")
    page.set_viewport_size({"width": 1366, "height": 712})
    for node in (page.locator("h1"), page.get_by_role("link", name="글 01부터"), page.locator("[data-name=loss]"), page.locator("[data-name=dz12]")):
        box = node.bounding_box()
        assert 0 <= box["y"] and box["y"] + box["height"] <= 712
    assert page.locator("h1").bounding_box()["x"] == pytest.approx(page.locator(".brand").bounding_box()["x"], abs=1)


def test_home_shows_cards_and_filters_them(reader, posts):
    browsing = reader()
    page = browsing.open("index.html")
    linked = page.eval_on_selector_all(".card a", "nodes => nodes.map(n => n.getAttribute('href'))")
    numbered = list((Path(__file__).parent.parent / "nbs").glob("[0-7]*.ipynb"))
    assert len(linked) == len(numbered) and set(linked) <= set(posts)  # 도구와 라이브러리 속은 글이 아닙니다
    # 글의 분류를 누르면 홈에서 그 분류만 보입니다.
    page = browsing.open("softmax.html")
    category = page.locator("a.category").first
    name = category.inner_text()
    category.click()
    page.wait_for_selector(".card")
    page.wait_for_function("name => [...document.querySelectorAll('.card')].every(n => n.checkVisibility() === n.dataset.categories.split('|').includes(name))", arg=name)
    assert page.locator(".group:visible").count() < 5
    page.get_by_role("button", name="모두 보기").click()
    assert page.locator(".card:visible").count() == len(numbered) and not page.locator(".chosen").is_visible()


def test_printed_page_is_the_article_alone(reader):
    "어둡게 읽다가 찍어도 종이는 희고 그림은 보입니다."
    page = reader(theme="dark").open("softmax.html")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("article h1").is_visible()
    for frame in (".bar", ".series", ".toc", ".comments"):
        assert not page.locator(frame).is_visible(), frame
    assert not darkness(page)
    assert page.evaluate("getComputedStyle(document.querySelector('.figure-image')).filter") == "none"
