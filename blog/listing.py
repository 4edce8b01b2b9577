"첫 쪽의 글 목록: 묶음마다 카드와 걸리는 시간."

from html import escape

from bs4 import BeautifulSoup

from blog import frame, thumbs


def card(page):
    "글 하나의 카드."
    names = page.meta.get("categories", [])
    touch = '<span class="touch">만져 보는 그림</span>' if page.body.select_one("[data-explorable]") else ""
    return f"""<li class="card" data-categories="{escape("|".join(names))}"><a href="{page.url}"><div class="card-image">{thumbs.svg(page)}</div>
<p class="eyebrow">글 {page.number:02}</p><h4>{escape(page.title)}</h4><p>{escape(page.description)}</p></a>
<p class="card-facts"><span>읽기 약 {frame.minutes(page.body)[0]}분</span>{touch}</p></li>"""


def hours(minutes):
    "135분을 '2시간 15분'으로. 한 시간이 넘으면 10분 자리에서 둥글립니다."
    if minutes < 60:
        return f"{minutes}분"
    whole, rest = divmod(round(minutes, -1), 60)
    return f"{whole}시간 {rest}분" if rest else f"{whole}시간"


def total(posts):
    "읽는 시간과, 따라 하는 시간."
    return [hours(sum(times)) for times in zip(*(frame.minutes(page.body) for page in posts))]


def fill(
    all_pages,  # 모든 글
    groups,  # (묶음 이름, 쪽의 목록)의 목록. _quarto.yml의 차례입니다
):
    "글 목록이 들어갈 자리(`::: {#posts}`)와 걸리는 시간을 적을 자리(`#posts-time`)를 찾아 채웁니다."
    posts = [page for page in all_pages if page.is_post]
    parts = []
    for title, members in groups:
        members = [page for page in members if page.is_post]
        if members:
            reading, along = total(members)
            count = f"<small>{len(members)}편 · 읽기 약 {reading}, 따라 하기 약 {along}</small>"
            parts.append(f'<section class="group"><h3>{escape(title)} {count}</h3><ol class="cards">{"".join(map(card, members))}</ol></section>')
    note = '<p class="chosen needs-script" hidden><span></span> <button type="button">모두 보기</button></p>'
    for page in all_pages:
        for place in page.body.select("#listing-posts, #posts"):
            place.replace_with(BeautifulSoup(f'<div class="listing" id="posts">{note}{"".join(parts)}</div>', "html.parser"))
        for place in page.body.select("#posts-time"):
            place.string = f"글 {len(posts)}편 · 모두 읽는 데 약 {total(posts)[0]}"
