"Chromium과 작은 서버. 브라우저로 하는 검사가 함께 씁니다."

import functools
import http.server
import shutil
import threading
from contextlib import contextmanager

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = next(filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None)
FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="Chromium을 찾지 못해 브라우저 검사를 건너뜁니다(chromium, chromium-browser, google-chrome 가운데 하나를 깔면 합니다)",
)


@contextmanager
def chromium():
    "브라우저 하나를 띄웁니다."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript", ".mjs": "text/javascript"}
    pages = {}

    def log_message(self, *_):
        pass

    def do_GET(self):
        text = self.pages.get(self.path.partition("?")[0])
        if text is None:
            return super().do_GET()
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve(
    folder,  # 내보일 폴더
    pages=None,  # 폴더에 없는 쪽: {"/주소": HTML}
):  # 서버의 주소
    "폴더를 빈 포트에서 내보입니다."
    handler = type("Handler", (Quiet,), {"pages": pages or {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
