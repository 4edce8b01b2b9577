"만든 블로그를 내 컴퓨터에서 엽니다. `make serve`가 부르고, 포트는 `make serve ARGS=9000`처럼 적습니다. Ctrl+C로 끝냅니다."

import functools
import http.server
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "_docs"


def main(port=8000):
    if not (DOCS / "index.html").exists():
        raise SystemExit("만든 블로그가 없습니다. 먼저 make site를 치세요.")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(DOCS))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:  # 그 포트를 이미 쓰고 있으면 빈 포트로
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(f"브라우저로 여세요: http://localhost:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
