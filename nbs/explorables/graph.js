// 홈: 계산 그래프. 로짓 하나를 밀면 값은 오른쪽으로, 기울기는 왼쪽으로 다시 흐릅니다.
import { graph } from "./math.js";
import { fixed, frame, html, josa, onResize, riddle, show } from "./shared.js";

const LOGITS = [[1, 2, 3], [2, 0, 0]];
const TARGET = [2, 1];
const NAMES = ["고양이", "강아지", "새"];
const PHOTOS = ["첫 사진", "둘째 사진"];
const LIMIT = 6;
const copy = (rows) => rows.map((row) => [...row]);
const same = (a, b) => a.join() === b.join();

export default function build(root) {
  const state = { logits: copy(LOGITS) };
  let start; // 이번에 밀기 시작한 로짓: { n, c, z, loss }
  const page = frame(root, {
    title: "만져 보기: 로짓에서 손실로, 다시 기울기로",
    hint: "로짓의 막대를 밀어 보세요. 파랑은 값, 주황은 손실 L의 기울기, 네모를 두른 숫자는 정답의 것입니다.",
    state,
    address: { logits: [-LIMIT, LIMIT] },
    onReset() {
      state.logits = copy(LOGITS);
      start = undefined;
      update(true);
    },
  });

  // ---- 칸: 기호와 모양, 그 아래에 숫자
  const node = (place, symbol, shape, kind, ...children) =>
    html("div", { class: `g-node g-${kind} g-at-${place}` },
      html("p", { class: "g-name" }, html("i", {}, symbol), " ", html("small", {}, shape), ...(place === "z" ? [html("i", { class: "g-slope" }, "dz")] : [])),
      ...children);
  const cell = (n, c) => html("span", { class: c === TARGET[n] ? "g-number g-answer" : "g-number" });
  const matrix = () => LOGITS.map((row, n) => row.map((_, c) => cell(n, c)));
  const column = () => LOGITS.map(() => html("span", { class: "g-number" }));
  const lay = (cells, kind) => html("div", { class: `g-cells ${kind}` }, ...cells.flat());

  const logProbs = matrix();
  const dlogProbs = matrix();
  const losses = column();
  const dlosses = column();
  const loss = html("span", { class: "g-number g-loss" });
  const dloss = html("span", { class: "g-number" });

  // ---- 로짓: 숫자, 슬라이더, 그 기울기
  const knobs = LOGITS.map((row, n) => row.map((_, c) => {
    const value = cell(n, c);
    const slope = html("span", { class: "g-number g-slope" });
    const remember = () => (start = { n, c, z: state.logits[n][c], loss: graph(state.logits, TARGET).loss });
    const input = html("input", {
      type: "range", class: "x-range g-range", min: -LIMIT, max: LIMIT, step: 0.1,
      "aria-label": `${PHOTOS[n]} ${NAMES[c]}의 로짓`,
      onpointerdown: remember,
      onkeydown: (event) => event.repeat || remember(),
      oninput() {
        if (start?.n !== n || start?.c !== c) remember();
        state.logits[n][c] = Number(input.value);
        update();
      },
    });
    return { value, slope, input, node: html("div", { class: "g-knob" }, value, input, slope) };
  }));
  const logits = html("div", { class: "g-logits" },
    html("span"), ...NAMES.map((name) => html("span", { class: "g-class" }, name)),
    ...knobs.flatMap((row, n) => [html("span", { class: "g-photo" }, PHOTOS[n]), ...row.map((knob) => knob.node)]));

  const arrow = (place, words, kind) => html("div", { class: `g-arrow g-${kind} g-at-${place}`, "aria-hidden": "true" }, html("span", {}, words));
  const puzzle = riddle({
    question: "둘째 사진의 로짓을 밀면 첫 사진의 기울기도 바뀔까요?",
    options: ["바뀐다", "그대로다"],
    right: 1,
    tried: () => !same(state.logits[1], LOGITS[1]),
    because: "소프트맥스는 줄마다 따로이고, 평균은 줄마다 1/2을 곱할 뿐입니다.",
  });
  page.body.append(
    html("div", { class: "g-graph" },
      node("z", "z", "로짓 (2, 3)", "value", logits),
      arrow("a1", "로그 소프트맥스", "value"), arrow("b1", "d log p − p\u00a0Σ\u00a0d\u00a0log\u00a0p", "slope"),
      node("lp", "log p", "(2, 3)", "value", lay(logProbs, "g-three")),
      node("dlp", "d log p", "(2, 3)", "slope", lay(dlogProbs, "g-three")),
      arrow("a2", "정답 칸, 부호 반대로", "value"), arrow("b2", "정답 칸에만", "slope"),
      node("l", "ℓ", "(2)", "value", lay(losses, "g-one")),
      node("dl", "dℓ", "(2)", "slope", lay(dlosses, "g-one")),
      arrow("a3", "평균", "value"), arrow("b3", "2로 나누기", "slope"),
      node("L", "L", "손실", "value", lay([loss], "g-one")),
      node("dL", "dL", "", "slope", lay([dloss], "g-one")),
    ),
    page.say,
    puzzle.node,
  );

  function update(quietly) {
    const values = graph(state.logits, TARGET);
    const digits = page.body.clientWidth > 440 ? 4 : page.body.clientWidth > 300 ? 3 : 2;
    knobs.forEach((row, n) => row.forEach(({ value, slope, input }, c) => {
      const z = state.logits[n][c];
      show(value, `z${n}${c}`, z, fixed(z, 1));
      show(slope, `dz${n}${c}`, values.dlogits[n][c]);
      input.value = z;
      input.setAttribute("aria-valuetext", `${fixed(z, 1)}, 기울기 ${fixed(values.dlogits[n][c])}`);
      show(logProbs[n][c], `lp${n}${c}`, values.logProbs[n][c], fixed(values.logProbs[n][c], digits));
      show(dlogProbs[n][c], `dlp${n}${c}`, values.dlogProbs[n][c], fixed(values.dlogProbs[n][c], 1));
    }));
    PHOTOS.forEach((_, n) => {
      show(losses[n], `l${n}`, values.losses[n]);
      show(dlosses[n], `dl${n}`, values.dlosses[n], fixed(values.dlosses[n], 1));
    });
    show(loss, "loss", values.loss);
    show(dloss, "dloss", 1, "1");
    puzzle.check();
    page.tell(sentence(values), quietly);
  }

  function sentence(values) {
    const first = "로짓 여섯 개가 손실 하나가 됩니다. 기울기가 음수인 로짓은 올리면, 양수인 로짓은 내리면 손실이 줄어듭니다.";
    if (!start) return same(state.logits.flat(), LOGITS.flat()) ? first : `손실은 ${fixed(values.loss)}입니다. ${first}`;
    const z = state.logits[start.n][start.c];
    const change = values.loss - start.loss;
    const turn = Math.abs(change) < 5e-5 ? "거의 그대로입니다" : change < 0 ? "줄었습니다" : "늘었습니다";
    const who = `${PHOTOS[start.n]} ${NAMES[start.c]}의 로짓을 ${fixed(start.z, 1)}에서 ${josa(fixed(z, 1), "으로", "로")} 옮기니`;
    const nearly = values.loss < 0.01 ? " 두 사진을 다 맞혀, 남은 기울기가 거의 없습니다." : "";
    return `${who} 손실이 ${fixed(start.loss)}에서 ${josa(fixed(values.loss), "으로", "로")} ${turn}.${nearly}`;
  }

  page.mount();
  update(true);
  onResize([page.body], () => update(true));
}
