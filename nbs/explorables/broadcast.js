// 글 04: 정답이 (N, 1)로 오면 오류 없이 (N, N)이 됩니다.
import { logSoftmax, sum } from "./math.js";
import { choice, fixed, frame, html, onResize, range, riddle, show } from "./shared.js";

const LOGITS = [[1, 2, 3], [2, 0, 0], [0, 1, 0], [3, 1, 2], [1, 1, 1]];
const TARGET = [2, 1, 1, 0, 2];

export default function build(root) {
  const state = { shape: "(N)", n: 2 };
  const page = frame(root, {
    title: "만져 보기: 조용히 N × N이 되는 손실",
    hint: "정답의 모양을 (N, 1)로 바꾸어 보세요. 칸 i, j는 정답 i로 사진 j에서 뽑은 손실입니다. 네모를 두른 대각선만 제 짝입니다.",
    state,
    address: { shape: ["(N)", "(N 1)"], n: [2, 5] },
    onReset() {
      Object.assign(state, { shape: "(N)", n: 2 });
      update(true);
    },
  });
  const shapes = choice({
    label: "정답의 모양", options: [["(N)", "(N)"], ["(N 1)", "(N, 1)"]],
    get: () => state.shape,
    change(shape) {
      state.shape = shape;
      update();
    },
  });
  const count = range({
    label: "사진 수 N", min: 2, max: 5, step: 1,
    get: () => state.n,
    change(n) {
      state.n = n;
      update();
    },
    format: (n) => `${n}장`,
  });
  const grid = html("div", { class: "b-grid" });
  const mean = html("output", { "aria-live": "off" });
  const right = html("output", { "aria-live": "off" });
  const meanWords = html("span");
  const puzzle = riddle({
    question: "정답이 (N, 1)로 오면 무슨 일이 일어날까요?",
    options: ["오류가 난다", "값이 틀린다", "값이 같다"],
    right: 1,
    tried: () => state.shape === "(N 1)",
    because: "브로드캐스팅은 모양이 달라도 늘려서 맞추므로, 오류 없이 남의 손실까지 평균에 들어갑니다.",
  });
  page.body.append(
    html("div", { class: "x-controls" }, shapes.node, count.node),
    html("div", { class: "x-panel" }, grid),
    html("div", { class: "x-sum" },
      html("div", { class: "x-part x-ink-q" }, mean, meanWords),
      html("div", { class: "x-part x-ink-good" }, right, html("span", {}, "옳은 평균"))),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const { n } = state;
    const wide = state.shape !== "(N)";
    const picked = (i, j) => -logSoftmax(LOGITS[j])[TARGET[i]];
    const all = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => picked(i, j)));
    const own = all.map((row, i) => row[i]);
    const digits = page.body.clientWidth > 420 ? 4 : 2;
    grid.style.gridTemplateColumns = `repeat(${n}, minmax(0, 1fr))`;
    const cells = wide ? all.flatMap((row, i) => row.map((value, j) => [value, i, j])) : own.map((value, i) => [value, i, i]);
    grid.replaceChildren(...cells.map(([value, i, j]) => {
      const node = html("span", { class: i === j ? "g-number g-answer" : "g-number b-other" });
      show(node, `loss${i}${j}`, value, fixed(value, digits));
      return node;
    }));
    const used = cells.map(([value]) => value);
    const average = sum(used) / used.length;
    const truth = sum(own) / n;
    show(mean, "mean", average);
    meanWords.textContent = `모양 ${wide ? `(${n}, ${n})` : `(${n})`}의 평균`;
    show(right, "right", truth);
    shapes.update();
    count.update();
    puzzle.check();
    page.tell(wide
      ? `손실 ${n}개가 ${n * n}개가 되었습니다. 오류도 경고도 없이 평균이 ${fixed(truth)} 대신 ${fixed(average)}입니다. squeeze(1)로 펴면 돌아옵니다.`
      : `정답이 (N)이면 사진마다 손실 하나, 모두 ${n}개입니다.`, quietly);
  }

  page.mount();
  update(true);
  onResize([page.body], () => update(true));
}
