// 셀의 출력을 그립니다.
export const make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};

const box = (kind, ...children) => make("div", { className: `cell-output ${kind}` }, ...children);

// 옆으로 밀리는 상자는 키보드로도 밀 수 있게 합니다.
export function markScrollable(root) {
  for (const node of root.querySelectorAll("[data-live=output] :is(pre, .table-box)")) {
    const wide = node.scrollWidth > node.clientWidth;
    if (wide) Object.assign(node, { tabIndex: 0, role: "group", ariaLabel: "출력, 옆으로 밀어 보세요" });
    else for (const name of ["tabindex", "role", "aria-label"]) node.removeAttribute(name);
  }
}

export class Output {
  constructor(node) {
    this.node = node;
    this.stored = [...node.childNodes];
    this.figures = this.stored.filter((child) => child.querySelector?.("img"));
    this.last = null;
  }

  clear() {
    this.node.replaceChildren();
    this.last = null;
    this.drawn = 0;
  }

  restore() {
    this.node.replaceChildren(...this.stored);
  }

  add({ kind, data }) {
    if (kind === "png") this.node.append(this.picture(data));
    else if (kind === "html") this.node.append(box("cell-output-display", make("div", { className: "table-box", innerHTML: data })));
    else this.write(kind, data);
    if (kind === "png" || kind === "html") this.last = null;
  }

  write(kind, text) {
    if (this.last?.kind !== kind) {
      const code = make("code");
      this.node.append(box(kind === "stderr" ? "cell-output-stderr" : "cell-output-stdout", make("pre", {}, code)));
      this.last = { kind, code };
    }
    this.last.code.append(text);
  }

  // 저장된 그림의 설명과 대신할 말을 그대로 쓰고 그림만 바꿉니다.
  picture(data) {
    const stored = this.figures[this.drawn++];
    const figure = stored ? stored.cloneNode(true) : box("cell-output-display", make("figure", {}, make("img", { alt: "이 셀이 그린 그림", className: "figure-image" })));
    const image = figure.querySelector("img");
    image.loading = "eager";
    image.onload = () => { image.width = image.naturalWidth / 2; image.height = image.naturalHeight / 2; };
    image.src = `data:image/png;base64,${data}`;
    const link = image.closest("a");
    if (link) link.href = image.src;
    return figure;
  }

  error({ name, message, line, text, help }) {
    const where = line ? `${line}번째 줄: ` : "";
    const parts = [make("p", {}, make("strong", { textContent: name }), ` ${where}`, make("code", { textContent: text }))];
    if (message) parts.push(make("pre", { textContent: message }));
    if (help) parts.push(make("p", { textContent: help }));
    const node = make("div", { className: "live-error" }, ...parts);
    node.setAttribute("role", "alert");
    this.node.append(node);
    this.last = null;
  }
}
