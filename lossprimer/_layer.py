"""What do all layers have in common? A mode, parameters with their gradients, and a memory of the last call."""

import textwrap
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import float_array


class Layer:
    """A function of an array that can be differentiated: ``y = layer(x)``, then ``dx = layer.backward(dy)``.

    A subclass defines `__call__`, which ends with ``return self._keep(y, ...)``, and `backward`, which begins with
    ``dy, ... = self._recall(dy)``. It lists in `_names` the attributes that are its parameters; `backward` stores the
    gradient with respect to ``gamma`` in ``dgamma``, and so on. Its `_settings` are what its `repr` shows.

    Attributes
    ----------
    training : bool
        Whether the layer behaves as in training (True at first) or as at inference.
    """

    training = True
    _names: tuple[str, ...] = ()
    _kept = None

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output for the input `x`."""
        raise NotImplementedError

    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the last call, given the gradient `dy` with respect to its output."""
        raise NotImplementedError

    def train(self) -> Self:
        """Switch to training mode; returns the layer itself."""
        self.training = True
        return self

    def eval(self) -> Self:
        """Switch to evaluation mode, for inference; returns the layer itself."""
        self.training = False
        return self

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the arrays that the layer computes with, by name; changing one in place changes the layer."""
        return {name: getattr(self, name) for name in self._names}

    def gradients(self) -> dict[str, np.ndarray]:
        """Return the gradients with respect to the parameters, by the same names, from the last `backward`.

        Raises
        ------
        RuntimeError
            If `backward` has not been called yet.
        """
        if not all(hasattr(self, f"d{name}") for name in self._names):
            raise RuntimeError(f"{type(self).__name__} has no gradients yet, expected a call of backward before")
        return {name: getattr(self, f"d{name}") for name in self._names}

    def __repr__(self) -> str:
        """Show the layer with its settings or the layers inside it; ``.eval()`` follows if it is in evaluation mode."""
        return self._shown() if self.training else f"{self._shown()}.eval()"

    def _shown(self):
        """The layer without its mode; on several lines where one would be too long."""
        name, settings = type(self).__name__, self._settings()
        line = f"{name}({', '.join(settings)})"
        if len(line) <= 80 and "\n" not in line:
            return line
        return "\n".join([f"{name}(", *(textwrap.indent(setting, "    ") + "," for setting in settings), ")"])

    def _settings(self):
        """What `repr` shows in brackets, as text."""
        return []

    def _keep(self, y, *kept):
        """Store the shape of `y` and what `backward` needs; returns `y`, as `__call__` does."""
        self._kept = y.shape, kept
        return y

    def _recall(self, dy):
        """Return `dy` as an array of floats, and what `_keep` stored.

        Raises RuntimeError if the layer has not been called, ValueError if `dy` does not have the shape of its output.
        """
        if self._kept is None:
            raise RuntimeError(f"backward of {type(self).__name__} has no output to go back from, call the layer first")
        shape, kept = self._kept
        dy = float_array("dy", dy)
        if dy.shape != shape:
            raise ValueError(f"dy has the shape {dy.shape}, expected that of the last output, {shape}")
        return dy, *kept
