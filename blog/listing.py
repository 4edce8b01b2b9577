"첫 쪽의 글 목록: 대표 그림이 붙은 카드와 분류 단추."

from collections import Counter
from html import escape

from bs4 import BeautifulSoup

from blog.pages import size


def card(page, folder):
    "글 하나의 카드."
    picture = f'<div class="card-image empty" aria-hidden="true">{page.number:02}</div>'
    if image := page.meta.get("image"):
        page.files[image] = (folder / image).read_bytes()
        width, height = size(page.files[image])
        picture = f'<div class="card-image"><img src="{image}" alt="" width="{width}" height="{height}" loading="lazy" decoding="async"></div>'
    names = page.meta.get("categories", [])
    return f"""<li class="card" data-categories="{escape("|".join(names))}"><a href="{page.url}">{picture}
<p class="eyebrow">글 {page.number:02}</p><h3>{escape(page.title)}</h3><p>{escape(page.description)}</p></a>
<p class="card-categories">{" · ".join(map(escape, names))}</p></li>"""


def fill(
    all_pages,  # 모든 글
    folder,  # 그림이 있는 nbs/
):
    "글 목록이 들어갈 자리(`::: {#posts}`)를 찾아 채웁니다."
    posts = [page for page in all_pages if page.is_post]
    counts = Counter(name for page in posts for name in page.meta.get("categories", []))
    buttons = [f'<button type="button" aria-pressed="true" data-category="">모두 {len(posts)}</button>']
    buttons += [f'<button type="button" aria-pressed="false" data-category="{escape(name)}">{escape(name)} {n}</button>' for name, n in counts.most_common()]
    html = f"""<div class="filter needs-script" role="group" aria-label="분류">{"".join(buttons)}</div>
<ol class="cards">{"".join(card(page, folder) for page in posts)}</ol>"""
    for page in all_pages:
        for place in page.body.select("#listing-posts, #posts"):
            place.replace_with(BeautifulSoup(f'<div class="listing" id="posts">{html}</div>', "html.parser"))
