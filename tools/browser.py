"""The browser that the tests drive: one that is installed, or else one that this installs.

Run as a command (``python -m tools.browser``) it makes sure that there is a browser and prints where.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tools.debian import can_install, install

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Chromium without a window, as Playwright has it too: the same engine, and a page takes two thirds of the time.
WITHOUT_WINDOW = "chromium-headless-shell"
COMMANDS = (WITHOUT_WINDOW, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
)
# Nothing here needs a graphics card, a sandbox (which root may not have), or the browser's own background traffic.
# Each page would bring processes of its own for what nobody sees: the list below the address bar, and a page to come.
# Chromium heeds the last such list alone, so what Playwright leaves out is named again.
LEFT_OUT = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(LEFT_OUT)}",
    "--font-render-hinting=none",  # text as wide as in a window
)
MISSING = (
    "The tests need a browser and none could be installed: install Chromium or Google Chrome"
    " (on Debian: sudo apt-get install chromium libatomic1) and run the command again."
)
# Playwright drives it by a Node of its own, which needs a library that a bare Debian has not.
LIBRARY = "libatomic1"
_ASK = (
    "from playwright.sync_api import sync_playwright\nwith sync_playwright() as it: print(it.chromium.executable_path)"
)


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    found = [shutil.which(command) for command in COMMANDS]
    found += [path for path in APPLICATIONS if Path(path).is_file()]
    if installed := next(filter(None, found), None):
        return installed
    own = driven()
    return own if own and Path(own).is_file() else None


def driven() -> str | None:
    """Return where Playwright would have a browser of its own, or None where it does not run."""
    asked = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, encoding="utf-8", check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None


@contextlib.contextmanager
def launched(path: str, *more: str) -> Iterator[Browser]:
    """Start the browser at `path`, without a window, with `more` arguments than always, and close it in the end."""
    # A tenth of a second, for which those who start no browser do not wait: every run of the quick tests is among them.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()


def install_browser() -> None:
    """Install a browser: Debian's package where this is Debian and we are root, else Playwright's download.

    Not every release of Debian or Ubuntu has the one without a window.
    """
    if can_install():
        install(WITHOUT_WINDOW)
        if find_browser() is None:
            install("chromium")
    else:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the browser's path; install one first where there is none."""
    if driven() is None and can_install():
        install(LIBRARY)
    if find_browser() is None and (can_install() or driven()):
        install_browser()
    browser = find_browser()
    if browser is None or driven() is None:
        sys.exit(MISSING)
    print(f"The tests drive {browser}")


if __name__ == "__main__":
    main()
