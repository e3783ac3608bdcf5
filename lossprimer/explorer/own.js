// A reader's own numbers in an explorer: what stands in its fields, and Python to draw it. Loaded when it is wanted.

// `read` returns the positions of the controls, `take` gets each drawing, its sentence and its colours.
export function ownNumbers(box, read, take) {
  const [form, state] = [box.querySelector("form"), box.querySelector("[role=status]")];
  const draw = box.querySelector("button");
  const stop = Object.assign(document.createElement("button"), { type: "button", textContent: "Stop", hidden: true });
  stop.setAttribute("aria-describedby", draw.getAttribute("aria-describedby"));
  draw.after(stop);
  const fields = [...box.querySelectorAll("input")];
  const tellers = fields.map((field) => box.querySelector(`#${field.id}-told`));
  const expected = tellers.map(({ textContent }) => textContent);
  const initial = fields.map(({ value }) => value);
  let python, packed;
  let drawn = null; // the texts of the numbers that are shown
  let waiting = false;
  let again = false;

  async function load() {
    python ??= (await import(box.dataset.python)).python;
    const { textContent, dataset } = box.querySelector(".explorer-packed");
    packed ??= textContent || (await (await fetch(dataset.src)).text());
  }

  function tell(errors) {
    for (const [i, field] of fields.entries()) {
      const wrong = errors[field.name];
      tellers[i].textContent = wrong ? `${wrong[0].toUpperCase()}${wrong.slice(1)}.` : expected[i];
      field.setAttribute("aria-invalid", Boolean(wrong));
    }
    fields.find(({ name }) => errors[name])?.focus();
  }

  // Draw these texts with the controls as they are. While a drawing is on its way, only the last request counts.
  async function ask(texts) {
    if (waiting) return (again = texts);
    waiting = true;
    const hear = ({ detail }) => (state.textContent = detail.text);
    stop.hidden = false;
    try {
      await load();
      python.addEventListener("state", hear);
      const { errors, svg, dark, sentence } = await python.ask("draw", { explorer: packed, setting: read(), texts });
      tell(errors ?? {});
      state.textContent = "";
      if (!errors && !again) {
        drawn = texts;
        take(svg, sentence, dark);
      }
    } catch (error) {
      state.textContent = error.message;
      again = false;
    } finally {
      python?.removeEventListener("state", hear);
      stop.hidden = true;
      waiting = false;
    }
    if (again) {
      const next = again;
      again = false;
      ask(next);
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(Object.fromEntries(fields.map(({ name, value }) => [name, value])));
  });
  stop.addEventListener("click", () => {
    python?.stop();
    draw.focus();
  });
  for (const element of box.querySelectorAll(":disabled")) element.disabled = false;
  return {
    names: fields.map(({ name }) => name),
    get drawn() {
      return drawn;
    },
    // The controls have moved.
    redraw: () => ask(drawn),
    leave() {
      drawn = null;
      again = false;
    },
    reset() {
      fields.forEach((field, i) => (field.value = initial[i]));
      tell({});
      state.textContent = "";
    },
    // A link brings numbers; Python does not start before the reader asks for it.
    receive(texts) {
      for (const field of fields) field.value = texts[field.name] ?? field.value;
      box.open = true;
      state.textContent = "These numbers came with the link. Draw shows them.";
    },
  };
}
