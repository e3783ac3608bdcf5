"""Which warnings appear only in a browser? Two about which a reader can do nothing; they are silenced."""

import logging
import warnings


def quiet() -> None:
    """Silence the warnings that every reader would get who runs the course in a browser."""
    # matplotlib as Pyodide has it makes its list of fonts anew each time.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    # There are no threads. A progress bar uses one to watch for bars that stand still, and works without.
    warnings.filterwarnings("ignore", message="tqdm:disabling monitor support")
