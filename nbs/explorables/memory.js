// 글 12: N, V, H, 자료형을 바꾸면 로짓이 차지하는 바이트가 넓이로 보입니다. 조각으로 나누면 띠 하나만 남습니다.
import { memoryBytes } from "./math.js";
import { canvas, choice, fixed, frame, html, narrow, onResize, range, riddle, set, show, svg, text } from "./shared.js";

const SIZES = { float32: 4, bfloat16: 2, float16: 2 };
const VOCABULARIES = [[3000, "보기"], [11172, "한글 음절"], [32000, "Llama 2"], [51200, "KoGPT2"], [128256, "Llama 3"], [262144, "Gemma 3"]];
const START = { n: 8192, v: 262144, h: 2048, rows: 256, gpu: 24, dtype: "float32" };
const GPUS = [8, 16, 24, 40, 80, 141];
const PARTS = [
  ["copies", "한꺼번에: 로짓 세 벌", "x-q"],
  ["logits", "한꺼번에: 로짓 한 벌", "x-q"],
  ["chunk", "조각으로: 한 조각", "x-good"],
  ["hidden", "은닉 상태 (N, H)", "x-p"],
  ["weight", "가중치 행렬 (V, H)", "x-third"],
];

const powersOf = (low, high) => Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
const count = (value) => value.toLocaleString("ko-KR");

function size(bytes) {
  for (const [unit, scale] of [["GB", 1e9], ["MB", 1e6], ["KB", 1e3]])
    if (bytes >= scale) return `${fixed(bytes / scale, 2)} ${unit}`;
  return `${bytes} B`;
}

export default function build(root) {
  const state = { ...START };
  const page = frame(root, {
    title: "만져 보기: 로짓은 몇 기가바이트일까요",
    hint: "슬라이더를 밀어 보세요. 네모의 넓이가 바이트이고, 초록 띠가 조각 하나입니다.",
    state,
    address: { n: powersOf(8, 16), v: VOCABULARIES.map(([v]) => v), h: powersOf(8, 13), rows: powersOf(4, 13), gpu: GPUS, dtype: Object.keys(SIZES) },
    onReset() {
      Object.assign(state, START);
      update(true);
    },
  });

  const picture = canvas({ label: "행렬의 넓이로 본 바이트", height: 186, heading: "은닉 상태 × 가중치 행렬 = 로짓" });
  const shape = (className) => {
    const rect = svg("rect", { class: className });
    const label = text({ class: "x-label", "text-anchor": "middle" });
    picture.picture.append(rect, label);
    return { rect, label };
  };
  const blocks = { hidden: shape("x-area x-area-p"), weight: shape("x-area x-area-third"), logits: shape("x-area x-area-q"), chunk: shape("x-area x-area-good") };
  const chunkInHidden = svg("rect", { class: "x-area x-area-good" });
  picture.picture.insertBefore(chunkInHidden, blocks.hidden.label);

  const bars = PARTS.map(([key, words, className]) => {
    const value = html("output", { "aria-live": "off" });
    const bar = html("span", { class: `x-meter ${className}` });
    const node = html("div", { class: "x-line" }, html("span", { class: "x-line-name" }, words), html("div", { class: "x-line-track", "aria-hidden": "true" }, bar), value);
    return { key, node, value, bar };
  });

  // 2의 거듭제곱을 고르는 슬라이더: 눈금은 지수, 글자는 값
  const powers = (label, key, low, high, unit) =>
    range({
      label, min: low, max: high, step: 1,
      get: () => Math.log2(state[key]),
      change(power) {
        state[key] = 2 ** power;
        update();
      },
      format: (power) => count(2 ** power) + unit,
    });
  const controls = [
    powers("토큰 수 N", "n", 8, 16, ""),
    powers("은닉 크기 H", "h", 8, 13, ""),
    range({
      label: "어휘 크기 V", min: 0, max: VOCABULARIES.length - 1, step: 1,
      get: () => VOCABULARIES.findIndex(([v]) => v === state.v),
      change(index) {
        state.v = VOCABULARIES[index][0];
        update();
      },
      format: (index) => `${count(VOCABULARIES[index][0])} (${VOCABULARIES[index][1]})`,
    }),
    powers("한 조각의 줄 수", "rows", 4, 13, ""),
    range({
      label: "내 GPU의 메모리", min: 0, max: GPUS.length - 1, step: 1,
      get: () => GPUS.indexOf(state.gpu),
      change(index) {
        state.gpu = GPUS[index];
        update();
      },
      format: (index) => `${GPUS[index]} GB`,
    }),
  ];
  const dtypes = choice({
    label: "자료형 (4바이트, 2바이트, 2바이트)",
    options: Object.keys(SIZES).map((name) => [name, name]),
    get: () => state.dtype,
    change(dtype) {
      state.dtype = dtype;
      update();
    },
  });
  const chunks = html("output", { "aria-live": "off" });
  const saved = html("output", { "aria-live": "off" });
  page.body.classList.add("x-two");
  const puzzle = riddle({
    question: "토큰 수 N을 두 배로 하면 조각 하나의 로짓은?",
    options: ["두 배", "그대로"],
    right: 1,
    tried: () => state.n > START.n && state.rows === START.rows,
    because: "조각의 줄 수는 그대로이고, 조각의 수만 두 배가 됩니다.",
  });
  picture.panel.append(
    html(
      "div",
      { class: "x-sum" },
      html("div", { class: "x-part" }, chunks, html("span", {}, "조각 수")),
      html("div", { class: "x-part x-ink-good" }, saved, html("span", {}, "로짓에서 아끼는 양")),
    ),
  );
  page.body.append(
    picture.panel,
    html("div", { class: "x-sliders" }, ...controls.map(({ node }) => node), dtypes.node),
    html("div", { class: "x-lines x-wide" }, ...bars.map(({ node }) => node)),
    page.say,
    puzzle.node,
  );

  function draw() {
    const { n, v, h, rows } = state;
    const width = picture.width() - 2;
    const tall = narrow(root) ? 150 : picture.height;
    set(picture.picture, { height: tall });
    const height = tall - 4;
    const sx = (width - 6) / (h + v);
    const sy = (height - 6) / (h + n);
    const part = Math.min(rows, n) * sy;
    const place = (block, x, y, w, tall, words) => {
      set(block.rect, { x, y, width: Math.max(1, w), height: Math.max(1, tall) });
      set(block.label, { x: x + w / 2, y: y + tall / 2 + 4 });
      block.label.textContent = w > 62 && tall > 18 ? words : "";
    };
    const x0 = h * sx + 6;
    const y0 = h * sy + 6;
    place(blocks.weight, x0, 1, v * sx, h * sy, "가중치 (H × V)");
    place(blocks.hidden, 1, y0, h * sx, n * sy, "은닉 (N × H)");
    place(blocks.logits, x0, y0, v * sx, n * sy, "로짓 (N × V)");
    place(blocks.chunk, x0, y0, v * sx, part, "");
    set(chunkInHidden, { x: 1, y: y0, width: Math.max(1, h * sx), height: Math.max(1, part) });
    if (part > n * sy * 0.3) blocks.logits.label.textContent = "";
    if (part > 18) blocks.chunk.label.textContent = "한 조각";
  }

  function update(quietly) {
    const bytes = memoryBytes({ ...state, size: SIZES[state.dtype] });
    const most = Math.max(...PARTS.map(([key]) => bytes[key]));
    draw();
    for (const { key, value, bar } of bars) {
      show(value, key, bytes[key], size(bytes[key]));
      bar.style.width = `${(bytes[key] / most) * 100}%`;
    }
    show(chunks, "chunks", bytes.chunks, count(bytes.chunks));
    show(saved, "saved", bytes.copies - bytes.chunk, size(bytes.copies - bytes.chunk));
    for (const control of [...controls, dtypes]) control.update();
    puzzle.check();
    page.tell(sentence(bytes), quietly);
  }

  function sentence(bytes) {
    const fits = (need) => (need <= state.gpu * 1e9 ? "들어갑니다" : "들어가지 않습니다");
    const layer = bytes.hidden + bytes.weight;
    const whole = fits(layer + bytes.copies), parts = fits(layer + bytes.chunk);
    const mine = `은닉 상태와 가중치까지 더하면 ${state.gpu} GB에 ${whole === parts ? `어느 쪽도 ${parts}` : `한꺼번에는 ${whole}. 조각으로는 ${parts}`}.`;
    if (bytes.chunks === 1) return `조각 하나가 배치 전체라서 나눈 것이 없습니다. 로짓 한 벌만 ${size(bytes.logits)}입니다.`;
    const versus = bytes.logits / bytes.hidden;
    return `로짓 한 벌이 은닉 상태의 ${fixed(versus, 1)}배이고, 한꺼번에 구하면 가장 많을 때 세 벌이 함께 있습니다. ${mine}`;
  }

  page.mount();
  update(true);
  onResize([picture.picture], () => update(true));
}
