"""What do all layers have in common? A mode, parameters with their gradients, and a memory of the last call."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import float_array


class Layer:
    """A function of an array that can be differentiated: ``y = layer(x)``, then ``dx = layer.backward(dy)``.

    A subclass writes `__call__`, which ends with ``return self._keep(y, ...)``, and `backward`, which begins with
    ``dy, ... = self._recall(dy)``. It lists in `_names` the attributes that are its parameters; `backward` leaves the
    gradient of ``gamma`` in ``dgamma``, and so on.

    Attributes
    ----------
    training : bool
        Whether the layer behaves as in training (True at first) or as in use.
    """

    training = True
    _names: tuple[str, ...] = ()
    _kept = None

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output for the input `x`."""
        raise NotImplementedError

    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient by the input of the last call, from the gradient `dy` by its output."""
        raise NotImplementedError

    def train(self) -> Self:
        """Behave as in training from now on; the layer itself."""
        self.training = True
        return self

    def eval(self) -> Self:
        """Behave as in use from now on; the layer itself."""
        self.training = False
        return self

    def parameters(self) -> dict[str, np.ndarray]:
        """Arrays that the layer computes with, by name; who changes one in place changes the layer."""
        return {name: getattr(self, name) for name in self._names}

    def gradients(self) -> dict[str, np.ndarray]:
        """Gradients by the parameters, by the same names, as the last `backward` left them.

        Raises
        ------
        RuntimeError
            If `backward` has not been called yet.
        """
        if not all(hasattr(self, f"d{name}") for name in self._names):
            raise RuntimeError(f"{type(self).__name__} has no gradients yet, expected a call of backward before")
        return {name: getattr(self, f"d{name}") for name in self._names}

    def _keep(self, y, *kept):
        """`y`, which `__call__` returns, after its shape and what `backward` needs have been stored."""
        self._kept = y.shape, kept
        return y

    def _recall(self, dy):
        """`dy` as an array of floats of the shape of the last output, and what `_keep` stored with that.

        Raises RuntimeError if there was no call of the layer, ValueError if `dy` has another shape.
        """
        if self._kept is None:
            raise RuntimeError(f"backward of {type(self).__name__} has no output to go back from, call the layer first")
        shape, kept = self._kept
        dy = float_array("dy", dy)
        if dy.shape != shape:
            raise ValueError(f"dy has the shape {dy.shape}, expected that of the last output, {shape}")
        return dy, *kept
