"""From moving a slider to the new picture on the screen, beside what stock `interact` has to do for each move.

Ours is measured in Chromium on the built site, from the input event to the first task after the frame was painted, for
every slider of every chapter: as it is, and with the processor four times slower, as a cheap phone's is. Readers who
want no motion see the new picture at once; for the others it is here that the glide begins. The frame rate is not
limited, so that no time is spent waiting for the next refresh of a screen. "one text" is the time that the browser
takes on the same page and at the same speed for a change of a single text: the least there is.
The rival's time is that of drawing the same picture with matplotlib and encoding it as PNG, which `interact` repeats
at each move; the messages between browser and kernel, which it also needs, are left out. Build the site first.
"""

import io
import statistics
import timeit
from collections.abc import Iterator

from matplotlib.backends.backend_agg import FigureCanvasAgg

from lossprimer import figures
from tools.browser import find_browser, launched
from tools.server import SITE, serving

MOVES = 100
# How many times slower a processor is made, and how many milliseconds a move may take then: median and 95 %.
SLOWED = 4
LIMITS = {1: (8, 16), SLOWED: (30, None)}
UNLIMITED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")
OPEN = "() => document.querySelectorAll('.prediction[data-state=covered] .prediction-show').forEach((b) => b.click())"
MEASURE = """
async (input, [moves, whole]) => {
  const label = input.closest("figure").querySelector(".explorer-title");
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(null);
  }));
  const times = [];
  for (let move = 0; move < moves; move += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5 + 30 * Math.random()));
    const start = performance.now();
    if (whole) {
      input.value = (Number(input.value) + 7) % (Number(input.max) + 1);
      input.dispatchEvent(new Event("input"));
    } else {
      label.textContent = `Move ${move}`;
    }
    await painted();
    times.push(performance.now() - start);
  }
  return times;
}
"""


def milliseconds_to_paint() -> Iterator[tuple[str, dict[int, list[float]], dict[int, list[float]]]]:
    """Yield the name of each slider, and its times and those of one text by how far the processor is slowed down."""
    with serving(SITE) as address, launched(find_browser(), *UNLIMITED) as browser:
        for chapter in sorted((SITE / "notebooks").glob("*.html")):
            page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
            page.goto(f"{address}/notebooks/{chapter.name}", wait_until="networkidle")
            page.evaluate(OPEN)
            devtools = page.context.new_cdp_session(page)
            for slider in page.locator("figure.explorer input[type=range]").all():
                slider.scroll_into_view_if_needed()
                slider.evaluate(MEASURE, [5, True])
                whole, least = {}, {}
                for rate in LIMITS:
                    devtools.send("Emulation.setCPUThrottlingRate", {"rate": rate})
                    whole[rate] = slider.evaluate(MEASURE, [MOVES, True])
                    least[rate] = slider.evaluate(MEASURE, [MOVES // 4, False])
                devtools.send("Emulation.setCPUThrottlingRate", {"rate": 1})
                yield f"{chapter.stem[:2]} {slider.get_attribute('id')}", whole, least
            page.close()


def milliseconds_of_interact() -> float:
    """Return the time that drawing a picture and encoding it as PNG takes."""

    def draw():
        FigureCanvasAgg(figures.temperature(0.5).figure).print_png(io.BytesIO())

    draw()
    return min(timeit.repeat(draw, number=1, repeat=20)) * 1000


def main() -> None:
    """Print a line for each slider, and which of them take longer than the limits."""
    rival = milliseconds_of_interact()
    slow = f"{SLOWED}x slower"
    print(
        f"{'milliseconds':56} {'median':>6} {'95 %':>6} {'one text':>8} {slow:>9} {'one text':>8} {'interact':>8} ratio"
    )
    above = []
    for name, whole, least in milliseconds_to_paint():
        median, slowed = statistics.median(whole[1]), statistics.median(whole[SLOWED])
        late = statistics.quantiles(whole[1], n=20)[-1]
        print(
            f"{name:56} {median:6.1f} {late:6.1f} {statistics.median(least[1]):8.1f} {slowed:9.1f}"
            f" {statistics.median(least[SLOWED]):8.1f} {rival:8.1f} {rival / median:5.1f}",
            flush=True,
        )
        if median > LIMITS[1][0] or late > LIMITS[1][1] or slowed > LIMITS[SLOWED][0]:
            above.append(name)
    (median, late), (slowed, _) = LIMITS.values()
    print(f"Limits: median {median}, 95 % {late}, {slow} {slowed}. Above them: {', '.join(above) or 'none'}.")


if __name__ == "__main__":
    main()
