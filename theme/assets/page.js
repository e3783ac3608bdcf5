// What a page does beyond being read: colours, the way to the search, the reader's place, scrolling by keyboard,
// copying, naming, printing.
(() => {
  "use strict";
  const page = document.documentElement;
  const root = page.dataset.content_root;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // Where storage is shut off, all is forgotten with the page.
  function kept(use) {
    try { return use(localStorage); } catch { return null; }
  }

  // Colours: automatic, light or dark; the choice is remembered.
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const modeButton = document.querySelector(".mode-button");

  function paint() {
    const { mode } = page.dataset;
    const automatic = prefersDark.matches ? "dark" : "light";
    page.dataset.theme = mode === "auto" ? automatic : mode;
    modeButton.ariaLabel = `Colours: ${mode}`;
    modeButton.querySelector("span").textContent = mode[0].toUpperCase() + mode.slice(1);
  }

  modeButton.addEventListener("click", () => {
    // Leaving the automatic mode always changes something.
    const order = prefersDark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
    page.dataset.mode = order[(order.indexOf(page.dataset.mode) + 1) % order.length];
    kept((store) => store.setItem("mode", page.dataset.mode));
    paint();
  });
  prefersDark.addEventListener("change", paint);
  paint();

  // "/", Ctrl+K or Cmd+K lead to the search field. A key by itself can be switched off: speech is typed, too.
  const search = document.getElementById("search");
  const slash = document.getElementById("search-slash");

  function goToSearch() {
    const field = search.querySelector("input");
    if (search.popover) search.togglePopover(true);
    field.focus();
    field.select();
  }

  function takesText({ localName, type, isContentEditable }) {
    const typed = localName === "input" && !/^(button|checkbox|file|radio|range|reset|submit)$/.test(type);
    return typed || isContentEditable || localName === "textarea" || localName === "select";
  }

  addEventListener("keydown", (event) => {
    const command = event.ctrlKey || event.metaKey;
    const isK = command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k";
    const isSlash = !command && !event.altKey && event.key === "/" && !takesText(event.composedPath()[0]);
    if (!isK && (!isSlash || kept((store) => store.getItem("slash")) === "off")) return;
    event.preventDefault();
    if (isK && search.matches(":popover-open")) search.hidePopover();
    else goToSearch();
  });
  document.querySelector(".search-link")?.addEventListener("click", (event) => {
    event.preventDefault();
    goToSearch();
  });
  if (slash) {
    slash.checked = kept((store) => store.getItem("slash")) !== "off";
    slash.addEventListener("change", () => kept((store) => store.setItem("slash", slash.checked ? "on" : "off")));
  }

  // The search itself comes when it is wanted: with the focus, or where the address asks.
  function loadSearch() {
    for (const name of search.dataset.scripts.split(" ")) {
      document.head.append(Object.assign(document.createElement("script"), { src: root + name, async: false }));
    }
  }
  if (!search.popover && location.search) loadSearch();
  else search.addEventListener("focusin", loadSearch, { once: true });

  // A saved page may not start Python.
  if (location.protocol === "file:") document.querySelector(".open-live")?.remove();

  // A report says which place of the page it is about: a section, or a slider with its setting.
  for (const report of all("aside a[href*='/issues/new?']")) {
    const { href } = report;
    report.onpointerdown = report.onclick = () => { report.href = href + encodeURIComponent(location.hash); };
  }

  // Where readers are: told in the page's contents and in the bar, and kept until they come back.
  const bar = document.querySelector(".bar");
  const where = bar.querySelector(".where");
  const contents = document.getElementById("page-contents");
  const base = new URL(root, location.href).pathname;
  const PLACES = `places ${base}`;
  const isFirst = !bar.querySelector("a.site-title");
  const chapter = document.title.split(" – ")[0].split(":")[0];

  function link(href, textContent, className = "") {
    return Object.assign(document.createElement("a"), { href, textContent, className });
  }

  // What a link says, without the TeX that its formulas carry for whoever copies them.
  function wordsOf(one) {
    const copy = one.cloneNode(true);
    all("annotation", copy).forEach((tex) => tex.remove());
    return copy.textContent;
  }

  // The places kept, by page; the last one is the newest.
  function places() {
    try { return JSON.parse(kept((store) => store.getItem(PLACES))) ?? {}; } catch { return {}; }
  }

  function keepPlace(place) {
    const page = location.pathname.slice(base.length);
    const { [page]: _, ...others } = places();
    kept((store) => store.setItem(PLACES, JSON.stringify({ ...others, [page]: place })));
  }

  // A link to where the reader stopped: on the first page in the whole book, else on this page.
  function wayBack(links) {
    const found = places();
    const page = isFirst ? Object.keys(found).at(-1) : location.pathname.slice(base.length);
    const place = found[page];
    if (location.hash || !place?.id || !(isFirst || links.has(place.id))) return null;
    const name = isFirst ? `${place.chapter}: ${place.title}` : wordsOf(links.get(place.id));
    return link(`${isFirst ? root + page : ""}#${place.id}`, `Continue at ${name}`, "way-back");
  }

  function followReader() {
    const links = new Map(all("a[href^='#']", contents).map((one) => [decodeURIComponent(one.hash.slice(1)), one]));
    const sections = all("section[id]").filter((section) => links.has(section.id));
    const back = wayBack(links);
    const inView = new Set();
    let current = null;
    // What the reader has gone to is where they are, until they scroll: the last sections cannot reach the top.
    let goneTo = null;
    let goneToAt = 0;
    let keeps = !isFirst;

    function moveTo(section) {
      current = section;
      for (const one of links.values()) one.ariaCurrent = one === links.get(section?.id) ? "location" : null;
      const path = sections.filter((one) => one.contains(section)).map(({ id }) => link(`#${id}`, wordsOf(links.get(id))));
      where.replaceChildren(...(path.length ? [link("#main", chapter), ...path] : [back].filter(Boolean)));
      where.hidden = !where.hasChildNodes();
      bar.style.setProperty("--read", (sections.indexOf(section) + 1) / (sections.length || 1));
      if (path.length && keeps) keepPlace({ id: section.id, chapter, title: path.at(-1).textContent });
    }

    function follow() {
      const section = goneTo ?? sections.findLast((one) => inView.has(one));
      if (section !== current) moveTo(section);
    }

    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target);
      follow();
    }, { rootMargin: "0px 0px -70%" });
    sections.forEach((section) => observer.observe(section));
    if (!sections.length) moveTo(undefined);

    function goTo() {
      const target = sections.find(({ id }) => id === decodeURIComponent(location.hash.slice(1)));
      // A page that is loaded again stands where the reader left it, and not where its address leads.
      const { top, bottom } = target?.getBoundingClientRect() ?? {};
      goneTo = top < innerHeight && bottom > 0 ? target : null;
      goneToAt = scrollY;
      follow();
    }
    goTo();
    addEventListener("hashchange", goTo);
    addEventListener("scroll", () => {
      if (!goneTo || Math.abs(scrollY - goneToAt) < 2) return;
      goneTo = null;
      follow();
    }, { passive: true });
    contents.addEventListener("click", (event) => {
      if (!event.target.closest("a")) return;
      if (contents.matches(":popover-open")) contents.hidePopover();
      // The address is the same as before where one comes back to a section; the browser scrolls after the click.
      setTimeout(goTo);
    });

    // The place is not kept again before the next visit: whoever forgets it is still somewhere.
    function forget() {
      keeps = false;
      kept((store) => store.removeItem(PLACES));
      back?.remove();
      where.hidden = !where.hasChildNodes();
    }
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Forget my place" });
    button.addEventListener("click", () => {
      forget();
      button.textContent = "Place forgotten";
      setTimeout(() => { button.textContent = "Forget my place"; }, 2000);
    });
    // The button that clears the predictions clears this, too.
    addEventListener("clear-kept", forget);
    const note = Object.assign(document.createElement("p"), { className: "place-kept" });
    note.append("Where you stopped reading is kept in this browser and sent nowhere. ", button);
    document.querySelector(".foot").append(note);
  }

  // What is wider than its box scrolls in it; then, and only then, the keyboard can reach it.
  const scrollers = { "div.math": "Formula", ".table-scroll": "Table", "main pre": "Code", "div.output": "Output" };

  function makeReachable() {
    const boxes = new Map(Object.entries(scrollers).flatMap(([selector, name]) => all(selector).map((box) => [box, name])));
    const observer = new ResizeObserver((entries) => {
      const changed = entries.map(({ target }) => (boxes.has(target) ? target : target.parentElement));
      // All reading comes before all writing: the browser has to measure the page only once.
      for (const [box, scrolls] of changed.map((box) => [box, box.scrollWidth > box.clientWidth])) {
        const values = scrolls ? ["0", "group", `${boxes.get(box)}, scrollable`] : [null, null, null];
        ["tabindex", "role", "aria-label"].forEach((name, i) => {
          if (values[i] === null) box.removeAttribute(name);
          else box.setAttribute(name, values[i]);
        });
      }
    });
    for (const box of boxes.keys()) {
      observer.observe(box);
      // A formula or a table grows within its box, as when its font arrives.
      if (box.matches("div.math, .table-scroll")) for (const part of box.children) observer.observe(part);
    }
  }

  // Code can be copied; of an interpreter session, what one types.
  function typed(code) {
    const copy = code.cloneNode(true);
    const session = copy.querySelector(".gp") !== null;
    all(".gp, .go, .gt", copy).forEach((element) => element.remove());
    return session ? copy.textContent.replace(/\n+/g, "\n") : copy.textContent;
  }

  function offerCopies() {
    all("main .highlight pre").filter((block) => !block.closest(".cell_output")).forEach((code, i) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "copy" });
      const named = `code ${i + 1}: ${short(typed(code))}`;
      const say = (word) => Object.assign(button, { textContent: word, ariaLabel: `${word} ${named}` });
      say("Copy");
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(typed(code));
        say("Copied");
        setTimeout(say, 2000, "Copy");
      });
      code.before(button);
    });
  }

  // As much of a text as tells it from others in a list of names.
  function short(text) {
    const line = text.trim().split("\n", 1)[0];
    return line.length > 40 ? `${line.slice(0, 39)}…` : line;
  }

  // A list of a page's links has each heading's by its words.
  function nameLinks() {
    for (const one of all("main .headerlink")) {
      const words = one.parentElement.textContent.replace(one.textContent, "");
      one.ariaLabel = `Link to ${short(words)}`;
    }
  }

  // A translator of pages leaves code, formulas and pictures as they are; the style sheet keeps their direction.
  for (const one of all("pre, code, kbd, math, .picture-drawing")) one.translate = false;

  // What is copied has each formula as it was written; the text of its signs alone, "pi", would say nothing.
  addEventListener("copy", (event) => {
    const selection = getSelection();
    if (selection.isCollapsed || event.target.closest?.("input, textarea, [contenteditable]")) return;
    const copied = document.createElement("div");
    for (let i = 0; i < selection.rangeCount; i += 1) copied.append(selection.getRangeAt(i).cloneContents());
    if (!copied.querySelector("annotation")) return;
    for (const formula of all("math", copied)) {
      const tex = formula.querySelector("annotation")?.textContent ?? formula.textContent;
      formula.replaceWith(formula.matches("[display=block]") ? `$$${tex}$$` : `$${tex}$`);
    }
    all("script, style, button", copied).forEach((element) => element.remove());
    // The parts of a display are one formula.
    copied.innerHTML = copied.innerHTML.replaceAll("$$$$", " \\qquad ");
    // Laid out for a moment, so that paragraphs and lists have their lines.
    Object.assign(copied, { className: "copied" });
    document.body.append(copied);
    event.clipboardData.setData("text/plain", copied.innerText);
    event.clipboardData.setData("text/html", copied.innerHTML);
    copied.remove();
    event.preventDefault();
  });

  // One switch shows the code that is folded, on this page and on those that are opened later. What a link leads to,
  // or the browser's own search finds, the browser unfolds.
  function offerAllCode() {
    const button = document.querySelector(".code-switch button");
    const folds = all("details.code");
    function show() {
      const shown = page.dataset.code === "shown";
      button.ariaPressed = shown;
      folds.forEach((fold) => { fold.open = shown; });
    }
    button?.addEventListener("click", () => {
      page.dataset.code = page.dataset.code === "shown" ? "folded" : "shown";
      kept((store) => store.setItem("code", page.dataset.code));
      show();
    });
    if (button && page.dataset.code === "shown") show();
  }
  offerAllCode();

  // A link to a section that may be skipped opens it; to a place inside it, the browser does.
  function openAside() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const aside = target?.querySelector(":scope > details.aside");
    if (aside) aside.open = true;
  }
  openAside();
  addEventListener("hashchange", openAside);

  // A card of a chapter says how many of its predictions the reader has made; those are kept by page and question.
  function tellProgress() {
    for (const card of all(".card")) {
      const begins = `prediction ${card.querySelector("a").pathname}#`;
      const made = kept((store) => Object.keys(store).filter((name) => name.startsWith(begins)).length);
      if (made) card.querySelector(".card-facts p").append(`: you have made ${made}`);
    }
  }
  tellProgress();

  // Paper is white, and nothing on it can be unfolded.
  let folded = [];
  document.querySelector(".print-button").addEventListener("click", () => print());
  addEventListener("beforeprint", () => {
    page.dataset.theme = "light";
    folded = all("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => {
    paint();
    folded.forEach((details) => { details.open = false; });
  });

  // What can wait a moment does, so that a slow phone shows the page first.
  const later = window.requestIdleCallback ?? setTimeout;
  later(followReader);
  later(makeReachable);
  later(nameLinks);
  if (navigator.clipboard) later(offerCopies);
})();
