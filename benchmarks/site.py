"""How quickly does a page stand, and how heavy is it? Lighthouse on every page, beside a stock Jupyter Book page.

The rival has the same content: chapter 1, built in the same run by Jupyter Book with its own theme and settings. The
front page, the chapters and the rival are measured five times, every other page once. All are served compressed from
this machine. Requests to other hosts fail at once: on a reader's machine the rival also waits for those and loads what
they send, which is not counted here. Build the site first. Node 18 or newer is needed.
"""

import functools
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from tools.browser import find_browser
from tools.gallery import names
from tools.server import QuietHandler, serving

ROOT = Path(__file__).parent.parent
SITE = ROOT / "_build" / "html"
WORKPLACE = ROOT / "_build" / "bench"
VERSION = "12.8.2"  # 13 needs Node 22
RUNS = 5
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


def main() -> None:
    """Print a line for each chapter and the rival, on a phone and on a desk, and what the rival costs more."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        print("There is no Node here, so Lighthouse was not run.")
        return
    if missing := [name for name in OFTEN if not (SITE / f"{name}.html").exists()]:
        sys.exit(f"The built site has no page {missing[0]}: run make book first.")
    once = [name for name in names(ROOT / "_toc.yml") if name not in OFTEN]
    lighthouse = install_lighthouse()
    with serving(SITE, Compressing) as site, serving(build_stock(), Compressing) as stock:
        pages = {name: f"{site}/{name}.html" for name in [*OFTEN, *once]}
        report(lighthouse, pages | {STOCK_PAGE: f"{stock}/{CHAPTERS[0]}.html"})


def report(lighthouse: Path, pages: dict[str, str]) -> None:
    """Print a line for each page, on a phone and on a desk."""
    for device in ("mobile", "desktop"):
        print(f"{device:30} performance access. practices  SEO first, s paint, s ready, s  shift   kB")
        found = {}
        for name, address in pages.items():
            times = RUNS if name in (*OFTEN, STOCK_PAGE) else 1
            found[name] = values = measure(lighthouse, address, desktop=device == "desktop", times=times)
            scores = "{:11.0f} {:7.0f} {:9.0f} {:4.0f}".format(*(values[category] for category in CATEGORIES))
            audits = "{:8.2f} {:8.2f} {:8.2f} {:6.3f} {:4.0f}".format(*(values[audit] for audit in AUDITS))
            print(f"{name:30} {scores} {audits}", flush=True)
        ours, theirs = found[f"notebooks/{CHAPTERS[0]}"], found[STOCK_PAGE]
        ratios = (f"{theirs[name] / ours[name]:.1f} times the {name}" for name in ("paint", "ready", "weight"))
        print(f"The stock page of chapter 1 has {', '.join(ratios)}.\n")


if __name__ == "__main__":
    main()
