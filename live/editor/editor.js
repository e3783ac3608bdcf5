// The editor of the pages: CodeMirror 6 with what a few lines of Python need. Bundled by live/bundle.py.
import { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
import { pythonLanguage } from "@codemirror/lang-python";
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Annotation, EditorState, Prec } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const HELP = "Control Enter runs the code. After typing, Tab indents; press Escape, then Tab, to leave the editor.";
const ours = Annotation.define();

// Only colours of the page, so that the editor follows it from light to dark.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.self], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
  { tag: tags.definition(tags.variableName), color: "var(--pst-color-primary)" },
  { tag: tags.definition(tags.className), color: "var(--pst-color-primary)" },
  { tag: tags.comment, color: "var(--pst-color-text-muted)" },
]);

const look = EditorView.theme({
  "&": {
    color: "var(--pst-color-text-base)",
    background: "var(--pst-color-background)",
    border: "1px solid var(--pst-color-text-muted)",
    borderRadius: "0.375rem",
  },
  "&.cm-focused": { outline: "3px solid var(--pst-color-primary)", outlineOffset: "2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", fontSize: "var(--code)", lineHeight: "1.5" },
  ".cm-content": { padding: "0.75rem 0", caretColor: "var(--pst-color-text-base)" },
  ".cm-line": { padding: "0 0.125rem 0 0.375rem" },
  ".cm-gutters": { border: "0", background: "inherit", color: "var(--pst-color-text-muted)" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "1.25rem", padding: "0 0 0 0.125rem" },
  "&.cm-focused .cm-matchingBracket": { background: "none", outline: "1px solid currentColor" },
  "&.cm-focused .cm-nonmatchingBracket": { background: "none", color: "var(--pst-color-danger)" },
});

// What is selected on the page, as places in the text, or nothing.
function selected(view) {
  const selection = view.root.getSelection?.();
  if (!selection || selection.isCollapsed || !view.contentDOM.contains(selection.anchorNode)) return null;
  const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
  return { anchor: view.posAtDOM(anchorNode, anchorOffset), head: view.posAtDOM(focusNode, focusOffset) };
}

// When it draws, CodeMirror puts its own selection in the place of one that it has not heard of yet. A program that fills
// in forms gives the focus, selects all and writes at once.
function keepSelected(event, view) {
  queueMicrotask(() => {
    const selection = selected(view);
    if (selection) view.dispatch({ selection });
  });
}

// Where text replaces other text, Chromium would copy the look of the old into a style attribute, which the policy
// forbids; so the editor does it.
function replace(event, view) {
  const selection = selected(view);
  if (event.inputType !== "insertText" || event.isComposing || !event.data || !selection) return false;
  const [from, to] = [selection.anchor, selection.head].sort((one, other) => one - other);
  const insert = view.state.toText(event.data);
  view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length }, userEvent: "input.type" });
  event.preventDefault();
  return true;
}

/**
 * An editor of Python code at the end of `parent`.
 *
 * It lives in a shadow root: there CodeMirror's style sheets are constructed, which a policy without inline styles
 * allows. `selection` is where the cursor stands at first, `[from, to]`.
 */
export function editor({ parent, text = "", label, selection = [0, 0], onRun = () => {}, onChange = () => {} }) {
  const host = Object.assign(document.createElement("div"), { className: "editor" });
  const root = host.attachShadow({ mode: "open", delegatesFocus: true });
  const help = Object.assign(document.createElement("p"), { id: "help", hidden: true, textContent: HELP });
  parent.append(host);
  root.append(help);

  // Who comes by Tab passes on by Tab. Only after typing does it indent, until Escape is pressed or focus goes.
  let typing = false;
  const whenTyping = (command) => (view) => typing && command(view);
  const keys = [
    { key: "Mod-Enter", run: () => { onRun(); return true; } },
    { key: "Tab", run: whenTyping(indentMore), shift: whenTyping(indentLess) },
    { key: "Escape", run: () => { typing = false; return false; } },
  ];
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      selection: { anchor: selection[0], head: selection[1] },
      extensions: [
        Prec.highest(keymap.of(keys)),
        history(),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        lineNumbers(),
        pythonLanguage,
        indentUnit.of("    "),
        indentOnInput(),
        bracketMatching(),
        syntaxHighlighting(colours),
        look,
        EditorView.contentAttributes.of({ "aria-label": label, "aria-describedby": "help", tabindex: "0" }),
        EditorView.domEventHandlers({ beforeinput: replace, focus: keepSelected, blur: () => { typing = false; } }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged || update.transactions.some((transaction) => transaction.annotation(ours))) return;
          typing = true;
          onChange();
        }),
      ],
    }),
  });

  return {
    get text() { return view.state.doc.toString(); },
    // The cursor stays where it was, as far as the new text goes.
    set text(written) {
      const head = Math.min(view.state.selection.main.head, written.length);
      const changes = { from: 0, to: view.state.doc.length, insert: written };
      view.dispatch({ changes, selection: { anchor: head }, annotations: ours.of(true) });
    },
    focus() { view.focus(); },
    /** Put the cursor at the beginning of a line; they count from 1. */
    goTo(line) {
      const { from } = view.state.doc.line(Math.max(1, Math.min(line, view.state.doc.lines)));
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
      view.focus();
    },
  };
}
