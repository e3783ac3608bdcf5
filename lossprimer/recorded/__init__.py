"""What did the longer experiments find? Their results, as ``make experiments`` recorded them."""

import json
from importlib.resources import files
from typing import Any


def read(name: str) -> dict[str, Any]:
    """Return what an experiment found when it was last run and recorded.

    Parameters
    ----------
    name : str
        The name of a module in the repository's folder ``experiments``. Its docstring says what is done, and its
        function ``run`` does it again.

    Returns
    -------
    dict
        What ``run`` returned: text, numbers of four significant digits, and lists and dicts of them.

    Raises
    ------
    ValueError
        If nothing is recorded under this name.

    Notes
    -----
    The file of the record, ``lossprimer/recorded/NAME.json``, also holds the settings, the versions and the day.

    Examples
    --------
    >>> read("dropout_and_rivals")["wrong labels"]["epochs"]
    100
    """
    place = files("lossprimer.recorded")
    known = sorted(path.name.removesuffix(".json") for path in place.iterdir() if path.name.endswith(".json"))
    if name not in known:
        raise ValueError(f"name is {name!r}, expected one of {', '.join(known)}")
    return json.loads(place.joinpath(f"{name}.json").read_text("utf-8"))["results"]
