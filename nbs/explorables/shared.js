// 만져 보는 그림이 함께 쓰는 조각: 요소 만들기, 숫자 적기, 끌 수 있는 손잡이, 단추.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

export const html = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

// ---- 숫자

export function fixed(value, digits = 4) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "−inf";
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

export const signed = (value, digits = 4) => (value > 0 && Number(value.toFixed(digits)) > 0 ? "+" : "") + fixed(value, digits);

// 자리의 글자를 바꾸고, 온전한 값을 data-value에 남깁니다. 화면의 숫자와 검사하는 숫자가 한 곳에서 나옵니다.
export function show(node, name, value, text = fixed(value)) {
  node.dataset.name = name;
  node.dataset.value = String(value);
  node.textContent = text;
}

// 숫자를 읽는 소리의 받침에 맞는 조사: 3이, 5가, 3으로, 5로, 1로
export function josa(number, withFinal, without) {
  const last = String(number).at(-1);
  const closed = withFinal === "으로" ? "036" : "013678";
  return number + (closed.includes(last) ? withFinal : without);
}

// ---- 틀

let serial = 0;
export const newId = (name) => `x-${name}-${++serial}`;

// 제목, 한 줄 안내, 처음으로 단추, 몸통. 읽어 주는 문장(say)은 그림마다 알맞은 자리에 넣습니다.
// address에 적은 값은 쪽의 주소에도 적습니다. 그 주소로 열면 같은 그림이 나옵니다.
export function frame(root, { title, hint, onReset, state = {}, address = {} }) {
  const id = newId("title");
  const remember = bookmark(root.dataset.explorable, state, address);
  // 제목의 높이는 글에서 바로 앞에 있는 제목보다 하나 아래입니다.
  const above = [...document.querySelectorAll("h1, h2, h3, h4")].filter((node) => node.compareDocumentPosition(root) & Node.DOCUMENT_POSITION_FOLLOWING).at(-1);
  const level = above ? Number(above.tagName[1]) + 1 : 2;
  const body = html("div", { class: "x-body" });
  const say = html("p", { class: "x-wide x-say", "aria-live": "polite" });
  const reset = html("button", { type: "button", class: "x-button x-reset", onclick: onReset }, "처음으로");
  const box = html(
    "div",
    { class: "x-box", role: "group", "aria-labelledby": id },
    html("div", { class: "x-head" }, html("p", { class: "x-title", id, role: "heading", "aria-level": level }, title), reset),
    html("p", { class: "x-hint" }, hint),
    body,
  );
  let waiting;
  return {
    body,
    say,
    mount() {
      root.replaceChildren(box);
      root.classList.add("x-ready");
      if (remember.opened) root.scrollIntoView({ block: "center" });
    },
    // 끄는 동안에는 화면 낭독기가 쉬도록 잠시 멈춘 뒤에 읽습니다.
    tell(words, quietly) {
      const text = words.replaceAll("p − y", "p\u00a0−\u00a0y"); // 식은 줄 끝에서 나누지 않습니다
      clearTimeout(waiting);
      if (quietly) say.textContent = text;
      waiting = setTimeout(() => {
        say.textContent = text;
        remember();
      }, 250);
    },
  };
}

// 주소에 적힌 값(?이름=logits:1,2,3;temperature:0.5)을 state에 넣고, 지금의 값을 적는 함수를 돌려줍니다.
// 받을 수 있는 값: 수의 [아래, 위]나 값의 목록. 그 밖의 값은 버립니다.
function bookmark(name, state, address) {
  const keys = Object.keys(address);
  const flat = (key) => [state[key]].flat(Infinity);
  const read = (text, key) => {
    const range = address[key];
    if (typeof range[0] === "number" && range.length === 2) return text !== "" && Number(text) >= range[0] && Number(text) <= range[1] ? Number(text) : undefined;
    return range.find((value) => String(value) === text);
  };
  const shaped = (like, values) => (Array.isArray(like) ? like.map((part) => shaped(part, values)) : values.shift());
  const write = () => keys.map((key) => `${key}:${flat(key).map((value) => (typeof value === "number" ? Number(value.toFixed(4)) : value)).join(",")}`).join(";");
  const first = write();
  const given = new URLSearchParams(location.search).get(name)?.split(";") ?? [];
  for (const part of given) {
    const [key, text = ""] = part.split(":");
    if (!keys.includes(key)) continue;
    const values = text.split(",").map((word) => read(word, key));
    if (values.length === flat(key).length && !values.includes(undefined)) state[key] = shaped(state[key], values);
  }
  const remember = () => {
    const url = new URL(location);
    const now = write();
    if (now === first) url.searchParams.delete(name);
    else url.searchParams.set(name, now);
    const text = url.href.replaceAll("%3A", ":").replaceAll("%3B", ";").replaceAll("%2C", ",");
    if (text !== location.href) history.replaceState(history.state, "", text);
  };
  return Object.assign(remember, { opened: given.length > 0 });
}

// 먼저 짐작하고, 해 보고, 맞았는지 봅니다. tried()가 참이 되면 답을 말합니다.
export function riddle({ question, options, right, tried, because }) {
  let guess;
  let solved = false;
  const verdict = html("span", { class: "x-riddle-verdict", role: "status" });
  const buttons = options.map((words, i) =>
    html("button", {
      type: "button", class: "x-button x-guess", "aria-pressed": "false",
      onclick() {
        guess = i;
        buttons.forEach((node, k) => node.setAttribute("aria-pressed", String(k === i)));
        check();
      },
    }, words));
  function check() {
    solved ||= guess !== undefined && tried();
    const words = guess === undefined ? "" : !solved ? "이제 해 보세요." : `${guess === right ? "맞았습니다." : `아닙니다. 답은 ‘${options[right]}’입니다.`} ${because}`;
    if (verdict.textContent !== words) verdict.textContent = words;
    node.classList.toggle("x-solved", solved && guess === right);
  }
  const node = html("div", { class: "x-wide x-riddle" }, html("b", {}, question), html("span", { class: "x-buttons" }, ...buttons), verdict);
  return { node, check };
}

export const narrow = (root) => root.clientWidth < 544; // explorables.css의 34rem

// 그림판. 글자 크기가 화면 너비에 따라 줄지 않도록 실제 픽셀로 그립니다.
export function canvas({ label, height, heading }) {
  const picture = svg("svg", { class: "x-canvas", height, role: "group", "aria-label": label });
  const panel = html("div", { class: "x-panel" });
  panel.append(html("p", { class: "x-heading" }, ...[heading].flat()));
  panel.append(picture);
  return { panel, picture, height, width: () => Math.max(120, picture.clientWidth) };
}

export function onResize(nodes, draw) {
  const observer = new ResizeObserver(() => draw());
  for (const node of nodes) observer.observe(node);
}

export function text(attributes, content = "") {
  return svg("text", attributes, content);
}

// 화살표: 세 점으로 된 촉이 달린 선
export function arrow(className) {
  const line = svg("line", { class: "x-arrow-line" });
  const head = svg("path", { class: "x-arrow-head" });
  const node = svg("g", { class: `x-arrow ${className}`, "aria-hidden": "true" }, line, head);
  return {
    node,
    to(x, from, end) {
      const long = Math.abs(end - from);
      node.style.display = long < 1 ? "none" : "";
      const tip = Math.min(7, long);
      const way = Math.sign(end - from);
      set(line, { x1: x, x2: x, y1: from, y2: end - way * tip * 0.8 });
      set(head, { d: `M${x - tip * 0.62} ${end - way * tip}L${x + tip * 0.62} ${end - way * tip}L${x} ${end}Z` });
    },
  };
}

// 축과 눈금이 있는 그림판. x와 y는 [아래, 위], ticks는 눈금에 적을 값입니다. curve는 점의 목록을 그립니다.
export function chart({ x, y, xTicks, yTicks, ...rest }) {
  const board = canvas(rest);
  const left = 40, top = 12, bottom = rest.height - 24;
  const right = () => board.width() - 8;
  const px = (value) => left + ((value - x[0]) / (x[1] - x[0])) * (right() - left);
  const py = (value) => bottom - ((Math.min(y[1], Math.max(y[0], value)) - y[0]) / (y[1] - y[0])) * (bottom - top);
  const across = xTicks.map((value) => [value, text({ class: "x-tick", y: bottom + 18, "text-anchor": "middle" }, String(value).replace("-", "−"))]);
  const upward = yTicks.map((value) => [value, svg("line", { class: "x-guide", x1: left }), text({ class: "x-tick", x: left - 6, "text-anchor": "end" }, String(value).replace("-", "−"))]);
  board.picture.append(...across.map(([, label]) => label), ...upward.flatMap(([, line, label]) => [line, label]));
  return {
    ...board,
    px,
    py,
    axes() {
      for (const [value, label] of across) set(label, { x: px(value) });
      for (const [value, line, label] of upward) {
        set(line, { x2: right(), y1: py(value), y2: py(value) });
        set(label, { y: py(value) + 4 });
      }
    },
    curve: (points) => (points.length ? "M" + points.map(([a, b]) => `${px(a).toFixed(1)} ${py(b).toFixed(1)}`).join("L") : ""),
  };
}

// ---- 손잡이

const KEYS = {
  ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10, Home: -Infinity, End: Infinity,
};

// SVG 안의 슬라이더. zone은 마우스로 눌러 바로 옮길 수 있는 넓은 자리,
// read(event)는 마우스 자리를 값으로 바꿉니다.
export function slider({ label, min, max, step, vertical = true, picture, zone, read, get, change, begin = () => {}, reach = 20 }) {
  const node = svg("g", {
    class: "x-slider",
    role: "slider",
    tabindex: 0,
    "aria-label": label,
    "aria-valuemin": min,
    "aria-valuemax": max,
    "aria-orientation": vertical ? "vertical" : "horizontal",
  });
  const grip = svg("ellipse", { class: "x-grip", rx: reach, ry: 22 });
  const ring = svg("circle", { class: "x-ring", r: 12 });
  const knob = svg("circle", { class: "x-knob", r: 7 });
  node.append(grip, ring, knob);

  const tidy = (value) => Math.min(max, Math.max(min, Math.round(value / step) * step));
  const drag = (event) => {
    const box = picture.getBoundingClientRect();
    change(tidy(read(event.clientX - box.left, event.clientY - box.top)));
  };
  let dragging = false;
  const start = (event) => {
    if (event.button !== 0) return;
    dragging = true;
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    begin();
    event.preventDefault();
  };
  node.addEventListener("pointerdown", start);
  // 세로 손잡이: SVG 안쪽 요소에는 touch-action이 듣지 않아, 손가락이 닿으면 글이 넘어가지 않게 직접 막습니다.
  // 가로 손잡이: 옆으로 끌면 손잡이가, 위아래로 쓸면 글이 움직이게 그림에 맡깁니다.
  if (vertical) node.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  else picture.style.touchAction = "pan-y";
  node.addEventListener("pointermove", (event) => dragging && drag(event));
  const stop = () => (dragging = false);
  node.addEventListener("pointerup", stop);
  node.addEventListener("pointercancel", stop);
  node.addEventListener("keydown", (event) => {
    if (!(event.key in KEYS)) return;
    event.preventDefault();
    begin();
    change(tidy(Math.min(max, Math.max(min, get() + KEYS[event.key] * step))));
  });
  if (zone) {
    zone.classList.add("x-zone");
    zone.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse") return;
      start(event);
      if (dragging) drag(event);
    });
    // 손가락으로는 톡 두드려 옮깁니다. 쓸어내리면 글이 넘어갑니다.
    zone.addEventListener("click", (event) => {
      if (event.pointerType === "mouse") return;
      begin();
      drag(event);
    });
  }
  return {
    node,
    place(x, y, value, valueText) {
      for (const part of [grip, ring, knob]) set(part, { cx: x, cy: y });
      set(node, { "aria-valuenow": value, "aria-valuetext": valueText });
    },
  };
}

// 눈금이 있는 가로 슬라이더(브라우저의 것)
export function range({ label, min, max, step, get, change, format }) {
  const id = newId("range");
  const input = html("input", {
    type: "range", id, min, max, step, value: get(), class: "x-range",
    oninput: () => change(Number(input.value)),
  });
  const output = html("output", { for: id, class: "x-value", "aria-live": "off" });
  const node = html("div", { class: "x-field" }, html("label", { for: id }, label), input, output);
  return {
    node,
    input,
    update() {
      input.value = get();
      const words = format(get());
      input.setAttribute("aria-valuetext", words);
      output.textContent = words;
    },
  };
}

// 하나만 고르는 단추들
export function choice({ label, options, get, change }) {
  const name = newId("choice");
  const inputs = options.map(([value, words]) => {
    const input = html("input", { type: "radio", name, value, onchange: () => change(value) });
    return [value, input, html("label", {}, input, html("span", {}, words))];
  });
  const node = html(
    "fieldset",
    { class: "x-choice" },
    html("legend", {}, label),
    html("div", { class: "x-options" }, ...inputs.map(([, , item]) => item)),
  );
  return { node, update: () => inputs.forEach(([value, input]) => (input.checked = value === get())) };
}

export const button = (words, onclick, className = "") =>
  html("button", { type: "button", class: `x-button ${className}`, onclick }, words);

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
