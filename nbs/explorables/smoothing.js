// 글 09: 레이블 스무딩이면 로짓의 간격을 끝없이 벌리는 것이 손해입니다.
import { bestGap, smoothedLoss } from "./math.js";
import { chart, fixed, frame, html, josa, onResize, range, riddle, set, show, svg } from "./shared.js";

const FARTHEST = 12;

export default function build(root) {
  const state = { eps: 0, gap: 2, classes: 3 };
  const page = frame(root, {
    title: "만져 보기: 간격을 얼마나 벌리는 것이 좋을까요",
    hint: "정답의 로짓이 나머지보다 얼마나 큰지(간격)와 스무딩 ε을 바꿔 보세요. 초록 점이 손실이 가장 작은 곳입니다.",
    state,
    address: { eps: [0, 0.5], gap: [0, FARTHEST], classes: [2, 100] },
    onReset() {
      Object.assign(state, { eps: 0, gap: 2, classes: 3 });
      update(true);
    },
  });
  const plot = chart({ label: "간격과 손실", heading: "손실 ↑, 정답 로짓의 간격 →", height: 230, x: [0, FARTHEST], y: [0, 5], xTicks: [0, 2, 4, 6, 8, 10, 12], yTicks: [0, 1, 2, 3, 4, 5] });
  const plain = svg("path", { class: "x-curve x-stroke-third" });
  const smooth = svg("path", { class: "x-curve" });
  const here = svg("circle", { class: "x-dot", r: 5.5 });
  const best = svg("circle", { class: "x-dot x-dot-good", r: 5.5 });
  plot.picture.append(plain, smooth, best, here);
  const slide = (key, label, min, max, step, format) =>
    range({ label, min, max, step, get: () => state[key], format, change: (value) => { state[key] = value; update(); } });
  const controls = [
    slide("gap", "간격", 0, FARTHEST, 0.1, (value) => fixed(value, 1)),
    slide("eps", "스무딩 ε", 0, 0.5, 0.01, (value) => fixed(value, 2)),
    slide("classes", "클래스 수 C", 2, 100, 1, String),
  ];
  const loss = html("output", { "aria-live": "off" });
  const ideal = html("output", { "aria-live": "off" });
  const puzzle = riddle({
    question: "ε이 0.1일 때 간격을 계속 벌리면 손실은?",
    options: ["계속 작아진다", "어느 값에서 멈춘다", "다시 커진다"],
    right: 2,
    tried: () => state.eps > 0.05 && state.gap > bestGap(state.eps, state.classes) + 1,
    because: "정답이 아닌 클래스에도 ε/C씩 나눠 주었으니, 그 확률을 0으로 만들면 손해입니다.",
  });
  page.body.append(
    plot.panel,
    html("div", { class: "x-controls" }, ...controls.map(({ node }) => node)),
    html("div", { class: "x-sum" },
      html("div", { class: "x-part x-ink-q" }, loss, html("span", {}, "지금의 손실")),
      html("div", { class: "x-part x-ink-good" }, ideal, html("span", {}, "가장 좋은 간격"))),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const { eps, gap, classes } = state;
    const target = bestGap(eps, classes);
    const grid = Array.from({ length: 121 }, (_, i) => (i * FARTHEST) / 120);
    plot.axes();
    set(plain, { d: plot.curve(grid.map((g) => [g, smoothedLoss(g, 0, classes)])) });
    set(smooth, { d: plot.curve(grid.map((g) => [g, smoothedLoss(g, eps, classes)])) });
    set(here, { cx: plot.px(gap), cy: plot.py(smoothedLoss(gap, eps, classes)) });
    best.style.display = target <= FARTHEST ? "" : "none";
    if (target <= FARTHEST) set(best, { cx: plot.px(target), cy: plot.py(smoothedLoss(target, eps, classes)) });
    show(loss, "loss", smoothedLoss(gap, eps, classes));
    show(ideal, "best", target);
    for (const control of controls) control.update();
    puzzle.check();
    const words = eps === 0
      ? "스무딩이 없으면 간격을 벌릴수록 손실이 작아지고, 가장 좋은 간격은 무한대(inf)입니다."
      : gap > target + 0.05
        ? `가장 좋은 간격 ${josa(fixed(target, 2), "을", "를")} 지나쳤습니다. 더 확신할수록 손실이 커집니다.`
        : `가장 좋은 간격은 ${fixed(target, 2)}입니다. 보라 곡선은 스무딩이 없을 때의 손실입니다.`;
    page.tell(words, quietly);
  }

  page.mount();
  update(true);
  onResize([plot.picture], () => update(true));
}
