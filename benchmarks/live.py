"글 안에서 돌리기: 단추를 눌러 준비될 때까지, 모두 돌려 끝날 때까지의 초와 받는 크기. 사이트를 먼저 만듭니다(make site)."

import time
from pathlib import Path

from blog import live
from tests.browsing import CHROMIUM, chromium, serve

DOCS = Path(__file__).resolve().parent.parent / "_docs"
READY = "['ready', 'failed'].includes(document.documentElement.dataset.live)"
PATIENCE = 600_000


def until_ready(page, button):
    "단추를 누르고 준비될 때까지의 초."
    start = time.perf_counter()
    page.locator(f"[data-live={button}]").click()
    page.wait_for_function(READY, timeout=PATIENCE)
    assert page.evaluate("document.documentElement.dataset.live") == "ready"
    return time.perf_counter() - start


def measure():
    if CHROMIUM is None or not (DOCS / "live").exists():
        return {}
    result = {"megabytes": [live.size(figures) / 1e6 for figures in (False, True)], "posts": {}}
    with serve(DOCS) as address, chromium() as browser:
        for stem in live.LIVE:
            context, address_of = browser.new_context(), f"{address}/{stem[3:]}.html"
            page = context.new_page()
            page.goto(address_of)
            found = {"first": until_ready(page, "start"), "all": until_ready(page, "run-all")}
            page.goto(address_of)
            found["again"] = until_ready(page, "start")
            result["posts"][stem[:2]] = found
            context.close()
    return result


def show(result):
    if not result:
        return print("글 안에서 돌리기: 만든 사이트나 Chromium이 없어 재지 않았습니다.")
    first, all_of_it = result["megabytes"]
    print(f"글 안에서 돌리기: 준비까지 {first:.1f} MB, 그림 그릴 것까지 {all_of_it:.1f} MB(이 컴퓨터 안에서 받습니다)")
    print("  글   처음 준비   다시 준비   모두 돌리기 (초)")
    for name, found in result["posts"].items():
        print(f"  {name} {found['first']:10.1f} {found['again']:10.1f} {found['all']:12.1f}")
