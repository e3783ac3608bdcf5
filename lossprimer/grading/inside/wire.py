"""What may cross the border between a learner's process and ours? Numbers, texts and arrays, as bytes that are checked.

A message is a header in JSON, with its length before it, and then the bytes of the arrays that the header announces.
Nothing is unpickled, and nothing is allocated because a header says so: a claim is compared with a limit first.
"""

import json
import math
import re
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

HEADER_BYTES = 2**22
ARRAY_BYTES = 2**25
DEPTH = 20
CHILDREN = 1000
# Keys can be chosen so that all of them meet in one place of the table: then the time goes with the square.
KEYS = 1000
# Of what a call prints, raises and warns of.
TEXT = 2000
WARNINGS = 5

_TYPES = {np.dtype(char).str: np.dtype(char) for char in "?bhilqBHILQefd"}
_GENERATORS = frozenset({"MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"})
_LENGTH = struct.Struct("<I")
_SURROGATES = re.compile("[\ud800-\udfff]")


class WireError(Exception):
    """A message that is not well-formed, or too large."""


class Unsendable(TypeError):
    """A value that no message can hold; the text says what it is."""


def message(body: Any, *, other: Callable[[Any], dict] | None = None) -> tuple[bytes, list[np.ndarray]]:
    """The bytes of a message, and the arrays in it.

    Parameters
    ----------
    body : object
        None, booleans, numbers, texts, arrays, and lists, tuples and dicts of these.
    other : callable, optional
        Makes a dict of plain values from any other object, or raises Unsendable.

    Returns
    -------
    data : bytes
    arrays : list of ndarray
        The arrays of `body` themselves, in the order in which the other side counts them.

    Raises
    ------
    Unsendable
        If there is something else in `body`, or too much.
    """
    found, plain = [], []
    tree = _pack(body, found, plain, other, DEPTH)
    described = [
        [array.dtype.str, array.shape, before.flags.writeable] for before, array in zip(found, plain, strict=True)
    ]
    try:
        header = json.dumps({"body": tree, "arrays": described}).encode()
    except ValueError as error:  # a number with thousands of digits
        raise Unsendable(str(error)) from None
    if len(header) > HEADER_BYTES or sum(array.nbytes for array in plain) > ARRAY_BYTES:
        raise Unsendable(f"more than {ARRAY_BYTES // 2**20} MiB of arrays, or too many values")
    return b"".join([_LENGTH.pack(len(header)), header, *(array.tobytes() for array in plain)]), found


def receive(
    read: Callable[[int], bytes], *, other: Callable[[dict], Any] | None = None
) -> tuple[Any, list[np.ndarray]]:
    """The next message.

    Parameters
    ----------
    read : callable
        Returns as many bytes as it is asked for.
    other : callable, optional
        Makes an object of what the sender's `other` made a dict of.

    Returns
    -------
    body : object
    arrays : list of ndarray
        The arrays of `body`, counted as on the other side.

    Raises
    ------
    WireError
        If the bytes are no message. What `read` raises passes through.
    """
    (length,) = _LENGTH.unpack(read(_LENGTH.size))
    if length > HEADER_BYTES:
        raise WireError(f"a header of {length} bytes")
    header = read(length)
    try:
        content = json.loads(header)
        layouts = [_layout(*described) for described in content["arrays"]]
        tree = content["body"]
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise WireError(f"a header that cannot be read: {type(error).__name__}") from None
    if sum(size for *_, size in layouts) > ARRAY_BYTES:
        raise WireError("arrays that are too large")
    arrays = [_array(*layout, read) for layout in layouts]
    try:
        return _unpack(tree, arrays, other, DEPTH), arrays
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"a value that cannot be read: {type(error).__name__}") from None


def state_of(rng: np.random.Generator) -> dict:
    """The state of a generator of random numbers, and of the seeds that it hands on, as plain values."""
    bits = rng.bit_generator
    return {"bits": bits.state, "seeds": _seeds(bits.seed_seq)}


def generator(state: dict) -> np.random.Generator:
    """A generator of random numbers in a given state. It spawns the children that the original would spawn."""
    if state["bits"]["bit_generator"] not in _GENERATORS:
        raise WireError("an unknown generator")
    seeds = state["seeds"]
    bits = getattr(np.random, state["bits"]["bit_generator"])(np.random.SeedSequence(**seeds) if seeds else 0)
    bits.state = state["bits"]
    return np.random.Generator(bits)


def bring(rng: np.random.Generator, state: dict) -> None:
    """Bring a generator to where its twin on the other side is."""
    rng.bit_generator.state = state["bits"]
    if _seeds(rng.bit_generator.seed_seq) and state["seeds"]:
        born = int(state["seeds"]["n_children_spawned"]) - rng.bit_generator.seed_seq.n_children_spawned
        if born > CHILDREN:
            raise WireError(f"{born} generators spawned")
        if born > 0:
            rng.bit_generator.seed_seq.spawn(born)


def _seeds(sequence):
    """What a SeedSequence is made of; of another kind of seed nothing can be said."""
    if type(sequence) is not np.random.SeedSequence:
        return None
    entropy, key = sequence.entropy, sequence.spawn_key
    return {
        "entropy": entropy if isinstance(entropy, int) else [int(number) for number in entropy],
        "spawn_key": [int(number) for number in key],
        "pool_size": sequence.pool_size,
        "n_children_spawned": sequence.n_children_spawned,
    }


def _pack(value, found, plain, other, depth):
    """`value` as what JSON can say; arrays go to the lists, and their number into the text."""
    if depth == 0:
        raise Unsendable("values in values without end")
    if value is None or isinstance(value, bool):
        return value
    if type(value) is np.ndarray:  # a matrix or a masked array is another thing, as it is for a check in a notebook
        return {"array": _append(value, found, plain)}
    if isinstance(value, np.generic):
        return {"scalar": _append(np.asarray(value), found, plain)}
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_pack(entry, found, plain, other, depth - 1) for entry in value]}
    if isinstance(value, dict):
        if len(value) > KEYS:
            raise Unsendable(f"a dict of {len(value)} keys")
        pairs = [entry for pair in value.items() for entry in pair]
        return {"dict": [_pack(entry, found, plain, other, depth - 1) for entry in pairs]}
    if other is None:
        raise Unsendable(f"an object of type {type(value).__name__}")
    return {"other": _pack(other(value), found, plain, None, depth - 1)}


def _append(value, found, plain):
    """The number of an array in the message."""
    if value.nbytes > ARRAY_BYTES:  # before it is copied
        raise Unsendable(f"an array of {value.nbytes} bytes")
    array = np.array(value, order="C", subok=False)
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)  # the size of a long double differs between machines
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype.str not in _TYPES:
        raise Unsendable(f"an array of {array.dtype}")
    found.append(value)
    plain.append(array)
    return len(plain) - 1


def _layout(kind, shape, writeable):
    """Type, shape and size of an array that a header announces."""
    if len(shape) > 64 or not all(type(length) is int and 0 <= length < 2**63 for length in shape):
        raise ValueError("an impossible shape")
    return _TYPES[kind], tuple(shape), writeable is True, math.prod(shape) * _TYPES[kind].itemsize


def _array(kind, shape, writeable, size, read):
    data = bytearray(read(size))
    array = np.frombuffer(data, np.uint8) != 0 if kind == np.bool_ else np.frombuffer(data, kind)
    try:
        array = array.reshape(shape)
    except ValueError:  # of too many axes
        raise WireError("an array of an impossible shape") from None
    array.flags.writeable = writeable
    return array


def _unpack(tree, arrays, other, depth):
    if depth == 0:
        raise WireError("values in values without end")
    if isinstance(tree, str):
        return _SURROGATES.sub("\ufffd", tree)  # JSON may hold halves of characters, and no file can
    if tree is None or isinstance(tree, (bool, int, float)):
        return tree
    ((kind, content),) = tree.items()
    if kind == "array":
        return arrays[content]
    if kind == "scalar":
        return arrays[content].reshape(())[()]
    if kind == "other" and other is not None:
        return other(_unpack(content, arrays, None, depth - 1))
    values = [_unpack(entry, arrays, other, depth - 1) for entry in content]
    if kind == "list":
        return values
    if kind == "tuple":
        return tuple(values)
    if kind == "dict":
        if len(values) > 2 * KEYS:
            raise WireError(f"a dict of {len(values) // 2} keys")
        return dict(zip(values[::2], values[1::2], strict=True))
    raise WireError("a value of an unknown kind")
