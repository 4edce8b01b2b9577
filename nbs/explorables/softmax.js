// 글 02: 로짓을 끌고 온도를 바꾸면 확률이 어떻게 나뉘는지 봅니다.
import { softmax } from "./math.js";
import { button, canvas, fixed, frame, html, onResize, range, riddle, set, show, slider, svg, text } from "./shared.js";

const NAMES = ["고양이", "강아지", "새"];
const PHOTOS = [[1, 2, 3], [2, 0, 0]];
const LIMIT = 6; // 로짓 막대의 끝

export default function build(root) {
  const state = { logits: [...PHOTOS[0]], temperature: 1, did: "" };
  const page = frame(root, {
    title: "만져 보기: 로짓에서 확률까지",
    hint: "로짓의 둥근 손잡이를 위아래로 끌어 보세요. 과제: 로짓을 건드리지 말고 새의 확률을 0.9보다 크게 만들기.",
    state,
    address: { logits: [-LIMIT, LIMIT], temperature: [0.2, 5] },
    onReset: () => change({ logits: [...PHOTOS[0]], temperature: 1, did: "" }, true),
  });
  function change(values, quietly) {
    Object.assign(state, { did: "" }, values);
    update(quietly);
  }

  const TOP = 26;
  const BOTTOM = 172;
  const MIDDLE = (TOP + BOTTOM) / 2;

  // ---- 로짓
  const left = canvas({ label: "로짓 막대", height: 226, heading: "로짓 z" });
  const zero = svg("line", { class: "x-axis", x1: 0, y1: MIDDLE, y2: MIDDLE });
  left.picture.append(zero);
  const zy = (z) => MIDDLE - (z / LIMIT) * (MIDDLE - TOP);
  const logits = NAMES.map((name, c) => {
    const stem = svg("line", { class: "x-stem" });
    const value = text({ class: "x-number", y: 220, "text-anchor": "middle" });
    const label = text({ class: "x-label", y: 200, "text-anchor": "middle" }, name);
    const zone = svg("rect", { class: "x-clear", y: TOP - 12, height: BOTTOM - TOP + 24 });
    const handle = slider({
      label: `${name}의 로짓`,
      min: -LIMIT, max: LIMIT, step: 0.1, picture: left.picture, zone,
      read: (_, py) => ((MIDDLE - py) / (MIDDLE - TOP)) * LIMIT,
      get: () => state.logits[c],
      change: (z) => change({ logits: state.logits.map((old, i) => (i === c ? z : old)) }),
    });
    left.picture.append(stem, zone, value, label, handle.node);
    return { stem, value, label, zone, handle };
  });

  // ---- 확률
  const right = canvas({ label: "확률 막대", height: 226, heading: "확률 p" });
  const floor = svg("line", { class: "x-axis", x1: 0, y1: BOTTOM, y2: BOTTOM });
  const ceiling = svg("line", { class: "x-guide", x1: 0, y1: TOP, y2: TOP });
  right.picture.append(ceiling, text({ class: "x-tick", x: 0, y: TOP - 6 }, "1"), floor);
  const bars = NAMES.map((name) => {
    const bar = svg("rect", { class: "x-bar x-p" });
    const value = text({ class: "x-number", y: 220, "text-anchor": "middle" });
    const label = text({ class: "x-label", y: 200, "text-anchor": "middle" }, name);
    right.picture.append(bar, value, label);
    return { bar, value, label };
  });

  const temperature = range({
    label: "온도 T", min: 0.2, max: 5, step: 0.1,
    get: () => state.temperature,
    change: (value) => change({ temperature: value, did: "온도" }),
    format: (value) => fixed(value, 1),
  });
  const lift = (by) => {
    const moved = state.logits.map((z) => z + by);
    if (Math.max(...moved.map(Math.abs)) <= LIMIT) change({ logits: moved, did: "이동" });
    else change({ did: "끝" });
  };
  const buttons = html(
    "div",
    { class: "x-buttons" },
    button("모두 1 올리기", () => lift(1), "x-main"),
    button("모두 1 내리기", () => lift(-1)),
    ...PHOTOS.map((photo, i) => button(`사진 ${i + 1}: (${photo.join(", ")})`, () => change({ logits: [...photo] }))),
  );
  const puzzle = riddle({
    question: "로짓 셋을 모두 1 올리면 새의 확률은?",
    options: ["커진다", "그대로다", "작아진다"],
    right: 1,
    tried: () => state.did === "이동",
    because: "분자와 분모에 똑같이 e가 곱해져 약분됩니다.",
  });
  page.body.classList.add("x-two");
  page.body.append(
    left.panel,
    right.panel,
    html("div", { class: "x-wide x-controls" }, temperature.node, buttons),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const p = softmax(state.logits.map((z) => z / state.temperature));
    const leftSlot = left.width() / NAMES.length;
    const rightSlot = right.width() / NAMES.length;
    set(zero, { x2: left.width() });
    for (const line of [floor, ceiling]) set(line, { x2: right.width() });
    logits.forEach((part, c) => {
      const x = leftSlot * (c + 0.5);
      const z = state.logits[c];
      set(part.stem, { x1: x, x2: x, y1: MIDDLE, y2: zy(z) });
      set(part.zone, { x: x - leftSlot / 2 + 2, width: leftSlot - 4 });
      for (const words of [part.value, part.label]) set(words, { x });
      show(part.value, `z${c}`, z, fixed(z, 1));
      part.handle.place(x, zy(z), z, fixed(z, 1));
    });
    bars.forEach((part, c) => {
      const x = rightSlot * (c + 0.5);
      const thick = Math.min(44, rightSlot * 0.6);
      const y = BOTTOM - p[c] * (BOTTOM - TOP);
      set(part.bar, { x: x - thick / 2, width: thick, y, height: BOTTOM - y });
      for (const words of [part.value, part.label]) set(words, { x });
      show(part.value, `p${c}`, p[c]);
    });
    temperature.update();
    puzzle.check();
    page.tell(sentence(p), quietly);
  }

  function sentence(p) {
    const order = [0, 1, 2].sort((a, b) => p[b] - p[a] || a - b);
    const [first, second] = order;
    const gap = state.logits[first] - state.logits[second];
    const { temperature: T } = state;
    const ratio = p[first] / p[second];
    const times = `${NAMES[first]}의 로짓이 ${NAMES[second]}보다 ${fixed(gap, 1)} 높아 확률은 e의 ${fixed(gap / T, 2)}제곱, ${ratio < 1000 ? fixed(ratio, 3) : ratio.toExponential(2)}배입니다.`;
    if (state.did === "끝") return "막대가 그림 끝에 닿았습니다. 반대쪽으로 옮겨 보세요.";
    if (state.did === "이동") return `로짓 셋이 똑같이 움직였는데 확률은 그대로입니다. 차이만 중요하기 때문입니다. 이동 불변성입니다. ${times}`;
    if (gap === 0) return `${NAMES[first]}와 ${NAMES[second]}의 로짓이 같아 확률도 같습니다.`;
    if (state.did === "온도") {
      const won = p[2] > 0.9 ? " 새의 확률이 0.9를 넘었습니다. 과제를 마쳤습니다." : "";
      return `온도를 바꾸어도 순서는 그대로이고, ${T < 1 ? "낮은 온도에서 차이가 벌어집니다" : "높을수록 고르게 나뉩니다"}. ${times}${won}`;
    }
    return `가장 큰 확률은 ${NAMES[first]}의 ${fixed(p[first])}입니다. ${times}`;
  }

  page.mount();
  change({}, true);
  onResize([left.picture, right.picture], () => update(true));
}
