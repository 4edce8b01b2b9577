// 글 08: 가중치, 무시할 표본, 줄이기를 바꾸면 분자와 분모, 표본마다의 몫이 드러납니다.
import { reduceLosses } from "./math.js";
import { button, choice, fixed, frame, html, josa, range, riddle, show } from "./shared.js";

const LOGITS = [[1, 2, 3], [2, 0, 0], [0, 1, 0], [3, 1, 2], [1, 1, 1]];
const TARGET = [2, 1, 1, 0, 2];
const WEIGHT = [0.5, 2, 1];
const HIDDEN = "−100";

export default function build(root) {
  const start = () => ({ ignored: TARGET.map(() => false), reduction: "mean", weighted: false, weight: [...WEIGHT] });
  const state = start();
  const page = frame(root, {
    title: "만져 보기: 무엇을 무엇으로 나눌까요",
    hint: "표본을 무시하고, 클래스 가중치를 켜고, 줄이기를 바꿔 보세요. 분모가 어떻게 달라지는지가 핵심입니다.",
    state,
    address: { ignored: [true, false], reduction: ["none", "sum", "mean"], weighted: [true, false], weight: [0, 3] },
    onReset() {
      Object.assign(state, start());
      update(true);
    },
  });

  // ---- 표본 표
  const lines = TARGET.map((y, n) => {
    const check = html("input", {
      type: "checkbox", class: "x-check", "aria-label": `표본 ${n} 무시하기`,
      onchange() {
        state.ignored[n] = check.checked;
        update();
      },
    });
    const answer = html("td");
    const loss = html("output", { "aria-live": "off" });
    const weight = html("output", { "aria-live": "off" });
    const bar = html("span", { class: `x-meter x-kind-${n}` });
    const scale = html("output", { "aria-live": "off" });
    const row = html(
      "tr",
      { onpointerenter: () => light(n), onpointerleave: () => light(-1), onfocusin: () => light(n), onfocusout: () => light(-1) },
      html("th", { scope: "row" }, html("span", { class: `x-chip x-kind-${n}` }), `표본 ${n}`),
      answer,
      html("td", {}, loss),
      html("td", {}, weight),
      html("td", { class: "x-track" }, bar),
      html("td", {}, scale),
      html("td", { class: "x-center" }, check),
    );
    return { row, check, answer, loss, weight, bar, scale };
  });
  const head = (words, className) => html("th", { scope: "col", class: className }, words);
  const table = html(
    "table",
    { class: "x-table x-samples" },
    html("thead", {}, html("tr", {}, head("표본", "x-left"), head("정답"), head("손실"), head("가중치"), head("가중치 × 손실", "x-track"), head("기울기 몫"), head("무시"))),
    html("tbody", {}, ...lines.map(({ row }) => row)),
  );

  // ---- 분자와 분모
  const ribbon = (words) => {
    const pieces = TARGET.map((_, n) => html("span", { class: `x-piece x-kind-${n}` }));
    const value = html("output", { "aria-live": "off" });
    const name = html("span", { class: "x-ribbon-name" }, words);
    const node = html("div", { class: "x-ribbon" }, name, html("div", { class: "x-ribbon-bar", "aria-hidden": "true" }, ...pieces), value);
    return { node, pieces, value, name };
  };
  const top = ribbon("분자: 손실의 합");
  const under = ribbon("분모: 나누는 수");
  const result = html("output", { class: "x-big", "aria-live": "off" });
  const formula = html("span", { class: "x-formula" });
  const fraction = html("div", { class: "x-fraction" }, top.node, under.node, html("p", { class: "x-result" }, formula, result));

  // ---- 조절
  const reductions = choice({
    label: "줄이기 (reduction)",
    options: ["none", "sum", "mean"].map((name) => [name, name]),
    get: () => state.reduction,
    change(reduction) {
      state.reduction = reduction;
      update();
    },
  });
  const weighting = choice({
    label: "클래스 가중치 (weight)",
    options: [[false, "끄기"], [true, "켜기"]],
    get: () => state.weighted,
    change(weighted) {
      state.weighted = weighted;
      update();
    },
  });
  const weights = WEIGHT.map((_, c) =>
    range({
      label: `클래스 ${c}의 가중치`, min: 0, max: 3, step: 0.1,
      get: () => state.weight[c],
      change(value) {
        state.weight[c] = value;
        update();
      },
      format: (value) => fixed(value, 1),
    }));
  const sliders = html("div", { class: "x-sliders x-across" }, ...weights.map(({ node }) => node));
  const puzzle = riddle({
    question: "mean에서, 손실이 가장 큰 표본 1을 무시하면 손실은?",
    options: ["커진다", "그대로다", "작아진다"],
    right: 2,
    tried: () => state.ignored[1] && state.reduction === "mean" && !state.ignored.every(Boolean),
    because: "분자에서 2.2395가 빠지고 분모에서 1이 빠집니다. 평균보다 큰 것이 빠지면 평균은 내려갑니다.",
  });
  page.body.append(
    html("div", { class: "x-controls" }, reductions.node, weighting.node, button("모두 무시하기", () => { state.ignored.fill(true); update(); })),
    sliders,
    html("div", { class: "x-panel x-scroll" }, table),
    fraction,
    page.say,
    puzzle.node,
  );

  function light(n) {
    page.body.classList.toggle("x-lit", n >= 0);
    lines.forEach(({ row }, i) => row.classList.toggle("x-on", i === n));
    for (const { pieces } of [top, under]) pieces.forEach((piece, i) => piece.classList.toggle("x-on", i === n));
  }

  function update(quietly) {
    const weight = state.weighted ? state.weight : [1, 1, 1];
    const values = reduceLosses({ logits: LOGITS, target: TARGET, weight, ignored: state.ignored, reduction: state.reduction });
    const longest = Math.max(2.5, ...values.losses);
    lines.forEach((line, n) => {
      const ignored = state.ignored[n];
      line.check.checked = ignored;
      line.row.classList.toggle("x-off", ignored);
      line.answer.textContent = ignored ? HIDDEN : String(TARGET[n]);
      show(line.loss, `loss${n}`, values.plain[n]);
      show(line.weight, `weight${n}`, values.weights[n], fixed(values.weights[n], 1));
      line.bar.style.width = `${(values.losses[n] / longest) * 100}%`;
      show(line.scale, `scale${n}`, values.scales[n]);
      top.pieces[n].style.flexGrow = values.losses[n];
      under.pieces[n].style.flexGrow = values.weights[n];
    });
    const mean = state.reduction === "mean";
    const none = state.reduction === "none";
    show(top.value, "total", values.total);
    show(under.value, "mass", values.mass, fixed(values.mass, 1));
    under.node.classList.toggle("x-idle", !mean);
    top.node.classList.toggle("x-idle", none);
    under.name.textContent = state.weighted ? "분모: 가중치의 합" : "분모: 남은 표본 수";
    if (none) {
      formula.textContent = "손실 다섯 개를 그대로 ";
      show(result, "result", values.result.join(" "), `[${values.result.map((loss) => fixed(loss)).join(", ")}]`);
    } else {
      formula.textContent = mean ? `${fixed(values.total)} ÷ ${fixed(values.mass, 1)} = ` : "합 = ";
      show(result, "result", values.result);
    }
    result.classList.toggle("x-small", none);
    sliders.hidden = !state.weighted;
    for (const control of [reductions, weighting, ...weights]) control.update();
    puzzle.check();
    page.tell(sentence(values), quietly);
  }

  function sentence(values) {
    const left = state.ignored.filter((ignored) => !ignored).length;
    if (state.reduction === "none") return "none은 표본마다의 손실을 그대로 돌려줍니다. 무시한 표본의 손실은 0입니다.";
    if (state.reduction === "sum") return "sum은 나누지 않습니다. 배치가 커지면 손실과 기울기도 함께 커집니다.";
    if (left === 0) return "모두 무시하면 0 ÷ 0이라 mean은 nan입니다. sum으로 바꾸면 0입니다.";
    if (values.mass === 0) return "남은 표본의 가중치가 모두 0이라 0 ÷ 0, 곧 nan입니다.";
    if (state.weighted) return `mean은 표본 수 ${josa(left, "이", "가")} 아니라 남은 표본이 가진 가중치의 합 ${josa(fixed(values.mass, 1), "으로", "로")} 나눕니다.`;
    if (left < TARGET.length) return `무시한 표본은 분자에서도 분모에서도 빠집니다. 이제 ${josa(TARGET.length, "이", "가")} 아니라 ${josa(left, "으로", "로")} 나눕니다.`;
    return `mean은 손실의 합을 표본 수 ${josa(left, "으로", "로")} 나눕니다. 모든 표본의 기울기에 똑같이 ${josa(fixed(1 / left), "이", "가")} 곱해집니다.`;
  }

  page.mount();
  update(true);
}
