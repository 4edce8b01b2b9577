// 연습문제: 쓸 자리, 채점, 힌트. 답은 그 아래에 접혀 있습니다.
import { makeEditor } from "./editor.js";
import { make, Output } from "./output.js";

const RIGHT = "맞았습니다.";

export class Exercise {
  constructor({ start, check, before, index, draft, save, onCheck }) {
    Object.assign(this, { start, check, index, loads: check.loads });
    const name = `문제의 답을 쓰는 자리 ${index}`;
    this.verdict = make("p", { className: "live-verdict" });
    this.verdict.dataset.live = "verdict";
    this.verdict.setAttribute("role", "status");
    const output = make("div");
    output.dataset.live = "output";
    this.output = new Output(output);
    const button = make("button", { type: "button", textContent: "채점", onclick: () => onCheck(this) });
    button.dataset.live = "check";
    this.editor = makeEditor({
      source: draft ?? start.source,
      name: "답을 쓰는 자리",
      onRun: () => onCheck(this),
      onChange: (text) => { save(text); this.say(""); },
    });
    this.hints = make("ol", { className: "live-hints" });
    this.more = make("button", { type: "button", onclick: () => this.hint() });
    this.more.dataset.live = "hint";
    this.node = make("section", { className: "live-exercise" },
      make("p", { className: "live-label", textContent: "여기에 쓰고 채점해 보세요" }),
      make("div", { className: "code" }, this.editor.dom),
      make("div", { className: "live-row" }, button, this.more), this.hints, output, this.verdict);
    this.node.dataset.exercise = start.id;
    this.node.setAttribute("aria-label", name);
    before.before(this.node);
    this.clear();
  }

  // 힌트는 누를 때마다 하나씩.
  hint() {
    const hints = this.check.hints;
    this.hints.append(make("li", { textContent: hints[this.hints.children.length] }));
    this.label();
  }

  label() {
    const shown = this.hints.children.length, all = this.check.hints.length;
    this.more.hidden = shown >= all;
    this.more.textContent = `힌트 ${shown + 1}/${all}`;
  }

  say(text, verdict) {
    this.verdict.textContent = text;
    if (verdict) this.verdict.dataset.verdict = verdict;
    else delete this.verdict.dataset.verdict;
  }

  judge({ verdict, say, error }) {
    if (verdict === "right") return this.say(RIGHT, verdict);
    if (error) this.output.error(error);
    this.say(error ? "아직 아닙니다. 위의 오류부터 고쳐 보세요." : `아직 아닙니다. ${say}`, verdict);
  }

  // 먼저 돌아야 할 셀을 찾는 데 쓰는, 채점 셀이 읽는 이름.
  get binds() { return []; }

  get empty() {
    return this.editor.text.trim() === "" || this.editor.text === this.start.source;
  }

  reset() {
    this.editor.text = this.start.source;
    this.clear();
  }

  clear() {
    this.output.clear();
    this.hints.replaceChildren();
    this.label();
    this.say("");
  }
}
