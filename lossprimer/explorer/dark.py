"""Which colour takes the place of another one on a dark page? The one with the same contrast there."""

import re
from collections.abc import Iterable

# The relative luminance of a ground that is lighter than those of dark pages: on theirs, the contrast is higher.
_GROUND = 0.03
# With more contrast than this, which WCAG asks of text at its strictest level, different hues would all become white.
_MOST = 7


def twins(drawings: Iterable[str]) -> str:
    """Return the colours of some SVGs, each with its twin for dark pages: "#0067a3=#6bb5ff #b84a00=#ff7e4f"."""
    colours = {colour for svg in drawings for colour in re.findall(r' (?:fill|stroke)="(#[0-9a-f]{6})"', svg)}
    return " ".join(f"{colour}={on_dark(colour)}" for colour in sorted(colours))


def on_dark(colour: str) -> str:
    """Return the colour that has the contrast on a dark page which `colour` has on a white one.

    Parameters
    ----------
    colour : str
        As "#rrggbb".

    Returns
    -------
    str
        As "#rrggbb", of the same hue. What is faint stays faint, and white becomes the ground. A contrast above
        7 becomes 7.

    Notes
    -----
    Contrast is that of WCAG 2.2: (L1 + 0.05) / (L2 + 0.05), with L the relative luminance of the lighter and of
    the darker colour. To be lighter, a colour is first multiplied, in linear light, as far as its largest channel
    allows, and then mixed with white.

    Examples
    --------
    >>> on_dark("#0067a3"), on_dark("#ffffff")
    ('#6bb5ff', '#303030')
    """
    channels = [_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5)]
    contrast = min(1.05 / (_luminance(channels) + 0.05), _MOST)
    wanted = contrast * (_GROUND + 0.05) - 0.05
    if any(channels):
        factor = min(wanted / _luminance(channels), 1 / max(channels))
        channels = [factor * channel for channel in channels]
    white = max(wanted - _luminance(channels), 0) / (1 - _luminance(channels))
    return "#" + "".join(f"{round(255 * _encoded(channel + white * (1 - channel))):02x}" for channel in channels)


def _luminance(channels: list[float]) -> float:
    """Return the relative luminance of red, green and blue in linear light."""
    return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), channels, strict=True))


def _linear(value: float) -> float:
    """Return a channel of sRGB, 0 to 1, in linear light."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _encoded(value: float) -> float:
    """Return a channel of linear light, 0 to 1, in sRGB."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
