"""How soon does Python answer in a page, and what is sent for it?

Each run has a browser context of its own, so nothing is kept from the one before. The site is served from this machine,
text and WebAssembly compressed. Times are medians, from the click on, by the page's own clock. A slow processor is
imitated by halting the page's process three quarters of the time. Build the site first.
"""

import contextlib
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page

from benchmarks.site import CHAPTERS, Compressing
from tools.browser import find_browser, launched
from tools.server import SITE, serving

RUNS = 5
SLOWED = 4
SLICE = 0.02  # seconds that a halted and a running part of the page's process take together
ANSWER = """def softmax(z):
    exponentials = np.exp(z)
    return exponentials / exponentials.sum(axis=-1, keepdims=True)
"""
CHECK = ["check", {"task": "softmax", "code": ANSWER}]
PICTURES = [
    ["run", {"code": f"figures.temperature(temperature={temperature}, scores=(2, 1, 0.5))"}]
    for temperature in (0.7, 0.8, 0.9, 1.1, 1.2, 1.3)
]
# What a click does, and how long it takes until there is an answer, in seconds.
ASK = """async ([kind, request]) => {
  const start = performance.now();
  const root = document.documentElement.dataset.content_root;
  const { python } = await import(new URL(`${root}_static/live/python.js`, location.href));
  const found = await python.ask(kind, request, { seconds: 600 });
  if (found.error) throw new Error(found.error.text);
  return (performance.now() - start) / 1000;
}"""
# What is measured, with the most that it may take.
LIMITS = {
    "first report, cold": 5,
    "a further check": 0.1,
    "first picture, further": 4,
    "a further picture": 0.3,
    f"first report, cold, processor {SLOWED}x slower": 15,
}


class Counting(Compressing):
    """Serve files, and count the bytes that were sent."""

    sent = 0

    def send_header(self, name, value):
        """Count what is announced."""
        if name == "Content-Length":
            Counting.sent += int(value)
        super().send_header(name, value)


def seconds(page: Page, request: list) -> float:
    """Return how long Python takes for a request."""
    return page.evaluate(ASK, request)


@contextlib.contextmanager
def fresh(browser: Browser, address: str) -> Iterator[Page]:
    """Open a page with nothing kept from before."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(address, wait_until="networkidle")
    yield page
    context.close()


@contextlib.contextmanager
def slowed(browser: Browser) -> Iterator[None]:
    """Halt the processes of pages for a part of the time, so that they have 1 / SLOWED of the processor."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in processes if process["type"] == "renderer"]
    ended = threading.Event()

    def pulse():
        while not ended.is_set():
            for order, part in ((signal.SIGSTOP, 1 - 1 / SLOWED), (signal.SIGCONT, 1 / SLOWED)):
                for process in pages:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(process, order)
                time.sleep(SLICE * part)

    thread = threading.Thread(target=pulse, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def measure(browser: Browser, address: str) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return the times of all runs, and the bytes that were sent for a report and for a picture beside it."""
    first, again, picture, pictures, slow = (times := {name: [] for name in LIMITS}).values()
    sent = {}
    for run in range(RUNS + 1):
        with fresh(browser, address) as page:
            Counting.sent = 0
            cold = seconds(page, CHECK)
            sent["for a report"], Counting.sent = Counting.sent, 0
            checks = [seconds(page, CHECK) for _ in range(10)]
            drawn, *others = (seconds(page, request) for request in PICTURES)
            sent["for a picture beside"] = Counting.sent
        if run:  # the server compresses each file when it is first asked for
            first.append(cold)
            again += checks
            picture.append(drawn)
            pictures += others
    if hasattr(signal, "SIGSTOP"):
        for _ in range(RUNS):
            with fresh(browser, address) as page, slowed(browser):
                slow.append(seconds(page, CHECK))
    return times, sent


def main(site: Path = SITE, page: str = f"notebooks/{CHAPTERS[0]}.html") -> None:
    """Print each time with the most that it may be, and the bytes."""
    if not (site / "_static" / "live").is_dir():
        sys.exit("The built site has no Python in its pages: run make book first.")
    with serving(site, Counting) as address, launched(find_browser()) as browser:
        times, sent = measure(browser, f"{address}/{page}")
    for name, found in times.items():
        if found:
            most = f"at most {LIMITS[name]:g} s"
            print(f"{name:36} {statistics.median(found):6.3f} s  ({min(found):.3f} to {max(found):.3f}; {most})")
    for name, size in sent.items():
        print(f"{name:36} {size / 1e6:6.1f} MB")
    shipped = sum(path.stat().st_size for path in (site / "_static" / "live").rglob("*") if path.is_file())
    print(f"{'beside the site':36} {shipped / 1e6:6.1f} MB")


if __name__ == "__main__":
    main()
