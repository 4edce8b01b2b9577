// 글 10: 손실을 반정밀도로 하나씩 더하면 합이 어느 값에서 멈춥니다.
import { roundTo, runningSums } from "./math.js";
import { chart, choice, fixed, frame, html, josa, onResize, range, riddle, set, show, svg } from "./shared.js";

const BITS = { float32: 24, float16: 11, bfloat16: 8 };
const LOSS = 0.7;

export default function build(root) {
  const start = { dtype: "float32", power: 6 };
  const state = { ...start };
  const page = frame(root, {
    title: "만져 보기: 더할수록 틀리는 합",
    hint: "표본마다 손실이 0.7입니다. 하나씩 더해 표본 수로 나누면 0.7이어야 합니다. 자료형과 표본 수를 바꿔 보세요.",
    state,
    address: { dtype: Object.keys(BITS), power: [2, 14] },
    onReset() {
      Object.assign(state, start);
      update(true);
    },
  });
  const plot = chart({ label: "더한 개수와 합", heading: "합 ÷ 참값 ↑, 더한 개수(끝까지를 1로) →", height: 210, x: [0, 1], y: [0, 1.6], xTicks: [0, 0.5, 1], yTicks: [0, 0.5, 1, 1.5] });
  const truth = svg("path", { class: "x-curve x-stroke-good" });
  const summed = svg("path", { class: "x-curve" });
  plot.picture.append(truth, summed);
  const dtypes = choice({
    label: "더하는 자료형", options: Object.keys(BITS).map((name) => [name, name]),
    get: () => state.dtype,
    change(dtype) {
      state.dtype = dtype;
      update();
    },
  });
  const count = range({
    label: "표본 수", min: 2, max: 14, step: 1,
    get: () => state.power,
    change(power) {
      state.power = power;
      update();
    },
    format: (power) => (2 ** power).toLocaleString("ko-KR"),
  });
  const total = html("output", { "aria-live": "off" });
  const mean = html("output", { "aria-live": "off" });
  const puzzle = riddle({
    question: "bfloat16으로 0.7을 1,024번 더하면 합은?",
    options: ["약 717", "256에서 멈춘다", "무한대"],
    right: 1,
    tried: () => state.dtype === "bfloat16" && state.power >= 10,
    because: "256부터는 이웃한 수가 2씩 떨어져 있어, 0.7을 더해도 반올림하면 제자리입니다.",
  });
  page.body.append(
    plot.panel,
    html("div", { class: "x-controls" }, dtypes.node, count.node),
    html("div", { class: "x-sum" },
      html("div", { class: "x-part" }, total, html("span", {}, "합")),
      html("div", { class: "x-part x-ink-q" }, mean, html("span", {}, "평균"))),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const n = 2 ** state.power;
    const bits = BITS[state.dtype];
    const sums = runningSums(LOSS, n, bits);
    const every = Math.max(1, n / 256);
    const points = sums.map((sum, i) => [i / n, sum / (LOSS * n)]).filter((_, i) => i % every === 0);
    plot.axes();
    set(truth, { d: plot.curve([[0, 0], [1, 1]]) });
    set(summed, { d: plot.curve(points) });
    show(total, "total", sums.at(-1));
    const average = roundTo(sums.at(-1) / n, bits);
    show(mean, "mean", average);
    for (const control of [dtypes, count]) control.update();
    puzzle.check();
    const stuck = sums.at(-1) === sums.at(-2);
    const off = Math.abs(average - LOSS) / LOSS;
    const words = stuck
      ? `${state.dtype}의 합이 ${fixed(sums.at(-1), 0)}에서 멈췄습니다. 평균은 0.7이 아니라 ${fixed(average)}입니다. 더할 때만 float32로 더하면 낫습니다.`
      : off > 0.01
        ? `오차가 ${fixed(100 * off, 1)}%입니다. 합이 커지면 이웃한 수의 간격도 커져, 0.7이 반올림됩니다.`
        : `평균이 ${josa(fixed(average), "으로", "로")} 0.7에 가깝습니다. 자료형을 바꾸고 표본을 늘려 보세요.`;
    page.tell(words, quietly);
  }

  page.mount();
  update(true);
  onResize([plot.picture], () => update(true));
}
