"""How quickly does a page stand, and how heavy is it? Lighthouse on every page, beside a stock Jupyter Book page.

The rival has the same content: chapter 1, built in the same run by Jupyter Book with its own theme and settings. The
figures of the front page, the chapters and the rival are medians of five runs; other pages are measured once, or as
often as ``--times`` says. All are served compressed from this machine. Requests to other hosts fail at once: on a
reader's machine the rival also waits for those and loads what they send, which is not counted here. Below a page stand
its figures in the last version, recorded by ``python -m benchmarks.site --record VERSION`` when it was current; their
seconds are those of that machine. Build the site first. Node 18 or newer is needed.
"""

import argparse
import functools
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from tools.browser import find_browser
from tools.gallery import names
from tools.server import QuietHandler, serving

ROOT = Path(__file__).parent.parent
WORKPLACE = ROOT / "_build" / "bench"
VERSION = "12.8.2"  # 13 needs Node 22
RUNS = 5
DEVICES = "mobile", "desktop"
# What --record wrote, by the version of the course.
RECORDED = Path(__file__).parent / "recorded"
PREFIX = "site-"
CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
# What is measured more than once.
OFTEN = ["book/intro", *(f"notebooks/{name}" for name in CHAPTERS)]
STOCK_PAGE = "stock chapter 1"
CATEGORIES = "performance", "accessibility", "best-practices", "seo"
# Lighthouse's audits by our names, with what to divide by: seconds until the first and the largest paint and until the
# page answers its reader, the layout's shift, kilobytes sent.
AUDITS = {
    "first": ("first-contentful-paint", 1000),
    "paint": ("largest-contentful-paint", 1000),
    "ready": ("interactive", 1000),
    "shift": ("cumulative-layout-shift", 1),
    "weight": ("total-byte-weight", 1000),
}
CHROME = "--headless=new --no-sandbox --disable-gpu --host-resolver-rules='MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'"
STOCK = {
    "_config.yml": "title: Stock\nauthor: nobody\nonly_build_toc_files: true\nexecute: {execute_notebooks: force}\n",
    "_toc.yml": f"format: jb-book\nroot: {CHAPTERS[0]}\n",
}


# What is compressed already.
ARCHIVES = {".whl", ".woff2", ".zip"}


@functools.cache
def compressed(path: Path) -> bytes:
    """Return a file as a usual server sends it."""
    content = path.read_bytes()
    return content if path.suffix in ARCHIVES else gzip.compress(content, 6)


class Compressing(QuietHandler):
    """Serve files compressed, to be kept for ten minutes."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Send a file, or say that there is none."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = compressed(path)
        self.send_response(200)
        headers = {
            "Content-Type": self.guess_type(str(path)),
            "Content-Length": str(len(content)),
            "Cache-Control": "max-age=600",
        }
        if path.suffix not in ARCHIVES:
            headers["Content-Encoding"] = "gzip"
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(content)


def install_lighthouse() -> Path:
    """Return the path of Lighthouse, installed below _build."""
    WORKPLACE.mkdir(parents=True, exist_ok=True)
    command = WORKPLACE / "node_modules" / ".bin" / "lighthouse"
    if not command.exists():
        install = ["npm", "install", "--prefix", str(WORKPLACE), "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run([*install, f"lighthouse@{VERSION}"], check=True, stdout=subprocess.DEVNULL)
    return command


def build_stock() -> Path:
    """Build chapter 1 as Jupyter Book does it by itself; returns the folder of the site."""
    source = WORKPLACE / "stock"
    shutil.rmtree(source, ignore_errors=True)
    source.mkdir(parents=True)
    for name, text in STOCK.items():
        (source / name).write_text(text, "utf-8")
    shutil.copy(ROOT / "notebooks" / f"{CHAPTERS[0]}.ipynb", source)
    command = [str(Path(sys.executable).parent / "jupyter-book"), "build", str(source), "--quiet"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return source / "_build" / "html"


def measure(lighthouse: Path, address: str, *, desktop: bool, times: int) -> dict[str, float]:
    """Return the median over some runs of four scores of 100 and of the audits."""
    command = [str(lighthouse), address, "--output=json", "--quiet", f"--chrome-flags={CHROME}"]
    command += ["--preset=desktop"] if desktop else []
    environment = os.environ | {"CHROME_PATH": find_browser()}
    runs = []
    for _ in range(times):
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment)
        report = json.loads(done.stdout)
        values = {name: round(100 * (report["categories"][name]["score"] or 0)) for name in CATEGORIES}
        values |= {name: report["audits"][audit]["numericValue"] / unit for name, (audit, unit) in AUDITS.items()}
        runs.append(values)
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


Figures = dict[str, dict[str, dict[str, float]]]


def read_last() -> tuple[str, Figures]:
    """Return the newest version whose figures are recorded, and what `measure_all` returned for it."""
    path = max(RECORDED.glob(f"{PREFIX}*.json"), key=lambda path: [int(part) for part in re.findall(r"\d+", path.stem)])
    return path.stem.removeprefix(PREFIX), json.loads(path.read_text("utf-8"))


def measure_all(
    lighthouse: Path, pages: dict[str, str], times: int, version: str = "", last: Figures | None = None
) -> Figures:
    """Measure pages on a phone and on a desk, and print a line for each with that of the last version below it.

    Parameters
    ----------
    lighthouse : Path
        The program.
    pages : dict of str to str
        Addresses by the names of the pages.
    times : int
        How often the pages are measured that are not `OFTEN`.
    version : str, optional
        The last version.
    last : dict, optional
        What this returned for it.

    Returns
    -------
    dict
        For each device and page the scores and audits, as `measure` returns them.
    """
    found = {}
    for device in DEVICES:
        print(f"{device:30} performance access. practices  SEO first, s paint, s ready, s  shift   kB")
        found[device] = {}
        for name, address in pages.items():
            runs = RUNS if name in (*OFTEN, STOCK_PAGE) else times
            values = measure(lighthouse, address, desktop=device == "desktop", times=runs)
            found[device][name] = values
            print(line(name, values), flush=True)
            if last and name in last[device]:
                print(line(f"    in version {version}", last[device][name]))
        print()
    return found


def line(title: str, values: dict[str, float]) -> str:
    """Return a line of the table."""
    scores = "{:11.0f} {:7.0f} {:9.0f} {:4.0f}".format(*(values[category] for category in CATEGORIES))
    audits = "{:8.2f} {:8.2f} {:8.2f} {:6.3f} {:4.0f}".format(*(values[audit] for audit in AUDITS))
    return f"{title:30} {scores} {audits}"


def main(*words: str) -> None:
    """Measure every page and the rival, or record the figures of a version."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site", description=__doc__.splitlines()[0])
    parser.add_argument("--record", metavar="VERSION", help="record the figures of this version, without the rival")
    parser.add_argument("--project", metavar="FOLDER", type=Path, default=ROOT, help="whose built site is measured")
    parser.add_argument("--times", type=int, default=1, help="how often other pages than the chapters are measured")
    chosen = parser.parse_args(words)
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("There is no Node here, so Lighthouse was not run.")
        return
    site = chosen.project / "_build" / "html"
    if missing := [name for name in OFTEN if not (site / f"{name}.html").exists()]:
        sys.exit(f"The built site has no page {missing[0]}: run make book first.")
    lighthouse = install_lighthouse()
    every = [*OFTEN, *(name for name in names(chosen.project / "_toc.yml") if name not in OFTEN)]
    with serving(site, Compressing) as ours:
        pages = {name: f"{ours}/{name}.html" for name in every}
        if chosen.record:
            RECORDED.mkdir(exist_ok=True)
            figures = {
                device: {page: {name: round(value, 3) for name, value in values.items()} for page, values in of.items()}
                for device, of in measure_all(lighthouse, pages, chosen.times).items()
            }
            (RECORDED / f"{PREFIX}{chosen.record}.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
            return
        with serving(build_stock(), Compressing) as stock:
            pages[STOCK_PAGE] = f"{stock}/{CHAPTERS[0]}.html"
            found = measure_all(lighthouse, pages, chosen.times, *read_last())
    for device, values in found.items():
        mine, theirs = values[f"notebooks/{CHAPTERS[0]}"], values[STOCK_PAGE]
        ratios = (f"{theirs[name] / mine[name]:.1f} times the {name}" for name in ("paint", "ready", "weight"))
        print(f"{device}: the stock page of chapter 1 has {', '.join(ratios)}.")


if __name__ == "__main__":
    main(*sys.argv[1:])
