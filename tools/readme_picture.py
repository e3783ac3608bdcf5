"""The picture of the README, softmax at a low temperature: ``python -m tools.readme_picture`` writes it."""

from pathlib import Path

from lossprimer import figures

PATH = Path(__file__).parent.parent / "book" / "readme.svg"
ATTRIBUTES = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"'
PAPER = '<rect width="100%" height="100%" fill="#fff"/>'


def readme_picture() -> str:
    """Return the picture as a file of its own, on white: it cannot take its colours from the page around it."""
    start, rest = figures.temperature(0.5).svg().split(">", 1)
    return f"{start.replace('<svg', f'<svg {ATTRIBUTES}')}>{PAPER}{rest}\n"


if __name__ == "__main__":
    PATH.write_text(readme_picture(), "utf-8")
