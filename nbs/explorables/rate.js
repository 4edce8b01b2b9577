// 글 07: 학습률을 바꾸면 같은 곳에서 출발한 스무 스텝이 어디로 가는지 봅니다.
import { descend, lossOfWeight } from "./math.js";
import { chart, fixed, frame, html, onResize, range, riddle, set, show, svg } from "./shared.js";

const RATES = [0.01, 0.03, 0.1, 0.3, 1, 3];
const START = -1;
const STEPS = 20;
const BEST = Math.log(2) / 4;
const FLOOR = lossOfWeight(BEST);

export default function build(root) {
  const state = { rate: 0.01 };
  const page = frame(root, {
    title: "만져 보기: 학습률과 스무 스텝",
    hint: "가중치 하나를 −1에서 출발해 스무 스텝 가르칩니다. 왼쪽은 골짜기의 어디를 밟는지, 오른쪽은 그때의 손실 곡선입니다. 학습률을 바꿔 보세요.",
    state,
    address: { rate: [...RATES] },
    onReset() {
      state.rate = 0.01;
      update(true);
    },
  });
  const valley = chart({ label: "가중치와 손실", heading: "손실 ↑, 가중치 w →", height: 220, x: [-2, 2], y: [0, 6], xTicks: [-2, -1, 0, 1, 2], yTicks: [0, 2, 4, 6] });
  const history = chart({ label: "스텝마다 손실", heading: "손실 ↑, 스텝 →", height: 220, x: [0, STEPS], y: [0, 6], xTicks: [0, 5, 10, 15, 20], yTicks: [0, 2, 4, 6] });
  const slope = svg("path", { class: "x-curve x-stroke-good" });
  const steps = svg("path", { class: "x-curve x-thin" });
  const dots = Array.from({ length: STEPS + 1 }, () => svg("circle", { class: "x-dot", r: 3.5 }));
  valley.picture.append(slope, steps, ...dots);
  const floor = svg("line", { class: "x-cursor", x1: 40 });
  const curve = svg("path", { class: "x-curve" });
  history.picture.append(floor, curve);
  const control = range({
    label: "학습률 η", min: 0, max: RATES.length - 1, step: 1,
    get: () => RATES.indexOf(state.rate),
    change(index) {
      state.rate = RATES[index];
      update();
    },
    format: (index) => String(RATES[index]),
  });
  const last = html("output", { "aria-live": "off" });
  const least = html("output", { "aria-live": "off" });
  const puzzle = riddle({
    question: "학습률을 세 배씩 키우면 스무 스텝 뒤의 손실은 계속 작아질까요?",
    options: ["그렇다", "아니다"],
    right: 1,
    tried: () => state.rate >= 1,
    because: "골짜기를 한 걸음에 건너뛰면 양쪽을 오가며 내려가지 못합니다.",
  });
  page.body.classList.add("x-two");
  page.body.append(
    valley.panel,
    history.panel,
    html("div", { class: "x-wide x-controls" }, control.node, html("div", { class: "x-sum" },
      html("div", { class: "x-part" }, last, html("span", {}, "스무 스텝 뒤 손실")),
      html("div", { class: "x-part" }, least, html("span", {}, "바닥")))),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const path = descend(START, state.rate, STEPS);
    const losses = path.map(lossOfWeight);
    valley.axes();
    history.axes();
    const grid = Array.from({ length: 81 }, (_, i) => -2 + i / 20);
    set(slope, { d: valley.curve(grid.map((w) => [w, lossOfWeight(w)])) });
    set(steps, { d: valley.curve(path.map((w, i) => [w, losses[i]])) });
    dots.forEach((dot, i) => set(dot, { cx: valley.px(path[i]), cy: valley.py(losses[i]) }));
    set(floor, { x2: history.width() - 8, y1: history.py(FLOOR), y2: history.py(FLOOR) });
    set(curve, { d: history.curve(losses.map((loss, i) => [i, loss])) });
    show(last, "last", losses.at(-1));
    show(least, "floor", FLOOR);
    control.update();
    puzzle.check();
    page.tell(sentence(losses), quietly);
  }

  function sentence(losses) {
    const above = losses.at(-1) - FLOOR;
    if (above < 0.001) return `학습률 ${state.rate}: 바닥 ${fixed(FLOOR)}에 닿았습니다. 정답이 둘로 갈려 있어 손실은 0까지 내려가지 않습니다.`;
    if (losses.at(-1) > losses.at(-2) || losses.some((loss, i) => i > 2 && loss > losses[i - 1] + 0.01)) return `학습률 ${state.rate}: 골짜기를 건너뛰어 양쪽을 오갑니다. 손실 곡선이 톱니 모양이면 학습률을 낮춥니다.`;
    return `학습률 ${state.rate}: 내려가는 중이지만 스무 스텝으로는 모자랍니다. 바닥보다 ${fixed(above)} 높습니다.`;
  }

  page.mount();
  update(true);
  onResize([valley.picture, history.picture], () => update(true));
}
