"글을 나눌 때 보이는 그림(1200×630)을 그립니다."

from io import BytesIO

import pylopdf_fonts_ko
from PIL import Image, ImageDraw, ImageFont

from blog import thumbs

INK, PAPER, MUTED, WARM = "#23262b", "#fdfcfa", "#5c626d", "#b23c12"


def font(size):
    return ImageFont.truetype(pylopdf_fonts_ko.sans_path(), size)


def lines(draw, text, face, width):
    "낱말을 자르지 않고 줄을 나눕니다. 마지막 줄에 낱말 하나만 남으면 폭을 좁혀 고르게 나눕니다."
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if draw.textlength(longer, face) <= width:
            found[-1] = longer
        else:
            found.append(word)
    alone = len(found) > 1 and len(found[-1]) < 6
    return lines(draw, text, face, width * 0.9) if alone and width > 500 else [line for line in found if line]


def draw(
    page,  # 글
    title,  # 사이트 이름
):  # PNG 바이트
    "왼쪽에 제목과 소개, 오른쪽 아래에 그 글의 작은 그림. 두 배로 그려 줄이므로 곡선이 매끈합니다."
    figure = Image.new("RGB", (2400, 1260), PAPER)
    thumbs.paint(ImageDraw.Draw(figure), page, 1560, 700, 2.4, font)
    image = figure.resize((1200, 630), Image.LANCZOS)
    pen = ImageDraw.Draw(image)
    if page.is_post:
        pen.text((80, 78), f"글 {page.number:02}", WARM, font(34))
    y = 140
    for line in lines(pen, page.title, font(68), 1040)[:3]:
        pen.text((80, y), line, INK, font(68), stroke_width=1, stroke_fill=INK)
        y += 92
    y += 14
    for line in lines(pen, page.description, font(32), 660)[:4]:
        pen.text((80, y), line, MUTED, font(32))
        y += 48
    pen.text((80, 550), title, MUTED, font(30))
    data = BytesIO()
    image.quantize(128).save(data, "PNG", optimize=True)
    return data.getvalue()
