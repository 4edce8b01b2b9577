"""노트북에서 블로그를 만듭니다. `make site`가 부릅니다.

nbs/ → (nbdev) → _proc/ → (Quarto, 없으면 smalldocs) → 다듬기 → _docs/

하나라도 잘못되면 멈추고, 지난번에 만든 _docs/는 그대로 둡니다.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import yaml
from bs4 import BeautifulSoup
from nbdev.config import get_config
from nbdev.quarto import refresh_quarto_yml
from nbdev.serve import proc_nbs

from blog import api, card, check, feed, frame, katex, listing, live, pages, search

ROOT = Path.cwd()
NBS = ROOT / "nbs"
ASSETS = Path(__file__).resolve().parent / "assets"


@dataclass
class Site:
    title: str
    description: str
    url: str  # 공개 주소
    git_url: str
    branch: str
    giscus: dict
    groups: list  # 옆에 붙는 글 목록: (묶음 이름, 쪽의 목록)
    api_groups: list  # API 쪽의 옆에 붙는 목록
    badge_width: dict
    logo: str
    files: set = field(default_factory=set)  # nbs/에서 옮길 파일의 주소

    def has(self, address):
        return address in self.files


def stop(problems):
    raise SystemExit("블로그를 만들지 못했습니다. 지난번의 _docs/는 그대로 두었습니다.\n" + "\n".join(f"  {line}" for line in problems))


def run(*command, cwd=ROOT):
    "명령을 돌리고, 실패하면 그 말을 그대로 보여 주며 멈춥니다."
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        stop([f"{command[0]}: 실패했습니다", *(done.stdout + done.stderr).splitlines()[-30:]])
    return done.stdout + done.stderr


def render():
    "_proc/를 HTML로 바꿉니다. 결과가 든 폴더를 돌려줍니다."
    out = ROOT / "_proc" / "_docs"
    if shutil.which("quarto"):
        # Quarto는 `comments: true`를 잘못된 값으로 봅니다. 댓글 단추는 우리가 답니다.
        for path in (ROOT / "_proc").glob("*.ipynb"):
            path.write_text(path.read_text(encoding="utf-8").replace('"comments: true\\n"', '"comments: false\\n"'), encoding="utf-8")
        log = run("quarto", "render", "--no-execute", cwd=ROOT / "_proc")
        # Quarto는 묶음이 깨져도 성공했다고 합니다.
        broken = re.findall(r"\[WARNING\] Div .*unclosed.*", log)
        if broken:
            stop(broken)
    else:
        run(sys.executable, "-m", "smalldocs.cli", "render", "--quiet", cwd=ROOT / "_proc")
    return out


def typeset(all_pages):
    "모든 쪽의 수식을 한 번에 바꿉니다. 쓴 글꼴을 담은 CSS를 돌려줍니다."
    spots = [(page, span) for page in all_pages for span in page.body.select("span.math")]
    equations = []
    for _, span in spots:
        tex = re.sub(r"^\\[(\[]|\\[)\]]$", "", span.get_text().strip()).strip()
        equations.append((tex, "display" in span["class"]))
    problems, used = [], set()
    for (page, span), (tex, display), result in zip(spots, equations, katex.typeset(equations)):
        if "error" in result:
            problems.append(f"{where(page, tex)}: 수식을 읽을 수 없습니다: {result['error']}")
            continue
        math = BeautifulSoup(result["html"], "html.parser")
        for annotation in math.find_all("annotation"):
            annotation.decompose()
        for tag in math.find_all(class_=True):
            used.update(tag["class"])
        if display:
            box = BeautifulSoup('<div class="equation"></div>', "html.parser").div
            box.extend(list(math.children))
            alone = span.parent.name == "p" and span.parent.get_text(strip=True) == span.get_text(strip=True)
            (span.parent if alone else span).replace_with(box)
        else:
            span.replace_with(math)
    if problems:
        stop(problems)
    return katex.stylesheet(used)


def where(page, text):
    "문제가 생긴 곳의 이름: 노트북과 셀 번호."
    if not page.source:
        return page.url
    cell = check.locate(page.source, text)
    return f"{page.source.name} 셀 {cell}" if cell else page.source.name


def describe(all_pages):
    "settings.ini와 _quarto.yml에서 사이트의 이름, 주소, 차례를 읽습니다."
    settings, quarto = get_config(), yaml.safe_load((ROOT / "_quarto.yml").read_text(encoding="utf-8"))
    by_name = {f"{page.stem}.ipynb": page for page in all_pages}
    groups = []
    for group in quarto["website"]["sidebar"]["contents"]:
        members = [by_name[name] for name in group["contents"] if name in by_name]
        groups.append((group["section"], members))
    images = NBS / "images"
    return Site(
        title=settings.title,
        description=settings.description,
        url=settings.doc_host + settings.doc_baseurl,
        git_url=settings.git_url,
        branch=settings.branch,
        giscus={"repo": settings.git_url.removeprefix("https://github.com/"), **quarto["giscus"]},
        groups=groups,
        api_groups=[],
        badge_width={name: pages.size((images / name).read_bytes())[0] for name in frame.BADGES},
        logo=(images / "favicon.svg").read_text(encoding="utf-8"),
        files={str(path.relative_to(NBS)) for folder in ("images", "explorables") for path in (NBS / folder).rglob("*") if path.is_file()},
    )


def write(out, address, content):
    path = out / address
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, encoding="utf-8")


def finish(rendered, out):
    "렌더러가 만든 HTML을 다듬어 out에 씁니다."
    notebooks = [path for path in sorted(NBS.glob("*.ipynb")) if not path.name.startswith((".", "_"))]
    posts = [pages.load(path, ROOT / "_proc" / path.name, rendered) for path in notebooks]
    addresses = {page.stem: page.url for page in posts} | {page.url.removesuffix(".html"): page.url for page in posts}
    site = describe(posts)
    for page in posts:
        pages.link_posts(page, addresses)
    listing.fill(posts, site.groups)
    references, modules = api.make(ROOT / "crossent", posts, site)
    site.api_groups = [("API", [page for page in posts if page.stem == api.GUIDE]), ("모듈", references)]
    for page in posts:
        api.link_names(page, modules)
        live.prepare(page, site)
    everything = posts + references
    for page in everything:
        search.name_terms(page)
        pages.keep_together(page.body)
        pages.keep_particles(page.body)
        pages.align_columns(page.body)
        pages.mark_english(page.body)
    katex_css = typeset(everything)
    leftover = [f"{where(page, around)}: 글자로 남은 '{sign}'가 있습니다: {around}" for page in everything for sign, around in check.leftovers(page.body)]
    if leftover:
        stop(leftover)

    for page in everything:
        pages.add_anchors(page.body)
        write(out, page.url, pages.color_code(frame.render(page, site)))
        write(out, frame.card_address(page), card.draw(page, site.title))
        for address, content in page.files.items():
            write(out, address, content)
    for page in posts:
        write(out, f"notebooks/{page.source.name}", page.source.read_bytes())
    for address in site.files:
        write(out, address, (NBS / address).read_bytes())
    for address, content in live.files(posts).items():
        write(out, address, content)
    write(out, "katex.css", katex_css)
    write(out, "site.css", (NBS / "styles.css").read_text(encoding="utf-8") + (ASSETS / "frame.css").read_text(encoding="utf-8"))
    for script in ASSETS.glob("*.js"):
        write(out, script.name, script.read_text(encoding="utf-8"))
    write(out, "search.json", search.index(everything))
    write(out, "minisearch.js", search.engine())
    write(out, "index.xml", feed.rss(posts, site))
    write(out, "sitemap.xml", feed.sitemap(everything, site))
    write(out, "404.html", feed.not_found(site))


def build():
    "처음부터 끝까지. 모두 성공했을 때만 _docs/를 바꿉니다."
    notebooks = sorted(NBS.glob("[!._]*.ipynb"))
    problems = [problem for path in notebooks for problem in check.problems(path)]
    if problems:
        stop(problems)
    run(str(Path(sys.executable).with_name("nbdev_export")))
    if shutil.which("quarto"):
        refresh_quarto_yml()
    proc_nbs(force=True, n_workers=0)
    rendered = render()
    new, old, docs = ROOT / "_docs.new", ROOT / "_docs.old", ROOT / "_docs"
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    finish(rendered, new)
    if docs.exists():
        docs.rename(old)
    new.rename(docs)
    shutil.rmtree(old, ignore_errors=True)
    print(f"블로그를 만들었습니다: {docs / 'index.html'}\n보려면 make serve를 치고, 알려 주는 주소를 브라우저로 여세요.")


if __name__ == "__main__":
    # 두 곳에서 한꺼번에 만들면 서로의 파일을 지우므로 차례를 기다립니다.
    lock = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    build()
