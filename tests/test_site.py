"만들어진 블로그: 쪽, 링크, 수식, 틀의 말, 배지와 댓글, RSS. 그리고 깨진 노트북이 하는 일."

import csv
import datetime
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from configparser import ConfigParser
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlparse
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup

from blog import api, check, feed, frame, katex, pages, search

ROOT = Path(__file__).resolve().parent.parent
NBS = ROOT / "nbs"
NOTEBOOKS = sorted(NBS.glob("[!._]*.ipynb"))
CONFIG = ConfigParser(delimiters=["="])
CONFIG.read(ROOT / "settings.ini", encoding="utf-8")
SETTINGS = CONFIG["DEFAULT"]
PUBLIC = SETTINGS["doc_host"] + SETTINGS["doc_baseurl"]


def header(path):
    "노트북 첫 셀의 머리말."
    text = nbformat.read(path, as_version=4).cells[0].source
    return yaml.safe_load("\n".join(re.findall(r"^- (\S+:.*\S)\s*$", text, re.M))) or {}


def page_name(path):
    return re.sub(r"^\d+_", "", path.stem) + ".html"


@cache
def soup(path):
    return BeautifulSoup(path.read_text(encoding="utf-8"), "lxml")


def html_files(site):
    return sorted(site.rglob("*.html"))


def each_post():
    return pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


# 쪽과 링크


@each_post()
def test_every_notebook_has_its_page(site, path):
    page = soup(site / page_name(path))
    assert page.html["lang"] == "ko"
    title = re.search(r"^# (.+)$", nbformat.read(path, as_version=4).cells[0].source, re.M)[1]
    assert page.h1.get_text() == title and title in page.title.get_text()
    assert (site / "notebooks" / path.name).read_bytes() == path.read_bytes()


def test_sidebar_lists_every_notebook():
    listed = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))["website"]["sidebar"]["contents"]
    names = [name for group in listed for name in group["contents"]]
    assert {path.name for path in NOTEBOOKS} <= set(names) and len(names) == len(set(names))
    for group in listed:  # 글, 도구, 라이브러리 속
        numbered = [name for name in group["contents"] if name[0].isdigit()]
        assert numbered == sorted(numbered)


def test_internal_links_and_anchors_resolve(site):
    broken = []
    for file in html_files(site):
        for tag in soup(file).find_all(["a", "img", "script", "link"]):
            address = tag.get("href") or tag.get("src") or ""
            if not address or re.match(r"https?:|data:|mailto:", address) or address.startswith("index.html#분류"):
                continue
            target, _, anchor = unquote(address).partition("#")
            found = (file.parent / target).resolve() if target else file
            if not found.is_file():
                broken.append(f"{file.name} → {address}")
            elif anchor and found.suffix == ".html" and not anchor.startswith("분류=") and not soup(found).find(id=anchor):
                broken.append(f"{file.name} → {address} (이름표가 없습니다)")
    assert not broken, "\n".join(broken)


def test_nothing_loads_from_another_host(site):
    for file in html_files(site):
        for tag in soup(file).find_all(["script", "link", "img", "iframe", "source", "video"]):
            if tag.name == "link" and "canonical" in tag["rel"]:
                continue
            address = tag.get("src") or tag.get("href") or ""
            assert not re.match(r"(https?:)?//", address), f"{file.name}: {tag}"
    for file in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", file.read_text(encoding="utf-8")), file
    for file in site.rglob("*.svg"):
        assert not re.search(r"(href|src)\s*=\s*['\"]https?:", file.read_text(encoding="utf-8")), file
    # 스크립트가 아는 바깥 주소는 단추를 눌렀을 때 부르는 giscus뿐입니다.
    for file in site.rglob("*.js"):
        hosts = set(re.findall(r"https?://([\w.-]+)", file.read_text(encoding="utf-8"))) - {"www.w3.org"}
        assert hosts <= {"giscus.app"}, (file, hosts)


def test_ids_are_unique(site):
    for file in html_files(site):
        ids = [tag["id"] for tag in soup(file).find_all(id=True)]
        assert len(ids) == len(set(ids)), (file.name, [name for name in ids if ids.count(name) > 1])


# 수식과 글


def test_no_unset_tex(site):
    for file in html_files(site):
        assert not list(check.leftovers(soup(file).body)), file.name


def test_equations_are_set_without_scripts(site):
    count = 0
    for path in NOTEBOOKS:
        text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown")
        written = len(re.findall(r"^\$\$\s*$", text, re.M)) // 2
        page = soup(site / page_name(path))
        moved = [one for file in (site / "api").glob("*.html") for one in soup(file).select(".equation .katex-html")] if path.stem == api.GUIDE else []
        assert len(page.select(".equation .katex-html") + moved) >= written, path.name
        assert not page.select("span.math") and len(page.select(".katex")) == len(page.select(".katex-html")), path.name
        assert bool(page.select(".katex")) == bool(page.select('link[href$="katex.css"]'))
        count += written
    assert count > 0
    css = (site / "katex.css").read_text(encoding="utf-8")
    assert "font/woff2;base64" in css and css.count("@font-face") == css.count("font-display: block")


def test_leftovers_are_noticed():
    bad = BeautifulSoup(r"<p>값 $x$</p><p>\(y\)</p><p>\frac</p><p>::: 상자</p><p>**굵게**</p><code>$HOME</code>", "lxml")
    assert [sign for sign, _ in check.leftovers(bad)] == ["$", r"\(", r"\frac", ":::", "**"]


def test_hangul_outside_text_is_an_error():
    good, bad = katex.typeset([(r"\text{한글}", False), ("한글", False)])
    assert "html" in good and "unicodeText" in bad["error"]


def test_images_keep_their_place(site):
    for file in html_files(site):
        for image in soup(file).find_all("img"):
            assert image.get("width") and image.get("height") and image.has_attr("alt"), (file.name, str(image)[:120])


def test_answers_are_folded_with_their_outputs(site):
    folded = 0
    for path in NOTEBOOKS:
        answers = [cell for cell in nbformat.read(path, as_version=4).cells if 'code-summary: "답 보기"' in cell.source]
        page = soup(site / page_name(path))
        details = page.select("details.answer")
        assert len(details) == len(answers), path.name
        for cell, box in zip(answers, details):
            assert box.summary.get_text() == "답 보기" and not box.has_attr("open")
            assert bool(box.select(".cell-output")) == bool(cell.outputs)
            assert not [out for out in box.find_parent(class_="cell").select(".cell-output") if not out.find_parent("details")]
        folded += len(answers)
    assert folded > 0


# 틀

KNOWN = {"crossent", "CC", "API", "GitHub", "RSS", "BY", "Apache", "Colab", "giscus", "app", "MB"}


def test_frame_words_are_korean(site):
    for file in html_files(site):
        page = soup(file)
        frame = page.select(".bar, .foot, .facts, .badges, .comments, .toc-button, .callout-title, .chosen, .card-facts, summary, small, .skip")
        words = [tag.get_text(" ") for tag in frame if not tag.find_parent("table")]
        words += [tag[name] for tag in page.find_all(True) for name in ("aria-label", "title", "placeholder") if tag.has_attr(name)]
        names = set(re.findall(r"[A-Za-z]+", " ".join(tag.get_text() for tag in page.select(".category, h1, .neighbors"))))
        english = {word for text in words for word in re.findall(r"[A-Za-z]{2,}", text)} - KNOWN - names
        assert not english, (file.name, english)


def test_dates_and_reading_time(site):
    for path in NOTEBOOKS:
        facts = soup(site / page_name(path)).select_one(".facts")
        date = header(path).get("date")
        if date:
            assert f"{date.year}년 {date.month}월 {date.day}일" in facts.get_text()
            reading, along = re.search(r"읽기 약 ([1-9]\d*)분 · 따라 하기 약 (\d+)분", facts.get_text()).groups()
            assert int(reading) <= int(along)


@each_post()
def test_header_keys_do_what_they_say(site, path):
    meta, page = header(path), soup(site / page_name(path))
    assert bool(page.select_one(".badges")) == bool(meta.get("badges"))
    assert bool(page.select_one("#comments")) == bool(meta.get("comments"))
    assert bool(page.select_one("#toc")) == (bool(meta.get("toc")) and len(page.select("article :is(h2, h3)[id]")) > 1)
    assert [tag.get_text() for tag in page.select(".facts .category")] == meta.get("categories", [])
    if meta.get("badges"):
        links = [link["href"] for link in page.select(".badges a")]
        place = f"blob/{SETTINGS['branch']}/nbs/{path.name}"
        assert links == [
            f"https://colab.research.google.com/github/{SETTINGS['user']}/{SETTINGS['repo']}/{place}",
            f"{SETTINGS['git_url']}/{place}".replace("%(user)s", SETTINGS["user"]),
            f"notebooks/{path.name}",
        ]
        assert [image["alt"] for image in page.select(".badges img")] == ["Colab에서 열기", "GitHub에서 보기", "노트북 내려받기"]
    if meta.get("comments"):
        box = page.select_one("#comments")
        assert box["data-repo"] == f"{SETTINGS['user']}/{SETTINGS['repo']}" and box["data-lang"] == "ko"
        assert box.button.get_text() == "댓글 열기" and not page.select("iframe, script[src*=giscus]")


def test_neighbors_follow_the_reading_order(site):
    groups = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))["website"]["sidebar"]["contents"]
    names = [page_name(ROOT / "nbs" / name) for group in groups for name in group["contents"] if name[0].isdigit()]
    for before, here, after in zip(["", *names], names, [*names[1:], ""]):
        links = {link["rel"][0]: link["href"] for link in soup(site / here).select(".neighbors a")}
        assert links == {kind: name for kind, name in (("prev", before), ("next", after)) if name}, here


def test_every_section_has_its_anchor(site):
    for file in html_files(site):
        for heading in soup(file).select("article :is(h2, h3)[id]"):
            assert heading.select_one("a.anchor")["href"] == f"#{heading['id']}", (file.name, heading["id"])


def test_home_makes_one_want_to_read(site):
    "만져 보는 계산 그래프와 그 정지 그림, 시작하는 단추 하나, 세 줄짜리 보기와 그 값, 모든 글로 가는 길, 실행하는 법."
    page = soup(site / "index.html")
    still = page.select_one("article > [data-explorable=graph] img")
    assert still["alt"] and (site / still["src"]).is_file() and not page.find(string=re.compile("draw_graph"))
    button = page.select_one("article p > strong > a")
    assert button["href"] == "information.html" and button.find_next(attrs={"data-explorable": "graph"})
    assert page.select_one(".code").get_text().count("\n") <= 3 and page.select_one(".cell-output").get_text(strip=True) == "tensor(1.3236)"
    paths = next(heading for heading in page.select("h2") if "어디서부터" in heading.get_text())
    assert len(paths.find_next("table").select("tbody tr")) > 5
    assert all(command in page.get_text() for command in ("make lab", "pip install", "Colab"))


def test_home_lists_posts_in_reading_order(site):
    "묶음은 _quarto.yml의 것이고, 카드마다 작은 그림과 걸리는 시간이 있습니다."
    page = soup(site / "index.html")
    sections = yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))["website"]["sidebar"]["contents"]
    wanted = {group["section"]: [page_name(NBS / name) for name in group["contents"] if name[0].isdigit() and name < "80"] for group in sections}
    shown = {group.h3.find(string=True, recursive=False).strip(): [card.a["href"] for card in group.select(".card")] for group in page.select(".group")}
    assert shown == {title: names for title, names in wanted.items() if names} and len(shown) == 5
    for card in page.select(".card"):
        meta = header(next(path for path in NOTEBOOKS if page_name(path) == card.a["href"]))
        assert card["data-categories"].split("|") == meta["categories"] and card.select_one("svg.thumb").find(True)
        read = soup(site / card.a["href"]).select_one(".facts").get_text()
        assert re.search(r"읽기 약 \d+분", card.get_text())[0] in read
        assert ("만져 보는 그림" in card.get_text()) == bool(soup(site / card.a["href"]).select("[data-explorable]"))


def test_every_post_has_its_own_thumbnail(site):
    thumbs = [str(svg) for svg in soup(site / "index.html").select(".card .thumb")]
    assert len(set(thumbs)) == len(thumbs) == len([path for path in NOTEBOOKS if path.name[0].isdigit() and path.name < "80"])


def test_folded_code_costs_no_time():
    text = "글" * 4000
    code = '<div class="code"><pre>' + "x\n" * 149 + "x</pre></div>"
    read = lambda html: frame.minutes(BeautifulSoup(html, "lxml"))
    assert read(f"<p>{text}</p>") == (10, 13) and read(f"<p>{text}</p>{code}") == (20, 43)
    assert read(f"<p>{text}</p><details>{code}</details>") == (10, 13)


def test_open_graph_and_social_cards(site):
    from itertools import combinations

    import numpy as np
    from PIL import Image

    cards = []
    for path in NOTEBOOKS:
        page = soup(site / page_name(path))
        graph = {tag["property"]: tag["content"] for tag in page.select("meta[property]")}
        assert graph["og:title"] and graph["og:description"] and graph["og:locale"] == "ko_KR"
        assert graph["og:url"].startswith(PUBLIC) and graph["og:image"].startswith(PUBLIC)
        card = site / graph["og:image"].removeprefix(PUBLIC + "/")
        assert Image.open(card).size == (1200, 630)
        cards.append(Image.open(card).convert("L"))
    # 글마다 제목과 소개가 눈에 띄게 다릅니다. 번호만 다른 그림은 같은 그림입니다.
    words = [np.asarray(card.crop((80, 140, 1120, 520)), dtype=int) for card in cards]
    assert min(np.mean(abs(a - b) > 64) for a, b in combinations(words, 2)) > 0.01
    for file in html_files(site):
        icons = {link["rel"][0]: (file.parent / link["href"]) for link in soup(file).select("link[rel=icon], link[rel=apple-touch-icon]")}
        assert file.name == "404.html" or all(path.is_file() for path in icons.values()) and len(icons) == 2, file.name
    # 휴대전화의 그림은 favicon.svg의 바탕, 선, 점의 색으로 그렸습니다.
    touch = Image.open(site / "images" / "apple-touch-icon.png").convert("RGB")
    drawn = {touch.getpixel(place) for place in ((2, 2), (40, 45), (68, 105))}
    fills = re.findall(r'(?:fill|stroke)="#(\w+)"', (NBS / "images" / "favicon.svg").read_text(encoding="utf-8"))
    assert touch.size == (180, 180)
    assert drawn == {tuple(bytes.fromhex(color if len(color) == 6 else "".join(2 * letter for letter in color))) for color in fills}


def test_feed(site):
    channel = ElementTree.parse(site / "index.xml").getroot().find("channel")
    items = channel.findall("item")
    posts = [path for path in NOTEBOOKS if path.name[0].isdigit() and path.name < "80"]
    assert len(items) == len(posts) and channel.findtext("language") == "ko"
    dates = [parsedate_to_datetime(item.findtext("pubDate")) for item in items]
    assert dates == sorted(dates, reverse=True)
    assert all(date.tzinfo for date in dates)
    days = {item.findtext("link"): date.date() for item, date in zip(items, dates)}
    assert days == {f"{PUBLIC}/{page_name(path)}": header(path)["date"] for path in posts}
    hosts = {urlparse(address).netloc for item in items for address in re.findall(r'(?:src|url)="([^"]+)"', ElementTree.tostring(item, encoding="unicode"))}
    assert hosts <= {urlparse(PUBLIC).netloc}


def test_linked_data_and_dates(site):
    "JSON-LD가 읽히고, 날짜가 머리말과 git의 것과 같습니다."
    for path in NOTEBOOKS:
        page = soup(site / page_name(path))
        about = json.loads(page.find("script", type="application/ld+json").string)
        if not (path.name[0].isdigit() and path.name < "80"):
            continue
        graph = {tag["property"]: tag["content"] for tag in page.select("meta[property]")}
        assert about["@type"] == "BlogPosting" and about["headline"] == page.h1.get_text()
        assert about["datePublished"] == graph["article:published_time"] == str(header(path)["date"])
        assert about["dateModified"] == graph["article:modified_time"] >= about["datePublished"]
        assert (about["dateModified"] > about["datePublished"]) == ("고침" in page.select_one(".facts").get_text())
    crumbs = json.loads(soup(site / "api" / "loss.html").find("script", type="application/ld+json").string)
    assert [step["name"] for step in crumbs["itemListElement"]] == ["crossent", "crossent.loss"]


def test_last_change_comes_from_git(tmp_path):
    git = lambda *words, **more: subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True, capture_output=True, **more)
    feed.changes.cache_clear()
    git("init", "-q")
    for day, text in (("2026-01-02", "1"), ("2026-02-03", "2")):
        (tmp_path / "x.ipynb").write_text(text, encoding="utf-8")
        git("add", ".")
        git("commit", "-qm", text, env=os.environ | {"GIT_COMMITTER_DATE": f"{day}T12:00:00+0000"})
    assert feed.changes(tmp_path) == {"x.ipynb": datetime.date(2026, 2, 3)}
    assert feed.changes(tmp_path.parent) == {} or not feed.changes(tmp_path.parent).get("x.ipynb")


def test_english_lines_are_marked():
    body = BeautifulSoup("<ul><li>Shannon, A Mathematical Theory of Communication</li><li>글 01 read this first please</li><li>N, C</li></ul>", "html.parser")
    pages.mark_english(body)
    assert [item.get("lang") for item in body.find_all("li")] == ["en", None, None]


def test_sitemap_and_404(site):
    names = {node.text.removeprefix(PUBLIC + "/") for node in ElementTree.parse(site / "sitemap.xml").getroot().iter() if node.tag.endswith("loc")}
    listed = {name + "index.html" if name == "" or name.endswith("/") else name for name in names}
    assert listed == {str(file.relative_to(site)) for file in html_files(site)} - {"404.html"}
    assert soup(site / "404.html").html["lang"] == "ko"


def test_explorables_load_only_where_they_are(site):
    for file in html_files(site):
        page = soup(file)
        assert bool(page.select("[data-explorable]")) == bool(page.select('script[src*="explorables/"]')), file.name


def test_pages_are_light(site):
    import gzip

    scripts = sum(len(gzip.compress(file.read_bytes())) for file in [*site.glob("*.js"), *site.glob("explorables/*.js")])
    styles = sum(len(gzip.compress(file.read_bytes())) for file in [*site.glob("*.css"), *site.glob("explorables/*.css")])
    assert scripts <= 150_000
    for file in html_files(site):
        assert scripts + styles + len(gzip.compress(file.read_bytes())) <= 500_000, file.name


# API와 찾기


def parts_of(page, name):
    "API 쪽에서 그 이름의 설명."
    parts = []
    for part in page.find("h2", id=name).find_next_siblings():
        if part.name == "h2":
            break
        parts.append(part)
    return BeautifulSoup("".join(map(str, parts)), "lxml")


def test_api_has_every_public_name(site):
    "부르는 꼴, 한국어 설명, 보기, 오류, 설명하는 글의 절, 소스의 그 줄이 이름마다 있습니다."
    for module in api.read(ROOT / "crossent"):
        for symbol in module.symbols:
            assert soup(site / "api.html").select(f'a[href="api/{module.name}.html#{symbol.name}"]'), symbol.name
            told = parts_of(soup(site / "api" / f"{module.name}.html"), symbol.name)
            assert told.select(".signature") and told.find("h3", string="보기") and told.find("h3", string="오류"), symbol.name
            assert any(re.search("[가-힣]", p.get_text()) for p in told.select("p:not([class])")), symbol.name
            post, source = [link["href"] for link in told.select(".links a")]
            assert re.fullmatch(r"\.\./\w+\.html#.+", post), (symbol.name, post)
            start, end = map(int, re.search(r"#L(\d+)-L(\d+)$", source).groups())
            assert re.match(rf"(?:def |class )?{symbol.name}\b|@", module.lines[start - 1]) and start <= end <= len(module.lines), symbol.name


def test_api_begins_with_what_people_look_for(site):
    "`loss`가 먼저이고, 이름이 같은 것들을 첫 표가 가립니다."
    page = soup(site / "api.html")
    table = page.find("table").get_text()
    assert page.h1.find_next("h2").get_text().startswith("어느 것이 필요한가요") and table.count("cross_entropy") >= 5
    assert [heading["id"] for heading in page.select("#모든-이름 ~ h3, section > h3")][:3] == ["loss", "linear", "parallel"]
    told = parts_of(soup(site / "api" / "loss.html"), "cross_entropy")
    for section in ("식", "인자가 하는 일", "모양", "보기", "nan과 무한대", "PyTorch와 다른 점", "메모리", "오류"):
        assert section in [heading.find(string=True) for heading in told.select("h3")], section
    assert len(told.select(".equation")) >= 3 and told.get_text().count("Error: ") > 8


def test_api_table_matches_the_signature(site):
    page = soup(site / "api" / "testing.html")
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in page.find(id="numerical_grad").find_next("table").select("tbody tr")]
    assert [row[0].split()[0] for row in rows] == ["function", "x", "step", "돌려주는"]
    assert rows[2][0] == "step (float)" and rows[2][2] == "1e-06" and "폭" in rows[2][1]
    posts = {page_name(path) for path in NOTEBOOKS}
    assert page.select_one(".links a")["href"].removeprefix("../").split("#")[0] in posts


def test_api_examples_run_when_pasted(site):
    "한 이름의 보기를 차례로 붙여 넣으면 다른 것 없이 돌고, 적힌 출력이 그대로 나옵니다."
    script = """
import contextlib, io, json, sys, traceback
import matplotlib; matplotlib.use("Agg")
import numpy, torch

for name, code, shown in json.load(sys.stdin):
    said, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(said):
            exec(code, {"__name__": "__main__"})
    except BaseException:
        error = traceback.format_exc().splitlines()[-1]
    if error or said.getvalue().split() != shown.split():
        print(name, error or said.getvalue())
"""
    examples = []
    for path in sorted((site / "api").glob("*.html")):
        for heading in soup(path).select("h2[id]"):
            cells = [cell for cell in parts_of(soup(path), heading["id"]).select(".cell") if not cell.find("details")]
            code = "\n".join(cell.select_one(".code pre").get_text() for cell in cells)
            outputs = [pre.get_text() for cell in cells for pre in cell.select(".cell-output pre")]
            examples.append((f"{path.stem}.{heading['id']}", code, "\n".join(outputs)))
    assert len(examples) > 30 and all(code for _, code, _ in examples)
    interpreted = os.environ | {"TRITON_INTERPRET": "1"}  # triton의 보기는 GPU 없이도 돕니다
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=interpreted, input=json.dumps(examples), capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_api_lists_the_errors_that_are_raised(site):
    "정말로 던진 예외의 종류와 첫 줄이 그 이름의 '오류'에 적혀 있습니다."
    import numpy as np
    import torch

    from crossent import autograd, linear, loss, reference

    x, wrong = np.zeros((2, 3)), np.array([0, 3])
    z, y = torch.zeros(2, 3, requires_grad=True), torch.tensor([0, 1])

    def mismatched(nce):
        nce.cross_entropy(x, np.array([0, 1]))
        nce.backward(np.ones(5))

    calls = [
        (reference, "cross_entropy", lambda: reference.cross_entropy(np.zeros(3), np.array([0, 1]))),
        (reference, "cross_entropy", lambda: reference.cross_entropy(np.zeros((2, 3, 4)), np.zeros((2, 5), int))),
        (reference, "NumpyCrossEntropy", lambda: reference.NumpyCrossEntropy().cross_entropy(x, wrong)),
        (reference, "NumpyCrossEntropy", lambda: reference.NumpyCrossEntropy().backward()),
        (reference, "NumpyCrossEntropy", lambda: mismatched(reference.NumpyCrossEntropy())),
        (autograd, "CrossEntropyLoss", lambda: autograd.CrossEntropyLoss()(z, torch.tensor([0, 3]))),
        (autograd, "CrossEntropyLoss", lambda: autograd.CrossEntropyLoss("no")(z, y)),
        (autograd, "CrossEntropyLoss", lambda: autograd.CrossEntropyLoss().backward()),
        (loss, "CrossEntropyLoss", lambda: loss.CrossEntropyLoss(softcap=-1.0)(z, y)),
        (loss, "CrossEntropyLoss", lambda: loss.CrossEntropyLoss().backward(1.0)),
        (linear, "LinearCrossEntropyLoss", lambda: linear.LinearCrossEntropyLoss(4, 3)(z, y)),
    ]
    for module, name, call in calls:
        with pytest.raises(Exception) as error:
            call()
        said = f"{error.type.__name__}: {str(error.value).splitlines()[0]}"
        page = soup(site / "api" / f"{module.__name__.split('.')[1]}.html")
        assert said in parts_of(page, name).get_text().replace("\u2060", ""), (name, said)
    assert soup(site / "api" / "loss.html").find(id="CrossEntropyLoss.backward")  # 메서드도 적습니다
    assert not soup(site / "api" / "loss.html").find(id="CrossEntropyLoss.recall")  # plumbing에서 온 것은 적지 않습니다
    assert "linear_bias" not in soup(site / "api" / "parallel.html").get_text()  # 받지 않는 인자는 적지 않습니다


def test_api_escapes_and_reads_docments(tmp_path):
    "글자는 스스로 이스케이프되고, 뜻은 줄 끝의 주석에서 옵니다."
    package = tmp_path / "sample"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text(
        '''"모듈"
__all__ = ["LIMIT", "f"]
# %% ../nbs/01_sample.ipynb #abc
LIMIT = 3
def f(
    x: int = 1,  # $x < 2$이고 `a<b`인 <수>
    *,
    flag=None,  # 켜기
    **rest,
):  # x와 같은 것
    "설명 <b>"
''',
        encoding="utf-8",
    )
    (module,) = api.read(package)
    (symbol,) = module.symbols
    assert symbol.signature == "f(x: int = 1, *, flag=None, **rest)" and symbol.returned == "x와 같은 것"
    assert [(row["name"], row["default"]) for row in symbol.rows] == [("x", "1"), ("flag", "None"), ("**rest", "")]
    html = api.TEMPLATES.get_template("api.html").render(symbols=[symbol])
    assert "설명 &lt;b&gt;" in html and '<span class="math inline">x &lt; 2</span>' in html and "<code>a&lt;b</code>인 &lt;수&gt;" in html


def test_numbers_and_shapes_stay_together():
    body = BeautifulSoup("<p>글 05의 식 (7)에서 p − y를 (N, C)로, <code>torch.nn.functional.cross_entropy</code></p>", "html.parser")
    pages.keep_together(body)
    assert body.get_text() == "글\u00a005의 식\u00a0(7)에서 p\u00a0−\u00a0y를 (N,\u00a0C)로, torch.nn.functional.cross_entropy"
    assert len(body.find_all("wbr")) == 4


def test_columns_with_hangul_line_up():
    body = BeautifulSoup('<div class="cell-output"><pre><code>손실  &lt;1&gt; 가\nloss  2</code></pre><pre><code>손실  1\n합계  2</code></pre><pre><code>손실 [1.  2.]\n합 [1.  2.]</code></pre></div>', "html.parser")
    said = body.get_text()
    pages.align_columns(body)
    assert body.get_text() == said and len(body.select("pre pre")) == 0
    assert [(word.get_text(), word["style"]) for word in body.select("pre .cells")] == [("손실", "width:4ch")]


def test_function_names_in_posts_lead_to_the_api(site):
    links = [link["href"] for path in NOTEBOOKS for link in soup(site / page_name(path)).select("a.to-api")]
    assert links and all(re.match(r"api/\w+\.html#[\w.]+$", link) for link in links)


def test_search_index_points_at_real_places(site):
    data = json.loads((site / "search.json").read_text(encoding="utf-8"))
    places = {entry["url"] for entry in data["entries"]}
    for path in NOTEBOOKS:
        name = page_name(path)
        assert {f"{name}#{heading['id']}" for heading in soup(site / name).select("article :is(h2, h3)[id]")} <= places
    assert not any(entry["section"] in ("보기", "오류") for entry in data["entries"])
    for entry in data["entries"]:
        target, _, anchor = entry["url"].partition("#")
        assert entry["post"] and (not anchor or soup(site / target).find(id=anchor)), entry["url"]
    rows = soup(site / "glossary.html").select("tr[id]")
    with open(search.GLOSSARY, encoding="utf-8") as file:
        assert len(rows) == len({row["id"] for row in rows}) == len(list(csv.DictReader(file)))
    assert sum(entry["kind"] == "entry" for entry in data["entries"]) > 40


def test_headings_keep_the_address_written_before_them(site):
    "글 15의 항목은 제목을 고쳐 써도 주소가 그대로입니다."
    page = soup(site / "pitfalls.html")
    assert page.find(id="target-n1").name == page.find(id="stuck").name == "h3" and page.find(id="errors").name == "h2"
    assert page.find(id="swapped")  # 둘째 주소도 그대로 있습니다


def test_synonyms_have_two_names_each():
    groups = search.synonyms()
    assert any({"크로스 엔트로피", "cross entropy", "교차 엔트로피", "crossentropy"} <= set(group) for group in groups)
    assert all(len(group) > 1 and len(set(group)) == len(group) for group in groups)


# 깨진 노트북


# nbdev, 웹 주소, 셸이 저마다 꺼리는 글자들과 아주 긴 이름
ODD = Path("_docs") / ".숨김 폴더" / "[a] #1 100%25 & (b)" / ("긴" * 80)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    "도구 노트북 두 개만 담은, 이름이 까다로운 폴더의 작은 저장소. 한 번 만들어 둡니다."
    root = tmp_path_factory.mktemp("small") / ODD
    (root / "nbs" / "images").mkdir(parents=True)
    for name in ("settings.ini", "_quarto.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for path in [*NBS.glob("9[01]*.ipynb"), NBS / "styles.css"]:
        shutil.copy(path, root / "nbs")
    for path in NBS.glob("images/*.svg"):
        shutil.copy(path, root / "nbs" / "images")
    (root / "nbs" / "_quarto.yml").write_text("../_quarto.yml", encoding="utf-8")  # 윈도우에서 받은 심볼릭 링크
    (root / "crossent").mkdir()
    (root / "crossent" / "__init__.py").touch()
    subprocess.run([sys.executable, "-c", EXPORT], cwd=root, check=True, capture_output=True)
    build(root, succeeds=True)
    return root


EXPORT = "from nbdev.doclinks import nbdev_export; nbdev_export()"
COMMAND = [sys.executable, "-m", "blog.build"]
OUTER_MAKE = ("ARGS", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL")  # 밖의 `make test ARGS=…`가 안의 make에 닿지 않게 합니다
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OUTER_MAKE} | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def build(root, succeeds):
    done = subprocess.run(COMMAND, cwd=root, env=ENVIRONMENT, capture_output=True, encoding="utf-8")
    assert (done.returncode == 0) == succeeds, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def replace_cell(number, text, kind="markdown", outputs=()):
    def edit(path):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cell = {"cell_type": kind, "id": "broken", "metadata": {}, "source": text.splitlines(keepends=True)}
        if kind == "code":
            cell |= {"outputs": list(outputs), "execution_count": None}
        notebook["cells"][number - 1] = cell
        path.write_text(json.dumps(notebook, ensure_ascii=False), encoding="utf-8")

    return edit


ERROR = {"output_type": "error", "ename": "ValueError", "evalue": "이런", "traceback": []}
BROKEN = {
    "JSON이 아님": (lambda path: path.write_text('{"cells": [', encoding="utf-8"), "노트북으로 읽을 수 없는"),
    "잘린 글자": (lambda path: path.write_bytes('{"cells": ["가'.encode()[:-1]), "UTF-8이 아닙니다"),
    "목록": (lambda path: path.write_text("[]", encoding="utf-8"), "노트북으로 읽을 수 없는"),
    "종류 없는 셀": (lambda path: path.write_text('{"cells": [{}]}', encoding="utf-8"), "셀 1: 셀의 종류"),
    "옛 꼴": (lambda path: path.write_text('{"nbformat": 3, "worksheets": []}', encoding="utf-8"), "옛 꼴(nbformat 3)"),
    "번호가 아닌 판": (lambda path: path.write_text('{"nbformat": "3", "cells": []}', encoding="utf-8"), "옛 꼴(nbformat 3)"),
    "글이 없는 셀": (lambda path: path.write_text('{"cells": [{"cell_type": "code", "source": null}]}', encoding="utf-8"), "셀 1: 셀의 종류"),
    "없는 날짜": (replace_cell(1, "# 글\n\n> 설명\n\n- date: 2026-99-99"), "셀 1: 머리말을 읽을 수 없습니다"),
    "머리말이 없음": (replace_cell(1, "제목 없는 글"), "셀 1: 첫 셀에 '# 제목' 줄이 없습니다"),
    "모르는 머리말": (replace_cell(1, "# 글\n\n> 설명\n\n- toc: true\n- badgse: true"), "셀 1: 머리말의 'badgse'는 모르는 이름"),
    "없는 그림": (replace_cell(1, "# 글\n\n> 설명\n\n- image: images/none.png"), "셀 1: 머리말의 그림 'images/none.png'가 없습니다"),
    "본문의 없는 그림": (replace_cell(2, "![무엇](images/없는_그림.png)"), "셀 2: 그림 'images/없는_그림.png'가 없습니다"),
    "라이브러리와 다름": (replace_cell(5, "#| export\nx = 1", "code"), "crossent/plot.py: 노트북과 다릅니다"),
    "노트북 없는 모듈": (replace_cell(4, "x = 1", "code"), "crossent/plot.py: 노트북과 다릅니다"),
    "저장된 오류": (replace_cell(3, "1 / 0", "code", [ERROR]), "셀 3: 오류가 출력으로"),
    "틀린 코드": (replace_cell(3, "def f(:", "code"), "셀 3: 코드를 읽을 수 없습니다"),
    "틀린 식": (replace_cell(2, "식 $\\frac{a}{b$ 하나"), "셀 2: 수식을 읽을 수 없습니다"),
    "식 속의 한글": (replace_cell(2, "식 $\\frac{손실}{b}$ 하나"), "셀 2: 수식을 읽을 수 없습니다"),
    "닫히지 않은 식": (replace_cell(2, "식 $x 하나"), "셀 2: 글자로 남은 '$'"),
    "굵지 않은 글씨": (replace_cell(2, "이것은 **손실(loss)**입니다."), "셀 2: 글자로 남은 '**'"),
}


@pytest.mark.parametrize("edit, message", BROKEN.values(), ids=BROKEN.keys())
def test_broken_notebook_stops_the_build(small, edit, message):
    path = small / "nbs" / "91_plot.ipynb"
    good, before = path.read_bytes(), files(small / "_docs")
    try:
        edit(path)
        said = build(small, succeeds=False)
    finally:
        path.write_bytes(good)
    assert message in said and "Traceback" not in said, said
    assert files(small / "_docs") == before


def test_good_build_replaces_the_last_one_and_nothing_else(small):
    before = files(small)
    (small / "_docs" / "old.txt").write_text("지난번", encoding="utf-8")
    said = build(small, succeeds=True)
    assert str(small / "_docs" / "index.html") in said
    assert files(small) == before


@pytest.mark.skipif(sys.platform == "win32", reason="윈도우에는 이 신호가 없습니다")
def test_ctrl_c_while_loading_is_one_sentence(small, tmp_path):
    (tmp_path / "yaml.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)", encoding="utf-8")
    stopped = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    done = subprocess.run(COMMAND, cwd=small, env=stopped, capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and done.stderr.strip() == "그만두었습니다. 지난번에 만든 것은 그대로 두었습니다."


@pytest.mark.skipif(sys.platform == "win32", reason="윈도우에는 이 신호가 없습니다")
def test_ctrl_c_is_one_sentence(small):
    before = files(small)
    started = subprocess.Popen(COMMAND, cwd=small, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True)
    started.stdout.readline()
    os.killpg(started.pid, signal.SIGINT)
    said = started.communicate()[0]
    assert started.returncode == 1 and said.strip() == "그만두었습니다. 지난번에 만든 것은 그대로 두었습니다.", said
    assert files(small) == before


def test_nothing_that_only_unix_has_is_needed(small):
    "유닉스에만 있는 모듈과 큰 페이지가 없어도 라이브러리의 모든 모듈이 불리고 블로그가 만들어집니다."
    code = f"""
import importlib, mmap, pkgutil, runpy, sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
vars(mmap).pop("MADV_HUGEPAGE", None)
sys.path.insert(0, {str(ROOT)!r})
import crossent
for module in pkgutil.walk_packages(crossent.__path__, "crossent."):
    importlib.import_module(module.name)
z = importlib.import_module("torch").randn(2048, 8192, requires_grad=True)
crossent.cross_entropy(z, z.argmax(1)).backward()
runpy.run_module("blog.build", run_name="__main__")
"""
    (small / "_docs.lock").unlink(missing_ok=True)  # fcntl이 없으면 filelock은 이 파일이 있는지만 봅니다
    done = subprocess.run([sys.executable, "-c", code], cwd=small, env=ENVIRONMENT, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="윈도우에는 make가 없습니다")
def test_make_works_in_any_folder(small, tmp_path):
    "심볼릭 링크를 거쳐 들어간 폴더에서도."
    (small / ".venv").symlink_to(sys.prefix)
    (tmp_path / "link").symlink_to(small)
    command = ["make", "--file", ROOT / "Makefile", "--old-file", ".venv/site", "site"]
    done = subprocess.run(command, cwd=tmp_path / "link", env=ENVIRONMENT, capture_output=True, encoding="utf-8")
    (small / ".venv").unlink()
    assert done.returncode == 0 and str(small / "_docs" / "index.html") in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="윈도우에는 make가 없습니다")
def test_make_lab_opens_for_root_and_takes_options():
    command = ["make", "--dry-run", "--no-print-directory", "--old-file", ".venv/lab", "lab", "ARGS=--port 9999"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    assert said.rstrip().endswith("--port 9999") and ("--allow-root" in said) == (os.geteuid() == 0)


def test_shell_of_the_renderer_is_peeled():
    "답은 출력까지 접히고, 알림 상자의 이름은 한국어이고, 제목의 이름표는 하나입니다."
    html = """<main><div id="cell-2" class="cell"><details class="code-fold"><summary>답 보기</summary>
<div class="code-copy-outer-scaffold"><div class="sourceCode" id="cb1"><pre class="sourceCode python code-with-copy cell-code"><code class="sourceCode python"><span class="dv">1</span> <span class="op">+</span> x</code></pre></div><button class="code-copy-button"></button></div></details>
<div class="cell-output cell-output-stdout"><pre><code>2</code></pre></div></div>
<div class="callout callout-style-default callout-note callout-titled"><div class="callout-header d-flex"><div class="callout-icon-container"></div><div class="callout-title-container flex-fill">Note</div></div><div class="callout-body-container callout-body"><p>글</p></div></div>
<section id="절" class="level2"><h2 class="anchored" data-anchor-id="절">절</h2></section></main>"""
    whole = BeautifulSoup(html, "lxml")
    page = pages.Page("02_x", "x.html", {"title": "글"}, whole.main)
    pages.tidy(page, whole)
    assert page.body.select_one("details.answer .cell-output").get_text() == "2"
    assert page.body.select_one("details .code").get_text() == "1 + x" and not page.body.select("button")
    assert page.body.aside.get_text(" ", strip=True) == "알아 두기 글"
    assert page.body.h2.attrs == {"id": "절"} and len(page.body.select("#절")) == 1
