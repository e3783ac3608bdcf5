"""The contact sheets: all of a page is on them, in order, and nothing twice."""

import pytest
from PIL import Image

from tools import gallery


def colours(picture):
    return {colour for _, colour in picture.getcolors(picture.width * picture.height)}


@pytest.mark.parametrize("width", [500, 300])
def test_a_page_goes_on_from_column_to_column_and_from_sheet_to_sheet(width):
    """Three pictures of one colour each, as tall as a column and a half."""
    height = 3 * gallery.SHEET[1] // 2
    red, green, blue = (Image.new("RGB", (width, height), name) for name in ("red", "lime", "blue"))
    sheets = list(gallery.sheets(iter([red, green, blue])))
    columns = (gallery.SHEET[0] + gallery.GAP) // (width + gallery.GAP)
    assert len(sheets) == -(-9 // 2 // columns)
    shown = {(255, 0, 0): 0, (0, 255, 0): 0, (0, 0, 255): 0}
    for sheet in sheets:
        assert sheet.size == gallery.SHEET
        for count, colour in sheet.getcolors():
            if colour in shown:
                shown[colour] += count
    assert set(shown.values()) == {width * height}
    first = sheets[0]
    assert first.getpixel((0, 0)) == first.getpixel((0, gallery.SHEET[1] - 1)) == (255, 0, 0)
    assert first.getpixel((width + gallery.GAP, gallery.SHEET[1] - 1)) == (0, 255, 0)


def test_every_page_of_the_contents_is_looked_at():
    names = gallery.names(gallery.ROOT / "_toc.yml")
    assert {"book/intro", "notebooks/01_softmax", "search"} <= set(names)
    assert len(names) == len(set(names))


def test_a_page_that_is_not_there_is_reported():
    with pytest.raises(SystemExit, match=r"book/none is no page of the site, expected one of: book/intro"):
        gallery.main("book/none")


@pytest.mark.site
def test_a_page_is_photographed_whole_in_each_look(browser, address, tmp_path):
    for look in gallery.LOOKS:
        gallery.look_at(browser, address, ["book/notation"], look, tmp_path)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*"))
    assert found == sorted([*(f"{look.name}/book-notation-1.png" for look in gallery.LOOKS), "print/book-notation.pdf"])
    light, dark = (Image.open(tmp_path / f"1280-{scheme}" / "book-notation-1.png") for scheme in ("light", "dark"))
    assert light.getpixel((4, 60)) == (255, 255, 255)
    assert max(dark.getpixel((4, 60))) < 60
