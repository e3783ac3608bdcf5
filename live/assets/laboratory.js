// A laboratory is a cell of the page whose code a reader can change and run. What was typed stays in this browser.
"use strict";
(() => {
  const root = document.documentElement.dataset.content_root ?? "./";
  // The browser keeps one list for all books of a host: see prediction.js.
  const mine = `laboratory ${new URL(root, location.href).pathname}`;
  const folder = new URL(`${root}_static/live/`, location.href).pathname;
  const about = document.querySelector(".laboratory-setup");
  const { setup = "", size = "" } = about ? JSON.parse(about.textContent) : {};

  // Where storage is shut off, what was typed is forgotten with the page.
  function kept(use) {
    try { return use(localStorage); } catch { return null; }
  }

  // As python.js says it.
  const hasStarted = () => kept((store) => store.getItem(`python ${folder}`)) !== null;
  const named = (element, role, name) => {
    if (role) element.setAttribute("role", role);
    if (name) element.setAttribute("aria-label", name);
    return element;
  };
  const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

  function start(cell, i) {
    const input = cell.querySelector(".cell_input");
    const stored = cell.querySelector(".cell_output");
    const code = input.querySelector("pre").textContent.trimEnd();
    const key = `laboratory ${location.pathname}#${cell.dataset.laboratory}`;
    const name = `laboratory ${i + 1}`;
    const button = (textContent, onclick) => made("button", { type: "button", textContent, onclick });
    const plainly = { spellcheck: false, autocomplete: "off", autocapitalize: "off", wrap: "off" };
    const textarea = made("textarea", { value: code, rows: code.split("\n").length, ...plainly });
    named(textarea, "", `Your code, ${name}`);
    const run = button(hasStarted() ? "Run" : `Run (loads Python, ${size})`, go);
    const stop = button("Stop", () => running?.stop());
    const reset = button("Reset", () => {
      box.text = code;
      changed();
      box.focus();
    });
    const status = named(made("p", { className: "laboratory-status" }), "status");
    const output = named(made("div", { className: "laboratory-output", hidden: true }), "region", `Output, ${name}`);
    const stale = made("p", { className: "laboratory-stale", textContent: "This output is that of an earlier version of the code.", hidden: true });
    const buttons = made("p", { className: "laboratory-buttons" });
    const field = made("div", { className: "laboratory-code" });
    stop.hidden = true;
    buttons.append(run, stop, reset, made("span", { textContent: "Ctrl+Enter runs, too." }));
    field.append(textarea);
    input.before(made("p", { className: "laboratory-title", textContent: "Laboratory" }), field, buttons, status, stale);
    cell.append(output);
    named(cell, "group", name[0].toUpperCase() + name.slice(1));
    cell.id ||= `laboratory-${i + 1}`;
    for (const one of [run, stop, reset]) one.setAttribute("aria-describedby", cell.id);
    cell.classList.add("laboratory");
    const box = textBox.code({ textarea, onRun: go, onChange: changed });
    let busy = false;
    let running = null;
    let ran = code;

    function changed() {
      stale.hidden = box.text === ran || !(stored || output.hasChildNodes());
      kept((store) => (box.text === code ? store.removeItem(key) : store.setItem(key, box.text)));
      reset.hidden = box.text === code;
    }

    function show(parts, isStored = false) {
      output.replaceChildren(...parts);
      output.hidden = parts.length === 0;
      if (stored) stored.hidden = !isStored;
    }

    const tell = ({ detail: { text } }) => (status.textContent = text);

    async function go() {
      if (busy) return;
      busy = true;
      stop.hidden = false;
      status.textContent = "Starting Python";
      try {
        const { python, shown } = await live.connect();
        const text = box.text;
        running = python;
        python.addEventListener("state", tell);
        const found = await python.ask("run", { code: text, setup });
        show(shown(found));
        ran = text;
        changed();
        status.textContent = found.error ? "The code ended with an error." : "Done.";
        for (const other of document.querySelectorAll(".laboratory-run")) other.textContent = "Run";
      } catch (error) {
        status.textContent = error.message;
      }
      running?.removeEventListener("state", tell);
      running = null;
      if (stop.matches(":focus")) run.focus();
      stop.hidden = true;
      busy = false;
    }

    run.className = "laboratory-run";
    const typed = kept((store) => store.getItem(key));
    if (typed !== null) box.text = typed;
    changed();
    return function forget() {
      box.text = ran = code;
      show([], true);
      changed();
      status.textContent = "";
    };
  }

  const laboratories = [...document.querySelectorAll("[data-laboratory]")].map(start);

  // On every page that has one: what is kept of all, where, and a button that forgets it.
  const keys = () => kept((store) => Object.keys(store).filter((name) => name.startsWith(mine))) ?? [];
  const clear = made("button", { type: "button", textContent: "Erase my code" });
  clear.addEventListener("click", () => {
    keys().forEach((name) => kept((store) => store.removeItem(name)));
    laboratories.forEach((forget) => forget());
    clear.textContent = "Code erased";
    setTimeout(() => (clear.textContent = "Erase my code"), 2000);
  });
  const note = made("p", { className: "prediction-kept" });
  note.append("What you change in a laboratory is kept in this browser and sent nowhere. ", clear);
  ([...document.querySelectorAll("footer")].at(-1) ?? document.body).append(note);
})();
