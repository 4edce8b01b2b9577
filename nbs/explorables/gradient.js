// 글 05: 로짓을 끌고 정답을 고르면 확률, 손실, 기울기 p − y가 움직입니다. 한 걸음씩 내려가 볼 수 있습니다.
import { lossAndGradient, sum } from "./math.js";
import { arrow, button, calm, canvas, choice, fixed, frame, html, narrow, onResize, range, riddle, set, show, signed, slider, svg, text } from "./shared.js";

const SAMPLES = [
  { logits: [1, 2, 3], target: 2 },
  { logits: [2, 0, 0], target: 1 },
];
const CLASSES = [0, 1, 2];
const EQUATION = "p\u00a0−\u00a0Y"; // 식은 줄 끝에서 나누지 않습니다
const NAMES = ["고양이", "강아지", "새"];

export default function build(root) {
  const state = { logits: [...SAMPLES[0].logits], target: SAMPLES[0].target, temperature: 1, rate: 3, losses: [] };
  const now = () => lossAndGradient(state.logits, state.target, state.temperature);
  let walking;

  // 로짓, 정답, 온도를 손으로 바꾸면 곡선은 거기서 새로 시작합니다.
  function change(values, quietly) {
    clearInterval(walking);
    Object.assign(state, values);
    state.losses = [now().loss];
    update(quietly);
  }
  const begin = (sample) => ({ logits: [...sample.logits], target: sample.target });

  const page = frame(root, {
    title: "만져 보기: 로짓에서 확률, 손실, 기울기까지",
    hint: "로짓의 손잡이를 끌고 정답을 바꿔 보세요. 초록은 한 스텝에 로짓이 움직일 만큼입니다.",
    state,
    address: { logits: [-50, 50], target: CLASSES, temperature: [0.2, 4], rate: [0.1, 5] },
    onReset: () => change({ ...begin(SAMPLES[0]), temperature: 1, rate: 3 }, true),
  });

  const HEIGHT = 226;
  const TOP = 26;
  const BOTTOM = 150;

  // ---- 로짓
  const left = canvas({ label: "로짓 막대와 다음 스텝", height: HEIGHT, heading: "로짓 z와 다음 스텝" });
  const zero = svg("line", { class: "x-axis", x1: 0 });
  left.picture.append(zero);
  const limit = () => Math.max(5, ...state.logits.map(Math.abs));
  const zy = (z) => (TOP + BOTTOM) / 2 - (z / limit()) * ((BOTTOM - TOP) / 2);
  const logits = CLASSES.map((c) => {
    const stem = svg("line", { class: "x-stem" });
    const step = arrow("x-ink-good");
    const value = text({ class: "x-number", y: BOTTOM + 48, "text-anchor": "middle" });
    const label = text({ class: "x-label", y: BOTTOM + 28, "text-anchor": "middle" });
    const move = text({ class: "x-number x-text-good", y: BOTTOM + 68, "text-anchor": "middle" });
    const zone = svg("rect", { class: "x-clear", y: TOP - 12, height: BOTTOM - TOP + 24 });
    const handle = slider({
      label: `${NAMES[c]}의 로짓`,
      min: -5, max: 5, step: 0.1, picture: left.picture, zone,
      read: (_, py) => (((TOP + BOTTOM) / 2 - py) / ((BOTTOM - TOP) / 2)) * limit(),
      get: () => state.logits[c],
      change: (z) => change({ logits: state.logits.map((old, i) => (i === c ? z : old)) }),
    });
    left.picture.append(stem, zone, step.node, value, label, move, handle.node);
    return { stem, step, value, label, move, zone, handle };
  });

  // ---- 확률
  const middle = canvas({ label: "확률과 p − Y 화살표", height: HEIGHT, heading: "확률 p와 p − Y" });
  const floor = svg("line", { class: "x-axis", x1: 0, y1: BOTTOM, y2: BOTTOM });
  middle.picture.append(floor);
  const py = (p) => BOTTOM - p * (BOTTOM - TOP);
  const probs = CLASSES.map((c) => {
    const goal = svg("rect", { class: "x-goal" });
    const bar = svg("rect", { class: "x-bar x-p" });
    const gap = arrow("x-ink-q");
    const value = text({ class: "x-number", y: BOTTOM + 48, "text-anchor": "middle" });
    const label = text({ class: "x-label", y: BOTTOM + 28, "text-anchor": "middle" });
    const difference = text({ class: "x-number x-text-q", y: BOTTOM + 68, "text-anchor": "middle" });
    middle.picture.append(goal, bar, gap.node, value, label, difference);
    return { goal, bar, gap, value, label, difference };
  });

  // ---- 손실 곡선
  const right = canvas({ label: "스텝마다 손실", height: HEIGHT, heading: "손실 곡선" });
  const across = svg("line", { class: "x-axis", x1: 32 });
  const upright = svg("line", { class: "x-axis", x1: 32, x2: 32, y1: TOP - 10 });
  const curve = svg("path", { class: "x-curve" });
  const dot = svg("circle", { class: "x-dot", r: 4.5 });
  const ceiling = text({ class: "x-tick", "text-anchor": "end", x: 28, y: TOP - 2 });
  const base = text({ class: "x-tick", "text-anchor": "end", x: 28 }, "0");
  const from = text({ class: "x-tick", x: 32, "text-anchor": "middle" }, "0");
  const until = text({ class: "x-tick", "text-anchor": "end" });
  const axisName = text({ class: "x-tick", "text-anchor": "middle" }, "스텝");
  const invitation = text({ class: "x-tick", "text-anchor": "middle" }, "‘한 스텝’을 눌러 보세요");
  right.picture.append(invitation, across, upright, curve, dot, ceiling, base, from, until, axisName);

  // ---- 숫자와 단추
  // 바뀐 것은 문장 하나(page.say)로만 읽어 줍니다. <output>은 저마다 읽어 주므로 끕니다.
  const quiet = { "aria-live": "off" };
  const loss = html("output", quiet);
  const total = html("output", quiet);
  const steps = html("output", quiet);
  const lossWords = html("span");
  const cell = (node, words) => html("div", { class: "x-part" }, node, typeof words === "string" ? html("span", {}, words) : words);
  const sums = html("div", { class: "x-sum" }, cell(loss, lossWords), cell(total, "p − Y의 합"), cell(steps, "스텝 수"));

  const targets = choice({
    label: "정답",
    options: CLASSES.map((c) => [c, NAMES[c]]),
    get: () => state.target,
    change: (target) => change({ target }),
  });
  const temperature = range({
    label: "온도 T", min: 0.2, max: 4, step: 0.1,
    get: () => state.temperature,
    change: (value) => change({ temperature: value }),
    format: (value) => fixed(value, 1),
  });
  const rate = range({
    label: "학습률", min: 0.1, max: 5, step: 0.1,
    get: () => state.rate,
    change(value) {
      state.rate = value;
      update();
    },
    format: (value) => fixed(value, 1),
  });
  function walk() {
    const { gradient } = now();
    state.logits = state.logits.map((z, c) => z - state.rate * gradient[c]);
    state.losses.push(now().loss);
    update();
  }
  function walkTen() {
    clearInterval(walking);
    if (calm()) {
      for (let i = 0; i < 10; i++) walk();
      return;
    }
    let left = 10;
    walking = setInterval(() => {
      walk();
      if (--left === 0) clearInterval(walking);
    }, 90);
  }
  const buttons = html(
    "div",
    { class: "x-buttons" },
    button("한 스텝", () => { clearInterval(walking); walk(); }, "x-main"),
    button("열 스텝", walkTen),
    ...SAMPLES.map((sample, n) => button(`사진 ${n + 1}`, () => change(begin(sample)))),
  );
  const drops = () => state.losses.slice(1).map((loss, i) => state.losses[i] - loss);
  const puzzle = riddle({
    question: "사진 2에서 두 스텝을 가면, 어느 스텝에서 손실이 더 많이 줄까요?",
    options: ["첫 스텝", "둘째 스텝"],
    right: 0,
    tried: () => drops().length > 1 && drops()[0] > drops()[1],
    because: "맞혀 갈수록 p − Y가 짧아지고, 같은 학습률이면 스텝도 짧아집니다.",
  });
  page.body.classList.add("x-three");
  right.panel.classList.add("x-last");
  page.body.append(
    left.panel,
    middle.panel,
    right.panel,
    html("div", { class: "x-wide" }, sums),
    html("div", { class: "x-wide x-controls" }, targets.node, buttons),
    html("div", { class: "x-wide x-controls" }, temperature.node, rate.node),
    page.say,
    puzzle.node,
  );

  // 좁은 화면에서는 글자를 줄입니다.
  const digits = (slot) => (slot < 46 ? 2 : slot < 58 ? 3 : 4);

  function drawLeft({ gradient }) {
    const slot = left.width() / CLASSES.length;
    set(zero, { x2: left.width(), y1: zy(0), y2: zy(0) });
    logits.forEach((part, c) => {
      const x = slot * (c + 0.5);
      const z = state.logits[c];
      set(part.stem, { x1: x, x2: x, y1: zy(0), y2: zy(z) });
      set(part.zone, { x: x - slot / 2 + 2, width: slot - 4 });
      set(part.handle.node, { "aria-valuemin": -limit(), "aria-valuemax": limit() });
      const move = -state.rate * gradient[c];
      part.handle.place(x, zy(z), z, `${fixed(z, 2)}, 다음 스텝에 ${signed(move)}`);
      // 온도가 낮고 학습률이 크면 스텝이 그림보다 깁니다. 제목과 숫자를 덮지 않게 그림 끝에서 멈춥니다.
      const end = Math.min(BOTTOM + 10, Math.max(TOP - 8, zy(z + move)));
      part.step.to(x + Math.min(16, slot * 0.3), zy(z), end);
      for (const words of [part.value, part.label, part.move]) set(words, { x });
      show(part.value, `z${c}`, z, fixed(z, 2));
      part.label.textContent = NAMES[c];
      part.label.classList.toggle("x-answer", c === state.target);
      show(part.move, `move${c}`, move, signed(move, digits(slot)));
    });
  }

  function drawMiddle({ probs: p, difference }) {
    const slot = middle.width() / CLASSES.length;
    const thick = Math.min(30, slot * 0.5);
    set(floor, { x2: middle.width() });
    probs.forEach((part, c) => {
      const center = slot * (c + 0.5);
      const x = center - 6;
      const answer = c === state.target ? 1 : 0;
      set(part.bar, { x: x - thick / 2, width: thick, y: py(p[c]), height: BOTTOM - py(p[c]) });
      set(part.goal, { x: x - thick / 2, width: thick, y: py(1), height: BOTTOM - py(1) });
      part.goal.style.display = answer ? "" : "none";
      part.gap.to(x + thick / 2 + 8, py(answer), py(p[c]));
      for (const words of [part.value, part.label, part.difference]) set(words, { x: center });
      show(part.value, `p${c}`, p[c], fixed(p[c], digits(slot)));
      part.label.textContent = NAMES[c];
      part.label.classList.toggle("x-answer", c === state.target);
      show(part.difference, `difference${c}`, difference[c], signed(difference[c], digits(slot)));
    });
  }

  function drawRight() {
    const { losses } = state;
    const count = Math.max(10, losses.length - 1);
    const high = Math.max(0.5, ...losses);
    const x = (i) => 32 + (i / count) * (right.width() - 44);
    // 좁은 화면에서는 단추와 한눈에 보이게 낮춥니다.
    const bottom = narrow(root) ? 92 : BOTTOM + 12;
    const y = (value) => bottom - (value / high) * (bottom - 6 - TOP);
    set(right.picture, { height: bottom + 42 });
    set(across, { y1: bottom, y2: bottom, x2: right.width() - 6 });
    set(upright, { y2: bottom });
    set(curve, { d: "M" + losses.map((value, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("L") });
    set(dot, { cx: x(losses.length - 1), cy: y(losses.at(-1)) });
    ceiling.textContent = fixed(high, 1);
    set(base, { y: bottom + 4 });
    set(from, { y: bottom + 18 });
    set(until, { x: right.width() - 6, y: bottom + 18 });
    until.textContent = String(count);
    set(invitation, { x: (32 + right.width()) / 2, y: (TOP + bottom) / 2 });
    invitation.style.display = losses.length > 1 ? "none" : "";
    set(axisName, { x: (32 + right.width()) / 2, y: bottom + 36 });
  }

  function update(quietly) {
    const values = now();
    drawLeft(values);
    drawMiddle(values);
    drawRight();
    show(loss, "loss", values.loss);
    lossWords.textContent = `손실 −log p, 정답 ${NAMES[state.target]}`;
    show(total, "difference_sum", sum(values.difference));
    show(steps, "steps", state.losses.length - 1, String(state.losses.length - 1));
    for (const control of [targets, temperature, rate]) control.update();
    puzzle.check();
    page.tell(sentence(values), quietly);
  }

  function sentence({ probs: p, difference, loss: value }) {
    const answer = p[state.target];
    const size = Math.abs(difference[state.target]);
    const first = `정답 ${NAMES[state.target]}의 확률이 ${fixed(answer)}, 손실이 ${fixed(value)}입니다.`;
    const [start, one, two] = state.losses;
    const fell = state.losses.length === 3 ? ` 손실은 첫 스텝에서 ${fixed(start - one)}, 둘째 스텝에서 ${fixed(one - two)} 줄었습니다.` : "";
    const warm = state.temperature === 1 ? "" : ` 온도가 ${fixed(state.temperature, 1)}이므로 로짓의 기울기는 (${EQUATION})를 온도로 나눈 값입니다.`;
    const rest = fell + warm;
    if (size < 0.05) return `${first} 거의 다 맞혀서 화살표가 짧습니다.${rest}`;
    if (size > 0.85) return `${first} 자신 있게 틀렸습니다. 정답의 화살표가 1에 가깝게 깁니다.${rest}`;
    return `${first} 정답에서 모자란 ${fixed(size)}만큼을 나머지 클래스가 나눠 갖고 있습니다. 그래서 ${EQUATION}를 모두 더하면 0입니다.${rest}`;
  }

  page.mount();
  change({}, true);
  onResize([left.picture, middle.picture, right.picture], () => update(true));
}
