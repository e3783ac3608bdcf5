"""What every test run shares: how hypothesis searches, and what nbval compares."""

from hypothesis import settings

# The same examples on every run and every machine, and no verdict that depends on its speed.
settings.register_profile("primer", derandomize=True, deadline=None)
settings.load_profile("primer")


def pytest_collectstart(collector):
    """Let nbval compare the words of a picture or an explorer, and not how they are drawn.

    A live one also has an HTML face, which is not stored (see tools/notebooks.py, which refuses an output
    whose text says nothing). Its text stays compared: nbval misses it when it is gone.
    """
    if collector.path.suffix == ".ipynb":
        collector.skip_compare += ("text/html", "image/svg+xml")
