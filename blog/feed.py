"RSS, 사이트맵, 404 쪽처럼 글 말고도 사이트에 있어야 하는 것."

import subprocess
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from functools import cache
from html import escape
from mimetypes import guess_type
from urllib.parse import quote
from xml.etree import ElementTree as xml


def address(page, site):
    return f"{site.url}/{page.url.removesuffix('index.html')}"


@cache
def changes(folder):
    "파일마다 마지막으로 바뀐 날. git이 없거나 얕게 받은 저장소면 비어 있습니다."
    git = lambda *words: subprocess.run(["git", *words], cwd=folder, capture_output=True, encoding="utf-8")
    try:
        if git("rev-parse", "--is-shallow-repository").stdout.strip() != "false":
            return {}
    except OSError:
        return {}
    found, day = {}, None
    for line in git("log", "--format=@%cs", "--name-only", "--relative", "--", ".").stdout.splitlines():
        if line.startswith("@"):
            day = date.fromisoformat(line[1:])
        elif line:
            found.setdefault(line, day)
    return found


def modified(page):
    "글을 마지막으로 고친 날. 처음 쓴 날보다 이르지 않습니다."
    written = page.meta.get("date")
    last = changes(page.source.parent).get(page.source.name) if page.source else None
    return max(filter(None, (written, last)), default=None)


def rss(
    posts,  # 글의 목록
    site,
):  # index.xml에 담을 글
    "글의 소개와 대표 그림을 싣습니다. 식은 글에서 읽습니다."
    xml.register_namespace("atom", "http://www.w3.org/2005/Atom")
    feed = xml.Element("rss", version="2.0")
    channel = xml.SubElement(feed, "channel")
    for tag, text in {"title": site.title, "link": f"{site.url}/", "description": site.description, "language": "ko"}.items():
        xml.SubElement(channel, tag).text = text
    xml.SubElement(channel, "{http://www.w3.org/2005/Atom}link", href=f"{site.url}/index.xml", rel="self", type="application/rss+xml")
    dated = sorted((page for page in posts if page.is_post), key=lambda page: (page.meta["date"], page.number), reverse=True)
    at = lambda day: datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    if dated:
        xml.SubElement(channel, "lastBuildDate").text = format_datetime(at(max(map(modified, dated))))
    for page in dated:
        item = xml.SubElement(channel, "item")
        moment = at(page.meta["date"]) + timedelta(minutes=page.number)  # 같은 날의 글은 번호의 차례로
        xml.SubElement(item, "title").text = page.title
        xml.SubElement(item, "link").text = xml.SubElement(item, "guid").text = address(page, site)
        xml.SubElement(item, "description").text = escape(page.description)
        xml.SubElement(item, "pubDate").text = format_datetime(moment)
        for name in page.meta["categories"]:
            xml.SubElement(item, "category").text = name
        if image := page.meta.get("image"):
            length = str(len(page.files[image]))
            xml.SubElement(item, "enclosure", url=f"{site.url}/{image}", type=guess_type(image)[0], length=length)
    xml.indent(feed)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(feed, encoding="unicode")


def sitemap(all_pages, site):
    "모든 쪽의 공개 주소."
    found = xml.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for page in all_pages:
        entry = xml.SubElement(found, "url")
        xml.SubElement(entry, "loc").text = address(page, site)
        if day := modified(page):
            xml.SubElement(entry, "lastmod").text = day.isoformat()
    xml.indent(found)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + xml.tostring(found, encoding="unicode")


def not_found(site):
    "어느 주소에서 보일지 모르므로 아무 파일도 부르지 않습니다."
    return f"""<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>페이지를 찾지 못했습니다 – {escape(site.title)}</title>
<link rel="icon" href="data:image/svg+xml,{quote(site.logo)}">
<script>try {{ document.documentElement.dataset.theme = localStorage.getItem("theme") || ""; }} catch {{}}</script>
<style>
:root {{ color-scheme: light dark; }}
:root[data-theme="light"] {{ color-scheme: light; }}
:root[data-theme="dark"] {{ color-scheme: dark; }}
body {{ display: grid; place-content: center; min-height: 90vh; margin: 0; padding: 1.5rem; font-family: "Apple SD Gothic Neo", "Noto Sans KR", "Malgun Gothic", sans-serif; line-height: 1.8; word-break: keep-all; background: light-dark(#fdfcfa, #15171b); color: light-dark(#23262b, #dde1e7); }}
main {{ max-width: 34rem; }}
h1 {{ line-height: 1.3; margin: 0 0 0.5rem; }}
b {{ color: light-dark(#b23c12, #ff9e7d); }}
a {{ color: light-dark(#1d55b5, #8fb8ff); margin-right: 1.2em; }}
</style>
</head>
<body><main>
<b>404</b>
<h1>이 주소에는 글이 없습니다</h1>
<p>이 페이지가 있을 확률은 0이고, 그래서 놀라움은 무한대입니다. 주소가 바뀌었거나 잘못 적혔을 수 있습니다.</p>
<p><a href="{site.url}/">글 목록으로</a><a href="{site.git_url}/issues">알려 주기</a></p>
</main></body>
</html>
"""
