"""What is seen of the book where somebody links to it? A card: the title, beside one of the book's pictures."""

from functools import cache
from pathlib import Path
from textwrap import fill

import matplotlib.style
from matplotlib.figure import Figure
from sphinx.util import import_object

NAME = "card.png"
SIZE = 1200, 630
_DOTS_PER_INCH = 150


@cache
def card_words(title: str, picture: str) -> str:
    """Return the words that stand for the card; its arguments are those of `draw_card`."""
    return f"{title}. {import_object(picture)().sentence}" if picture else title


def draw_card(title: str, picture: str, target: Path) -> None:
    """Write the card as PNG to `target`.

    Parameters
    ----------
    title : str
        The title of the book.
    picture : str
        The name of a function, with its module, that needs no arguments and returns a picture: an object with a
        figure and a sentence. Without a name there is only the title.
    target : Path
        The file.
    """
    # Whatever the settings of this machine are, the same book makes the same card.
    with matplotlib.style.context("default", after_reset=True):
        figure = import_object(picture)().figure if picture else Figure()
        figure.set(size_inches=[pixels / _DOTS_PER_INCH for pixels in SIZE], facecolor="white")
        figure.subplots_adjust(left=0.5, right=0.95, bottom=0.16, top=0.84)
        figure.text(0.06, 0.5, fill(title, 18), fontsize=22, fontweight="bold", va="center", linespacing=1.3)
        # No version inside, for the same reason.
        figure.savefig(target, dpi=_DOTS_PER_INCH, metadata={"Software": None})
