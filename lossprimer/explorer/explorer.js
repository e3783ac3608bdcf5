// An explorer shows one of the pictures that were drawn when the page was built, or, of a reader's own numbers, what
// Python draws in the page. Nothing is calculated here: the script finds the picture that the controls ask for, and
// puts it and its sentence in place.
"use strict";
(() => {
  // Milliseconds at rest before a screen reader hears the sentence: where the slider stops, not each stop on its way.
  const ANNOUNCE_AFTER = 500;
  // Browsers limit how often a page may change its address.
  const ADDRESS_AFTER = 250;

  // How long the drawing takes from one setting to the next, in milliseconds.
  const GLIDE = 120;
  // How far a finger moves before it is clear whether it drags or scrolls, in pixels.
  const SLOP = 6;
  const NO_MODULES =
    "Python does not start here, as in a page that was opened as a file. Serve the folder, or read this page on the web.";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // Each kind of control: how to read its position, how to show one, and which events move it.
  const kinds = {
    slider(row, texts, moved) {
      const [input, output] = [row.querySelector("input"), row.querySelector("output")];
      // A finger that comes down on the slider may be about to scroll: nothing moves before it drags or lifts.
      let touch = null;
      const settle = () => {
        touch = null;
        moved();
      };
      input.addEventListener("pointerdown", (event) => {
        touch = event.pointerType === "touch" ? { before: input.value, x: event.clientX, y: event.clientY } : null;
      });
      input.addEventListener("pointermove", ({ clientX, clientY }) => {
        if (!touch) return;
        const across = Math.abs(clientX - touch.x);
        if (across > SLOP && across > Math.abs(clientY - touch.y)) settle();
      });
      input.addEventListener("pointerup", settle);
      input.addEventListener("pointercancel", () => {
        if (touch) input.value = touch.before;
        settle();
      });
      input.addEventListener("input", () => touch || moved());
      input.addEventListener("change", () => touch || moved());
      return {
        read: () => Number(input.value),
        show(position) {
          input.value = position;
          input.setAttribute("aria-valuetext", texts[position]);
          output.value = texts[position];
        },
      };
    },
    choice(row, texts, moved) {
      const buttons = [...row.querySelectorAll("input")];
      for (const button of buttons) button.addEventListener("change", moved);
      return {
        read: () => buttons.findIndex((button) => button.checked),
        show: (position) => (buttons[position].checked = true),
        clear: () => buttons.forEach((button) => (button.checked = false)),
      };
    },
    list(row, texts, moved) {
      const select = row.querySelector("select");
      select.addEventListener("change", moved);
      const show = (position) => (select.selectedIndex = position);
      return { read: () => select.selectedIndex, show, clear: () => show(-1) };
    },
    steps(row, texts, moved) {
      const [back, next] = row.querySelectorAll("button");
      const output = row.querySelector("output");
      let at = Number(row.dataset.position);
      const move = (by) => () => {
        const to = Math.min(Math.max(at + by, 0), texts.length - 1);
        if (to === at) return;
        at = to;
        moved();
      };
      back.addEventListener("click", move(-1));
      next.addEventListener("click", move(+1));
      return {
        read: () => at,
        show(position) {
          at = position;
          output.value = `${texts[at]} / ${texts.length}`;
          // Not `disabled`: the button just pressed keeps the focus.
          back.setAttribute("aria-disabled", at === 0);
          next.setAttribute("aria-disabled", at === texts.length - 1);
        },
      };
    },
  };

  const NUMBER = / ?-?\d*\.?\d+(?:e-?\d+)?/g;
  const GEOMETRY = new Set(["d", "x", "y", "width", "height"]);

  // The drawings of an explorer: each has one of a few shapes, and within a shape only some attributes and texts
  // differ. Shows one of them, and returns what of the geometry differs and has yet to be set, each with how it is and
  // how it will be; marks of another shape are there at once.
  function drawings(drawing, shapes) {
    const tags = drawing.innerHTML.split(/(?=<)/);
    const places = [];
    for (const shape of shapes) shape.of.forEach((number, place) => (places[number] = [shape, place]));
    let shown = shapes.find(({ splices }) => !splices.length);
    let elements = drawing.querySelectorAll("*");
    return (number) => {
      const [shape, place] = places[number];
      const stays = shape === shown && elements[0].isConnected;
      if (!stays) {
        const other = tags.slice();
        for (const [at, out, ...into] of shape.splices.toReversed()) other.splice(at, out, ...into);
        drawing.innerHTML = other.join("");
        elements = drawing.querySelectorAll("*");
        shown = shape;
      }
      const moving = [];
      for (const [at, name, values, which] of shape.marks) {
        const [mark, to] = [elements[at], values[which ? which[place] : place]];
        const from = name ? mark.getAttribute(name) : mark.textContent;
        if (from === to) continue;
        // A text that stays the same node costs the browser less than a new one.
        if (!name) (mark.firstChild ?? mark.appendChild(new Text())).data = to;
        else if (GEOMETRY.has(name)) moving.push({ mark, name, from, to });
        else mark.setAttribute(name, to);
      }
      if (stays) return moving;
      settle(moving);
      return [];
    };
  }

  const settle = (moving) => moving.forEach(({ mark, name, to }) => mark.setAttribute(name, to));

  // Move the marks to where Python drew them; at the end the drawing is Python's, to the byte. Returns what stops them.
  function glide(moving) {
    const paths = moving.filter(({ mark, from, to }) =>
      mark.localName !== "text" && from.replace(NUMBER, "#") === to.replace(NUMBER, "#"));
    settle(moving.filter((one) => !paths.includes(one)));
    for (const one of paths) [one.start, one.end] = [one.from.match(NUMBER), one.to.match(NUMBER)];
    const began = performance.now();
    let waiting = 0;
    const step = (now) => {
      const part = Math.max((now - began) / GLIDE, 0);
      if (part >= 1) return settle(paths);
      for (const { mark, name, start, end, to } of paths) {
        let at = 0;
        const between = () => ` ${(1 - part) * start[at] + part * end[at++]}`;
        mark.setAttribute(name, to.replace(NUMBER, between).trim());
      }
      waiting = requestAnimationFrame(step);
    };
    if (paths.length) waiting = requestAnimationFrame(step);
    return () => cancelAnimationFrame(waiting);
  }

  // Let the pointer drag within the axes of a drawing: the control goes to the value nearest to it. A finger has to
  // move sideways first; if it scrolls instead, the browser cancels the drag.
  function draggable(drawing, { at, box: [left, top, right, bottom] }, read, move) {
    let drag = null;
    const place = ({ clientX, clientY }) =>
      new DOMPoint(clientX, clientY).matrixTransform(drawing.firstElementChild.getScreenCTM().inverse());
    const within = ({ x, y }) => x > left - SLOP && x < right + SLOP && y > top - SLOP && y < bottom + SLOP;
    const follow = (event) => {
      const { x } = place(event);
      move(at.reduce((best, value, i) => (Math.abs(value - x) < Math.abs(at[best] - x) ? i : best), 0));
    };
    drawing.classList.add("explorer-draggable");
    drawing.addEventListener("pointerdown", (event) => {
      if (event.button || !within(place(event))) return;
      drag = { before: read(), x: event.clientX, moving: event.pointerType !== "touch" };
      drawing.setPointerCapture(event.pointerId);
      if (!drag.moving) return;
      event.preventDefault();
      follow(event);
    });
    drawing.addEventListener("pointermove", (event) => {
      drawing.classList.toggle("explorer-grip", Boolean(drag) || within(place(event)));
      if (!drag) return;
      drag.moving ||= Math.abs(event.clientX - drag.x) > SLOP;
      if (drag.moving) follow(event);
    });
    drawing.addEventListener("pointerup", () => (drag = null));
    drawing.addEventListener("pointercancel", () => {
      if (drag) move(drag.before);
      drag = null;
    });
  }

  // The longest sentence need not be the one that takes most lines: that depends on the width, and is found out anew
  // when the width changes. The style sheet keeps room for it, so that what is below stays where it is.
  function keepRoom(room, caption, sentences) {
    const most = Math.max(...sentences.map(({ length }) => length));
    const long = [...new Set(sentences)].filter((sentence) => sentence.length > most - 15);
    const first = room.dataset.longest;
    let width = 0;
    const measure = () => {
      const shown = caption.textContent;
      caption.textContent = room.dataset.longest = first;
      let height = room.offsetHeight;
      for (const sentence of long) {
        caption.textContent = sentence;
        if (room.offsetHeight <= height) continue;
        height = room.offsetHeight;
        room.dataset.longest = sentence;
      }
      caption.textContent = shown;
    };
    new ResizeObserver(() => {
      if (room.clientWidth !== width) requestAnimationFrame(measure);
      width = room.clientWidth;
    }).observe(room);
  }

  function start(figure) {
    const data = figure.querySelector('script[type="application/json"]').textContent;
    const { names, texts, sentences, shapes, axes } = JSON.parse(data);
    const drawing = figure.querySelector(".picture-drawing");
    const room = figure.querySelector("figcaption");
    const caption = room.querySelector("span");
    const announcement = figure.querySelector(".explorer-announcement");
    const rows = [...figure.querySelectorAll("[data-control]")];
    const controls = rows.map((row, i) => kinds[row.dataset.control](row, texts[i], () => show(read(), true)));
    const draw = drawings(drawing, shapes);
    keepRoom(room, caption, sentences);
    const read = () => controls.map((control) => control.read());
    const initial = read();
    let waiting;
    let shown = String(initial);
    let stop = () => {};
    const box = figure.querySelector(".explorer-own");
    const fields = box ? [...box.querySelectorAll("input")].map(({ name }) => name) : [];
    let own = null;
    let opening;

    // The page's own picture for these positions of the controls.
    function present(positions) {
      const index = positions.reduce((sum, position, i) => sum * texts[i].length + position, 0);
      stop();
      // From where the marks are now, which may be on their way.
      const moving = draw(index);
      if (calm.matches) settle(moving);
      else stop = glide(moving);
      caption.textContent = sentences[index];
    }

    // What the reader has brought about is told when it has come to rest.
    function told() {
      clearTimeout(waiting);
      waiting = setTimeout(() => (announcement.textContent = caption.textContent), ANNOUNCE_AFTER);
      keepInAddress(explorer);
    }

    function show(positions, byReader = false) {
      if (String(positions) === shown) return;
      const moved = names.filter((_, i) => shown.split(",")[i] !== String(positions[i]));
      shown = String(positions);
      positions.forEach((position, i) => position < 0 || controls[i].show(position));
      // A given value that is chosen takes the place of what was typed before.
      if (own?.drawn && moved.some((name) => own.names.includes(name))) own.leave();
      if (own?.drawn) return own.redraw();
      present(positions);
      if (byReader) told();
    }

    // What Python drew of a reader's own numbers.
    function take(svg, sentence, colours) {
      // No given value is chosen where the reader's own stand.
      for (const name of own.names) controls[names.indexOf(name)]?.clear?.();
      shown = String(read());
      stop();
      paintDark(colours);
      drawing.innerHTML = svg;
      caption.textContent = sentence;
      told();
    }

    // Its fields come to life when the reader opens them, or comes with numbers in a link.
    async function openOwn(typed = {}) {
      try {
        opening ??= import("./own.js").then(({ ownNumbers }) => (own = ownNumbers(box, read, take)));
        await opening;
        if (Object.keys(typed).length) own.receive(typed);
      } catch {
        box.querySelector("[role=status]").textContent = NO_MODULES;
      }
    }

    // Back to the pictures that the page brought with it.
    function leaveOwn() {
      if (!own?.drawn) return;
      own.leave();
      shown = "";
    }

    const explorer = {
      figure,
      // What a link has to say: the controls that are not where they were at first.
      *settings() {
        const typed = own?.drawn ?? {};
        for (const [i, position] of read().entries())
          if (position !== initial[i] && !(names[i] in typed)) yield [`${figure.id}.${names[i]}`, texts[i][position]];
        for (const [name, text] of Object.entries(typed)) yield [`${figure.id}.${name}`, text];
      },
      // Take what a link says; what it does not name, or names wrongly, is where it was at first.
      follow(link) {
        const said = (name) => link.get(`${figure.id}.${name}`);
        const positions = names.map((name, i) => texts[i].indexOf(said(name)));
        const typed = fields.filter((name) => said(name) !== null && !(positions[names.indexOf(name)] >= 0));
        leaveOwn();
        show(positions.map((position, i) => (position < 0 ? initial[i] : position)));
        if (typed.length) openOwn(Object.fromEntries(typed.map((name) => [name, said(name)])));
        return [...names, ...fields].some((name) => said(name) !== null);
      },
    };
    initial.forEach((position, i) => controls[i].show(position));
    axes.forEach((axis, i) => axis && draggable(drawing, axis, () => read()[i], (position) => {
      show(read().with(i, position), true);
    }));
    figure.querySelector(".explorer-reset").addEventListener("click", () => {
      leaveOwn();
      own?.reset();
      show(initial, true);
    });
    box?.addEventListener("toggle", () => openOwn(), { once: true });
    for (const element of figure.querySelectorAll(":disabled:not(.explorer-own *)")) element.disabled = false;
    // A page has many with the same name: a listener hears which explorer they belong to.
    for (const one of figure.querySelectorAll("button, summary")) one.setAttribute("aria-describedby", `${figure.id}-title`);
    return explorer;
  }

  // On a dark page each colour gives way to the twin that Python worked out for it. Some themes leave it to the system
  // whether a page is dark. A script that puts another drawing onto the page gives its pairs, too.
  const dark = new CSSStyleSheet();
  const painted = new Set();
  globalThis.paintDark = function (pairs) {
    for (const pair of pairs.split(" ")) {
      if (!pair || painted.has(pair)) continue;
      painted.add(pair);
      const [colour, twin] = pair.split("=");
      for (const paint of ["fill", "stroke"])
        for (const [theme, when] of [["dark", "all"], ["auto", "(prefers-color-scheme: dark)"]]) {
          const rule = `[data-theme="${theme}"] [data-dark] [${paint}="${colour}"] { ${paint}: ${twin}; }`;
          dark.insertRule(`@media ${when} { ${rule} }`);
        }
    }
  };
  for (const { dataset } of document.querySelectorAll("[data-dark]")) paintDark(dataset.dark);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, dark];

  const explorers = [...document.querySelectorAll("figure.explorer")].map(start);

  let addressing;
  function keepInAddress(moved) {
    explorers.sort((a, b) => (b === moved) - (a === moved));
    clearTimeout(addressing);
    addressing = setTimeout(() => {
      const link = new URLSearchParams(explorers.flatMap((explorer) => [...explorer.settings()]));
      const to = link.size ? `#${link}` : location.pathname + location.search;
      // A section that was gone to keeps its place in the history: the setting comes after it.
      const atSection = location.hash && !location.hash.includes("=");
      if (!atSection) history.replaceState(history.state, "", to);
      else if (link.size) history.pushState(null, "", to);
    }, ADDRESS_AFTER);
  }

  function followAddress() {
    if (!location.hash.includes("=")) return;
    const link = new URLSearchParams(location.hash.slice(1));
    const named = explorers.filter((explorer) => explorer.follow(link));
    const [first] = [...link.keys()].map((key) => named.find(({ figure }) => key.startsWith(`${figure.id}.`)));
    first?.figure.scrollIntoView({ block: "center" });
  }

  followAddress();
  addEventListener("hashchange", followAddress);
})();
