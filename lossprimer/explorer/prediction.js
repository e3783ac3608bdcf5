// A prediction covers what follows it until the reader has answered. Nothing is calculated here: what is said of each
// answer stands on the page, and so do the limits of the numbers that count as it. Answers stay in this browser.
"use strict";
(() => {
  const CELL = ".cell, .jp-Cell";
  const ENDS = "section, h1, h2, h3, h4, h5, h6, nav, footer";
  const root = document.documentElement.dataset.content_root ?? "./";
  // The browser keeps one list for all books of a host: an answer is kept by page and question, and this site's
  // own answers are those whose page is below its root.
  const mine = `prediction ${new URL(root, location.href).pathname}`;
  const key = (id) => `prediction ${location.pathname}#${id}`;

  // Where storage is shut off, answers are forgotten with the page.
  function kept(use) {
    try { return use(localStorage); } catch { return null; }
  }

  // What a prediction covers: all up to the next heading, or so many code cells with the text among and after them.
  function* following(cell, count) {
    if (count === 0) return;
    for (let next = cell.nextElementSibling; next && !next.matches(ENDS); next = next.nextElementSibling) {
      const cells = next.matches(CELL) ? 1 : next.matches(".prediction-cover") ? next.querySelectorAll(CELL).length : 0;
      if (cells && count <= 0) return;
      count -= cells;
      yield next;
    }
  }

  // "until-found": the browser's own search and links to a place inside still find what is covered, and open it.
  function coverAfter(element) {
    const cell = element.closest(CELL) ?? element;
    const cover = Object.assign(document.createElement("div"), { className: "prediction-cover" });
    const covered = [...following(cell, Number(element.dataset.cells ?? Infinity))];
    cell.after(cover);
    cover.append(...covered);
    return cover;
  }

  function start(element) {
    const said = element.querySelector(".prediction-said");
    const show = element.querySelector(".prediction-show");
    const answer = element.querySelector(".prediction-answer");
    const number = element.querySelector("input[type=number]");
    const radios = [...element.querySelectorAll("input[type=radio]")];
    const told = [...element.querySelectorAll("dd")];
    const right = told.find((dd) => "right" in dd.dataset);
    const textOf = (dd) => dd.previousElementSibling.firstElementChild.textContent;
    const cover = coverAfter(element);
    // Each question has buttons of the same names: a listener hears which one they belong to.
    const question = element.querySelector("legend");
    question.id = `${element.id}-question`;
    for (const one of [show, answer, element.querySelector("summary")]) one.setAttribute("aria-describedby", question.id);
    show.hidden = false;
    if (number) answer.hidden = false;

    function open(isOpen) {
      element.dataset.state = isOpen ? "open" : "covered";
      show.textContent = isOpen ? "Cover again" : "Show anyway";
      if (isOpen) cover.removeAttribute("hidden");
      else cover.setAttribute("hidden", "until-found");
    }

    // What was answered: an option's text, a number as it was typed, "" for none but shown; undefined is covered.
    function set(given) {
      const chosen = number
        ? told.find(({ dataset }) => dataset.least <= Number(given) && Number(given) <= dataset.most)
        : told.find((dd) => given && textOf(dd) === given);
      const answered = Boolean(given) && (number !== null || chosen !== undefined);
      radios.forEach((radio, i) => {
        radio.checked = told[i] === chosen;
        const marks = answered ? [radio.checked && "your answer", told[i] === right && "right"] : [];
        radio.closest(".prediction-option").dataset.mark = marks.filter(Boolean).join(", ");
      });
      if (number) number.value = answered ? given : "";
      else answer.hidden = true;
      const rest = `The answer is: ${textOf(right)}. ${right.textContent}`;
      const judged = chosen === right ? `Right. ${right.textContent}` : `Not quite. ${chosen?.textContent ?? ""} ${rest}`;
      said.textContent = answered ? judged.replace(/\s+/g, " ") : "";
      said.dataset.verdict = answered ? (chosen === right ? "right" : "wrong") : "";
      open(given !== undefined);
    }

    function give(given) {
      kept((store) => (given === undefined ? store.removeItem(key(element.id)) : store.setItem(key(element.id), given)));
      set(given);
    }

    function judge() {
      if (!number) {
        const chosen = radios.find((radio) => radio.checked);
        if (chosen) give(chosen.value);
      } else if (number.value && number.validity.valid) {
        give(number.value);
      } else {
        said.dataset.verdict = "";
        said.textContent = `Please type a number from ${number.min} to ${number.max}.`;
        number.focus();
      }
    }

    // Choosing an option answers. But the arrow keys choose on their way through: then Space, Enter or the button does.
    let passing = false;
    for (const radio of radios) {
      radio.addEventListener("keydown", (event) => {
        passing = event.key.startsWith("Arrow");
        if (event.key === "Enter" || (event.key === " " && radio.checked)) judge();
      });
      radio.addEventListener("keyup", () => (passing = false));
      radio.addEventListener("click", () => {
        if (passing && element.dataset.state === "covered") answer.hidden = false;
        else judge();
      });
    }
    number?.addEventListener("keydown", (event) => event.key === "Enter" && judge());
    answer.addEventListener("click", () => {
      judge();
      if (answer.hidden) radios.find((radio) => radio.checked)?.focus();
    });
    show.addEventListener("click", () => give(element.dataset.state === "covered" ? "" : undefined));
    cover.addEventListener("beforematch", () => open(true));

    set(kept((store) => store.getItem(key(element.id))) ?? undefined);
    return { cover, set, open };
  }

  // The last one first: a cover that holds another one has it inside.
  const predictions = [...document.querySelectorAll(".prediction")].reverse().map(start);

  // A link to a place, or to a setting of an explorer, opens the covers around it.
  function openForLink() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)).split(".")[0]);
    for (const { cover, open } of predictions) if (target && cover.contains(target)) open(true);
  }
  openForLink();
  addEventListener("hashchange", openForLink);

  // What is kept, where, and a button that forgets it: on every page that asks, and on any other once a page has.
  const answers = () => kept((store) => Object.keys(store).filter((name) => name.startsWith(mine))) ?? [];
  if (!predictions.length && !answers().length) return;
  const clear = Object.assign(document.createElement("button"), { type: "button", textContent: "Clear my predictions" });
  clear.addEventListener("click", () => {
    answers().forEach((name) => kept((store) => store.removeItem(name)));
    predictions.forEach(({ set }) => set(undefined));
    // A script that keeps something else of the reader's on this page clears it now.
    dispatchEvent(new Event("clear-kept"));
    clear.textContent = "Predictions cleared";
    setTimeout(() => (clear.textContent = "Clear my predictions"), 2000);
  });
  const note = Object.assign(document.createElement("p"), { className: "prediction-kept" });
  note.append("Your predictions are kept in this browser and sent nowhere. ", clear);
  ([...document.querySelectorAll("footer")].at(-1) ?? document.body).append(note);
})();
