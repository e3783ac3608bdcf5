// What a page does beyond being read: colours, the search key, contents, scrolling by keyboard, copying, printing.
(() => {
  "use strict";
  const page = document.documentElement;
  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

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
    try { localStorage.setItem("mode", page.dataset.mode); } catch { /* then it is forgotten with the page */ }
    paint();
  });
  prefersDark.addEventListener("change", paint);
  paint();

  // Ctrl+K or Cmd+K opens the search field.
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      document.getElementById("search").togglePopover();
    }
  });

  // A saved page may not read the others: its search shows where the words were found, without their surroundings.
  // Nor may it start Python.
  if (location.protocol === "file:") {
    DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
    document.querySelector(".open-live")?.remove();
  }

  // The page's contents show where the reader is, and close when a section was chosen.
  function followReader() {
    const contents = document.getElementById("page-contents");
    const links = new Map(all("a[href^='#']", contents).map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const sections = all("section[id]").filter((section) => links.has(section.id));
    const inView = new Set();
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) inView[isIntersecting ? "add" : "delete"](target);
      const current = links.get(sections.findLast((section) => inView.has(section))?.id);
      for (const link of links.values()) link.ariaCurrent = link === current ? "location" : null;
    }, { rootMargin: "0px 0px -70%" });
    sections.forEach((section) => observer.observe(section));
    contents.addEventListener("click", (event) => {
      if (event.target.closest("a") && contents.matches(":popover-open")) contents.hidePopover();
    });
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
      if (box.matches("div.math, .table-scroll")) observer.observe(box.firstElementChild);
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
    for (const code of all("main .highlight pre").filter((block) => !block.closest(".cell_output"))) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: "Copy" });
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(typed(code));
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      code.before(button);
    }
  }

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
      try { localStorage.setItem("code", page.dataset.code); } catch { /* then it is forgotten with the page */ }
      show();
    });
    if (button && page.dataset.code === "shown") show();
  }
  offerAllCode();

  // A card of a chapter says how many of its predictions the reader has made; those are kept by page and question.
  function tellProgress() {
    for (const card of all(".card")) {
      const begins = `prediction ${card.querySelector("a").pathname}#`;
      let made = 0;
      try { made = Object.keys(localStorage).filter((name) => name.startsWith(begins)).length; } catch { /* none is kept */ }
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
  if (navigator.clipboard) later(offerCopies);
})();
