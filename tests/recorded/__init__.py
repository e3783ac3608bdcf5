"""What does PyTorch answer? Its values, recorded once by record.py, so that the tests need no PyTorch.

The file holds the numbers of all arrays one after the other (float64 holds the smaller types exactly), and a JSON
list with the function, case, options and, field by field, the type and shape of each array.
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

PATH = Path(__file__).with_name("pytorch.npz")


def save(cases):
    """Write cases, each (function, name, options, arrays by field)."""
    contents = [
        (function, name, options, {field: (array.dtype.name, array.shape) for field, array in arrays.items()})
        for function, name, options, arrays in cases
    ]
    numbers = np.concatenate([array.ravel() for *_, arrays in cases for array in arrays.values()], dtype=np.float64)
    np.savez_compressed(PATH, contents=json.dumps(contents), numbers=numbers)


def recorded(function):
    """The recorded cases of one function, each its options and its arrays by field, as parameters of a test."""
    with np.load(PATH) as archive:
        contents, numbers = json.loads(str(archive["contents"])), archive["numbers"]
    found, start = [], 0
    for name_of_function, name, options, fields in contents:
        arrays = {}
        for field, (dtype, shape) in fields.items():
            stop = start + math.prod(shape)
            arrays[field] = numbers[start:stop].astype(dtype).reshape(shape)
            start = stop
        if name_of_function == function:
            found.append(pytest.param(options, arrays, id=name))
    return found
