"글을 둘러싼 틀: 머리띠, 차례, 배지, 댓글, 앞뒤 글. 틀에 쓰는 말은 모두 여기 있습니다."

import json
import re
from html import escape
from urllib.parse import quote

from bs4 import BeautifulSoup

from blog import feed, search

ICONS = {
    "search": '<circle cx="11" cy="11" r="7"/><path d="m20 20-4-4"/>',
    "theme": '<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a6.7 6.7 0 0 0 10.5 10.5Z"/>',
    "menu": '<path d="M4 6h16M4 12h16M4 18h16"/>',
}
BADGES = {
    "badge-colab.svg": "Colab에서 열기",
    "badge-github.svg": "GitHub에서 보기",
    "badge-download.svg": "노트북 내려받기",
}


# 파일로 연 쪽에서는 브라우저가 스크립트 조각을 불러오지 못합니다. 아무 일도 일어나지 않는 대신 왜인지 말합니다.
BY_FILE = """<p class="by-file" id="by-file" role="note" hidden>파일로 연 페이지에서는 찾기, 만져 보는 그림, 글 안에서 돌리기가 움직이지 않습니다. 터미널에서 <code>make serve</code>를 치고, 알려 주는 주소로 여세요.</p>
<script>document.currentScript.previousElementSibling.hidden = location.protocol !== "file:";</script>"""


def icon(name):
    return f'<svg viewBox="0 0 24 24" aria-hidden="true">{ICONS[name]}</svg>'


def korean_date(date):
    return f"{date.year}년 {date.month}월 {date.day}일"


def minutes(
    body,  # 글
):  # (읽는 시간, 연필과 자판으로 따라 하는 시간). 분
    "접힌 것은 세지 않습니다. 읽기: 1분에 400자, 코드 15줄, 식 넷. 따라 하기: 1분에 300자, 코드 다섯 줄, 식 하나."
    seen = BeautifulSoup(str(body), "lxml")
    for fold in seen.select("details"):
        fold.decompose()
    lines = sum(pre.get_text().count("\n") + 1 for pre in seen.select(".code pre"))
    displayed, letters = seen.select(".equation, .math.display"), 0
    equations = len(displayed)
    for equation in displayed:
        equation.decompose()
    for small in seen.select(".math, .katex"):  # 글 속의 짧은 식은 여섯 자로
        letters += 6
        small.decompose()
    letters += len(re.sub(r"\s", "", search.text_of(seen)))
    return max(1, round(letters / 400 + lines / 15 + equations / 4)), max(1, round(letters / 300 + lines / 5 + equations))


def card_address(page):
    "나눌 때 보이는 그림의 주소."
    return f"images/cards/{page.url.removesuffix('.html').replace('/', '-')}.png"


def head(page, site):
    "쪽의 머리: 제목, 소개, 열린 그래프, 스타일."
    root, address = page.root, f"{site.url}/{page.url.removesuffix('index.html')}"
    title = page.title if page.url == "index.html" else f"{page.title} – {site.title}"
    card = f"{site.url}/{card_address(page)}"
    text = {
        "og:type": "article" if page.is_post else "website",
        "og:site_name": site.title,
        "og:locale": "ko_KR",
        "og:title": page.title,
        "og:description": page.description,
        "og:url": address,
        "og:image": card,
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": f"{page.title} – {page.description}",
    }
    if "date" in page.meta:
        text["article:published_time"] = page.meta["date"].isoformat()
        text["article:modified_time"] = feed.modified(page).isoformat()
    tags = [f'<meta property="{key}" content="{escape(value)}">' for key, value in text.items()]
    katex = f'<link rel="stylesheet" href="{root}katex.css">' if page.body.select_one(".katex") else ""
    touch = ""
    if page.body.select_one("[data-explorable]"):
        if site.has("explorables/explorables.css"):
            touch += f'<link rel="stylesheet" href="{root}explorables/explorables.css">'
        if site.has("explorables/explorables.js"):
            touch += f'<script type="module" src="{root}explorables/explorables.js"></script>'
    return f"""<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<meta name="description" content="{escape(page.description)}">
<link rel="canonical" href="{address}">
{chr(10).join(tags)}
<meta name="twitter:card" content="summary_large_image">
<link rel="icon" href="{root}images/favicon.svg" type="image/svg+xml">
<link rel="apple-touch-icon" href="{root}images/apple-touch-icon.png">
<link rel="alternate" type="application/rss+xml" title="{escape(site.title)}" href="{root}index.xml">
<script>try {{ document.documentElement.dataset.theme = localStorage.getItem("theme") || ""; }} catch {{}}</script>
{katex}<link rel="stylesheet" href="{root}site.css">{touch}
<script src="{root}site.js" defer></script>
<script type="application/ld+json">{linked_data(page, site, address, card)}</script>"""


def linked_data(page, site, address, card):
    "찾는 기계가 읽는 소개(JSON-LD)."
    home = {"@type": "WebSite", "name": site.title, "url": f"{site.url}/"}
    about = home | {"@context": "https://schema.org", "description": page.description, "inLanguage": "ko"}
    if page.is_post:
        owner = {"@type": "Organization", "name": site.title, "url": f"{site.url}/"}
        dates = {"datePublished": page.meta["date"].isoformat(), "dateModified": feed.modified(page).isoformat()}
        about |= {"@type": "BlogPosting", "headline": page.title, "url": address, "image": card, "author": owner, "isPartOf": home, **dates}
        del about["name"]
    elif page.url != "index.html":
        trail = [(site.title, f"{site.url}/"), (page.title, address)]
        steps = [{"@type": "ListItem", "position": i, "name": name, "item": place} for i, (name, place) in enumerate(trail, 1)]
        about = {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": steps}
    return json.dumps(about, ensure_ascii=False).replace("<", "\\u003c")


def bar(page, site):
    "맨 위의 머리띠."
    here = lambda address: ' aria-current="page"' if page.url == address else ""
    root = page.root
    return f"""<a class="skip" href="#content">본문으로 건너뛰기</a>
<header class="bar"><div class="bar-inner">
<button class="icon-button only-narrow" popovertarget="series" aria-label="글 목록">{icon("menu")}</button>
<a class="brand" href="{root}index.html"{here("index.html")}>{site.logo}<span>{escape(site.title)}</span></a>
<nav class="bar-links" aria-label="사이트">
<a href="{root}api.html"{here("api.html")}>API</a>
<a href="{site.git_url}" rel="noopener">GitHub</a>
</nav>
<button class="icon-button needs-script" id="search-button" aria-label="찾기" title="찾기 ( / )">{icon("search")}</button>
<button class="icon-button needs-script" id="theme-button" aria-label="밝게·어둡게 바꾸기" title="밝게·어둡게">{icon("theme")}</button>
</div></header>"""


def series(page, site):
    "옆에 붙는 글 목록. 좁은 화면에서는 단추를 눌러 엽니다."
    parts = []
    for title, members in site.api_groups if page.url.startswith("api/") else site.groups:
        items = []
        for other in members:
            here = ' aria-current="page"' if other is page else ""
            number = f"<b>{other.number:02}</b>" if other.is_post else ""
            items.append(f'<li><a href="{page.root}{other.url}"{here}>{number}<span>{escape(other.title)}</span></a></li>')
        parts.append(f"<p>{escape(title)}</p><ol>{''.join(items)}</ol>")
    return f'<nav class="series" id="series" popover aria-label="글 목록">{"".join(parts)}</nav>'


def toc(page):
    "이 글의 차례. 좁은 화면에서는 단추를 눌러 엽니다."
    items = []
    for heading in page.body.find_all(["h2", "h3"], id=True):
        inner = re.sub(r"</?a\b[^>]*>", "", heading.decode_contents())
        items.append(f'<li class="{heading.name}"><a href="#{quote(heading["id"])}">{inner}</a></li>')
    if not page.meta.get("toc") or len(items) < 2:
        return "", ""
    name = "이 글의 차례" if page.source else "이 페이지의 차례"
    button = f'<button class="toc-button only-narrow" popovertarget="toc">{name}</button>'
    return button, f'<nav class="toc" id="toc" popover aria-label="{name}"><p>{name}</p><ol>{"".join(items)}</ol></nav>'


def badges(page, site):
    "노트북을 여는 세 가지 길."
    if not page.meta.get("badges"):
        return ""
    path = f"blob/{site.branch}/nbs/{page.stem}.ipynb"
    colab = f"https://colab.research.google.com/{site.git_url.replace('https://github.com', 'github')}/{path}"
    targets = [colab, f"{site.git_url}/{path}", f"{page.root}notebooks/{page.stem}.ipynb"]
    links = []
    for (image, label), target in zip(BADGES.items(), targets):
        kind = ' rel="noopener"' if target.startswith("http") else " download"
        picture = f'<img src="{page.root}images/{image}" alt="{label}" width="{site.badge_width[image]}" height="28">'
        links.append(f'<a href="{target}"{kind}>{picture}</a>')
    return f'<p class="badges">{page.live}{"".join(links)}</p>'


def title_block(page, site):
    "제목, 소개, 날짜, 분류."
    facts = []
    if "date" in page.meta:
        date = page.meta["date"]
        facts.append(f'<time datetime="{date.isoformat()}">{korean_date(date)}</time>')
        last = feed.modified(page)
        if last > date:
            facts.append(f'<span>고침 <time datetime="{last.isoformat()}">{korean_date(last)}</time></span>')
    if page.number is not None:
        reading, along = minutes(page.body)
        facts.append(f"<span>읽기 약 {reading}분 · 따라 하기 약 {along}분</span>")
    for name in page.meta.get("categories", []):
        facts.append(f'<a class="category" href="{page.root}index.html#분류={quote(name)}">{escape(name)}</a>')
    eyebrow = f'<p class="eyebrow">글 {page.number:02}</p>' if page.is_post else ""
    return f"""<header class="title-block">
{eyebrow}<h1>{escape(page.title)}</h1>
<p class="description">{escape(page.description)}</p>
{f'<p class="facts">{"".join(facts)}</p>' if facts else ""}
{badges(page, site)}
</header>"""


def neighbors(page, site):
    "앞뒤 글로 가는 길."
    order = [other for _, members in site.groups for other in members if other.number is not None]
    if page not in order:
        return ""
    spot = order.index(page)
    links = []
    for label, kind, index in (("앞 글", "prev", spot - 1), ("다음 글", "next", spot + 1)):
        if 0 <= index < len(order):
            other = order[index]
            links.append(f'<a class="{kind}" rel="{kind}" href="{page.root}{other.url}"><small>{label}</small>{escape(other.title)}</a>')
    return f'<nav class="neighbors" aria-label="앞뒤 글">{"".join(links)}</nav>'


def comments(page, site):
    "댓글 상자. 누르기 전에는 다른 곳에 아무것도 묻지 않습니다."
    if not page.meta.get("comments"):
        return ""
    data = "".join(f' data-{key}="{escape(str(value))}"' for key, value in site.giscus.items())
    return f"""<section class="comments" id="comments"{data}>
<h2>댓글</h2>
<p>댓글은 GitHub 토론에 쌓입니다. 단추를 누르면 giscus.app에서 댓글 상자를 불러옵니다.</p>
<button class="needs-script" type="button">댓글 열기</button>
<noscript><p><a href="{site.git_url}/discussions">GitHub 토론에서 읽고 쓰기</a></p></noscript>
</section>"""


def footer(page, site):
    source = f'<a href="{site.git_url}" rel="noopener">소스</a>'
    if page.source:
        source = f'<a href="{site.git_url}/blob/{site.branch}/nbs/{page.source.name}" rel="noopener">이 글의 노트북</a>'
    return f"""<footer class="foot"><p>글은 CC BY 4.0, 코드는 Apache-2.0으로 나눕니다.</p>
<p>{source}<a href="{page.root}index.xml">RSS</a><a href="{page.root}api.html">API</a></p></footer>"""


def render(
    page,  # 다듬은 글
    site,  # 사이트 전체
):  # 완성된 HTML
    "글에 틀을 씌웁니다."
    toc_button, toc_nav = toc(page)
    kind = "home" if page.url == "index.html" else "api" if page.url.startswith("api/") else "post"
    return f"""<!doctype html>
<html lang="ko">
<head>
{head(page, site)}
</head>
<body class="{kind}">
{bar(page, site)}
{BY_FILE}
<div class="columns">
{series(page, site)}
<main id="content">
<article>
{title_block(page, site)}
{toc_button}
{page.body.decode_contents().strip()}
</article>
{neighbors(page, site)}
{comments(page, site)}
</main>
{toc_nav}
</div>
{footer(page, site)}
</body>
</html>
"""
