"""What is a Picture? A matplotlib figure and the sentence that says what it shows."""

import functools
import hashlib
import html
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files

import matplotlib as mpl
from matplotlib.figure import Figure

from lossprimer.svg import inline_svg

_STYLE = mpl.rc_params_from_file(str(files("lossprimer") / "primer.mplstyle"), use_default_template=False)


@contextmanager
def primer_style() -> Iterator[None]:
    """Draw as `primer.mplstyle` says, whatever the reader's own settings are, and leave those as they were."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


class Picture:
    """A figure and its sentence, made from the same numbers.

    In a notebook a picture shows itself as a figure with the sentence as its caption. Where only text is
    shown, as in a stored output, the sentence stands for the picture.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is seen.
    sentence : str
        What it shows, in words: the caption, the text alternative, and what a re-executed notebook is
        compared by.
    """

    def __init__(self, figure: Figure, sentence: str):
        if not isinstance(figure, Figure):
            raise TypeError(f"figure is a {type(figure).__name__}, expected a matplotlib Figure")
        if not isinstance(sentence, str) or not sentence.strip():
            raise ValueError(f"sentence is {sentence!r}, expected the words that say what the figure shows")
        self.figure = figure
        self.sentence = sentence

    def __repr__(self):
        return self.sentence

    def svg(self, prefix: str = "") -> str:
        """Return the figure as an inline ``<svg>`` element whose ids begin with `prefix`."""
        with primer_style():
            return inline_svg(self.figure, prefix)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": picture_html(self), "text/plain": self.sentence}


def picture_html(picture: Picture) -> str:
    """Return the picture as a ``<figure>``: the drawing, named by the visible sentence below it."""
    name = "picture-" + hashlib.sha256(picture.sentence.encode()).hexdigest()[:8]
    return (
        f'<figure class="picture"><div class="picture-drawing" role="img" aria-labelledby="{name}">'
        f"{picture.svg(name + '-')}</div>"
        f'<figcaption id="{name}">{html.escape(picture.sentence)}</figcaption></figure>'
    )


def pictured(draw: Callable[..., tuple[Figure, str]]) -> Callable[..., Picture]:
    """Make a function that returns a figure and a sentence into one that returns a Picture in our style."""

    @functools.wraps(draw)
    def drawing(*args, **options) -> Picture:
        with primer_style():
            return Picture(*draw(*args, **options))

    return drawing
