// 글 13: 랭크마다 수 세 개만 주고받아도 손실이 나옵니다. 최댓값을 맞추지 않고 더하면 틀립니다.
import { logsumexp, sum } from "./math.js";
import { choice, fixed, frame, html, josa, onResize, range, riddle, show } from "./shared.js";

const LOGITS = [1, 2, 3, 2, 0, 0];
const TARGET = 3;
const LIMIT = 6;

// 랭크가 제 조각에서 구하는 세 수
function threeNumbers(logits, begin) {
  const m = Math.max(...logits);
  const place = TARGET - begin;
  return { m, s: sum(logits.map((z) => Math.exp(z - m))), t: place >= 0 && place < logits.length ? logits[place] : 0 };
}

export default function build(root) {
  const state = { logits: [...LOGITS], ranks: 2, scaled: true };
  const page = frame(root, {
    title: "만져 보기: 랭크마다 수 세 개",
    hint: "클래스 여섯 개의 로짓을 랭크가 나누어 가졌습니다. 네모를 두른 것이 정답입니다. 로짓과 랭크 수를 바꿔 보세요.",
    state,
    address: { logits: [-LIMIT, LIMIT], ranks: [1, 2, 3], scaled: [true, false] },
    onReset() {
      Object.assign(state, { logits: [...LOGITS], ranks: 2, scaled: true });
      update(true);
    },
  });
  const knobs = LOGITS.map((_, c) => {
    const value = html("span", { class: c === TARGET ? "g-number g-answer" : "g-number" });
    const input = html("input", {
      type: "range", class: "x-range g-range", min: -LIMIT, max: LIMIT, step: 0.1, "aria-label": `클래스 ${c}의 로짓`,
      oninput() {
        state.logits[c] = Number(input.value);
        update();
      },
    });
    return { value, input, node: html("div", { class: "g-knob" }, value, input) };
  });
  const cards = html("div", { class: "s-ranks" });
  const ranks = choice({
    label: "랭크 수", options: [1, 2, 3].map((count) => [count, `${count}개`]),
    get: () => state.ranks,
    change(count) {
      state.ranks = count;
      update();
    },
  });
  const scaling = choice({
    label: "합칠 때", options: [[true, "최댓값을 맞추어"], [false, "그냥 더하기"]],
    get: () => state.scaled,
    change(scaled) {
      state.scaled = scaled;
      update();
    },
  });
  const loss = html("output", { "aria-live": "off" });
  const whole = html("output", { "aria-live": "off" });
  const puzzle = riddle({
    question: "최댓값을 맞추지 않고 S를 그냥 더하면 손실은?",
    options: ["그대로다", "작아진다", "커진다"],
    right: 2,
    tried: () => !state.scaled && state.ranks > 1,
    because: "작은 최댓값을 뺀 랭크의 합은 그만큼 부풀어 있습니다. 합이 커지니 손실도 커집니다.",
  });
  page.body.append(
    cards,
    html("div", { class: "x-controls" }, ranks.node, scaling.node),
    html("div", { class: "x-sum" },
      html("div", { class: "x-part x-ink-q" }, loss, html("span", {}, "합친 손실")),
      html("div", { class: "x-part x-ink-good" }, whole, html("span", {}, "한 랭크로 계산한 손실"))),
    page.say,
    puzzle.node,
  );
  const boxes = [0, 1, 2].map((r) => {
    const numbers = { m: html("dd"), s: html("dd"), t: html("dd") };
    const held = html("div", { class: "s-held" });
    const node = html("div", { class: "x-card" }, html("p", { class: "x-name" }, `랭크 ${r}`), held,
      html("dl", { class: "x-steps" }, html("dt", {}, "최댓값 m"), numbers.m, html("dt", {}, "지수의 합 S"), numbers.s, html("dt", {}, "정답 로짓 t"), numbers.t));
    return { node, held, numbers };
  });
  cards.append(...boxes.map(({ node }) => node));

  // 슬라이더를 옮겨 담으면 초점을 잃으므로 랭크 수가 바뀔 때만 나누어 담습니다.
  let dealt;
  function deal() {
    if (dealt === state.ranks) return;
    dealt = state.ranks;
    boxes.forEach(({ node, held }, r) => {
      node.hidden = r >= state.ranks;
      held.replaceChildren(...knobs.slice((r * 6) / state.ranks, ((r + 1) * 6) / state.ranks).map((knob) => knob.node));
    });
    cards.style.setProperty("--ranks", state.ranks);
  }

  function update(quietly) {
    deal();
    const size = 6 / state.ranks;
    const found = Array.from({ length: state.ranks }, (_, r) => threeNumbers(state.logits.slice(r * size, (r + 1) * size), r * size));
    knobs.forEach(({ value, input }, c) => {
      show(value, `z${c}`, state.logits[c], fixed(state.logits[c], 1));
      input.value = state.logits[c];
      input.setAttribute("aria-valuetext", fixed(state.logits[c], 1));
    });
    boxes.forEach(({ numbers }, r) => {
      for (const key of ["m", "s", "t"]) {
        if (found[r]) show(numbers[key], `${key}${r}`, found[r][key], fixed(found[r][key], key === "s" ? 4 : 1));
        else delete numbers[key].dataset.name;
      }
    });
    const m = Math.max(...found.map((one) => one.m));
    const total = sum(found.map((one) => one.s * (state.scaled ? Math.exp(one.m - m) : 1)));
    const joined = m + Math.log(total) - sum(found.map((one) => one.t));
    const truth = logsumexp(state.logits) - state.logits[TARGET];
    show(loss, "loss", joined);
    show(whole, "whole", truth);
    ranks.update();
    scaling.update();
    puzzle.check();
    const moved = `랭크마다 수 세 개, 모두 ${3 * state.ranks}개가 오갑니다.`;
    page.tell(Math.abs(joined - truth) < 1e-9
      ? `${moved} 클래스가 여섯 개가 아니라 26만 개여도 세 개입니다. 손실은 ${fixed(joined)}, 한 랭크로 계산한 것과 같습니다.`
      : `랭크마다 다른 최댓값을 뺀 합을 그대로 더했습니다. 손실이 ${fixed(truth)}에서 ${josa(fixed(joined), "으로", "로")} 커졌습니다.`, quietly);
  }

  page.mount();
  update(true);
  onResize([cards], () => update(true));
}
