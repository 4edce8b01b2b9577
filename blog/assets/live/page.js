// 글을 노트북으로 바꿉니다. 글머리의 단추를 누를 때만 불러옵니다.
import { makeEditor } from "./editor.js";
import { Exercise } from "./exercise.js";
import { plan } from "./order.js";
import { gone, mark } from "./outdated.js";
import { make, markScrollable, Output } from "./output.js";
import { Python, Stopped } from "./python.js";

const PATIENCE = 30_000; // 이만큼 지나면 멈출지 묻습니다
const html = document.documentElement;
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)}초`;
const million = (bytes) => (bytes / 1e6).toFixed(1);

// 브라우저에 적어 두는 것: 고친 셀과 쓴 답. 글이 바뀌면 그 셀의 것은 버립니다.
class Drafts {
  constructor(post) {
    this.key = `live:${post}`;
    try { this.kept = JSON.parse(localStorage.getItem(this.key)) ?? {}; } catch { this.kept = {}; }
  }
  get({ id, source }) {
    return this.kept[id]?.[0] === source ? this.kept[id][1] : undefined;
  }
  set({ id, source }, text) {
    if (text === source) delete this.kept[id];
    else this.kept[id] = [source, text];
    try { localStorage.setItem(this.key, JSON.stringify(this.kept)); } catch {}
  }
  clear() {
    this.kept = {};
    try { localStorage.removeItem(this.key); } catch {}
  }
}

// 아래에 붙는 띠: 단추 셋과 지금 하는 일.
class Bar {
  constructor({ runAll, stop, reset }) {
    const button = (name, text, onclick) => {
      const node = make("button", { type: "button", textContent: text, onclick });
      node.dataset.live = name;
      return node;
    };
    this.runAll = button("run-all", "모두 돌리기", runAll);
    this.stop = button("stop", "멈추기", stop);
    this.reset = button("reset", "처음으로", reset);
    this.text = make("span", { className: "live-say" });
    this.text.setAttribute("role", "status");
    this.progress = make("progress", { max: 1, value: 0, hidden: true });
    this.progress.setAttribute("aria-label", "받는 중");
    const keys = make("span", { id: "live-keys", hidden: true, textContent: "Shift+Enter로 돌립니다. 고치는 동안 Tab은 들여쓰기이고, Esc를 누르면 Tab으로 나갑니다." });
    this.node = make("div", { className: "live-bar" }, this.runAll, this.stop, this.reset, this.text, this.progress, keys);
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", "글 안에서 돌리기");
    document.body.append(this.node);
  }
  // loading, ready, running, failed
  become(state, text) {
    html.dataset.live = state;
    this.text.textContent = text;
    this.runAll.disabled = state !== "ready";
    this.reset.disabled = state === "loading";
    this.stop.disabled = state !== "running";
    this.progress.hidden = state !== "loading";
    delete this.node.dataset.offer;
  }
  loaded({ got, total, later }) {
    const all = got === total;
    this.progress.value = got / total;
    this.progress.hidden = Boolean(later && all);
    const what = later ? "그림 그릴 것을 받는 중" : "받는 중";
    this.text.textContent = all ? (later ? "도는 중" : "파이썬을 켜는 중") : `${what} ${million(got)} / ${million(total)}MB`;
  }
  offer() {
    this.node.dataset.offer = "";
    this.text.textContent = "30초가 지났는데 아직 돌고 있습니다. 멈출까요?";
  }
}

class Cell {
  constructor(facts, index, page) {
    Object.assign(this, facts, { index, page, original: facts.source, looked: facts.source, first: facts, ran: false, stale: false });
    if (!this.shown) return;
    this.box = document.querySelector(`[data-cell="${this.id}"]`);
    this.output = new Output(this.box.querySelector('[data-live="output"]'));
    const code = this.box.querySelector('.code[data-live="source"]');
    delete code.dataset.live;
    this.editor = makeEditor({ source: this.source, name: `코드 셀 ${index + 1}`, onRun: () => page.runTo(this), onChange: (text) => page.edited(this, text) });
    code.replaceChildren(this.editor.dom);
    const run = make("button", { type: "button", textContent: "▶", title: "돌리기 (Shift+Enter)", onclick: () => page.runTo(this) });
    run.dataset.live = "run";
    run.setAttribute("aria-label", `코드 셀 ${index + 1} 돌리기`);
    this.note = make("span", { className: "live-note" });
    this.output.node.before(make("div", { className: "live-row" }, run, this.note));
    const draft = page.drafts.get(this);
    if (draft !== undefined) this.editor.text = draft;
  }

  set state(state) {
    this.ran = state === "ok" || state === "error" || state === "skipped";
    if (this.box) this.box.dataset.state = state;
  }

  say(...text) {
    this.note?.replaceChildren(...text);
  }

  setStale(text) {
    this.stale = true;
    if (!this.box) return;
    this.box.dataset.stale = "";
    this.say(text);
  }

  fresh() {
    this.stale = false;
    if (this.box) delete this.box.dataset.stale;
  }

  skipped(missing) {
    this.output?.restore();
    const link = make("a", { href: `${this.page.colab}#scrollTo=${this.id}`, rel: "noopener", textContent: "Colab에서 돌리기" });
    const why = missing.includes("torch") ? "이 셀은 PyTorch가 있어야 합니다." : "이 셀은 PyTorch로 만든 값을 씁니다.";
    this.say(`${why} 저장된 출력을 그대로 둡니다. `, link);
  }

  reset() {
    Object.assign(this, { binds: this.first.binds, loads: this.first.loads, looked: this.original });
    if (this.editor && this.editor.text !== this.original) this.editor.text = this.original;
    this.fresh();
    this.output?.restore();
    this.state = "stored";
    this.say("");
  }
}

class Page {
  constructor({ post, colab, cells }, button) {
    Object.assign(this, { colab, button, queue: [], exercises: [], cells: [], owner: new Map() });
    this.drafts = new Drafts(post);
    this.bar = new Bar({ runAll: () => this.runAll(), stop: () => this.stop(), reset: () => this.reset() });
    this.python = new Python((progress) => this.bar.loaded(progress));
    this.facts = cells;
  }

  async load() {
    this.bar.become("loading", "받는 중");
    await this.python.ask("load", { source: this.facts.map(({ source }) => source).join("\n") });
  }

  // 셀을 편집기로, 연습문제를 쓸 자리로 바꿉니다.
  build() {
    const starts = [];
    for (const [index, facts] of this.facts.entries()) {
      if (facts.role === "start") starts.push(facts);
      else if (facts.role === "check") this.addExercise(starts.pop(), facts, index);
      else {
        this.cells.push(new Cell(facts, index, this));
      }
    }
  }

  addExercise(start, check, index) {
    const answer = this.facts.slice(this.facts.indexOf(start)).find((facts) => facts.shown);
    const before = document.querySelector(`[data-cell="${answer.id}"]`);
    const save = (text) => this.drafts.set(start, text);
    this.exercises.push(new Exercise({ start, check, before, index, draft: this.drafts.get(start), save, onCheck: (exercise) => this.check(exercise) }));
  }

  ready(text = "준비되었습니다. 아무 셀이나 고치고 ▶를 누르세요.") {
    this.bar.become("ready", text);
  }

  // 고친 셀과, 그 셀이 만든 것을 쓰는 아래의 셀은 낡았습니다.
  edited(cell, text) {
    this.drafts.set({ id: cell.id, source: cell.original }, text);
    cell.setStale("고친 뒤 아직 돌리지 않았습니다.");
    const changed = new Set(cell.binds);
    for (const below of this.cells) {
      if (below.index <= cell.index || below === cell) continue;
      if (below.loads.some((name) => changed.has(name))) {
        below.setStale("위에서 바뀐 것을 아직 쓰지 않았습니다. 다시 돌려 보세요.");
        for (const name of below.binds) changed.add(name);
      } else for (const name of below.binds) changed.delete(name);
    }
  }

  // 이 셀을, 그 앞에 돌아야 할 셀을 먼저 돌린 다음에 돌립니다.
  runTo(cell) {
    this.add([cell], true);
  }

  runAll() {
    this.add(this.cells);
  }

  check(exercise) {
    if (exercise.empty) return exercise.say("아직 아닙니다. 비어 있습니다. 먼저 써 보세요.", "wrong");
    exercise.say("채점하는 중…");
    this.add([exercise], true);
  }

  // 고친 셀이 만드는 이름과 읽는 이름을 다시 봅니다.
  async look(cell) {
    if (!cell.editor || cell.looked === cell.editor.text) return;
    cell.looked = cell.editor.text;
    const names = await this.python.ask("names", { source: cell.looked });
    if (cell instanceof Exercise) cell.loads = [...new Set([...cell.check.loads, ...(names.loads ?? [])])].filter((name) => !(names.binds ?? []).includes(name));
    else Object.assign(cell, names);
  }

  async before(one) {
    for (const cell of [...this.cells, one]) if (cell === one || cell.stale) await this.look(cell);
    return plan(this.cells, one, this.owner);
  }

  // 할 일을 줄 세우고 차례로 합니다. 하나만 돌릴 때는 그 앞에 돌아야 할 셀을 찾아 먼저 돌립니다.
  async add(work, alone = false) {
    this.queue.push(...work.map((one) => ({ one, planned: !alone })));
    if (html.dataset.live !== "ready") return;
    const began = performance.now();
    const problems = new Set();
    this.bar.become("running", "");
    while (this.queue.length) {
      const late = setTimeout(() => this.bar.offer(), PATIENCE);
      try {
        const { one, planned } = this.queue.shift();
        if (!planned) this.queue.unshift(...(await this.before(one)).map((each) => ({ one: each, planned: true })));
        else {
          this.bar.text.textContent = this.queue.length ? `도는 중, ${this.queue.length}개 남음` : "도는 중";
          if (!(await (one instanceof Exercise ? this.judge(one) : this.run(one)))) problems.add(one);
        }
      } catch (error) {
        if (!(error instanceof Stopped)) this.fail(error);
        return;
      } finally {
        clearTimeout(late);
        delete this.bar.node.dataset.offer;
      }
    }
    markScrollable(document);
    const said = [`끝났습니다(${seconds(began)}).`], old = this.markOld();
    if (problems.size) said.push(`셀 ${problems.size}개에서 오류가 났습니다.`);
    if (old) said.push(`글에서 밑줄 친 수 ${old}개는 고치기 전의 것입니다.`);
    this.ready(said.join(" "));
  }

  // 고친 셀이 있으면, 글에 적힌 수 가운데 출력에서 사라진 것에 표시를 합니다.
  markOld() {
    const edited = this.cells.some(({ editor, original }) => editor && editor.text !== original);
    const outputs = edited ? this.cells.map(({ output }) => output).filter(Boolean) : [];
    return mark(document.querySelector("article"), gone(outputs.flatMap(({ stored }) => stored), outputs.map(({ node }) => node)));
  }

  async run(cell) {
    const began = performance.now();
    let started = false;
    const first = () => {
      if (!started) cell.output?.clear();
      started = true;
    };
    this.running = cell;
    if (cell.box) cell.box.dataset.state = "running";
    cell.say("도는 중…");
    const source = cell.editor ? cell.editor.text : cell.source;
    const result = await this.python.ask("run", { source, label: `셀 ${cell.index + 1}` }, (output) => { first(); cell.output?.add(output); });
    this.running = null;
    Object.assign(cell, { binds: result.binds, loads: result.loads, state: result.state });
    cell.looked = source;
    for (const name of cell.binds) this.owner.set(name, cell);
    if (!cell.editor || cell.editor.text === source) cell.fresh();
    if (result.state === "skipped") cell.skipped(result.missing);
    else {
      first();
      cell.say(`방금 돌린 출력입니다(${seconds(began)}).`);
      if (result.error) cell.output?.error(result.error);
    }
    return result.state !== "error" || !cell.shown;
  }

  async judge(exercise) {
    exercise.output.clear();
    const { start, check, editor } = exercise;
    this.running = exercise;
    const result = await this.python.ask("check", { source: editor.text, check: check.source, own: start.binds, label: `답 ${start.id}` }, (output) => exercise.output.add(output));
    this.running = null;
    exercise.judge(result);
    return true;
  }

  // 파이썬을 끝내고 새로 켭니다. 변수는 사라지므로 돌았던 셀도 다시 돌아야 합니다.
  async stop() {
    const { running } = this;
    this.queue = [];
    this.python.stop();
    if (running instanceof Exercise) running.say("멈추었습니다.");
    else if (running) {
      running.output?.restore();
      running.state = "stored";
      running.say("멈추었습니다. 저장된 출력입니다.");
    }
    this.running = null;
    for (const cell of this.cells) cell.ran = false;
    await this.restart("멈추었습니다. 변수가 모두 사라졌으니, ▶를 누르면 필요한 셀부터 다시 돕니다.");
  }

  async reset() {
    this.queue = [];
    this.python.stop();
    this.running = null;
    for (const cell of this.cells) cell.reset();
    for (const exercise of this.exercises) exercise.reset();
    this.drafts.clear();
    this.markOld();
    await this.restart("처음으로 돌아왔습니다.");
  }

  async restart(text) {
    this.owner.clear();
    try {
      await this.load();
      this.ready(text);
    } catch (error) {
      if (!(error instanceof Stopped)) this.fail(error);
    }
  }

  fail(error) {
    console.error(error);
    this.python.stop();
    this.bar.become("failed", "파이썬을 켜지 못했습니다. 네트워크를 확인하고 ‘처음으로’를 눌러 보세요.");
  }
}

export async function start(button) {
  button.disabled = true;
  html.dataset.live = "loading";
  const style = make("link", { rel: "stylesheet", href: new URL("live.css", import.meta.url).href });
  document.head.append(style);
  try {
    const response = await fetch(button.dataset.cells);
    if (!response.ok) throw new Error(`${response.status} ${response.url}`);
    const page = new Page(await response.json(), button);
    const loading = page.load();
    page.build();
    button.hidden = true;
    page.bar.node.querySelector("button").focus({ preventScroll: true });
    addEventListener("resize", () => markScrollable(document));
    await loading;
    page.ready();
    page.bar.runAll.focus({ preventScroll: true });
  } catch (error) {
    console.error(error);
    html.dataset.live = "failed";
    button.disabled = button.hidden = false;
    button.textContent = "▶ 받지 못했습니다. 다시 눌러 보세요";
    document.querySelector(".live-bar")?.remove();
    style.remove();
  }
}
