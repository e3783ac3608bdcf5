"""How nbval compares the chapters."""


def pytest_collectstart(collector):
    """Let nbval compare the words of a picture or an explorer.

    How they are drawn is not compared. A live one also has an HTML face,
    which is not stored (see tools/notebooks.py, which refuses an output
    whose text says nothing). Its text stays compared: nbval misses it
    when it is gone.
    """
    if collector.path.suffix == ".ipynb":
        collector.skip_compare += ("text/html", "image/svg+xml")
