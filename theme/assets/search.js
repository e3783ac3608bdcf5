// Search as you type. The index is made with the book and loaded when the search is wanted; nothing is sent.
"use strict";
(() => {
  const MOST = 20;
  // Of the score of the best place; what has less than this has only a common word.
  const LEAST = 0.08;
  // Words that questions are made of.
  const SMALL = new Set(
    `a about all am an and any are as at be been but by can could did do does doing for from get gets give gives go goes
    had has have how i if in into is it its me mean means my of on one or our return returns so than that the their them then there
    these they this those to use used using was we were what when where which who why will with would you your`.split(/\s+/),
  );
  // What comes first of two places that have the same words. A summary or a list has a word of everything.
  const WEIGHTS = { page: 1, section: 1.1, part: 1, name: 0.6, row: 0.7 };
  const LEADS = 1.25;
  const GENERAL = /^(recap|try it|read further|references|what is in it\?|the tasks|your notebook|what you can do now)$/i;

  const box = document.getElementById("search");
  const field = box.querySelector("input[type=search]");
  const said = box.querySelector("[role=status]");
  const list = box.querySelector("ol");
  const root = document.documentElement.dataset.content_root ?? "./";

  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  // A name is found whole and by its parts: CrossEntropyLoss, label_smoothing, np.exp.
  function tokenize(text) {
    const letters = text.replace(/[²³⁰-₟]/g, " ").normalize("NFKD").replace(/\p{M}/gu, "");
    const found = letters.match(/\d+(?:\.\d+)+|√?[\p{L}\p{N}]+(?:_[\p{L}\p{N}]+)*|[∂∞∑]/gu) ?? [];
    return found.flatMap((word) => {
      const parts = word.split(/_|(?<=\p{Ll})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u);
      return parts.length > 1 ? [word, ...parts] : [word];
    });
  }

  // One form for what one word becomes: normalize and normalization, probability and probabilities.
  function processTerm(term) {
    const word = plain(term);
    if (SMALL.has(word)) return null;
    const singular = word.length > 3 ? word.replace(/(?<![suia])s$/, "") : word;
    return singular.replace(/(?<=.{4})(?:at(?:ion|ed|e|ing)|ing|ed|e)$/, "").replace(/(?<=.{3})y$/, "i");
  }

  const entries = searchIndex.entries.map(([address, title, place, kind, part, prose, other, terms], id) => ({
    id, address, title, place, kind, prose, other, terms,
    weight: WEIGHTS[kind] * (part === searchIndex.lead ? LEADS : 1) * (GENERAL.test(title) ? 0.15 : 1),
    named: title.replace(/^\d+\. /, ""),
    within: [...place, part].join(" "),
  }));
  const fields = ["named", "terms", "prose", "other", "within"];
  const index = new MiniSearch({ fields, tokenize, processTerm });
  index.addAll(entries);
  const words = (text) => tokenize(text).map(processTerm).filter(Boolean);

  // What something is called, however it is written: BatchNorm, batch norm, batch_norm.
  const letters = (text) => plain(text).match(/√?[\p{L}\p{N}]+/gu) ?? [];
  const called = (text) => letters(text).map(processTerm).join("");

  // Expressions that mean the same: as lists of words, and as names.
  const groups = searchIndex.synonyms.map((group) => group.map(words));
  const names = searchIndex.synonyms.map((group) => group.map(called));
  const holds = (whole, part) => part.length > 0 && whole.some((_, i) => part.every((word, j) => whole[i + j] === word));

  // How often each word stands in the book.
  const counts = new Map();
  for (const text of [...entries.flatMap((entry) => fields.map((name) => entry[name])), ...searchIndex.synonyms.flat()]) {
    for (const word of letters(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const known = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const stems = new Set(known.map(processTerm));

  // Whether two words differ by one letter that is wrong, missing or too much, or by two that changed places.
  function oneErrorApart(a, b) {
    const least = Math.min(a.length, b.length);
    let [start, end] = [0, 0];
    while (start < least && a[start] === b[start]) start += 1;
    while (end < least - start && a.at(-1 - end) === b.at(-1 - end)) end += 1;
    const [left, right] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
    return Math.max(left.length, right.length) < 2 || (left.length === 2 && right === left[1] + left[0]);
  }

  // A word that the book does not have, and that begins none, is read as the most usual one that is an error apart.
  function spelled(typed) {
    const word = plain(typed);
    const isKnown = word.length < 4 || stems.has(processTerm(word)) || known.some((one) => one.startsWith(word));
    return isKnown ? typed : (known.find((one) => one.length > 3 && oneErrorApart(one, word)) ?? typed);
  }

  function find(typed) {
    const query = typed.replace(/\p{L}+/gu, spelled);
    const asked = words(query);
    const alike = groups.filter((group) => group.some((part) => holds(asked, part)));
    const others = new Set(alike.flat(2).filter((word) => !asked.includes(word)));
    const found = index.search([...new Set(asked), ...others].join(" "), {
      tokenize: (text) => text.split(" "),
      processTerm: (term) => term,
      boost: { named: 4, terms: 2.5, prose: 1, other: 1, within: 0.6 },
      boostTerm: (term) => (asked.includes(term) ? 1 : 0.3),
      boostDocument: (id) => entries[id].weight,
      prefix: (term) => term.length > 2,
      weights: { prefix: 0.4 },
    });
    // What has all that was asked comes before what has much of a part of it; before that, what is called so.
    const name = called(query);
    const same = new Set([name, ...names.filter((group) => group.includes(name)).flat()]);
    const concepts = [...new Set(asked)].map((word) =>
      new Set([word, ...alike.filter((group) => group.some((part) => part.includes(word) && holds(asked, part))).flat(2)]));
    for (const one of found) {
      const { kind, named, terms } = entries[one.id];
      const covered = concepts.filter((concept) => one.queryTerms.some((term) => concept.has(term))).length;
      one.score *= (covered / concepts.length) ** 2;
      if ([named, named.split(":")[0]].some((text) => same.has(called(text)))) one.score *= kind === "page" ? 6 : 3;
      else if (terms.split("\n").some((text) => same.has(called(text)))) one.score *= 1.7;
    }
    found.sort((a, b) => b.score - a.score);
    const shown = new Set([...asked, ...alike.flat().filter((part) => part.length === 1).flat()]);
    return { found: found.filter(({ score }) => score > LEAST * found[0].score), asked: shown, typed: new Set(asked) };
  }

  // What was typed may be the beginning of a word; what means the same may not: "inf" is not "infinitely".
  const begins = (word, typed) => [...typed].some((one) => one.length > 2 && word.startsWith(one));
  const isAsked = (word, asked, typed) => asked.has(word) || begins(word, typed);

  // The sentence that has most of the words that were typed, and then of those that mean the same, and what follows it;
  // of a name that was typed, what is said first. Whole sentences are shown, but for a long one.
  function excerpt({ kind, title, prose }, asked, typed) {
    const sentences = prose.split("\n");
    const among = (found, wanted) => new Set(found.filter((word) => isAsked(word, wanted, typed))).size;
    const hits = sentences.map(words).map((found) => 10 * among(found, typed) + among(found, asked));
    const isName = kind === "name" && [...typed].every((word) => words(title).includes(word));
    let at = isName ? 0 : hits.indexOf(Math.max(...hits));
    let shown = sentences[at++];
    while (at < sentences.length && shown.length + sentences[at].length < 180) shown += ` ${sentences[at++]}`;
    return shown.length > 240 ? `${shown.slice(0, shown.lastIndexOf(" ", 230))} …` : shown;
  }

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function marked(text, asked, typed) {
    return text.split(/(√?[\p{L}\p{N}]+)/u).map((part) => {
      const word = processTerm(part);
      return word && isAsked(word, asked, typed) ? element("mark", { textContent: part }) : part;
    });
  }

  function item(id, asked, typed) {
    const { address, title, place, prose } = entries[id];
    const link = element("a", { href: root + address }, title);
    const crumb = element("p", { className: "crumb", textContent: place.join(" › ") });
    const text = element("p", { className: "context" }, ...marked(excerpt(entries[id], asked, typed), asked, typed));
    return element("li", {}, link, ...(place.length ? [crumb] : []), ...(prose ? [text] : []));
  }

  function show() {
    const query = field.value.trim();
    const { found, asked, typed } = query ? find(query) : { found: [] };
    list.replaceChildren(...found.slice(0, MOST).map(({ id }) => item(id, asked, typed)));
    const places = found.length === 1 ? "1 place" : `${found.length} places`;
    const best = found.length > MOST ? `, the best ${MOST} are listed` : "";
    said.textContent = !query ? "" : found.length ? `${places}${best}` : "Nothing found. Try another word, or fewer.";
  }

  // On its own page the search can be linked to.
  if (!box.popover) {
    const address = () => {
      const query = field.value.trim() ? `?${new URLSearchParams({ q: field.value.trim() })}` : location.pathname;
      history.replaceState(null, "", query);
    };
    // Who types at once may be ahead of this.
    field.value ||= new URLSearchParams(location.search).get("q") ?? "";
    field.addEventListener("input", address);
    if (field.value) address();
  }
  field.addEventListener("input", show);
  // A result may be on this very page.
  list.addEventListener("click", (event) => {
    if (box.popover && event.target.closest("a")) box.hidePopover();
  });
  show();

  // The arrow keys go from the field through the results and back.
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [field, ...list.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0 || !stops[at + step]) return;
    event.preventDefault();
    stops[at + step].focus();
  });
})();
