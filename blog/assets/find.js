// 찾는 일. 색인과 점수는 MiniSearch가 맡고, 여기는 한국어와 붙여 넣은 오류를 다룹니다. 브라우저 없이도 돕니다.
import MiniSearch from "./minisearch.js";

// ---- 글자

const LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ", VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ";
const TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
const SYLLABLE = new RegExp(`([${LEADS}])([${VOWELS}])(?:([${TAILS.trim()}])(?![${VOWELS}]))?`, "g");

// 풀어 쓴 낱자(ㅅㅗㅍㅡㅌㅡ)를 모읍니다.
const gather = (text) =>
  text.replace(SYLLABLE, (_, lead, vowel, tail = " ") => String.fromCharCode(0xac00 + (LEADS.indexOf(lead) * 21 + VOWELS.indexOf(vowel)) * 28 + TAILS.indexOf(tail)));

// 수 앞의 빼기표는 뜻이 있으므로(−100) 한 가지로 적어 남깁니다. 낱자 둘 사이의 것은 식(p − y)입니다.
export const plain = (text) =>
  gather(text.normalize("NFC"))
    .normalize("NFKC")
    .replace(/(^|[^\p{L}\p{N}_])[-‐‑–−](?=\d)/gu, "$1−")
    .replace(/(?<![\p{L}\p{N}])([a-z])\s*[-‐–−]\s*([a-z])(?![\p{L}\p{N}])/giu, "$1−$2");

export const squeeze = (text) => plain(text).toLowerCase().replace(/[^\p{L}\p{N}−]/gu, "");

const PARTICLES = /(?:으로써|으로|에서는|에서|에게|까지|부터|이란|이라는|이라|라는|인가요|인가|이에요|예요|입니다|합니다|했는데|해요|하기|하는|해서|하면|은|는|이|가|을|를|의|에|로|와|과|도|란|만)$/;
const bare = (word) => {
  const stem = word.replace(PARTICLES, "");
  return stem.length > 1 ? stem : word;
};

// 글을 낱말로. 한글은 조사를 떼어 낱자로 풀고(끝을 덜 적거나 한 획 틀려도 찾게), 두 자씩의 토막(·)을 보탭니다.
export function tokens(text) {
  const found = [];
  for (const [run] of plain(text).matchAll(/−?[\p{L}\p{N}_]+(?:−[a-zA-Z](?!\p{L}))?|−\d+/gu))
    for (const [piece] of run.matchAll(/[가-힣]+|[^가-힣]+/g)) {
      if (/[가-힣]/.test(piece)) {
        found.push(bare(piece).normalize("NFD"));
        for (let at = 0; at < piece.length - 1; at++) found.push(`·${piece.slice(at, at + 2)}`);
        continue;
      }
      const parts = piece.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase().split("_").filter(Boolean);
      found.push(...(parts.length > 1 ? [parts.join("_"), ...parts] : parts));
    }
  return found;
}

// ---- 붙여 넣은 오류

const CODE_LINE = /^\s*(?:Traceback \(|File "|[~^]+\s*$|return |raise |self\.|\w+(?:, \w+)* = |During handling|The above exception|CUDA kernel errors|For debugging|Compile with)/;

// 되짚음(traceback)에서 오류 문장만 남깁니다. 문장의 줄이 없으면 코드가 아닌 줄을 남깁니다.
export function sentence(query) {
  const lines = query.split("\n").filter((line) => line.trim());
  const errors = lines.filter((line) => /^\s*[\w.]*(?:Error|Exception|Warning)\b.*:/.test(line) || /Assertion .* failed/.test(line));
  const kept = lines.length === 1 ? lines : errors.length ? errors : lines.filter((line) => !CODE_LINE.test(line));
  let text = (kept.length ? kept : lines).join(" ");
  text = text.match(/File ".*\s((?:\w+\.)*\w+(?:Error|Exception): .*)$/)?.[1] ?? text; // 줄바꿈이 사라진 되짚음
  text = text.replace(/(?:\S*[\\/])+\S*\.(?:py|cu|cpp|c|h)\b(?::\d+)?/g, " "); // 경로
  const without = text.replace(/(?:^|\s)(?:\w+\.)*\w*(?:Error|Exception|Warning):\s*/g, " ");
  if (/[a-z]{3}/i.test(without)) text = without;
  // 영어 문장의 수와 모양은 사람마다 다릅니다. 음수만 남깁니다.
  if ((text.match(/[A-Za-z]{2,}/g) ?? []).length >= 4) text = text.replace(/torch\.Size|(?<![\w−\-–])\d+(?:\.\d+)?(?![\w])|[[\](){}]/g, " ");
  return text.trim() || query;
}

// 손실이 ln C(C가 작거나 흔한 수)라고 적은 물음인지. 그 수는 사람마다 다르므로 말 하나로 바꿉니다.
const CLASSES = [...Array(19).keys()].map((c) => c + 2).concat(100, 1000, 10000, 32000, 50257);
const isGuess = (text) => /loss|손실|로스/i.test(text) && [...text.matchAll(/(?<![\d.])\d+\.\d+/g)].some(([value]) => CLASSES.some((c) => Math.abs(Math.log(c) - value) < 0.006));

// 물음에 늘 끼는 말. 한국어로 쓴 글에는 드물어서, 그대로 두면 가장 중한 말이 됩니다.
const COMMON = new Set(
  "a an and any are as at be but by can did do does for from get got has have how i if in into is it its me my not of on or should so than that the this to use using was what when where which why will with you also all just still after before 뭐 왜 어떻게 무엇 뭐예요 안 못 수 것 때 좀 제 내".split(" ").map((word) => word.normalize("NFD")),
);
const ERROR = /error|exception|assert|expected|must be|not (?:supported|implemented)|out of (?:range|bounds)|does not|has no attribute|\bgot\b|\[\d+(?:, \d+)*\]/i;

// ---- 색인

const FIELDS = ["section", "also", "asked", "post", "text"];
const BOOST = { section: 4, also: 3, asked: 2, post: 2, text: 1 };
const KINDS = { entry: 1, term: 0.2, post: 1, api: 0.4 };
const ERROR_KINDS = { ...KINDS, entry: 1.5, term: 0.2 };
const API_KINDS = { ...KINDS, api: 1.5 };
const ASIDE = { "연습문제": 0.4, "요약": 0.4, "다음 글": 0.4, "참고한 것": 0.1 };
const WORTH = 0.05; // 첫 결과의 이만큼은 되어야 보여 줍니다
const POSSIBLE = 0.4; // 물은 말의 이만큼은 있어야 ‘찾았다’고 합니다

export async function makeIndex({ entries, synonyms }) {
  const engine = new MiniSearch({ fields: FIELDS, tokenize: tokens, processTerm: (term) => term });
  await engine.addAllAsync(entries.map((entry, id) => ({ id, ...entry, section: entry.section || entry.post })), { chunkSize: 40 }); // 만드는 동안에도 적을 수 있게
  const counts = new Map();
  for (const entry of entries) for (const term of new Set(FIELDS.flatMap((field) => tokens(entry[field])))) counts.set(term, (counts.get(term) ?? 0) + 1);
  // 드문 말일수록 중합니다. 이름이 여럿이면 어느 이름으로든 나온 횟수를 셉니다.
  const rarity = (ways) => Math.min(4, Math.log(1 + entries.length / Math.max(1, ways.reduce((sum, way) => sum + Math.min(...way.map((term) => counts.get(term) ?? 0)), 0))));
  const groups = synonyms.map((names) => names.map((name) => ({ name, key: squeeze(name) })));
  // 붙여 썼거나 한 획 틀린 이름은 바로 적은 이름으로 읽습니다.
  const known = new MiniSearch({ fields: ["key"], storeFields: ["name"], tokenize: (text) => [text.normalize("NFD")], processTerm: (term) => term });
  known.addAll(groups.flat().filter(({ key }) => key.length > 3).map(({ key, name }, id) => ({ id, key, name })));
  const correct = (word) => {
    const stem = bare(squeeze(word));
    if (!/^[가-힣]{4,}$/.test(stem) || counts.has(stem.normalize("NFD"))) return word;
    return known.search(stem, { fuzzy: 0.15 })[0]?.name ?? pieces(stem, counts).join(" ");
  };
  return { engine, entries, groups, rarity, correct };
}

// 붙여 쓴 말을 아는 낱말로 나눕니다: 빈칸무시 → 빈칸, 무시. 글에 없는 토막도 남깁니다.
function pieces(text, counts) {
  const best = [{ cost: 0, found: [] }];
  for (let end = 1; end <= text.length; end++)
    for (let start = Math.max(0, end - 8); start < end; start++) {
      const piece = text.slice(start, end);
      const known = piece.length > 1 && (counts.has(piece.normalize("NFD")) || counts.has(bare(piece).normalize("NFD")));
      const cost = best[start].cost + (known ? 1 : 1 + 2 * piece.length);
      if (!best[end] || cost < best[end].cost) best[end] = { cost, found: [...best[start].found, piece] };
    }
  return best[text.length].found;
}

// 물은 말에 든 이름을, 뜻이 같은 다른 이름으로 늘립니다. 긴 이름이 먼저이고 겹치는 짧은 이름은 보지 않습니다.
function others({ groups }, query) {
  const words = tokens(query).join(" "), whole = squeeze(query);
  const hit = ({ key, name }) => (/^[a-z_ ]+$/i.test(name) ? ` ${words} `.includes(` ${tokens(name).join(" ")} `) || (key.length > 5 && whole.includes(key)) : key.length > 1 && whole.includes(key));
  const hits = groups.flatMap((names) => names.filter(hit).map(({ key }) => ({ key, names })));
  const longest = hits.filter(({ key }) => !hits.some((other) => other.key !== key && other.key.includes(key)));
  const found = new Map(longest.map(({ key, names }) => [names, key]));
  return [...found].map(([names, key]) => ({ key, names: names.map(({ name }) => ({ name, terms: tokens(name) })) }));
}

// 오류 문장의 이웃한 두 낱말 가운데 항목의 문장에도 그 차례로 있는 것의 몫.
function order(text, { also, asked, text: body }) {
  const flat = (part) => ` ${part.toLowerCase().replace(/[^\p{L}_]+/gu, " ")} `;
  const words = flat(text).trim().split(" "), there = flat(`${also} ${asked} ${body}`);
  const pairs = words.slice(1).map((word, at) => ` ${words[at]} ${word} `);
  return pairs.length ? pairs.filter((pair) => there.includes(pair)).length / pairs.length : 1;
}

export function find(index, query) {
  const text = plain(sentence(query)).split(/\s+/).map(index.correct).join(" ") + (isGuess(query) ? " lnc" : "");
  const asked = [...new Set(tokens(text))];
  if (!asked.length) return [];
  const weights = new Map(asked.map((term) => [term, term.startsWith("·") ? 0.3 : COMMON.has(term) ? 0.1 : 1]));
  const isError = ERROR.test(query);
  const kinds = isError ? ERROR_KINDS : /인자|매개변수|시그니처|\bapi\b|argument|signature/i.test(text) ? API_KINDS : KINDS;
  const groups = others(index, text);
  for (const { names } of groups)
    for (const term of names.flatMap(({ terms }) => terms)) if (!weights.has(term)) weights.set(term, term.startsWith("·") ? 0.2 : 0.6);
  const fuzzy = (term) => !term.startsWith("·") && term.length > (/[a-z]/.test(term) ? 4 : 7) && 0.2;
  const found = index.engine.search([...weights.keys()].join("\n"), {
    tokenize: (terms) => terms.split("\n"),
    boost: isError ? { ...BOOST, asked: 1 } : BOOST, // 오류는 문장 그대로가 먼저입니다
    boostTerm: (term) => weights.get(term) ?? 1,
    boostDocument: (id) => kinds[index.entries[id].kind] * (ASIDE[index.entries[id].section] ?? 1),
    prefix: (term) => !term.startsWith("·") && term.length > 2,
    fuzzy,
    weights: { fuzzy: 0.3, prefix: 0.5 },
    bm25: { k: 1.2, b: 0.4, d: 0.5 }, // 긴 절이 짧은 절에 밀리지 않게
  });
  // 물은 말 가운데 얼마나 있는지: 이름의 묶음은 어느 이름으로든 있으면 있는 것입니다.
  const named = new Set(groups.flatMap(({ key, names }) => names.filter(({ name }) => squeeze(name) === key).flatMap(({ terms }) => terms)));
  const parts = asked
    .filter((term) => !named.has(term) && !term.startsWith("·"))
    .map((term) => ({ weight: weights.get(term) * index.rarity([[term]]), ways: [[term], tokens(term).filter((pair) => pair.startsWith("·"))].filter((way) => way.length) }));
  for (const { names } of groups) {
    const ways = names.map(({ terms }) => terms);
    parts.push({ weight: index.rarity(ways), ways });
  }
  const scale = parts.reduce((sum, { weight }) => sum + weight, 0);
  const results = found.map(({ id, score, queryTerms }) => {
    const there = new Set(queryTerms);
    const cover = parts.reduce((sum, { weight, ways }) => sum + weight * Math.max(...ways.map((way) => way.filter((term) => there.has(term)).length / way.length)) ** 2, 0) / scale;
    const alike = isError ? 0.3 + order(text, index.entries[id]) : 1;
    return { entry: index.entries[id], score: score * cover ** 2 * alike, cover };
  });
  results.sort((a, b) => b.score - a.score);
  const worth = results.filter(({ score, cover }, at) => score > (isError ? 3 : 1) * WORTH * results[0].score || (at < 5 && cover > 0.9 * results[0].cover)).slice(0, 20);
  return spread(worth).map((result) => ({ ...result, near: results[0].cover < POSSIBLE, names: [text, ...groups.flatMap(({ names }) => names.map(({ name }) => name))] }));
}

// 한 쪽이 앞의 셋을 다 차지하지 않게 합니다. 사전은 항목이 저마다 다른 답이므로 둘까지 둡니다.
function spread(results) {
  const counts = new Map(), first = [], rest = [];
  for (const result of results) {
    const page = result.entry.url.split("#")[0];
    const count = (counts.get(page) ?? 0) + 1;
    counts.set(page, count);
    (count <= (result.entry.kind === "entry" ? 2 : 1) && first.length < 3 ? first : rest).push(result);
  }
  return [...first, ...rest];
}

// 찾은 말의 둘레: [앞, 찾은 말, 뒤]. 찾은 말이 글에 그대로 없으면 글의 첫머리.
export function around(text, names) {
  const words = names.flatMap((name) => [name, ...plain(name).split(/[^\p{L}\p{N}_−]+/u).map(bare)]).filter((word) => word.length > 1 && !COMMON.has(word.toLowerCase().normalize("NFD")));
  const lower = text.toLowerCase();
  const word = words.sort((a, b) => b.length - a.length).find((word) => lower.includes(word.toLowerCase()));
  const cut = (part, end) => (part.length > end ? `${part.slice(0, end)}…` : part);
  if (!word) return ["", "", cut(text, 100)];
  const at = lower.indexOf(word.toLowerCase()), end = at + word.length;
  return [at > 40 ? `…${text.slice(at - 40, at)}` : text.slice(0, at), cut(text.slice(at, end), 80), cut(text.slice(end), 60)];
}
