// 찾기. 띄어쓰기, 자모가 풀린 입력, 다른 이름을 가리지 않고 찾습니다.
// 낱자 둘 사이의 빼기표는 식(p − y)이니 남깁니다.
const squeeze = (text) =>
  text.normalize("NFKC").toLowerCase().replace(/\b([a-z])\s*[-‐–]\s*([a-z])\b/g, "$1−$2").replace(/[\s\-_·‐–—.,:;?!=~'"‘’“”()]/g, "");
const PARTICLES = /(으로|에서|까지|부터|이란|이라|입니다|은|는|이|가|을|를|의|에|로|와|과|도|란)$/;
let base, index, dialog, input, list, status;

async function load() {
  if (index) return;
  const data = await (await fetch(new URL("search.json", base))).json();
  index = {
    groups: data.synonyms.map((group) => [...new Set(group.map(squeeze))]),
    entries: data.entries.map(([post, url, section, text]) => ({ post, url, section, text, where: [post, section, text].map(squeeze), plain: [post, section, text].map((words) => words.toLowerCase()) })),
  };
  index.words = index.entries.map(({ plain }) => ` ${plain.join(" ")}`).join(" ").normalize("NFKC").replace(/[^\p{L}\p{N}_]+/gu, " ");
}

// 낱말 하나를, 뜻이 같은 다른 이름으로 바꾼 것까지 늘립니다. 가장 긴 이름이 먼저입니다.
function variants(word) {
  const found = new Set([word]);
  let best = "";
  for (const group of index.groups)
    for (const name of group) if (word.includes(name) && name.length > best.length) best = name;
  if (best) for (const group of index.groups) if (group.includes(best)) for (const name of group) found.add(word.replace(best, name));
  return [...found];
}

function split(text) {
  const names = index.groups.flat().sort((a, b) => b.length - a.length);
  const name = names.find((name) => name.length > 1 && text.includes(name));
  if (!name) return text ? [text] : [];
  const at = text.indexOf(name);
  return [...split(text.slice(0, at)), name, ...split(text.slice(at + name.length))].filter((piece) => piece.length > 1);
}

// ppl, lse 같은 줄임말은 apply, else 속에도 있으므로, 낱말의 첫머리에 있을 때만 셉니다.
function has(entry, part, name) {
  return entry.where[part].includes(name) && (!/^[a-z]{1,3}$/.test(name) || new RegExp(`(?<![a-z])${name}`).test(entry.plain[part]));
}

function score(entry, names) {
  let total = 0;
  for (const name of names) {
    const [, section, text] = entry.where;
    if (has(entry, 0, name)) total = Math.max(total, entry.section === "" ? 120 : 20);
    if (has(entry, 1, name)) total = Math.max(total, section === name ? 90 : 60);
    if (has(entry, 2, name)) total = Math.max(total, 10 + Math.min(9, text.split(name).length));
  }
  // 풀이가 있는 글이 API 문서보다 앞섭니다.
  return entry.url.startsWith("api/") ? total * 0.6 : total;
}

// 띄어 쓰지 않은 말을, 아는 이름과 글에 나오는 낱말의 첫머리로 나눕니다: 빈칸무시 → 빈칸, 무시. 글에 없는 글자는 버립니다.
function pieces(text) {
  const names = new Set(index.groups.flat());
  const best = [{ cost: 0, found: [] }];
  for (let end = 1; end <= text.length; end++) {
    best[end] = { cost: best[end - 1].cost + 2, found: best[end - 1].found };
    for (let start = Math.max(0, end - 12); start < end - 1; start++) {
      const piece = text.slice(start, end);
      const cost = best[start].cost + (names.has(piece) ? 0.9 : 1);
      if (cost < best[end].cost && (names.has(piece) || index.words.includes(` ${piece}`))) best[end] = { cost, found: [...best[start].found, piece] };
    }
  }
  return best[text.length].found;
}

export function find(query) {
  const whole = squeeze(query);
  if (!whole) return [];
  const results = new Map();
  const sorted = () => [...results.values()].sort((a, b) => b.total - a.total || a.order - b.order);
  const keep = (result) => results.get(result.entry)?.total >= result.total || results.set(result.entry, result);
  // 낱말이 모두 있는 곳을 찾습니다. 적은 그대로 있는 곳에 덤(bonus)을 줍니다.
  const attempt = (words, bonus) => {
    if (words.length === 0) return;
    index.entries.forEach((entry, order) => {
      const scores = words.map((names) => score(entry, names));
      if (!scores.includes(0)) keep({ entry, order, names: words.flat(), total: scores.reduce((a, b) => a + b) / scores.length + bonus });
    });
  };
  const words = query.normalize("NFKC").split(/\s+/).map(squeeze).filter(Boolean);
  const bare = (word) => (word.length > 2 ? word.replace(PARTICLES, "") : word);
  // 붙여 쓴 말은 아는 이름을 기준으로 나누어 봅니다: 소프트맥스기울기 → 소프트맥스, 기울기
  const apart = split(words.map(bare).join(""));
  for (const [tried, bonus] of [[[whole], 15], [words, 10], [words.map(bare), 5], [apart, 0]]) {
    attempt(tried.map(variants), bonus);
    if (results.size >= 5) break;
  }
  if (results.size >= 5) return sorted();
  const joined = words.map(bare).join("").slice(0, 40);
  const found = pieces(joined);
  const covered = found.join("").length;
  if (covered === joined.length) attempt(found.map(variants), 0);
  if (results.size) return sorted();
  // 다 있는 곳이 없으면, 글자 수로 쳐서 셋 가운데 하나쯤 있는 곳을 몇 군데 보여 줍니다.
  index.entries.forEach((entry, order) => {
    const hits = found.map((piece) => [piece.length / joined.length, variants(piece)]).map(([part, names]) => ({ part, names, points: score(entry, names) }));
    const there = hits.filter(({ points }) => points);
    const part = there.reduce((sum, hit) => sum + hit.part, 0);
    if (part > 0.3) keep({ entry, order, near: true, names: there.flatMap(({ names }) => names), total: 100 * part + there.reduce((sum, hit) => sum + hit.part * hit.points, 0) });
  });
  return sorted().slice(0, 8);
}

// 찾은 말의 둘레를 보여 줍니다. 눌러 붙인 글의 자리를 본디 글의 자리로 되돌립니다.
function snippet(text, names) {
  const places = [];
  let pressed = "";
  [...text].forEach((letter, place) => {
    for (const piece of squeeze(letter)) { pressed += piece; places.push(place); }
  });
  const letters = [...text];
  const hit = names.map((name) => [pressed.indexOf(name), name.length]).filter(([at]) => at >= 0).sort((a, b) => b[1] - a[1])[0];
  const span = document.createElement("span");
  if (!hit) {
    span.textContent = letters.slice(0, 90).join("");
    return span;
  }
  const [start, end] = [places[hit[0]], places[hit[0] + hit[1] - 1] + 1];
  const mark = document.createElement("mark");
  mark.textContent = letters.slice(start, end).join("");
  span.append(start > 40 ? "…" : "", letters.slice(Math.max(0, start - 40), start).join(""), mark, letters.slice(end, end + 60).join(""), end + 60 < letters.length ? "…" : "");
  return span;
}

function report(results, shown) {
  if (!input.value.trim()) return "찾을 말을 적어 주세요.";
  if (!results.length) return "찾은 곳이 없습니다. 다른 말로 찾아보세요.";
  if (results[0].near) return `꼭 맞는 곳은 없습니다. 가까운 ${results.length}곳입니다.`;
  const rest = results.length > shown.length ? ` 가까운 ${shown.length}곳을 보여 줍니다.` : "";
  return `${results.length}곳을 찾았습니다.${rest}`;
}

function show() {
  if (!index) return; // 색인이 오기 전에 적은 말은 색인이 온 뒤에 찾습니다
  const results = find(input.value);
  const shown = results.slice(0, 20);
  list.replaceChildren(
    ...shown.map(({ entry, names }) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = new URL(entry.url, base);
      const post = document.createElement("b");
      post.textContent = entry.post;
      link.append(post);
      if (entry.section) {
        const section = document.createElement("i");
        section.textContent = ` › ${entry.section}`;
        link.append(section);
      }
      link.append(snippet(entry.text, names));
      item.append(link);
      return item;
    }),
  );
  status.textContent = report(results, shown);
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "search";
  dialog.setAttribute("aria-label", "글에서 찾기");
  dialog.innerHTML = `<div class="search-row"><input type="search" aria-label="찾을 말" placeholder="크로스 엔트로피" autocomplete="off" spellcheck="false"><button class="close" type="button">닫기</button></div><p class="status" role="status"></p><ul></ul>`;
  document.body.append(dialog);
  [input, list, status] = ["input", "ul", ".status"].map((name) => dialog.querySelector(name));
  input.addEventListener("input", show);
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => (event.target === dialog || event.target.closest("li a")) && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const links = [...list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    if (event.key === "ArrowDown" && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp") (at > 0 ? links[at - 1] : input).focus();
    else if (event.key === "Enter" && document.activeElement === input && links.length) links[0].click();
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
    await load();
    show();
  } catch {
    status.textContent = "색인을 불러오지 못했습니다. 파일을 바로 열었다면 웹 서버로 열어 주세요.";
  }
}
