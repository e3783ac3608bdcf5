// A problem set on its page: what was typed is kept here, checked by Python, and carried into the notebook and back.
// Nothing is calculated or judged in this script.
"use strict";
(() => {
  // What nbgrader leaves where an answer is to be written.
  const STUB = /# YOUR CODE HERE\n *raise NotImplementedError\(\)/;
  const NUMBER = /^\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*$/i;
  const LARGEST_NOTEBOOK = 2 ** 24;
  const key = (name) => `answer ${location.pathname}#${name}`;
  const list = (items) => [items.slice(0, -1).join(", "), items.at(-1)].filter(Boolean).join(" and ");

  // Where storage is shut off or full, what is typed is forgotten with the page, and the page says so.
  function kept(use) {
    try {
      return use(localStorage) ?? null;
    } catch {
      document.querySelector(".work-forgets").hidden = false;
      return null;
    }
  }

  function element(tag, text, properties = {}) {
    return Object.assign(document.createElement(tag), { textContent: text }, properties);
  }

  let python, shown;
  async function connect() {
    if (python) return;
    ({ python, shown } = await live.connect());
    python.addEventListener("state", ({ detail }) => {
      for (const task of tasks) if (task.running) task.status.textContent = detail.text;
    });
  }

  // What each kind of task puts into its cell of the notebook, finds there again, and does on Check.
  const kinds = {
    code: {
      box: textBox.code,
      written: (text) => text,
      read: (source) => source,
      check: async (task) => {
        await connect();
        // As in a notebook, a task may use what others before it define.
        const before = tasks.slice(0, tasks.indexOf(task)).filter(({ kind }) => kind === kinds.code).map(({ text }) => text);
        return python.ask("check", { task: task.name, code: task.text, before });
      },
    },
    // A number or an expression stands for the line that returns it.
    prediction: {
      box: textBox.plain,
      written: (text, stub) => (/^\s*(def|import|from)\b/m.test(text) ? text : stub.replace(STUB, () => `return ${text.trim()}`)),
      read(source, stub) {
        const [before, after] = stub.split(STUB);
        const inside = source.startsWith(before) && source.endsWith(after);
        const line = inside && source.slice(before.length, source.length - after.length).match(/^return (.+)$/);
        return line ? line[1] : source;
      },
      check: async (task) => {
        if (/^\s*-?\d*,\d+\s*$/.test(task.text)) return { said: `Write the number with a point: ${task.text.trim().replace(",", ".")}` };
        if (!task.text.trim()) return { said: "Prediction: not attempted yet" };
        let found = { said: `Your prediction: ${task.text.trim()}` };
        if (!NUMBER.test(task.text)) {
          await connect();
          const cell = kinds.prediction.written(task.text, task.stub);
          found = await python.ask("run", { code: `${cell}\nprint("Your prediction:", ${cell.match(/def (\w+)/)?.[1]}())` });
        }
        const picture = task.section.querySelector(".task-picture");
        if (picture && !found.error) picture.open = true;
        return found;
      },
    },
    words: {
      box: textBox.plain,
      written: (text) => text,
      read: (source) => source,
      check: async ({ text }) => {
        const count = text.split(/\s+/).filter(Boolean).length;
        const length = `Your answer has ${count} ${count === 1 ? "word" : "words"}.`;
        return { said: `${count ? length : "Your answer: not attempted yet."} A person reads it, by the criteria above.` };
      },
    },
  };

  class Task {
    constructor(section) {
      const part = (selector) => section.querySelector(selector);
      this.form = part(".answer-form");
      const { kind, cell, points } = this.form.dataset;
      Object.assign(this, { section, cell, name: section.dataset.task, label: this.form.getAttribute("aria-label") });
      this.kind = kinds[kind];
      this.points = kind === "code" ? Number(points) : 0;
      this.elsewhere = Number(points) - this.points;
      this.stub = part(".answer-stub pre")?.textContent.trimEnd();
      this.status = part("[role=status]");
      this.report = part(".answer-report");
      const textarea = part("textarea");
      this.blank = textarea.defaultValue;
      const [onRun, onChange] = [() => this.check(), () => this.changed()];
      this.box = this.kind.box({ textarea, onRun, onChange });
      part("label").addEventListener("click", () => this.box.focus());
      this.form.id ||= `${section.id}-answer`;
      for (const name of ["check", "stop", "reset", "undo"]) {
        this[`${name}Button`] = part(`.answer-${name}`);
        // Each task has buttons of the same names: a listener hears which one they belong to.
        this[`${name}Button`].setAttribute("aria-describedby", this.form.id);
        this[`${name}Button`].addEventListener("click", () => this[name]());
      }
      this.remember();
    }

    get text() { return this.box.text; }
    get isBlank() { return !this.text.trim() || this.text === this.blank; }

    // From storage: another tab may have written there.
    remember() {
      const stored = kept((store) => store.getItem(key(this.name)));
      let { text = this.blank, held = false } = {};
      try { ({ text = this.blank, held = false } = JSON.parse(stored) ?? {}); } catch { /* not from here */ }
      if (text !== this.text) this.forgetReport();
      this.box.text = text;
      this.held = held;
    }

    keep() {
      const value = JSON.stringify({ text: this.text, held: this.held });
      kept((store) => (this.text === this.blank ? store.removeItem(key(this.name)) : store.setItem(key(this.name), value)));
      tellPoints();
    }

    changed() {
      this.held = false;
      this.undoButton.hidden = true;
      // What was said of the text before; how Python comes along is still true.
      if (!this.running) this.status.textContent = "";
      const stale = this.report.querySelector(".answer-stale");
      if (stale) stale.hidden = false;
      this.keep();
    }

    write(text) {
      if (text === this.text) return;
      this.box.text = text;
      this.held = false;
      this.forgetReport();
      this.keep();
    }

    forgetReport() {
      this.report.hidden = true;
      this.report.replaceChildren();
      this.status.textContent = "";
    }

    reset() {
      const before = this.text;
      this.write(this.blank);
      this.undoButton.hidden = before === this.blank;
      this.before = before;
      this.status.textContent = "This task is as it was given out.";
    }

    undo() {
      this.write(this.before);
      this.undoButton.hidden = true;
      this.checkButton.focus();
    }

    async check() {
      if (this.running) return;
      const text = this.text;
      this.run(true);
      try {
        const found = await this.kind.check(this);
        this.show(found);
        this.held = this.points > 0 && found.passed && text === this.text;
        this.keep();
      } catch (error) {
        this.status.textContent = error.message;
      } finally {
        this.run(false);
      }
    }

    stop() {
      python?.stop();
      this.checkButton.focus();
    }

    run(isRunning) {
      this.running = isRunning;
      this.stopButton.hidden = !isRunning;
      this.checkButton.setAttribute("aria-disabled", isRunning);
      this.form.toggleAttribute("data-running", isRunning);
      if (isRunning) this.status.textContent = "";
    }

    // What the check says, as in JupyterLab; around it what was printed, or the error that ended it.
    show({ passed, said, html, printed, error }) {
      const parts = [element("p", "This is about your code as it was before the last change:", { className: "answer-stale", hidden: true })];
      if (said) parts.push(element("p", said));
      if (error) parts.push(...shown({ error }));
      if (error?.line) {
        const go = element("button", `Go to line ${error.line}`, { type: "button" });
        go.addEventListener("click", () => this.box.goTo(error.line));
        parts.push(go);
      }
      if (html) parts.push(element("div", "", { innerHTML: html }));
      if (printed) parts.push(element("p", "Printed:"), ...shown({ printed }));
      this.report.replaceChildren(...parts);
      this.report.dataset.verdict = passed ? "held" : error || html ? "not" : "";
      this.report.hidden = false;
      // A long print scrolls in its box, and the keyboard can reach it.
      for (const pre of this.report.querySelectorAll(".live-printed"))
        if (pre.scrollHeight > pre.clientHeight) Object.assign(pre, { tabIndex: 0, role: "group", ariaLabel: "Printed text" });
      this.status.textContent = parts.find((part) => !part.hidden)?.innerText.split("\n")[0] ?? "";
    }

    // The cell of this task in a notebook, with the answer in it or out of it.
    fill(cell) {
      if (this.isBlank) return;
      cell.source = this.kind.written(this.text, source(cell)).split(/(?<=\n)/);
    }

    answerIn(cell, released) {
      return source(cell).trim() === source(released).trim() ? "" : this.kind.read(source(cell), source(released));
    }
  }

  const source = ({ source }) => (Array.isArray(source) ? source.join("") : String(source ?? ""));
  const nameOf = (cell) => cell?.metadata?.nbgrader?.grade_id ?? cell?.id;
  const cellOf = (notebook, task) => notebook.cells.find((cell) => nameOf(cell) === task.cell);

  const part = (name) => document.querySelector(`.work-${name}`);
  const tasks = [...document.querySelectorAll("section[data-task]")].map((section) => new Task(section));

  function tellPoints() {
    const sum = (name, of = tasks) => of.reduce((total, task) => total + task[name], 0);
    const now = sum("points", tasks.filter(({ held }) => held));
    part("points").textContent = `${now} of ${sum("points")} points hold now. The prediction and the answer in words, `
      + `${sum("elsewhere")} points more, are not judged here. The grade is given elsewhere: the notebook that you hand `
      + "in is checked on inputs drawn anew.";
  }

  // The notebook as it was given out.
  const link = part("notebook");
  async function released() {
    let text;
    try {
      text = await (await fetch(link.href)).text();
      return { text, notebook: JSON.parse(text) };
    } catch {
      throw live.failed("the notebook");
    }
  }

  // Byte for byte as it was given out, but for the answers.
  async function download() {
    part("done").textContent = "";
    try {
      const { text, notebook } = await released();
      for (const task of tasks) task.fill(cellOf(notebook, task));
      const filled = JSON.stringify(notebook, null, 1) + (text.endsWith("\n") ? "\n" : "");
      const href = URL.createObjectURL(new Blob([filled], { type: "application/x-ipynb+json" }));
      element("a", "", { href, download: decodeURIComponent(link.pathname.split("/").at(-1)) }).click();
      setTimeout(() => URL.revokeObjectURL(href), 60_000);
      const empty = tasks.filter(({ isBlank }) => isBlank).map(({ label }) => label.toLowerCase());
      const left = empty.length ? `; without an answer: ${list(empty)}` : "";
      part("done").textContent = `Your notebook is saved${left}.`;
    } catch (error) {
      part("done").textContent = error.message;
    }
  }

  // The answers in a file: pairs of a task and a text. What is no notebook of this set is told in a sentence.
  async function answersIn(file) {
    const name = `“${file.name}”`;
    if (file.size > LARGEST_NOTEBOOK) throw new Error(`${name} is larger than any notebook of this course.`);
    let loaded;
    try {
      loaded = JSON.parse(await file.text());
    } catch {
      throw new Error(`${name} is not a notebook: it cannot be read as one. Nothing was changed.`);
    }
    if (!Array.isArray(loaded?.cells)) throw new Error(`${name} is not a notebook of format 4. Nothing was changed.`);
    const { notebook } = await released();
    const pairs = tasks.map((task) => [task, cellOf(loaded, task), cellOf(notebook, task)]);
    const found = pairs.filter(([, cell]) => cell);
    // Some names are those of cells in every set.
    if (found.length < tasks.length / 2) throw new Error(`${name} is not a notebook of this set. Nothing was changed.`);
    return found.map(([task, cell, given]) => [task, task.answerIn(cell, given)]).filter(([, text]) => text.trim());
  }

  // What stands on the page already goes only if the reader says so.
  async function load(file) {
    const said = part("loaded");
    part("question").hidden = true;
    said.textContent = "";
    try {
      const answers = await answersIn(file);
      const other = answers.filter(([task, text]) => !task.isBlank && task.text !== text).map(([task]) => task);
      const put = (replace) => {
        const taken = answers.filter(([task]) => replace || !other.includes(task));
        for (const [task, text] of taken) task.write(text);
        part("question").hidden = true;
        const names = taken.map(([task]) => task.label.toLowerCase());
        said.textContent = names.length ? `Loaded from “${file.name}”: ${list(names)}.` : `“${file.name}” has no answers to load.`;
      };
      if (!other.length) return put(true);
      part("asked").textContent = `“${file.name}” answers ${list(other.map(({ label }) => label.toLowerCase()))} differently from this page.`;
      part("replace").onclick = () => put(true);
      part("spare").onclick = () => put(false);
      part("question").hidden = false;
      part("replace").focus();
    } catch (error) {
      said.textContent = error.message;
    }
  }

  let erased = [];
  function erase() {
    erased = tasks.map((task) => [task, task.text]).filter(([task]) => !task.isBlank);
    for (const task of tasks) {
      task.write(task.blank);
      task.undoButton.hidden = true;
    }
    part("back").hidden = erased.length === 0;
    part("done").textContent = "Your answers to this set are erased from this browser.";
  }

  part("download").addEventListener("click", download);
  part("erase").addEventListener("click", erase);
  part("back").addEventListener("click", () => {
    for (const [task, text] of erased) task.write(text);
    part("back").hidden = true;
    part("done").textContent = "Your answers are back.";
    part("erase").focus();
  });
  part("file").addEventListener("change", ({ target }) => {
    if (target.files.length) load(target.files[0]);
    // The same file may be chosen again.
    target.value = "";
  });

  // What another tab writes appears here, too.
  function follow(name) {
    for (const task of tasks) if (name === null || name === key(task.name)) task.remember();
    tellPoints();
  }
  addEventListener("storage", (event) => follow(event.key));
  addEventListener("pageshow", ({ persisted }) => persisted && follow(null));
  tellPoints();
})();
