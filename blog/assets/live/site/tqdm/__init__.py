"진행 막대 없이 그대로 돕니다. 페이지에는 셀마다 도는 표시가 따로 있습니다."


def tqdm(items=None, *_, **__):
    return items


def trange(*args, **__):
    return range(*args)
