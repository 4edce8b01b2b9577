// 밝기 바꾸기, 코드 복사, 분류, 댓글, 찾기. 모두 없어도 글은 읽힙니다.
const root = document.documentElement;
const siteRoot = new URL(".", document.currentScript.src);

// 밝게·어둡게
const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
const giscusTheme = () => (dark() ? "dark" : "light");
document.getElementById("theme-button").addEventListener("click", () => {
  root.dataset.theme = dark() ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch {}
  tellGiscus();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => tellGiscus());

// 댓글
const comments = document.getElementById("comments");
function tellGiscus() {
  const frame = comments?.querySelector("iframe.giscus-frame");
  frame?.contentWindow.postMessage({ giscus: { setConfig: { theme: giscusTheme() } } }, "https://giscus.app");
}
comments?.querySelector("button").addEventListener("click", (event) => {
  const script = document.createElement("script");
  for (const [key, value] of Object.entries(comments.dataset)) script.dataset[key] = value;
  script.dataset.theme = giscusTheme();
  script.crossOrigin = "anonymous";
  script.async = true;
  script.src = "https://giscus.app/client.js";
  event.target.replaceWith(script);
});

// 코드 복사
for (const block of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.className = "copy";
  button.type = "button";
  button.textContent = "복사";
  button.setAttribute("aria-label", "코드 복사");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.querySelector("pre").textContent);
    button.textContent = "복사했습니다";
    setTimeout(() => (button.textContent = "복사"), 1500);
  });
  block.append(button);
}

// 옆으로 밀리는 상자는 키보드로도 밀 수 있게 합니다.
const boxes = document.querySelectorAll("pre, .equation, .table-box");
const boxName = (box) => (box.matches("pre") ? "코드" : box.matches(".equation") ? "식" : "표");
const markScrollable = () => {
  for (const box of boxes) {
    const wide = box.scrollWidth > box.clientWidth;
    if (wide === box.hasAttribute("tabindex")) continue;
    if (wide) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `${boxName(box)}, 옆으로 밀어 보세요`);
    } else ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
  }
};
addEventListener("resize", markScrollable);
document.addEventListener("toggle", markScrollable, true);
document.fonts.ready.then(markScrollable);

// 그림을 누르면 크게 봅니다.
let zoomed;
addEventListener("click", (event) => {
  const link = event.target.closest?.("a.zoom");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!zoomed) {
    zoomed = document.createElement("dialog");
    zoomed.className = "zoomed";
    zoomed.setAttribute("aria-label", "크게 본 그림");
    zoomed.addEventListener("click", () => zoomed.close());
    document.body.append(zoomed);
  }
  const image = link.querySelector("img").cloneNode();
  image.loading = "eager";
  const close = document.createElement("button");
  close.type = "button";
  close.className = "close";
  close.textContent = "닫기";
  zoomed.replaceChildren(image, close);
  zoomed.showModal();
});

// 차례에서 지금 읽는 곳을 보여 줍니다.
const toc = document.getElementById("toc");
if (toc) {
  const links = new Map([...toc.querySelectorAll("a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const headings = [...links.keys()].map((id) => document.getElementById(id));
  const follow = () => {
    const link = links.get(headings.filter((heading) => heading.getBoundingClientRect().top < 160).at(-1)?.id);
    if (link?.classList.contains("here")) return;
    toc.querySelector(".here")?.classList.remove("here");
    if (!link) return;
    link.classList.add("here");
    // 긴 차례에서는 차례도 따라 움직입니다.
    const box = toc.getBoundingClientRect(), at = link.getBoundingClientRect();
    if (at.top < box.top || at.bottom > box.bottom) toc.scrollTop += at.top - box.top - box.height / 2;
  };
  addEventListener("scroll", () => requestAnimationFrame(follow), { passive: true });
  toc.addEventListener("click", (event) => event.target.closest("a") && toc.matches(":popover-open") && toc.hidePopover());
  follow();
}

// 분류: 글에서 분류를 누르고 오면 그 분류의 글만 보입니다.
const listing = document.querySelector(".listing");
if (listing) {
  const note = listing.querySelector(".chosen");
  const choose = (name) => {
    note.hidden = !name;
    note.querySelector("span").textContent = `분류 ‘${name}’의 글만 보입니다.`;
    for (const card of listing.querySelectorAll(".card")) card.hidden = Boolean(name) && !card.dataset.categories.split("|").includes(name);
    for (const group of listing.querySelectorAll(".group")) group.hidden = !group.querySelector(".card:not([hidden])");
  };
  note.querySelector("button").addEventListener("click", () => {
    history.replaceState(null, "", location.pathname + location.search);
    choose("");
  });
  const fromAddress = () => {
    const wanted = decodeURIComponent(location.hash).match(/^#분류=(.*)/)?.[1];
    if (!wanted) return;
    choose(wanted);
    listing.scrollIntoView();
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
}

// 찾기: 처음 열 때 찾는 코드와 색인을 불러옵니다.
const openSearch = async () => (await import(new URL("search.js", siteRoot))).open(siteRoot);
document.getElementById("search-button").addEventListener("click", openSearch);
addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if ((event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) || (event.key === "k" && (event.ctrlKey || event.metaKey))) {
    event.preventDefault();
    openSearch();
  }
});
