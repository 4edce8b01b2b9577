// 셀의 편집기. 처음 들어왔을 때 Tab은 다음으로 넘어가고, 고치기 시작하면 들여쓰기가 됩니다. Esc를 누르면 다시 넘어갑니다.
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { python } from "@codemirror/lang-python";
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";

export function makeEditor({ source, name, onChange, onRun }) {
  let typing = false;
  const run = () => (onRun(), true);
  const tab = (command) => (view) => typing && command(view);
  const keys = [
    { key: "Shift-Enter", run },
    { key: "Mod-Enter", run },
    { key: "Tab", run: tab(indentMore), shift: tab(indentLess) },
    { key: "Escape", run: () => ((typing = false), false) },
  ];
  const view = new EditorView({
    state: EditorState.create({
      doc: source,
      extensions: [
        keymap.of([...keys, ...defaultKeymap, ...historyKeymap]),
        history(), python(), indentUnit.of("    "), indentOnInput(), bracketMatching(),
        syntaxHighlighting(classHighlighter),
        EditorView.contentAttributes.of({ "data-live": "source", tabindex: "0", "aria-label": name, "aria-describedby": "live-keys", spellcheck: "false", autocapitalize: "off" }),
        EditorView.domEventHandlers({ pointerdown: () => { typing = true; }, blur: () => { typing = false; } }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          typing = update.view.hasFocus;
          onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    dom: view.dom,
    get text() { return view.state.doc.toString(); },
    set text(text) { view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }); },
    focus: () => view.focus(),
  };
}
