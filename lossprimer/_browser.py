"""What does Python in a browser lack, and others complain about? Nothing that a reader could mend."""

import logging
import warnings


def quiet() -> None:
    """Leave out what each reader would be told who runs the course in a browser."""
    # matplotlib as Pyodide has it makes its list of fonts anew each time.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    # There are no threads. A progress bar wants one to look after bars that stand still, and does without.
    warnings.filterwarnings("ignore", message="tqdm:disabling monitor support")
