// 글 03: 로짓의 차이를 끌면 float32로 계산한 세 방법이 나란히 움직이다가 하나씩 무너집니다.
import { logSoftmax, logSoftmax32 } from "./math.js";
import { button, canvas, fixed, frame, html, onResize, riddle, set, show, slider, svg, text } from "./shared.js";

const FARTHEST = 200;
const METHODS = [
  { key: "plain", name: "그대로 계산", how: "log(exp(z) / Σ exp(z))", tint: "bad" },
  { key: "shifted", name: "최댓값을 빼고", how: "log(exp(z − m) / Σ exp(z − m))", tint: "third" },
  { key: "logsumexp", name: "로그합지수", how: "(z − m) − log Σ exp(z − m)", tint: "good" },
];

// 작은 수는 지수 표기로: 4.85e−8
function brief(value) {
  if (!Number.isFinite(value) || value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 100000)) {
    return Number.isInteger(value) ? String(value).replace("-", "−") : fixed(value, 4);
  }
  return value.toExponential(2).replaceAll("-", "−").replace("e+", "e");
}

export default function build(root) {
  const state = { gap: 20 };
  const page = frame(root, {
    title: "만져 보기: 로짓의 차이가 벌어지면 누가 먼저 무너질까요",
    hint: "로짓이 차이와 0, 둘일 때 작은 쪽의 로그 확률을 float32로 계산합니다. 손잡이를 오른쪽으로 끌어 보세요.",
    state,
    address: { gap: [0, FARTHEST] },
    onReset() {
      state.gap = 20;
      update(true);
    },
  });
  const run = (gap, key) => logSoftmax32([gap, 0], key);
  const result = (gap, key) => run(gap, key).logProbs[1];

  const HEIGHT = 178;
  const TOP = 52;
  const DEEP = 132; // −200
  const SHELF = 150; // −inf가 떨어지는 바닥
  const plot = canvas({ label: "로짓의 차이와 로그 확률", height: HEIGHT, heading: "작은 쪽의 로그 확률 ↑, 로짓의 차이 →" });
  const zone = svg("rect", { class: "x-clear x-across", y: 0, height: HEIGHT });
  const rail = svg("line", { class: "x-axis", y1: 32, y2: 32 });
  const cursor = svg("line", { class: "x-cursor", y1: 32, y2: SHELF });
  const shelf = svg("line", { class: "x-shelf", y1: SHELF, y2: SHELF });
  const shelfName = text({ class: "x-tick", y: SHELF + 4, "text-anchor": "end" }, "−inf");
  const rows = [0, -100, -200].map((value) => {
    const line = svg("line", { class: "x-guide" });
    const label = text({ class: "x-tick", "text-anchor": "end" }, fixed(value, 0));
    plot.picture.append(line, label);
    return { value, line, label };
  });
  const columns = [0, 50, 100, 150, 200].map((value) => {
    const label = text({ class: "x-tick", y: HEIGHT - 6, "text-anchor": "middle" }, String(value));
    plot.picture.append(label);
    return { value, label };
  });
  plot.picture.append(shelf, shelfName, rail);
  const lines = METHODS.map(({ tint }) => {
    const path = svg("path", { class: `x-curve x-stroke-${tint} x-way-${tint}` });
    const dot = svg("circle", { class: `x-dot x-dot-${tint}`, r: 5 });
    plot.picture.append(path);
    return { path, dot };
  });
  plot.picture.append(cursor, zone, ...lines.map(({ dot }) => dot));
  const handle = slider({
    label: "로짓의 차이",
    min: 0, max: FARTHEST, step: 1, vertical: false, picture: plot.picture, zone,
    read: (px) => ((px - 40) / (plot.width() - 56)) * FARTHEST,
    get: () => state.gap,
    change(gap) {
      state.gap = gap;
      update();
    },
  });
  plot.picture.append(handle.node);
  const gapText = text({ class: "x-number", y: 10, "text-anchor": "middle" });
  plot.picture.append(gapText);

  // ---- 계산 과정 카드
  const cards = METHODS.map(({ key, name, how, tint }) => {
    const answer = html("output", { class: "x-big", "aria-live": "off" });
    const verdict = html("span", { class: "x-verdict" });
    const steps = html("dl", { class: "x-steps" });
    const node = html(
      "div",
      { class: `x-card x-card-${tint}` },
      html("p", { class: "x-name" }, name),
      html("p", { class: "x-how" }, how),
      steps,
      html("p", { class: "x-result" }, answer, verdict),
    );
    return { key, node, answer, verdict, steps };
  });
  const truth = html("output", { "aria-live": "off" });
  const jumps = html(
    "div",
    { class: "x-buttons" },
    ...[20, 89, 97, 102, 104, 200].map((gap) => button(`차이 ${gap}`, () => { state.gap = gap; update(); })),
  );
  const puzzle = riddle({
    question: "세 방법 가운데, inf나 nan 없이 조용히 틀리는 것은?",
    options: METHODS.map(({ name }) => name),
    right: 1,
    tried: () => state.gap >= 97 && state.gap < 104,
    because: "최댓값을 빼면 무너지지는 않지만, exp(−차이)가 너무 작아져 유효 숫자를 잃은 채 로그를 씌웁니다.",
  });
  page.body.append(
    plot.panel,
    html("div", { class: "x-controls" }, jumps, html("p", { class: "x-note" }, "참값(float64) ", truth)),
    html("div", { class: "x-cards" }, ...cards.map(({ node }) => node)),
    page.say,
    puzzle.node,
  );

  function draw() {
    const width = plot.width();
    const x = (gap) => 40 + (gap / FARTHEST) * (width - 56);
    const y = (value) => (value === -Infinity ? SHELF : TOP + (-value / FARTHEST) * (DEEP - TOP));
    set(zone, { x: 32, width: width - 34 });
    set(rail, { x1: x(0), x2: x(FARTHEST) });
    set(shelf, { x1: 40, x2: width });
    set(shelfName, { x: 34 });
    for (const { value, line, label } of rows) {
      set(line, { x1: 40, x2: width, y1: y(value), y2: y(value) });
      set(label, { x: 34, y: y(value) + 4 });
    }
    for (const { value, label } of columns) set(label, { x: x(value) });
    METHODS.forEach(({ key }, i) => {
      let d = "";
      for (let gap = 0; gap <= state.gap; gap += 0.25) d += `${d ? "L" : "M"}${x(gap).toFixed(1)} ${y(result(gap, key)).toFixed(1)}`;
      set(lines[i].path, { d });
      set(lines[i].dot, { cx: x(state.gap), cy: y(result(state.gap, key)) });
    });
    set(cursor, { x1: x(state.gap), x2: x(state.gap) });
    set(gapText, { x: Math.min(width - 28, x(state.gap)), y: 14 });
    show(gapText, "gap", state.gap, `차이 ${state.gap}`);
    handle.place(x(state.gap), 32, state.gap, `차이 ${state.gap}`);
  }

  function update(quietly) {
    const exact = logSoftmax([state.gap, 0])[1];
    draw();
    show(truth, "truth", exact, fixed(exact));
    const broken = [];
    let losing = false;
    for (const { key, node, answer, verdict, steps } of cards) {
      const { exps, total, probs, logTotal, logProbs } = run(state.gap, key);
      const lines = [
        ["지수", `[${exps.map(brief).join(", ")}]`],
        ["합", brief(total)],
        probs ? ["나눗셈", `[${probs.map(brief).join(", ")}]`] : ["log 합", brief(logTotal)],
      ];
      steps.replaceChildren(...lines.flatMap(([word, value]) => [
        html("dt", {}, word),
        html("dd", { class: /inf|nan/.test(value) || (probs && word === "나눗셈" && probs[1] === 0) ? "x-wrong" : "" }, value),
      ]));
      show(answer, key, logProbs[1], brief(logProbs[1]));
      const error = Math.abs(logProbs[1] - exact);
      const bad = !(error <= 1e-6 * Math.abs(exact)); // float32의 반올림보다 큰 오차
      node.classList.toggle("x-broken", bad);
      verdict.textContent = !Number.isFinite(logProbs[1]) ? "✕ 무너졌습니다" : bad ? `△ 오차 ${brief(error)}` : "○ 맞습니다";
      if (key === "shifted") losing = bad;
      if (!Number.isFinite(logProbs[1])) broken.push(METHODS.find((method) => method.key === key).name);
    }
    puzzle.check();
    page.tell(sentence(broken, losing), quietly);
  }

  function sentence(broken, losing) {
    const { gap } = state;
    if (broken.length === 0 && gap < 88) return `차이가 ${gap}일 때는 세 방법이 모두 맞습니다. 차이를 89까지 벌려 보세요.`;
    if (broken.length === 0) return `차이가 ${gap}입니다. float32가 담는 가장 큰 수가 약 3.4e38이라, 지수를 그대로 계산하는 방법은 이제 한계입니다.`;
    if (broken.length === 1) {
      const other = losing ? `‘최댓값을 빼고’는 소리 없이 틀리는 중입니다. exp(−${gap})이 너무 작아 유효 숫자를 잃었습니다.` : "‘최댓값을 빼고’는 아직 맞습니다. 97과 102도 눌러 보세요.";
      return `차이가 ${gap}일 때 ‘그대로 계산’은 exp(${gap})의 값이 inf가 되어 무너졌습니다. ${other}`;
    }
    return `차이가 ${gap}일 때 exp(−${gap})마저 0이 되어 log 0 = −inf입니다. 로그합지수의 답만 ${fixed(result(gap, "logsumexp"), 0)} 그대로입니다.`;
  }

  page.mount();
  update(true);
  onResize([plot.picture], () => update(true));
}
