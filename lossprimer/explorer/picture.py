"""What is a Picture? A matplotlib figure and the sentence that says what it shows."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lossprimer.explorer.dark import twins

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# matplotlib takes a while to import: the functions below import it when something is drawn.


class Picture:
    """A figure and its sentence, made from the same numbers.

    In a notebook a picture shows itself as a figure with the sentence as its caption. Where only text is
    shown, as in a stored output, the sentence stands for the picture.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is seen. If pyplot made it, pyplot is made to forget it, or it would show the figure a second time.
    sentence : str
        What it shows, in words: the caption, the text alternative, and what a re-executed notebook is
        compared by.
    style : str, path, dict or list of these, optional
        The style that the figure was drawn in, as `matplotlib.style.use` takes it. By default the settings
        in force.

    Raises
    ------
    TypeError
        If `figure` is not a matplotlib Figure.
    ValueError
        If `sentence` has no words.
    """

    def __init__(self, figure: Figure, sentence: str, *, style: Any = None):
        from matplotlib.figure import Figure

        if not isinstance(figure, Figure):
            raise TypeError(f"figure is a {type(figure).__name__}, expected a matplotlib Figure")
        if not isinstance(sentence, str) or not sentence.strip():
            raise ValueError(f"sentence is {sentence!r}, expected the words that say what the figure shows")
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close(figure)
        self.figure = figure
        self.sentence = sentence
        self.style = style

    def __repr__(self):
        return self.sentence

    def svg(self, prefix: str = "") -> str:
        """Return the figure as an inline ``<svg>`` element whose ids begin with `prefix`."""
        from lossprimer.explorer.svg import inline_svg

        with styled(self.style):
            return inline_svg(self.figure, prefix)

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": picture_html(self), "text/plain": self.sentence}


def picture_html(picture: Picture, name: str = "") -> str:
    """Return the picture as a ``<figure>``: the drawing, named by the visible sentence below it.

    `name` begins its ids; by default it is made from the sentence, so that the same picture has the same ones.
    """
    name = name or "picture-" + hashlib.sha256(picture.sentence.encode()).hexdigest()[:8]
    svg = picture.svg(f"{name}-")
    return (
        f'<figure class="picture">{drawing_html(svg, name, twins([svg]))}'
        f'<figcaption id="{name}">{html.escape(picture.sentence)}</figcaption></figure>'
    )


def still_html(picture: Picture) -> str:
    """Return the picture as a ``<figure>`` with an image: ``<svg>`` is removed where a notebook is not trusted.

    It follows no page, so it has a ground and a font of its own.
    """
    own = '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" '
    ground = '<rect width="100%" height="100%" fill="white"/>'
    start, _, rest = picture.svg().partition(">")
    drawing = start.replace("<svg ", own, 1) + ">" + ground + rest
    data = base64.b64encode(drawing.encode()).decode("ascii")
    image = f'<img src="data:image/svg+xml;base64,{data}" alt="">'
    return f'<figure class="picture">{image}<figcaption>{html.escape(picture.sentence)}</figcaption></figure>'


def drawing_html(svg: str, named_by: str, dark: str) -> str:
    """Return the box of a drawing: an image named by the element `named_by`, with the twins of its colours."""
    return f'<div class="picture-drawing" role="img" aria-labelledby="{named_by}" data-dark="{dark}">{svg}</div>'


@contextmanager
def styled(style: Any) -> Iterator[None]:
    """Draw in `style` whatever the user's own settings are, and leave those as they were; None changes nothing."""
    if style is None:
        yield
        return
    import matplotlib.style

    with matplotlib.rc_context():
        # A list is copied: what a drawing function changes in one must not be there for the next.
        defaults = {name: value[:] if isinstance(value, list) else value for name, value in _defaults().items()}
        dict.update(matplotlib.rcParams, defaults)
        matplotlib.style.use(style)
        yield


@functools.cache
def _defaults() -> dict[str, Any]:
    """Return the settings that `matplotlib.rcdefaults` makes, which takes longer: it checks each of them anew.

    What is no matter of style, such as the backend, is not among them.
    """
    import matplotlib

    untouched = object()
    with matplotlib.rc_context():  # which does not put the backend back
        dict.update(matplotlib.rcParams, {name: untouched for name in matplotlib.rcParams if name != "backend"})
        matplotlib.rcdefaults()
        made = dict(dict.items(matplotlib.rcParams))
    del made["backend"]
    return {name: value for name, value in made.items() if value is not untouched}


def pictured(draw: Callable[..., tuple[Figure, str]] | None = None, /, *, style: Any = None) -> Callable:
    """Make a function that returns a figure and a sentence into one that returns a Picture.

    Parameters
    ----------
    draw : callable
        Returns a pair: a matplotlib Figure and a str.
    style : str, path, dict or list of these, optional
        Drawn in this style, as `matplotlib.style.use` takes it, on top of matplotlib's defaults. By default
        the settings in force when the function is called.

    Returns
    -------
    callable
        The function, or, when only `style` is given, a decorator.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from lossprimer.explorer import pictured
    >>> @pictured(style="ggplot")
    ... def square(side):
    ...     figure = Figure()
    ...     x, y = [0, side, side, 0], [0, 0, side, side]
    ...     figure.add_subplot().fill(x, y)
    ...     return figure, f"A square of area {side**2:g}."
    >>> square(3)
    A square of area 9.
    """
    if draw is None:
        return functools.partial(pictured, style=style)

    @functools.wraps(draw)
    def drawing(*args, **options) -> Picture:
        with styled(style):
            return Picture(*draw(*args, **options), style=style)

    return drawing
