// 글 01: p와 q의 막대를 끌면 정보량, H(p), H(p, q), KL 발산이 따라 움직입니다.
import { crossEntropy, entropy, klDivergence, moveProbability, surprisal } from "./math.js";
import { button, canvas, choice, fixed, frame, html, onResize, riddle, set, show, slider, svg, text } from "./shared.js";

const NAMES = ["짜장면", "짬뽕", "볶음밥", "탕수육"];
const P = [0.5, 0.25, 0.125, 0.125];
const Q = [0.125, 0.5, 0.125, 0.25];
const UNITS = { bit: { base: 2, word: "비트" }, nat: { base: Math.E, word: "내트" } };
const ink = (which, words) => html("b", { class: `x-ink-${which}` }, words);
const quiet = () => html("output", { "aria-live": "off" }); // 바뀌는 숫자를 하나하나 읽지 않습니다
const TALLEST = 5; // 넓이 그림의 세로축 끝(비트)

function zigzag(left, right, y) {
  const teeth = Math.max(2, 2 * Math.round((right - left) / 12));
  const point = (k) => `${left + ((right - left) * k) / teeth} ${k % 2 ? y - 8 : y}`;
  return Array.from({ length: teeth + 1 }, (_, k) => `L${point(k)}`).join("");
}

export default function build(root) {
  const state = { p: [...P], q: [...Q], unit: "bit" };
  const page = frame(root, {
    title: "만져 보기: 우리 주문과 옆집 부호",
    hint: "둥근 손잡이를 위아래로 끌어 실제 확률 p와 예측 q를 바꿔 보세요. 나머지 막대는 합이 1이 되도록 비율대로 나눠 갖습니다. 과제: KL 발산을 0.05비트 아래로.",
    state,
    address: { p: [0, 1], q: [0, 1], unit: ["bit", "nat"] },
    onReset() {
      Object.assign(state, { p: [...P], q: [...Q], unit: "bit" });
      update(true);
    },
  });

  // ---- 왼쪽: 확률 막대
  const bars = canvas({ label: "확률 막대", height: 226, heading: ["막대: ", ink("p", "실제 p"), ", ", ink("q", "예측 q")] });
  const TOP = 34;
  const BOTTOM = 196;
  const y = (probability) => BOTTOM - probability * (BOTTOM - TOP);
  const guides = [0, 0.5, 1].map((level) => {
    const line = svg("line", { class: "x-guide", x1: 24, y1: y(level), y2: y(level) });
    bars.picture.append(line, text({ class: "x-tick", x: 18, y: y(level) + 4, "text-anchor": "end" }, String(level)));
    return line;
  });
  const groups = NAMES.map((name, i) => {
    const label = text({ class: "x-label", y: 216, "text-anchor": "middle" }, name);
    bars.picture.append(label);
    const pair = ["p", "q"].map((which) => {
      const bar = svg("rect", { class: `x-bar x-${which}` });
      const value = text({ class: "x-number", "text-anchor": "middle" });
      const zone = svg("rect", { class: "x-clear", y: TOP - 10, height: BOTTOM - TOP + 10 });
      let shares = state[which];
      const handle = slider({
        label: which === "p" ? `${name}의 실제 확률 p` : `${name}의 예측 확률 q`,
        min: 0, max: 1, step: 0.01, picture: bars.picture, zone, reach: 14,
        read: (_, py) => (BOTTOM - py) / (BOTTOM - TOP),
        get: () => state[which][i],
        begin: () => (shares = [...state[which]]),
        change(next) {
          state[which] = moveProbability(state[which], i, next, shares);
          update();
        },
      });
      bars.picture.append(bar, zone, value, handle.node);
      return { which, bar, value, zone, handle };
    });
    return { label, pair };
  });

  // ---- 오른쪽: 넓이 = 평균 정보량
  const areas = canvas({ label: "너비가 p, 높이가 정보량인 네모", height: 226, heading: ["넓이의 합: ", ink("p", "파랑은 H(p)"), ", ", ink("q", "주황 테두리는 H(p, q)")] });
  const ticks = [0, 1, 2, 3, 4, 5].map((bits) => {
    const at = BOTTOM - (bits / TALLEST) * (BOTTOM - 14);
    const line = svg("line", { class: "x-guide", x1: 30, y1: at, y2: at });
    const label = text({ class: "x-tick", x: 24, y: at + 4, "text-anchor": "end" });
    areas.picture.append(line, label);
    return { bits, line, label };
  });
  const boxes = NAMES.map((name) => {
    const own = svg("rect", { class: "x-fill-p" });
    const extra = svg("rect", { class: "x-fill-q" });
    const outline = svg("path", { class: "x-outline-q" });
    const label = text({ class: "x-label", y: 216, "text-anchor": "middle" }, name);
    areas.picture.append(own, extra, outline, label);
    return { own, extra, outline, label };
  });

  // ---- 정보량 표
  const cells = { p: [], q: [] };
  const row = (which, words) =>
    html(
      "tr",
      {},
      html("th", { scope: "row", class: `x-ink-${which}` }, words),
      ...NAMES.map((_, i) => (cells[which][i] = html("td"))),
    );
  const table = html(
    "table",
    { class: "x-table" },
    html("caption", {}, "정보량"),
    html("thead", {}, html("tr", {}, html("td"), ...NAMES.map((name) => html("th", { scope: "col" }, name)))),
    html("tbody", {}, row("p", "−log p"), row("q", "−log q")),
  );

  // ---- 합계
  const totals = { h: quiet(), kl: quiet(), hpq: quiet() };
  const unitWords = html("span", { class: "x-unit" });
  const part = (node, words, className, unit = "") =>
    html("div", { class: `x-part ${className}` }, html("p", {}, node, unit), html("span", {}, words));
  const sums = html(
    "div",
    { class: "x-sum" },
    part(totals.h, "엔트로피", "x-ink-p"),
    html("span", { class: "x-op" }, "+"),
    part(totals.kl, "KL 발산", "x-ink-q"),
    html("span", { class: "x-op" }, "="),
    part(totals.hpq, "크로스 엔트로피", "", unitWords),
  );
  const stack = { h: html("span", { class: "x-stack-p" }), kl: html("span", { class: "x-stack-q" }) };
  const stacked = html("div", { class: "x-stack", "aria-hidden": "true" }, stack.h, stack.kl);

  const units = choice({
    label: "단위",
    options: [["bit", "비트 (log₂)"], ["nat", "내트 (ln)"]],
    get: () => state.unit,
    change(unit) {
      state.unit = unit;
      update();
    },
  });
  const presets = html(
    "div",
    { class: "x-buttons" },
    button("q를 p와 같게", () => { state.q = [...state.p]; update(); }),
    button("p를 고르게", () => { state.p = NAMES.map(() => 1 / NAMES.length); update(); }),
    button("q에서 탕수육을 0으로", () => { state.q = moveProbability(state.q, 3, 0); update(); }),
  );
  const puzzle = riddle({
    question: "q가 p와 다를 때, 크로스 엔트로피가 엔트로피보다 작아질 수 있을까요?",
    options: ["있다", "없다"],
    right: 1,
    tried: () => klDivergence(state.p, state.q, 2) < 0.05,
    because: "KL 발산을 0 가까이 내려도 H(p, q)는 H(p)에 다가갈 뿐입니다.",
  });
  page.body.classList.add("x-two");
  page.body.append(
    bars.panel,
    areas.panel,
    html("div", { class: "x-wide x-between" }, sums, stacked),
    html("div", { class: "x-wide x-controls" }, presets),
    page.say,
    puzzle.node,
    html("details", { class: "x-wide x-fold" }, html("summary", {}, "정보량 표와 단위"), table, units.node),
  );

  function drawBars() {
    const width = bars.width();
    const slot = (width - 30) / NAMES.length;
    const thick = Math.min(26, slot * 0.36);
    for (const line of guides) set(line, { x2: width });
    groups.forEach(({ label, pair }, i) => {
      const center = 30 + slot * (i + 0.5);
      set(label, { x: center });
      for (const { which, bar, value, zone, handle } of pair) {
        const probability = state[which][i];
        const middle = center + (which === "p" ? -1 : 1) * (thick / 2 + 2);
        set(bar, { x: middle - thick / 2, y: y(probability), width: thick, height: BOTTOM - y(probability) });
        set(zone, { x: middle - thick / 2 - 2, width: thick + 4 });
        set(value, { x: middle, y: y(probability) - 13 });
        // 두 자리로 딱 떨어지지 않으면 세 자리: .125
        const digits = Math.abs(probability * 100 - Math.round(probability * 100)) < 1e-9 ? 2 : 3;
        show(value, `${which}${i}`, probability, fixed(probability, digits).replace(/^0\./, "."));
        handle.place(middle, y(probability), probability, `${(probability * 100).toFixed(1)}퍼센트`);
      }
    });
  }

  function drawAreas(base) {
    const width = areas.width();
    const high = (BOTTOM - 14) / TALLEST;
    for (const { bits, line, label } of ticks) {
      set(line, { x2: width });
      label.textContent = fixed((bits * Math.log(2)) / Math.log(base), base === 2 ? 0 : 1);
    }
    let x = 32;
    boxes.forEach((box, i) => {
      const wide = state.p[i] * (width - 34);
      const own = Math.min(TALLEST, surprisal(state.p[i], 2)) * high;
      const paid = Math.min(TALLEST, surprisal(state.q[i], 2)) * high;
      const inner = Math.max(0, wide - 2);
      set(box.own, { x, width: inner, y: BOTTOM - own, height: own });
      set(box.extra, { x, width: inner, y: BOTTOM - Math.max(own, paid), height: Math.abs(paid - own) });
      box.extra.classList.toggle("x-less", paid < own);
      // 그림보다 높은 네모는 위가 찢긴 모양으로 그립니다
      const torn = surprisal(state.q[i], 2) > TALLEST;
      const top = torn ? zigzag(x, x + inner, BOTTOM - paid) : `V${BOTTOM - paid}H${x + inner}`;
      set(box.outline, { d: `M${x} ${BOTTOM}${top}V${BOTTOM}` });
      box.outline.style.display = wide < 1 ? "none" : "";
      set(box.label, { x: x + inner / 2 });
      box.label.style.display = wide < 28 ? "none" : "";
      x += wide;
    });
  }

  function update(quietly) {
    const { p, q, unit } = state;
    const { base, word } = UNITS[unit];
    const h = entropy(p, base);
    const kl = klDivergence(p, q, base);
    const hpq = crossEntropy(p, q, base);
    drawBars();
    drawAreas(base);
    for (const [which, values] of [["p", p], ["q", q]])
      values.forEach((value, i) => show(cells[which][i], `surprisal_${which}${i}`, surprisal(value, base)));
    show(totals.h, "entropy", h);
    show(totals.kl, "kl", kl);
    show(totals.hpq, "cross_entropy", hpq);
    unitWords.textContent = word;
    const scale = 100 / (4 * (Math.log(2) / Math.log(base)));
    stack.h.style.width = `${h * scale}%`;
    stack.kl.style.width = `${Math.min(100 - h * scale, kl * scale)}%`;
    units.update();
    puzzle.check();
    page.tell(sentence(p, q, kl, h, word), quietly);
  }

  function sentence(p, q, kl, h, word) {
    const blind = NAMES.filter((_, i) => p[i] > 0 && q[i] === 0);
    if (blind.length) return `실제로 들어오는 ${blind.join(", ")} 주문에 q가 0을 주었습니다. 그 주문의 부호가 끝없이 길어져 크로스 엔트로피도 무한대(inf)입니다. 오른쪽 네모의 위가 찢긴 것이 그 뜻입니다.`;
    if (kl < 1e-9) return `q가 p와 같습니다. KL 발산이 0이고, 크로스 엔트로피가 엔트로피 ${fixed(h)}${word}까지 내려왔습니다. 더 내려갈 수는 없습니다.`;
    const worst = p.map((v, i) => v * Math.log(v / q[i] || 1)).reduce((best, v, i, all) => (v > all[best] ? i : best), 0);
    const won = kl * (word === "내트" ? 1 / Math.LN2 : 1) < 0.05 ? " KL 발산이 0.05비트 아래입니다. 과제를 마쳤습니다." : "";
    return `q가 어긋난 만큼 주문 한 건에 평균 ${fixed(kl)}${word}가 더 듭니다. 가장 많이 더 드는 것은 q가 실제보다 작게 본 ‘${NAMES[worst]}’입니다.${won}`;
  }

  page.mount();
  update(true);
  onResize([bars.picture, areas.picture], () => update(true));
}
