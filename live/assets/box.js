// A text box for code: a textarea, until the reader goes into it and the editor takes its place. A classic script, so
// that it also works in a page that was opened as a file: there the textarea stays.
//
//   const box = textBox.code({ textarea, onRun, onChange });
//   box.text; box.text = "..."; box.focus(); box.goTo(line);
//
// The name of the editor is that of the textarea, its `aria-label`, and it stands in the same element. Where the
// editor cannot be fetched the textarea does the same: Ctrl+Enter runs, Tab indents after typing, and Escape, then Tab
// leaves.
//
// And the way from such a box to Python, which is fetched when it is first asked for, with what shows what it answers:
//
//   const { python, shown } = await live.connect();
"use strict";
globalThis.textBox = (() => {
  const INDENT = "    ";
  const SETTLED = 300; // milliseconds
  let fetched;

  // The same for words or a number: a textarea that stays one.
  function plain({ textarea, onRun = () => {}, onChange = () => {} }) {
    textarea.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      onRun();
    });
    textarea.addEventListener("input", onChange);
    return {
      get text() { return textarea.value; },
      set text(written) { if (textarea.value !== written) textarea.value = written; },
      focus() { textarea.focus(); },
      // Put the cursor at the beginning of a line; they count from 1.
      goTo(line) {
        const before = textarea.value.split("\n").slice(0, line - 1);
        const at = before.reduce((sum, text) => sum + text.length + 1, 0);
        textarea.focus();
        textarea.setSelectionRange(at, at);
      },
    };
  }

  function code({ textarea, onRun = () => {}, onChange = () => {} }) {
    let box = plain({ textarea, onRun, onChange });
    let typing = false;
    textarea.addEventListener("input", () => (typing = true));
    textarea.addEventListener("blur", () => (typing = false));
    textarea.addEventListener("keydown", (event) => {
      if (event.key === "Escape") typing = false;
      if (event.key !== "Tab" || event.shiftKey || !typing) return;
      event.preventDefault();
      // The one way that the browser's own undo knows of.
      document.execCommand("insertText", false, INDENT);
    });

    // Letters that are being put together, as those of Chinese are, are not torn apart.
    let composed = Promise.resolve();
    textarea.addEventListener("compositionstart", () => {
      composed = new Promise((resolve) => textarea.addEventListener("compositionend", resolve, { once: true }));
    });

    async function improve() {
      try {
        const { editor } = await (fetched ??= import("./editor.js"));
        // What was selected to be replaced, by a paste or by dictation, is replaced before the box is.
        await new Promise((resolve) => setTimeout(resolve, SETTLED));
        await composed;
        const focused = textarea.matches(":focus");
        const selection = [textarea.selectionStart, textarea.selectionEnd];
        const [parent, label] = [textarea.parentElement, textarea.getAttribute("aria-label")];
        box = editor({ parent, text: textarea.value, label, selection, onRun, onChange });
        if (focused) box.focus();
        textarea.remove();
      } catch {
        // Next time it may be there.
        fetched = undefined;
        textarea.addEventListener("focus", improve, { once: true });
      }
    }
    textarea.addEventListener("focus", improve, { once: true });

    return {
      get text() { return box.text; },
      set text(written) { if (box.text !== written) box.text = written; },
      focus() { box.focus(); },
      goTo(line) { box.goTo(line); },
    };
  }

  return { plain, code };
})();

globalThis.live = (() => {
  // Why something of the site could not be fetched.
  const failed = (what) =>
    new Error(
      location.protocol === "file:"
        ? `A page that was opened as a file cannot fetch ${what}. Read the page from a server: make serve starts one.`
        : `${what[0].toUpperCase()}${what.slice(1)} could not be fetched. What you typed is still here; try again.`,
    );

  let connection;
  async function connect() {
    try {
      connection ??= Promise.all([import("./python.js"), import("./output.js")]);
      const [{ python }, { shown }] = await connection;
      return { python, shown };
    } catch {
      connection = undefined;
      throw failed("Python");
    }
  }

  return { connect, failed };
})();
