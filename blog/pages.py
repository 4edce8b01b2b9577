"smalldocs가 만든 HTML에서 글만 꺼내 다듬습니다."

import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from html import escape, unescape
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import yaml
from bs4 import BeautifulSoup, Comment
from PIL import Image
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from blog import check

CALLOUTS = {"note": "알아 두기", "tip": "도움말", "warning": "조심", "caution": "조심", "important": "중요"}


@dataclass
class Page:
    stem: str  # 노트북 이름에서 확장자를 뺀 것: 02_softmax
    url: str  # 사이트 안의 주소: softmax.html
    meta: dict  # 머리말
    body: object  # 글(BeautifulSoup)
    source: Path = None  # 노트북. API 쪽에는 없습니다
    files: dict = field(default_factory=dict)  # 함께 둘 파일: 주소 → 바이트
    live: str = ""  # 글 안에서 돌리는 단추
    lost: list = field(default_factory=list)  # 글이 가리키지만 없는 그림

    @property
    def title(self):
        return self.meta["title"]

    @property
    def description(self):
        return self.meta.get("description", "").replace("`", "")  # 쪽의 머리와 카드에는 글자만

    @property
    def number(self):
        "글 번호. 번호로 시작하지 않으면 None."
        found = re.match(r"(\d+)_", self.stem)
        return found and int(found[1])

    @property
    def is_tool(self):
        return self.number is not None and self.number >= 80

    @property
    def is_post(self):
        return self.number is not None and self.number < 80

    @property
    def root(self):
        "이 쪽에서 사이트의 맨 위로 가는 상대 주소."
        return "../" * self.url.count("/")


def load(
    notebook,  # nbs/의 노트북
    folder,  # nbdev가 다듬은 노트북과, 그것으로 만든 HTML(_docs/)이 있는 폴더
):  # Page
    "글 하나를 읽어 다듬습니다."
    first = "".join(json.loads((folder / notebook.name).read_text(encoding="utf-8"))["cells"][0]["source"])
    written = check.header(check.source(json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]))
    meta = yaml.safe_load(first.strip().strip("-")) | written
    soup = BeautifulSoup((folder / "_docs" / f"{notebook.stem}.html").read_text(encoding="utf-8"), "lxml")
    page = Page(notebook.stem, meta["output-file"], meta, soup.find("main"), notebook)
    if image := meta.get("image"):
        page.files[image] = (notebook.parent / image).read_bytes()
    tidy(page, soup)
    return page


def tidy(page, soup):
    "렌더러가 두른 껍질을 벗깁니다."
    body = page.body
    for comment in body.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for extra in body.select("#title-block-header, nav, .code-copy-button"):
        extra.decompose()
    fill_stills(body)
    tidy_code(body)
    tidy_answers(body)
    fold_figure_code(body, soup)
    tidy_callouts(body, soup)
    tidy_headings(body)
    tidy_tables(body, soup)
    tidy_images(page)


def fill_stills(body):
    "비어 있는 만져 보는 그림에, 바로 뒤의 셀이 그린 그림을 정지 그림으로 넣습니다."
    for box in body.select("[data-explorable]"):
        if not box.find("img"):
            cell = box.find_next(class_="cell")
            box.append(cell.find("img").extract())
            cell.decompose()


def code_html(text, language="python", kind="code"):
    "코드 블록. 색은 마지막에 입힙니다."
    return f'<div class="{kind}"><pre><code class="language-{language}">{escape(text, quote=False)}</code></pre></div>'


def color_code(
    html,  # 완성된 HTML
):  # 코드의 낱말마다 class를 단 HTML
    "코드에 색을 입힙니다. 낱말이 아주 많아지므로 글을 다 다듬은 뒤에 합니다."

    def color(found):
        try:
            lexer = get_lexer_by_name(found[1], stripnl=False)
        except ClassNotFound:
            lexer = get_lexer_by_name("text", stripnl=False)
        colored = highlight(unescape(found[2]), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
        return f"<pre><code>{colored}</code></pre>"

    return re.sub(r'<pre><code class="language-([\w+-]+)">(.*?)</code></pre>', color, html, flags=re.S)


def tidy_code(body):
    "코드 블록을 `<div class=code><pre>` 하나로 줄입니다."
    for pre in body.select("pre.sourceCode"):
        code = pre.find("code")
        languages = [name for name in [*pre.get("class", []), *code.get("class", [])] if name != "sourceCode" and "-" not in name]
        # 파이썬의 약속인 빈 줄 둘은 좁은 화면에서 너무 넓어 보입니다.
        block = BeautifulSoup(code_html(re.sub(r"\n{3,}", "\n\n", code.get_text()), languages[0] if languages else "text"), "html.parser")
        outer = pre
        while outer.parent.name == "div" and set(outer.parent.get("class", [])) & {"sourceCode", "code-copy-outer-scaffold"}:
            outer = outer.parent
        outer.replace_with(block)


FOLDED_WITH_OUTPUT = {"답 보기": "answer", "crossent의 도움말": "more"}


def tidy_answers(body):
    "연습문제의 답과 crossent의 도움말은 코드와 출력을 함께 접습니다."
    for details in body.select(".cell details"):
        cell = details.find_parent(class_="cell")
        details.attrs.pop("open", None)
        details["class"] = FOLDED_WITH_OUTPUT.get(details.summary.get_text(strip=True), "figure-code")
        if details["class"] == "figure-code":
            continue
        for output in cell.select(".cell-output"):
            if not output.find_parent("details"):
                details.append(output.extract())


def fold_figure_code(body, soup):
    "그림을 그리기만 하는 긴 코드는 접어 두어, 읽는 이가 그림을 먼저 보게 합니다."
    for cell in body.select(".cell"):
        code = cell.find("div", class_="code")
        if cell.find("details") or not code or not cell.find("img") or code.get_text().count("\n") < 5:
            continue
        details, summary = soup.new_tag("details", attrs={"class": "figure-code"}), soup.new_tag("summary")
        summary.string = "그림을 그리는 코드"
        code.wrap(details)
        details.insert(0, summary)


def tidy_callouts(body, soup):
    for callout in body.select("div.callout"):
        kind = next((kind for kind in CALLOUTS if f"callout-{kind}" in callout["class"]), "note")
        title = callout.select_one(".callout-title-container")
        title = title.get_text(" ", strip=True) if title else ""
        content = callout.select_one(".callout-body-container") or callout
        for old in callout.select(".callout-header, .callout-icon-container"):
            old.decompose()
        callout.clear() if content is callout else callout.replace_with(content)
        content.name, content.attrs = "aside", {"class": f"callout {kind}"}
        label = soup.new_tag("p", attrs={"class": "callout-title"})
        label.string = CALLOUTS[kind] if title.lower() in ("", kind) else title
        content.insert(0, label)


def tidy_headings(body):
    "제목의 이름표(id)를 제목 자신에게 답니다."
    for heading in body.find_all(["h1", "h2", "h3", "h4", "h5", "h6"]):
        section = heading.find_parent("section")
        anchor = heading.get("id") or heading.get("data-anchor-id") or (section and section.get("id"))
        heading.attrs = {"id": anchor} if anchor else {}
        if section:
            section.attrs.pop("id", None)
        # 바로 앞 줄이 `<a id="…"></a>`뿐이면 그것이 제목의 주소입니다. 제목을 고쳐 써도 주소는 그대로입니다.
        line = heading.find_previous("p")
        if line and not line.get_text(strip=True) and line.find("a", id=True) and line.find_next(["p", "pre", "table", heading.name]) is heading:
            named = line.find("a", id=True)
            heading.attrs = {"id": named["id"]}
            (named if len(line.find_all("a")) > 1 else line).decompose()
    for section in body.find_all("section"):
        section.attrs.pop("class", None)


def tidy_tables(body, soup):
    "넓은 표는 자기 상자 안에서만 옆으로 밀립니다."
    for table in body.find_all("table"):
        table["class"] = "dataframe" if "dataframe" in table.get("class", []) else "table"
        for cell in table.select("thead th"):
            cell["scope"] = "col"
        for corner in table.find_all("th"):
            if not corner.get_text(strip=True):
                corner.name = "td"
                corner.attrs.pop("scope", None)
        wrapper = soup.new_tag("div", attrs={"class": "table-box"})
        old = table.parent if table.parent.get("class") == ["sd-table"] else None
        (old or table).replace_with(wrapper)
        wrapper.append(table)


def align_columns(body):
    """두 칸 넘게 띄워 칸을 맞춘 출력에서 한글 한 자가 숫자 두 자의 자리를 차지하게 합니다.

    한글의 너비는 글꼴마다 다릅니다. 띄운 자리의 왼쪽만 보고, 줄마다 한글의 수가 같으면 그대로 둡니다. 배열 안에서 띄운 것은 세지 않습니다.
    """
    left = re.compile(r"^[^\n\[]*[^\s\[] {2,}(?=\S)", re.M)
    cells = lambda word: f'<span class="cells" style="width:{2 * len(word[0])}ch">{word[0]}</span>'
    for text in [text for pre in body.select(".cell-output pre") for text in pre.find_all(string=left)]:
        if len({len(re.findall("[가-힣]", part)) for part in left.findall(text)}) == 1:
            continue
        lines = left.sub(lambda part: re.sub("[가-힣]+", cells, part[0]), escape(text, quote=False))
        # pre에 담아 읽어야 빈칸이 줄지 않습니다.
        aligned = BeautifulSoup(f"<pre>{lines}</pre>", "html.parser").pre
        text.replace_with(aligned)
        aligned.unwrap()


def size(
    image,  # 그림 파일의 바이트
):  # 너비와 높이, 알 수 없으면 None
    "그림이 오기 전에 자리를 비워 두어 글이 밀리지 않게 합니다. 두 배의 픽셀로 그린 그림은 반으로 보입니다."
    try:
        picture = Image.open(BytesIO(image))
        dense = picture.info.get("dpi", (0, 0))[0] > 150
        return tuple(pixels // 2 for pixels in picture.size) if dense else picture.size
    except OSError:
        found = re.search(rb'viewBox="0 0 ([\d.]+) ([\d.]+)"', image)
        return found and tuple(round(float(number)) for number in found.groups())


def tidy_images(page):
    "글에 박힌 그림을 파일로 떼어 내고 크기를 적습니다."
    name = page.url.removesuffix(".html")
    for number, image in enumerate(page.body.find_all("img"), 1):
        address = image["src"]
        if address.startswith("data:image/"):
            kind, data = re.match(r"data:image/(\w+)[^,]*;base64,(.*)", address, re.S).groups()
            data, address = b64decode(data), f"{name}_files/figure-{number}.{kind}"
            page.files[address] = data
        else:
            address = unquote(address)
            path = page.source.parent / address
            if not path.is_file():
                page.lost.append(address)
                continue
            data = page.files[address] = path.read_bytes()
        picture = size(data)
        image.attrs = {"src": address, "alt": image.get("alt", ""), "loading": "lazy", "decoding": "async"}
        if picture:
            image["width"], image["height"] = map(str, picture)
        if not address.endswith(".svg") and not image.find_parent(class_="explorable"):
            dark = sum(Image.open(BytesIO(data)).convert("RGB").getpixel((1, 1))) < 384
            image["class"] = "figure-image on-dark" if dark else "figure-image"
            if picture and picture[0] > 500 and not image.find_parent("a"):
                # 휴대전화에서는 눌러서 크게 봅니다. 스크립트가 꺼졌으면 그림 파일이 열립니다.
                image.wrap(BeautifulSoup("", "html.parser").new_tag("a", href=address, attrs={"class": "zoom"}))
        paragraph = image.parent.parent if image.parent.name == "a" else image.parent
        if paragraph.name == "p" and paragraph.parent.name == "figure":
            paragraph.unwrap()
    for wrapper in page.body.select("div.quarto-figure"):
        wrapper.unwrap()
    for figure in page.body.find_all("figure"):
        figure.attrs = {}


def link_posts(
    page,  # 다듬은 글
    addresses,  # 노트북 이름 → 주소
):
    "노트북을 가리키는 주소를 완성된 쪽의 주소로 바꾸고, 밖으로 가는 주소를 표시합니다."
    for link in page.body.find_all("a", href=True):
        target, mark, anchor = link["href"].partition("#")
        stem = re.sub(r"\.(ipynb|html)$", "", target.removeprefix("./"))
        if stem in addresses:
            link["href"] = page.root + addresses[stem] + mark + unquote(anchor)
        elif target == "" and anchor:
            link["href"] = "#" + unquote(anchor)
        elif re.match(r"https?:", target):
            link["rel"] = "noopener"


TOGETHER = [
    (r"\b(글|식|문제|그림|표|잘못) (?=\(?\d)", "\\1\u00a0"),  # 식 (7), 글 05
    (r"(?<=\([\w−]), (?=[\w−]{1,3}[),])|(?<=[\w−]), (?=[\w−]\))", ",\u00a0"),  # (N, C), (2, 3)
    (r"(?<=[A-Za-z0-9)]) − (?=[A-Za-z0-9(])", "\u00a0−\u00a0"),  # p − y
]


def keep_together(body):
    "번호, 모양, 짧은 식이 줄 끝에서 나뉘지 않게 하고, 긴 코드는 기호 뒤에서 나뉘게 합니다."
    for text in list(body.find_all(string=re.compile(r" "))):
        if text.find_parent(["pre", "code", "svg"]) or text.find_parent(class_=["math", "explorable"]):
            continue
        joined = str(text)
        for pattern, joint in TOGETHER:
            joined = re.sub(pattern, joint, joined)
        if joined != text:
            text.replace_with(joined)
    for code in body.find_all("code"):
        text = code.get_text()
        if code.find_parent("pre") or code.find(True) or len(text) < 24:
            continue
        marked = re.sub(r"(?<=[\w)])([/(=._])(?=\w)", r"\1<wbr>", escape(text, quote=False))
        code.clear()
        code.append(BeautifulSoup(marked, "html.parser"))


def keep_particles(body):
    "식, 코드, 닫는 괄호 뒤의 조사가 줄머리에 홀로 떨어지지 않게 합니다."
    for text in list(body.find_all(string=re.compile(r"^\S|\)[가-힣]"))):
        if text.find_parent(["pre", "code", "svg", "summary"]) or text.find_parent(class_=["math", "explorable"]):
            continue
        before = text.previous_sibling
        joined = re.sub(r"\)(?=[가-힣])", ")\u2060", text)
        if before is not None and before.name in ("strong", "em", "a") and before.get_text().endswith(")") and re.match("[가-힣]", joined):
            joined = "\u2060" + joined
        small = before is not None and (before.name == "code" or before.name == "span" and before.get("class") == ["math", "inline"])
        short = small and len(before.get_text()) < 30
        word = re.match(r"\S+", joined)
        if not short or not word:
            text.replace_with(joined)
            continue
        together = BeautifulSoup("", "html.parser").new_tag("span", attrs={"class": "nobreak"})
        before.wrap(together)
        together.append(word[0])
        text.replace_with(joined[word.end() :])


def mark_english(body):
    "영어로만 적힌 줄에 lang을 달아, 화면 낭독기가 영어로 읽게 합니다."
    for node in body.find_all(["li", "p", "td"]):
        text = node.get_text()
        if not re.search("[가-힣]", text) and len(re.findall(r"\b[A-Za-z]{3,}\b", text)) >= 4 and not node.find(class_=["math", "katex"]):
            node["lang"] = "en"


def add_anchors(body):
    "절마다 제 주소를 가리키는 고리를 답니다."
    for heading in body.find_all(["h2", "h3"], id=True):
        link = BeautifulSoup("", "html.parser").new_tag("a", href=f"#{heading['id']}", attrs={"class": "anchor", "aria-label": "이 절의 주소"})
        heading.append(link)
