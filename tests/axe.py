"""What axe finds wrong on a page: by all its rules, and in about half the time that it takes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

# axe parses the colours of all that lies below a text, for each text anew. It is compiled for browsers without private
# members: each of a colour's is an entry of a WeakMap, which takes the collector of garbage longer than all the rest.
# Here they are properties, and what a text means as a colour is remembered. What axe says is the same, to the letter.
LOADED = f"""() => {{
  class Members {{
    #name = Symbol();
    has(one) {{ return Object.hasOwn(one, this.#name); }}
    get(one) {{ return one[this.#name]; }}
    set(one, value) {{ one[this.#name] = value; return this; }}
    add(one) {{ return this.set(one, true); }}
  }}
  const [WeakMap, WeakSet] = [Members, Members];
  {AXE_SCRIPT}
  const {{ Color }} = axe.commons.color;
  const {{ parseString }} = Color.prototype;
  const parsed = new Map();
  Color.prototype.parseString = function (text) {{
    if (!parsed.has(text)) parsed.set(text, parseString.call(new Color(), text));
    const {{ r, g, b, alpha }} = parsed.get(text);
    return Object.assign(this, {{ r, g, b, alpha }});
  }};
}}"""
# Asking for nothing but what is wrong halves the time.
VIOLATIONS = """(part) => axe.run(part ?? document, { resultTypes: ["violations"] })
  .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))"""


def violations(page: Page, part: str | None = None) -> list[list]:
    """Return the name of each rule that a page, or a part of it, breaks, and the elements that do."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(LOADED)
    return page.evaluate(VIOLATIONS, part)
