"브라우저에서는 글에 쓰는 글자만 남긴 글꼴 파일을 씁니다."


def sans_path():
    return "/live/font.otf"
