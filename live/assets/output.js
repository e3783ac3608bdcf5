// What came of a run, as elements of the page: printed text, values and pictures, the error with its line.

const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

export function shown({ printed, outputs = [], error }) {
  const parts = [];
  if (printed) parts.push(made("pre", { className: "live-printed", textContent: printed.trimEnd() }));
  for (const { mime, data } of outputs) {
    if (mime === "text/html") parts.push(made("div", { className: "live-picture", innerHTML: data }));
    else parts.push(made("pre", { textContent: data }));
  }
  if (error) parts.push(...told(error));
  if (parts.length === 0) parts.push(made("p", { textContent: "The code ran, and shows nothing." }));
  // explorer.js looks after the colours of all drawings of a page.
  for (const { dataset } of parts.flatMap((part) => [...part.querySelectorAll("[data-dark]")])) paintDark(dataset.dark);
  return parts;
}

function told({ name, message, line, text }) {
  const where = line ? ` in line ${line}` : "";
  const said = made("p", { className: "live-error" });
  said.append(made("strong", { textContent: `${name}${where}` }), message ? `: ${message}` : "");
  const more = made("details");
  more.append(made("summary", { textContent: "What Python says" }), made("pre", { textContent: text.trimEnd() }));
  return [said, more];
}

