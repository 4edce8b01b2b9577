"글을 나눌 때 보이는 그림(1200×630)을 그립니다."

from io import BytesIO
from math import exp

import pylopdf_fonts_ko
from PIL import Image, ImageDraw, ImageFont

INK, PAPER, MUTED, BLUE, WARM = "#23262b", "#fdfcfa", "#5c626d", "#2563c9", "#b23c12"


def font(size):
    return ImageFont.truetype(pylopdf_fonts_ko.sans_path(), size)


def lines(draw, text, face, width):
    "낱말을 자르지 않고 줄을 나눕니다."
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if draw.textlength(longer, face) <= width:
            found[-1] = longer
        else:
            found.append(word)
    return [line for line in found if line]


def draw(
    page,  # 글
    title,  # 사이트 이름
):  # PNG 바이트
    "제목과 소개, 그리고 내려가는 손실 곡선."
    image = Image.new("RGB", (1200, 630), PAPER)
    pen = ImageDraw.Draw(image)
    curve = [(x, 585 - 190 * exp(-(x - 640) / 150)) for x in range(640, 1201, 4)]
    pen.line([(0, 585), (1200, 585)], fill="#e3dfd7", width=2)
    pen.line(curve, fill=BLUE, width=7, joint="curve")
    x, y = curve[18]
    pen.ellipse([x - 13, y - 13, x + 13, y + 13], fill=WARM)
    label = f"글 {page.number:02}" if page.is_post else title
    pen.text((80, 78), label, WARM, font(34))
    y = 140
    for line in lines(pen, page.title, font(68), 1040)[:3]:
        pen.text((80, y), line, INK, font(68), stroke_width=1, stroke_fill=INK)
        y += 92
    y += 14
    for line in lines(pen, page.description, font(32), 900)[:3]:
        pen.text((80, y), line, MUTED, font(32))
        y += 48
    pen.text((80, 528), title, MUTED, font(30))
    data = BytesIO()
    image.quantize(64).save(data, "PNG", optimize=True)
    return data.getvalue()
