"""What is seen of the course where somebody links to it? A card: the title beside one of the pictures."""

from functools import cache
from pathlib import Path
from textwrap import fill

from lossprimer import figures
from lossprimer.picture import Picture, primer_style

NAME = "card.png"
SIZE = 1200, 630
_DOTS_PER_INCH = 150


@cache
def card_words(title: str) -> str:
    """Return the words that stand for the card."""
    return f"{title}. {_picture().sentence}"


def draw_card(title: str, target: Path) -> None:
    """Write the card as PNG to `target`."""
    figure = _picture().figure
    with primer_style():
        figure.set(size_inches=[pixels / _DOTS_PER_INCH for pixels in SIZE], facecolor="white")
        figure.subplots_adjust(left=0.5, right=0.95, bottom=0.16, top=0.84)
        figure.text(0.06, 0.5, fill(title, 18), fontsize=22, fontweight="bold", va="center", linespacing=1.3)
        # No version inside: the same course makes the same card.
        figure.savefig(target, dpi=_DOTS_PER_INCH, metadata={"Software": None})


def _picture() -> Picture:
    return figures.temperature(0.5)
