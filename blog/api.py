"""API 문서를 만듭니다. 부르는 꼴과 설명은 소스에서(griffe가 불러오지 않고 읽습니다), 식과 보기는 길잡이 노트북(99_api)에서 옵니다."""

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import griffe
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape

from blog.pages import Page

GUIDE = "99_api"  # 이 노트북의 `## loss.cross_entropy` 절이 그 이름의 설명입니다
MARKER = re.compile(r"^# %% (?:\.\./)+nbs/(\S+)\.ipynb #(\w+)", re.M)
# PyTorch에도 있는 이름입니다. 글이 우리 것을 불러왔을 때만 우리 문서로 잇습니다.
SHARED_WITH_TORCH = {"softmax", "log_softmax", "logsumexp", "nll_loss", "cross_entropy", "CrossEntropyLoss"}
STARS = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}


def inline(text):
    "설명 글의 `코드`와 $식$을 HTML로."
    parts = re.split(r"(`[^`]+`|\$[^$]+\$)", text)
    tags = {"`": "<code>{}</code>", "$": '<span class="math inline">{}</span>'}
    return Markup("").join(Markup(tags[part[0]]).format(part[1:-1]) if part[:1] in tags else escape(part) for part in parts)


def breakable(name):
    "긴 이름은 밑줄과 점, 여는 괄호 뒤에서 줄을 바꿉니다."
    return Markup(re.sub(r"([._\[])(?=\w)", r"\1<wbr>", str(escape(name))))


TEMPLATES = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True)
TEMPLATES.filters |= {"inline": inline, "breakable": breakable}


def docments(function):
    "인자마다 그 줄 끝의 주석. 돌려주는 값의 것은 괄호를 닫는 줄에 있습니다."
    meanings = {}
    for line in function.source.split("\n"):
        if found := re.match(r"\s*\)[^#]*:(?:  # (.+))?$", line):
            return meanings | {"return": found[1] or ""}
        if found := re.match(r"\s*\*{0,2}(\w+)\b[^#]*  # (.+)$", line):
            meanings[found[1]] = found[2]
    return meanings


@dataclass
class Symbol:
    module: "Module"
    name: str  # softmax 또는 NumpyCrossEntropy.backward
    node: object  # griffe의 함수나 클래스
    told: Markup = Markup("")  # 길잡이 노트북의 그 절
    post: object = None
    anchor: str = ""
    source: str = ""

    @property
    def page(self):
        return f"api/{self.module.name}.html"

    @property
    def is_autograd(self):
        return self.node.is_class and any(str(base).endswith("autograd.Function") for base in self.node.bases)

    @property
    def function(self):
        "값을 받는 함수. 클래스라면 `__init__`, autograd.Function이라면 `apply`가 부르는 `forward`."
        return self.node if self.node.is_function else self.node.all_members.get("forward" if self.is_autograd else "__init__")

    @property
    def paragraphs(self):
        "설명 글. 클래스에 없으면 `__init__`의 것."
        docs = (node.docstring for node in (self.node, self.function) if node)
        return re.split(r"\n\s*\n", next((doc.value for doc in docs if doc), ""))

    @cached_property
    def parameters(self):
        return [one for one in self.function.parameters if one.name not in ("self", "cls", "ctx")] if self.function else []

    @property
    def rows(self):
        meanings = docments(self.function) if self.function else {}
        rows = [{"name": STARS.get(one.kind, "") + one.name, "meaning": meanings.get(one.name, ""), "kind": str(one.annotation or ""), "default": "" if one.kind in STARS else str(one.default or "")} for one in self.parameters]
        return rows if any(row["meaning"] for row in rows) else []

    @property
    def returned(self):
        return docments(self.function).get("return", "") if self.function else ""

    @property
    def signature(self):
        "이름과 인자. 길면 한 줄에 하나씩 적습니다."
        rows, named = [], False
        for one in self.parameters:
            named |= one.kind is griffe.ParameterKind.var_positional
            if one.kind is griffe.ParameterKind.keyword_only and not named:
                rows, named = [*rows, "*"], True
            kind, default = (f": {one.annotation}" if one.annotation else ""), ("" if one.default is None or one.kind in STARS else one.default)
            rows.append(f"{STARS.get(one.kind, '')}{one.name}{kind}" + (f" = {default}" if kind and default else f"={default}" if default else ""))
        name, whole = f"{self.name}.apply" if self.is_autograd else self.name, ", ".join(rows)
        if len(name) + len(whole) <= 42:  # 휴대전화 한 줄
            return f"{name}({whole})"
        return "\n".join([f"{name}(", *(f"    {row}," for row in rows), ")"])

    @cached_property
    def methods(self):
        "설명을 적어 둔 메서드. 물려받은 것도 셉니다. autograd.Function의 forward처럼 torch가 부르는 것은 뺍니다."
        members = self.node.all_members.items() if self.node.is_class and not self.is_autograd else []
        return [Symbol(self.module, f"{self.name}.{name}", item) for name, item in members if not name.startswith("_") and item.is_function and item.docstring and ".plumbing." not in item.canonical_path]


class Module:
    "crossent의 모듈 하나."

    def __init__(self, node):
        self.node, self.name = node, node.name
        self.doc = (node.docstring.value if node.docstring else "").split("\n")[0]
        text = node.filepath.read_text(encoding="utf-8")
        self.lines = text.split("\n")
        self.markers = [(text[: found.start()].count("\n") + 1, found[1], found[2]) for found in MARKER.finditer(text)]
        # 상수는 라이브러리 속의 일이라 싣지 않습니다.
        names = [name for name in node.exports or [] if not node.members[name].is_attribute]
        self.symbols = [Symbol(self, name, node.members[name]) for name in names]

    def marker(self, line):
        "그 줄이 온 노트북과 셀."
        return next(((stem, cell) for start, stem, cell in reversed(self.markers) if start <= line), (None, None))


FIRST = ["loss", "linear", "parallel"]  # 사람들이 가장 먼저 찾는 것


def read(package):
    "사람들이 불러오는 모듈(core와 plumbing이 아닌 것). 쓰는 것이 먼저이고, 나머지는 글의 차례대로입니다."
    loaded = griffe.load(package.name, search_paths=[str(package.parent)], resolve_aliases=True, resolve_external=False)
    modules = [module for module in map(Module, loaded.modules.values()) if module.symbols]
    place = lambda module: FIRST.index(module.name) if module.name in FIRST else len(FIRST)
    return sorted(modules, key=lambda module: (place(module), module.markers[0][1] if module.markers else ""))


def squeeze(text):
    return re.sub(r"\W", "", text)


def section_of(post, cells, cell_id):
    "그 셀이 든 절의 이름표."
    title = None
    for cell in cells:
        if cell.get("id") == cell_id:
            break
        if cell["cell_type"] == "markdown":
            title = (re.findall(r"^#{2,3} (.+)$", "".join(cell["source"]), re.M) or [title])[-1]
    return next((f"#{heading['id']}" for heading in post.body.find_all(["h2", "h3"], id=True) if title and squeeze(heading.get_text()) == squeeze(title)), "")


def take_section(guide, symbol):
    "길잡이의 `## loss.cross_entropy` 절을 떼어 냅니다. 이름표와 주소를 API 쪽에 맞춥니다."
    wanted = f"{symbol.module.name}.{symbol.name}"
    heading = guide and next((heading for heading in guide.body.find_all("h2") if heading.get_text(strip=True) == wanted), None)
    if heading is None:
        return Markup("")
    section = heading.find_parent("section").extract()
    section.find("h2").decompose()
    for part in section.find_all(id=True):
        # '보기'와 '오류'는 이름마다 있으므로 차례와 찾기에 싣지 않습니다.
        part.attrs.pop("id") if part.get_text(strip=True) in ("보기", "오류") else part.attrs.update(id=f"{symbol.name}-{part['id']}")
    for part in section.find_all(["img", "a"]):
        name = "src" if part.name == "img" else "href"
        if not re.match(r"https?:|#|data:", part.get(name, "#")):
            part[name] = f"../{part[name]}"
    return Markup(section.decode_contents())


def make(package, posts, site):
    "모듈마다 한 쪽. 길잡이 쪽에는 목록을 붙입니다. 글의 낱말을 잇는 데 쓸 모듈의 목록도 돌려줍니다."
    modules, by_stem = read(package), {page.stem: page for page in posts}
    guide, cells, made = by_stem.get(GUIDE), {}, []
    for module in modules:
        for symbol in module.symbols:
            stem, cell_id = module.marker(symbol.node.lineno)
            symbol.told = take_section(guide, symbol)
            if post := by_stem.get(stem):
                cells.setdefault(stem, json.loads(post.source.read_text(encoding="utf-8"))["cells"])
                symbol.post, symbol.anchor = post, section_of(post, cells[stem], cell_id)
            symbol.source = f"{site.git_url}/blob/{site.branch}/crossent/{module.name}.py#L{symbol.node.lineno}-L{symbol.node.endlineno}"
        body = TEMPLATES.get_template("api.html").render(symbols=module.symbols)
        meta = {"title": f"crossent.{module.name}", "description": module.doc.replace("`", ""), "toc": True}
        made.append(Page(f"api/{module.name}", f"api/{module.name}.html", meta, BeautifulSoup(f"<main>{body}</main>", "lxml").main))
    if guide:
        guide.body.append(BeautifulSoup(TEMPLATES.get_template("api_index.html").render(modules=modules), "html.parser"))
    return made, modules


def own_names(page, modules):
    "이 글이 불러오거나 내보내는 이름이 어느 모듈의 것인지."
    known = {module.name: {symbol.name for symbol in module.symbols} for module in modules}
    names, home = {}, None
    for cell in json.loads(page.source.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        home = (re.findall(r"^#\|\s*default_exp (\w+)", text, re.M) or [home])[0]
        exported = re.match(r"#\|\s*exports?(?: (\w+))?\s*$", text.split("\n")[0])
        if exported:
            module = exported[1] or home
            names |= {name: module for name in re.findall(r"^(?:def|class) (\w+)", text, re.M) if name in known.get(module, ())}
        for module, imported in re.findall(r"^\s*from crossent\.(\w+) import \(?([^)\n]*)", text, re.M):
            names |= {name: module for name in re.findall(r"\w+", imported) if name in known.get(module, ())}
    return names


def link_names(page, modules):
    "글에 코드로 적힌 우리 함수의 이름을 API 문서로 잇습니다. 한 절에서 처음 나올 때만 잇습니다."
    everything = {}
    for module in modules:
        for symbol in module.symbols:
            for item in [symbol, *symbol.methods]:
                everything.setdefault(item.name, []).append(item)
    own = own_names(page, modules)
    for link in page.body.select("a > code"):
        # nbdev가 이은 것은 이름이 같은 함수를 가리지 못하므로 풉니다.
        if re.search(r"/(\w+)\.html#[\w.]+$", link.parent["href"]) and link.parent["href"].startswith("http") and link.get_text() in everything:
            link.parent.unwrap()
    seen = set()
    for tag in page.body.find_all(["h2", "h3", "code"]):
        if tag.name != "code":
            seen = set()
            continue
        if tag.find_parent(["pre", "a", "h1", "h2", "h3", "h4", "summary"]):
            continue
        found = re.fullmatch(r"(?:crossent\.)?(?:(\w+)\.)?(\w+)(?:\(\))?", tag.get_text())
        if not found or tag.get_text() in seen:
            continue
        module, name = found.groups()
        choices = everything.get(f"{module}.{name}", []) if module else []
        choices = choices or [item for item in everything.get(name, []) if module in (None, item.module.name)]
        if module is None and name in own:
            choices = [item for item in choices if item.module.name == own[name]]
        elif module is None and name in SHARED_WITH_TORCH:
            continue
        if len(choices) == 1:
            seen.add(tag.get_text())
            tag.wrap(BeautifulSoup("", "lxml").new_tag("a", href=f"{page.root}{choices[0].page}#{choices[0].name}", attrs={"class": "to-api"}))
