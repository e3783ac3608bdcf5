"""Run whole notebooks as after a click on "Open live": in JupyterLite, from the built site, in a browser.

``python -m tools.live`` runs every chapter and every problem set, ``python -m tools.live 01_softmax`` those whose path
contains the word. It fails where a cell does, where something is written to stderr, and where another host is asked.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.browser import MISSING, find_browser, launched
from tools.server import SITE, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

SECONDS = 1200
_BAR = re.compile(r"^\s*\d+%\|.*$", re.MULTILINE)
_DOCUMENT = "window.jupyterapp?.shell?.currentWidget?.context"
_AT_REST = f"""() => {{
  const code = {_DOCUMENT}.model.toJSON().cells.filter((cell) => cell.cell_type === "code" && cell.source.trim());
  const failed = code.some((cell) => cell.outputs.some((output) => output.output_type === "error"));
  const idle = {_DOCUMENT}.sessionContext.session?.kernel?.status === "idle";
  return idle && (failed || code.every((cell) => cell.execution_count));
}}"""


@dataclass(frozen=True)
class Outcome:
    """What came of running a notebook.

    Parameters
    ----------
    cells : list of dict
        Its code cells with their outputs, as in a file.
    seconds : float
        From the application to the last cell's end.
    """

    cells: list[dict]
    seconds: float

    def outputs(self, kind: str) -> list[dict]:
        """Return all outputs of a kind: "error", "stream", "display_data" or "execute_result"."""
        return [output for cell in self.cells for output in cell["outputs"] if output["output_type"] == kind]

    @property
    def faults(self) -> list[str]:
        """Errors, what was written to stderr, and cells that did not run."""
        found = [f"{error['ename']}: {error['evalue']}" for error in self.outputs("error")]
        # JupyterLab keeps some states of a progress bar, and blanks in place of others.
        told = ("".join(text["text"]) for text in self.outputs("stream") if text["name"] == "stderr")
        found += [text for text in told if re.sub(_BAR, "", text).strip()]
        skipped = [cell for cell in self.cells if "".join(cell["source"]).strip() and not cell["execution_count"]]
        return found + [f"not run: {''.join(cell['source'])}" for cell in skipped]


def wait_for_notebook(page: Page) -> None:
    """Wait until the notebook is there, which is before its kernel."""
    page.wait_for_function(f"() => {_DOCUMENT}?.isReady", timeout=60_000)


def run_all(page: Page, seconds: float = SECONDS) -> Outcome:
    """Have all cells of the opened notebook run, and return what came of it."""
    started = time.monotonic()
    wait_for_notebook(page)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(_AT_REST, timeout=seconds * 1000, polling=200)
    took = time.monotonic() - started
    cells = page.evaluate(f"() => {_DOCUMENT}.model.toJSON().cells")
    return Outcome([cell for cell in cells if cell["cell_type"] == "code"], took)


def notebooks(site: Path) -> list[str]:
    """Return the paths of the notebooks that are live on a site."""
    files = site / "live" / "files"
    return sorted(path.relative_to(files).as_posix() for path in files.rglob("*.ipynb"))


def main(argv: list[str] | None = None) -> None:
    """Run notebooks, and print how long each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="*", help="run only notebooks whose path contains one of them")
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the built site")
    asked = parser.parse_args(argv)
    chosen = [path for path in notebooks(asked.site) if not asked.words or any(word in path for word in asked.words)]
    if not chosen:
        sys.exit(f"no live notebook in {asked.site} has a path with {asked.words or 'anything'}")
    browser_path = find_browser() or sys.exit(MISSING)
    faults = 0
    with serving(asked.site) as address, launched(browser_path) as browser:
        for path in chosen:
            requests: list[str] = []
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            context.on("request", lambda request, requests=requests: requests.append(request.url))
            page = context.new_page()
            page.goto(f"{address}/live/notebooks/index.html?path={path}")
            outcome = run_all(page)
            context.close()
            foreign = [url for url in requests if not url.startswith((address, "data:", "blob:"))]
            print(f"{path}  {len(outcome.cells)} cells  {outcome.seconds:.0f} s", flush=True)
            for fault in [*outcome.faults, *(f"asked another host: {url}" for url in foreign)]:
                print(f"  {fault}")
                faults += 1
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
