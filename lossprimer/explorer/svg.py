"""How does a matplotlib figure become a small inline SVG that follows the page's colours?"""

import html
import io
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

_POINT_IN_PIXELS = 4 / 3
_COORDINATES = {"d", "height", "transform", "width", "x", "y"}
_KEPT = _COORDINATES | {"clip-path", "href", "opacity"}
_NOT_DRAWN = {"metadata", "style", "title", "desc"}
# What the root element already says, or what SVG takes for granted.
_DEFAULTS = {"text-anchor": "start", "opacity": "1", "fill-opacity": "1"}
_LEFT_TO_THE_PAGE = {"font-family", "stroke-linejoin"}
_BLACK = {"#000000", "black"}
_NUMBER = re.compile(r"-?\d*\.?\d+(?:e-?\d+)?")
_COMMAND = re.compile(r"([A-DF-Za-df-z])([^A-DF-Za-df-z]*)")
# matplotlib before 3.9 writes one property, which no attribute can be: "oblique 700 11px 'DejaVu Sans', sans-serif".
_FONT = re.compile(r"(?:(?P<style>italic|oblique) )?(?:small-caps )?(?:(?P<weight>\w+) )?(?P<size>[\d.]+)px ")


def inline_svg(figure: Figure, prefix: str) -> str:
    """Draw `figure` as one ``<svg>`` element to be put into a page.

    Text stays text. Black becomes ``currentColor``, and a white background transparent; other colours stay as
    presentation attributes, so that a style sheet can replace them and no inline style is needed (a strict
    Content-Security-Policy forbids those).

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to draw.
    prefix : str
        Put before each id, so that two pictures can share a page.

    Returns
    -------
    str
        The element, hidden from assistive technology: a picture's sentence is its text alternative.
    """
    out = io.StringIO()
    # Text stays text, and the same figure gets the same ids each time.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "picture"}), _on_the_ground_of_the_page(figure):
        FigureCanvasSVG(figure).print_svg(out, metadata={"Date": None})
    root = ElementTree.fromstring(out.getvalue())
    width, height = (float(root.attrib[side].removesuffix("pt")) for side in ("width", "height"))
    # Matplotlib's ids are long and change with the colour of a marker; ours are numbers, in the order of their use.
    used = dict.fromkeys(re.findall(r"#([\w-]+)", " ".join(_references(root))))
    ids = {name: f"{prefix}{number}" for number, name in enumerate(used)}
    body = "".join(_serialize(child, ids) for child in root)
    # The most frequent size stands at the root alone, where a style sheet can set it by the width of the screen.
    sizes = Counter(re.findall(r'<text[^>]* font-size="([^"]+)"', body))
    size = sizes.most_common(1)[0][0] if sizes else f"{mpl.rcParams['font.size']:g}"
    body = body.replace(f' font-size="{size}"', "")
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width * _POINT_IN_PIXELS:.0f}"'
        f' height="{height * _POINT_IN_PIXELS:.0f}" font-size="{size}" fill="currentColor"'
        f' stroke-linejoin="round" aria-hidden="true">{body}</svg>'
    )


@contextmanager
def _on_the_ground_of_the_page(figure: Figure) -> Iterator[None]:
    """Leave out the white backgrounds of the figure and its axes."""
    white = [
        patch
        for patch in (figure.patch, *(axes.patch for axes in figure.axes))
        if patch.get_visible() and to_hex(patch.get_facecolor()) == "#ffffff"
    ]
    for patch in white:
        patch.set_visible(False)
    try:
        yield
    finally:
        for patch in white:
            patch.set_visible(True)


def _references(root: ElementTree.Element) -> Iterator[str]:
    """Yield the attributes that may point to an id."""
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.endswith("href") or "url(#" in value:
                yield value


def _serialize(element: ElementTree.Element, ids: dict[str, str]) -> str:
    """Write `element` as a browser does, without what does not show: metadata, unused ids, groups of nothing."""
    tag = element.tag.rpartition("}")[2]
    if tag in _NOT_DRAWN:
        return ""
    content = html.escape((element.text or "").strip(), quote=False)
    content += "".join(_serialize(child, ids) for child in element)
    attributes = _attributes(element, tag, ids)
    if tag in {"g", "defs"} and (not content or (tag == "g" and not attributes)):
        return content
    # An unfilled, unstroked path is matplotlib's transparent background.
    if tag == "path" and attributes.get("fill") == "none" and "stroke" not in attributes and not content:
        return ""
    written = "".join(f' {name}="{html.escape(value)}"' for name, value in attributes.items())
    return f"<{tag}{written}>{content}</{tag}>"


def _attributes(element: ElementTree.Element, tag: str, ids: dict[str, str]) -> dict[str, str]:
    """Return the attributes of `element` that show, styles included, in their shortest form."""
    found = {}
    for name, value in element.attrib.items():
        name = name.rpartition("}")[2]
        if name == "id":
            if value in ids:
                found["id"] = ids[value]
        elif name == "style":
            found |= dict(part.strip().split(":", 1) for part in value.replace(": ", ":").split(";") if ":" in part)
        elif name in _KEPT or tag in {"pattern", "rect"}:
            found[name] = value
    for name in _LEFT_TO_THE_PAGE:
        found.pop(name, None)
    if font := _FONT.match(found.pop("font", "")):
        found |= {f"font-{part}": value for part, value in font.groupdict().items() if value}
    if tag == "path" and "id" in found:
        # A marker takes its colours from each place that uses it: a style sheet does not reach into its copies.
        for name in ("fill", "stroke"):
            found.pop(name, None)
    # A fill alone can be transparent by itself; for an element a browser needs a surface of its own, which is slow.
    if tag == "path" and "opacity" in found and found.get("fill", "none") != "none" and "stroke" not in found:
        found["fill-opacity"] = found.pop("opacity")
    if found.get("transform", "").startswith("rotate(-0 "):
        del found["transform"]
    if "font-size" in found:
        found["font-size"] = found["font-size"].removesuffix("px")
    # An image may be placed by a matrix, whose first numbers are small: they stay as they are.
    exact = {"transform": found.pop("transform")} if tag == "image" and "transform" in found else {}
    return exact | {
        name: _short(name, value, ids)
        for name, value in found.items()
        if _DEFAULTS.get(name) != value and not (tag == "text" and name == "fill" and value in _BLACK)
    }


def _short(name: str, value: str, ids: dict[str, str]) -> str:
    """Return an attribute's value with our ids, the page's own black and one decimal per coordinate."""
    if value in _BLACK:
        return "currentColor"
    if name == "href":
        # What is no id of ours is the data of an image.
        return f"#{ids[value[1:]]}" if value.startswith("#") else "".join(value.split())
    if value.startswith("url(#"):
        return f"url(#{ids[value[5:-1]]})"
    if name == "d":
        return _relative(value)
    return _NUMBER.sub(lambda number: _decimal(_tenths(number[0])), value) if name in _COORDINATES else value


def _relative(path: str) -> str:
    """Return the data of a path with each point as the step from the one before, in tenths: "M10 20.5l3-.2 3 .1z".

    Steps take half the room that places take, and compress far better. They are those between rounded places, so that
    nothing adds up.
    """
    written, last = "", ""
    here = begin = [0, 0]
    for command, arguments in _COMMAND.findall(path):
        if command in "Zz":
            written, last, here = f"{written}z", "z", begin
            continue
        if command not in "MLQC":
            raise ValueError(f"a path has the command {command!r}, expected M, L, Q, C or z")
        places = [_tenths(number) for number in _NUMBER.findall(arguments)]
        if command == "M":
            begin, steps = places, places
        else:
            command, steps = command.lower(), [place - here[at % 2] for at, place in enumerate(places)]
        here = places[-2:]
        text = " ".join(map(_decimal, steps)).replace(" -", "-")
        # A command is not repeated; a second M has to be, or it would draw a line.
        written += command + text if command != last or command == "M" else f" {text}".replace(" -", "-")
        last = command
    return written


def _tenths(number: str) -> int:
    return round(10 * float(number))


def _decimal(tenths: int) -> str:
    """Return tenths in as few characters as there are: 120 as "12", -5 as "-.5"."""
    whole, part = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole or ''}{f'.{part}' if part else ''}" if tenths else "0"
