"""Which addresses has the site given out? Those of sections, terms, rows and explorers are recorded, and must stay."""

import argparse
import re
from pathlib import Path

from tools.server import SITE

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "tests" / "addresses.txt"
_RECORDED = re.compile(r"<(?:section|tr|dt|figure)\b(?![^>]*class=\"sig)[^>]*\bid=\"([^\"]+)\"")
_ANY = re.compile(r"\bid=\"([^\"]+)\"")


def on_site(site: Path, *, every: bool = False) -> set[str]:
    """Return the addresses that the pages of a site have: page and fragment.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    every : bool
        Whether anything with an id counts, such as the mark that an old address leaves, or only what is recorded.
    """
    pages = [*site.glob("book/**/*.html"), *site.glob("notebooks/*.html")]
    pattern = _ANY if every else _RECORDED
    found = ((page.relative_to(site).as_posix(), pattern.findall(page.read_text("utf-8"))) for page in pages)
    return {f"{page}#{name}" for page, names in found for name in names}


def main() -> None:
    """Add the addresses of the built site to the record; none is ever taken out."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--site", type=Path, default=SITE, help="the folder of the built site")
    known = set(RECORD.read_text("utf-8").split()) if RECORD.exists() else set()
    every = known | on_site(parser.parse_args().site)
    RECORD.write_text("".join(f"{address}\n" for address in sorted(every)), "utf-8")
    print(f"{len(every) - len(known)} new addresses, {len(every)} in all")


if __name__ == "__main__":
    main()
