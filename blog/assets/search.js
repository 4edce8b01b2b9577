// 찾기 창. 찾는 일은 find.js가 합니다.
import { around, find, makeIndex } from "./find.js";

let base, index, dialog, input, list, status;

function report(results) {
  if (!input.value.trim()) return "오류 문장을 통째로 붙여도 됩니다.";
  if (!results.length) return "찾은 곳이 없습니다. 다른 말로 찾아보세요.";
  if (results[0].near) return `꼭 맞는 곳은 없습니다. 가까운 ${results.length}곳입니다.`;
  return `${results.length}곳을 찾았습니다. 맨 위의 것은 엔터로 엽니다.`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function row({ entry, names }, first) {
  const item = document.createElement("li"), link = document.createElement("a"), about = document.createElement("span");
  link.href = new URL(entry.url, base);
  if (first) link.className = "first";
  link.append(element("b", entry.post));
  if (entry.section) link.append(element("i", ` › ${entry.section}`));
  const [before, word, after] = around(entry.text, names);
  about.append(before, ...(word ? [element("mark", word)] : []), after);
  link.append(about);
  item.append(link);
  return item;
}

function show() {
  if (!index) return; // 색인이 오기 전에 적은 말은 색인이 온 뒤에 찾습니다
  const results = find(index, input.value);
  list.replaceChildren(...results.map((result, at) => row(result, at === 0)));
  list.scrollTop = 0;
  status.textContent = report(results);
}

// 입력 칸이 textarea인 까닭: input은 붙여 넣은 오류의 줄바꿈을 지워 코드와 문장이 섞입니다.
function make() {
  dialog = document.createElement("dialog");
  dialog.className = "search";
  dialog.setAttribute("aria-label", "글에서 찾기");
  dialog.innerHTML = `<div class="search-row"><textarea rows="1" aria-label="찾을 말" placeholder="찾을 말이나 오류 문장" autocomplete="off" spellcheck="false" enterkeyhint="go"></textarea><button class="close" type="button">닫기</button></div><p class="status" role="status"></p><ul></ul>`;
  document.body.append(dialog);
  [input, list, status] = ["textarea", "ul", ".status"].map((name) => dialog.querySelector(name));
  input.addEventListener("input", show);
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => (event.target === dialog || event.target.closest("li a")) && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // 한글을 모으는 중의 엔터와 화살표
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? links[at - 1] : input).focus();
    else if (event.key === "Enter" && document.activeElement === input) links[0]?.click();
    else return;
    event.preventDefault();
  });
}

export async function open(siteRoot) {
  base = siteRoot;
  if (!dialog) make();
  dialog.showModal();
  input.focus();
  input.select();
  status.textContent = "색인을 불러옵니다.";
  try {
    index ??= await makeIndex(await (await fetch(new URL("search.json", base))).json());
    show();
  } catch {
    status.textContent = "색인을 불러오지 못했습니다. 파일을 바로 열었다면 웹 서버로 열어 주세요.";
  }
}
