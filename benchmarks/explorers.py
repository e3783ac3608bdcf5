"""From moving a slider to the new picture on the screen, beside what stock `interact` has to do for each move.

Ours is measured in Chromium on the built site, from the input event to the first task after the frame was painted.
The frame rate is not limited, so that no time is spent waiting for the next refresh of a screen.
The rival's time is that of drawing the same picture with matplotlib and encoding it as PNG, which `interact` repeats
at each move; the messages between browser and kernel, which it also needs, are left out. Build the site first.
"""

import io
import statistics
import timeit
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from playwright.sync_api import sync_playwright

from lossprimer import figures
from tools.browser import ARGUMENTS, find_browser
from tools.server import serving

SITE = Path(__file__).parent.parent / "_build" / "html"
PAGE = "notebooks/01_softmax.html"
MOVES = 200
UNLIMITED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
MEASURE = """
async (input) => {
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  }));
  const times = [];
  for (let move = 0; move < MOVES; move += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5 + 30 * Math.random()));
    const start = performance.now();
    input.value = (Number(input.value) + 7) % (Number(input.max) + 1);
    input.dispatchEvent(new Event("input"));
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}
"""


def milliseconds_to_paint() -> dict[str, list[float]]:
    """Return the times of many moves of the first slider of each explorer of chapter 1."""
    with serving(SITE) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*ARGUMENTS, *UNLIMITED])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/{PAGE}", wait_until="networkidle")
        times = {}
        for slider in page.locator("figure.explorer input").all():
            slider.scroll_into_view_if_needed()
            name = slider.evaluate("input => input.closest('figure').id")
            times[name] = slider.evaluate(MEASURE.replace("MOVES", str(MOVES)))
        browser.close()
    return times


def milliseconds_of_interact() -> float:
    """Return the time that drawing a picture and encoding it as PNG takes."""

    def draw():
        FigureCanvasAgg(figures.temperature(0.5).figure).print_png(io.BytesIO())

    draw()
    return min(timeit.repeat(draw, number=1, repeat=20)) * 1000


def main() -> None:
    """Print a line for each explorer."""
    rival = milliseconds_of_interact()
    print(f"{'explorer':30} {'median, ms':>10} {'95 %, ms':>9} {'interact draws, ms':>19} {'ratio':>6}")
    for name, times in milliseconds_to_paint().items():
        median, late = statistics.median(times), statistics.quantiles(times, n=20)[-1]
        print(f"{name:30} {median:10.1f} {late:9.1f} {rival:19.1f} {rival / median:6.1f}")


if __name__ == "__main__":
    main()
