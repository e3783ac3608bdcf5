"""How the tests wait for what another process, or a page, does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

# What a page does by itself: some of it when the browser is idle, and what follows in the frame after. Where it never
# is idle, nothing else would end the wait.
SETTLED = """async () => {
  const idle = (done) => requestIdleCallback(done, { timeout: 5000 });
  await document.fonts.ready;
  for (const wait of [idle, idle, requestAnimationFrame, requestAnimationFrame]) await new Promise(wait);
}"""


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds; it must do so in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def expect(what, message: str | None = None):
    """Return what Playwright expects of a page or of a part of it: it waits for that, too.

    Playwright is imported when a test first expects something: many a quick test stands beside those of the browser.
    """
    from playwright.sync_api import expect

    return expect(what, message)


def settle(page: Page) -> None:
    """Wait for what a page does by itself."""
    page.evaluate(f"({SETTLED})().then(() => null)")
