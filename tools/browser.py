"""The browser that the tests drive: one that is installed, or else one that this installs.

Run as a command (``python -m tools.browser``) it makes sure that there is a browser and prints where.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.debian import can_install, install

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
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
)
MISSING = (
    "The tests need a browser and none could be installed: install Chromium or Google Chrome"
    " (on Debian: apt-get install chromium) and run the command again."
)


def find_browser() -> str | None:
    """Return the path of an installed Chromium or Chrome, or None."""
    found = [shutil.which(command) for command in COMMANDS]
    found += [path for path in APPLICATIONS if Path(path).is_file()]
    return next(filter(None, found), None) or _playwright_browser()


def _playwright_browser() -> str | None:
    """Return the path of Playwright's own download, if there is one."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install_browser() -> None:
    """Install a browser: Debian's package where this is Debian and we are root, else Playwright's download."""
    if can_install():
        install("chromium")
    else:
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    """Print the browser's path; install one first where there is none."""
    if find_browser() is None:
        install_browser()
    browser = find_browser()
    if browser is None:
        sys.exit(MISSING)
    print(f"The tests drive {browser}")


if __name__ == "__main__":
    main()
