"""Is a hand-written gradient right? Compare it with numerical slopes."""

import copy
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import float_array, function, is_number, random_generator


def numerical_gradient(f: Callable[[np.ndarray], float], x: ArrayLike) -> np.ndarray:
    r"""Gradient of a function that returns one number, measured by central differences.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of `x` and returns one number. It must not change its argument.
    x : array_like
        Where the slopes are measured. Computed in float64.

    Returns
    -------
    ndarray of float64, shape of `x`
        The gradient of `f` at `x`, to about ten digits where `f` is smooth and neither huge nor tiny.

    Raises
    ------
    TypeError
        If `x` holds no real numbers, `f` cannot be called, or what it returns is no number.
    ValueError
        If `f` returns an array of another shape than ().

    Notes
    -----
    .. math:: \frac{\partial f}{\partial x_i} \approx \frac{f(x + h e_i) - f(x - h e_i)}{2 h}, \qquad
              h = \sqrt[3]{\varepsilon}\, \max(1, |x_i|)

    The error of the formula falls as :math:`h^2` and that of rounding grows as :math:`\varepsilon / h`; with
    the cube root of the float's precision :math:`\varepsilon` they meet [1]_.

    References
    ----------
    .. [1] Press, Teukolsky, Vetterling & Flannery, Numerical Recipes, 3rd edition, section 5.7,
       https://numerical.recipes.

    Examples
    --------
    >>> x = [1.0, -2.0, 0.0]
    >>> numerical_gradient(lambda x: (x**2).sum(), x).round(6)
    array([ 2., -4.,  0.])
    """
    function("f", f)
    x = float_array("x", x).astype(np.float64)
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        value = x[place]
        step = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(value))
        x[place] = above = value + step
        rise = _one_number(f(x.copy()))
        x[place] = below = value - step
        rise -= _one_number(f(x.copy()))
        x[place] = value
        gradient[place] = rise / (above - below)
    return gradient


def gradient_error(
    forward: Callable[[np.ndarray], np.ndarray],
    backward: Callable[[np.ndarray], np.ndarray],
    x: ArrayLike,
    *,
    rng: np.random.Generator,
) -> float:
    r"""Largest error of a backward function over all entries, relative to the largest entry.

    Parameters
    ----------
    forward : callable
        Takes `x` and returns an array of any shape.
    backward : callable
        Takes an upstream gradient of that shape and returns the gradient with respect to `x`.
    x : array_like
        Where both are compared.
    rng : numpy.random.Generator
        Draws the upstream gradient.

    Returns
    -------
    float
        Below 1e-7 or so where `backward` is right and `forward` is smooth; near 1 where it returns zeros.

    Raises
    ------
    TypeError
        If `rng` is not a Generator, or `forward` or `backward` cannot be called.
    ValueError
        If `backward` returns a shape other than that of `x`.

    Notes
    -----
    With a random upstream gradient :math:`g` and the measured gradient :math:`n` of
    :math:`\langle f(x), g \rangle`,

    .. math:: \frac{\max_i |b_i - n_i|}{\max_i \max(|b_i|, |n_i|)}

    where :math:`b` is what `backward` returns for :math:`g`. The upstream gradient is random because the
    obvious choice, all ones, can miss an error: the outputs of a softmax sum to 1 whatever the scores are, so the true
    gradient is then 0, and a backward that returns zeros passes.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = np.array([1.0, 2.0])
    >>> right, wrong = lambda dy: dy * np.exp(x), lambda dy: dy
    >>> gradient_error(np.exp, right, x, rng=rng) < 1e-9
    True
    >>> gradient_error(np.exp, wrong, x, rng=rng) > 0.1
    True
    """
    function("forward", forward), function("backward", backward)
    x = float_array("x", x).astype(np.float64)
    upstream = random_generator(rng).standard_normal(np.shape(forward(x.copy())))
    measured = numerical_gradient(lambda x: float((forward(x) * upstream).sum()), x)
    written = float_array("what backward returned", backward(upstream))
    if written.shape != x.shape:
        raise ValueError(f"backward returned the shape {written.shape}, expected that of x, {x.shape}")
    largest = max(np.abs(written).max(initial=0), np.abs(measured).max(initial=0))
    return float(np.abs(written - measured).max(initial=0) / largest) if largest else 0.0


def layer_gradient_error(layer, x: ArrayLike, *, rng: np.random.Generator) -> float:
    """Largest error of a layer's backward over its input and parameters, relative to the largest entry.

    Parameters
    ----------
    layer : object
        ``y = layer(x)``, ``dx = layer.backward(dy)``; ``layer.parameters()`` and ``layer.gradients()`` are dicts of
        arrays with the same keys; the parameters are the very arrays that the layer computes with. The layer is copied,
        not changed.
    x : array_like
        Where the gradients are compared.
    rng : numpy.random.Generator
        Draws the upstream gradient.

    Returns
    -------
    float
        As for `gradient_error`, with the input and all parameters taken as one array: an error counts by its share of
        the largest gradient among them.

    Raises
    ------
    TypeError
        If `rng` is not a Generator, or `layer` lacks a method.
    ValueError
        If a parameter has no gradient, or a gradient has a shape other than that of what it belongs to.

    Notes
    -----
    Every evaluation runs on a fresh copy of the layer. So dropout draws the same mask each time, and running
    statistics do not move.

    Examples
    --------
    >>> class Scale:
    ...     def __init__(self):
    ...         self.gamma = np.array([2.0, 3.0])
    ...
    ...     def __call__(self, x):
    ...         self.x = x
    ...         return self.gamma * x
    ...
    ...     def backward(self, dy):
    ...         self.dgamma = (dy * self.x).sum(axis=0)
    ...         return self.gamma * dy
    ...
    ...     def parameters(self):
    ...         return {"gamma": self.gamma}
    ...
    ...     def gradients(self):
    ...         return {"gamma": self.dgamma}
    >>> x, rng = [[1.0, -1.0], [0.5, 4.0]], np.random.default_rng(0)
    >>> layer_gradient_error(Scale(), x, rng=rng) < 1e-9
    True
    """
    if not all(callable(getattr(layer, name, None)) for name in ("__call__", "backward", "parameters", "gradients")):
        raise TypeError(f"layer is {layer!r}, expected one with the methods backward, parameters and gradients")
    x = float_array("x", x)
    arrays = {"x": x, **layer.parameters()}
    ends = np.cumsum([array.size for array in arrays.values()])
    point = _joined(arrays)

    def run(point):
        twin = copy.deepcopy(layer)
        pieces = np.split(point, ends[:-1])
        for parameter, piece in zip(twin.parameters().values(), pieces[1:], strict=True):
            parameter[...] = piece.reshape(parameter.shape)
        return twin, twin(pieces[0].reshape(x.shape))

    def backward(dy):
        twin, _ = run(point)
        gradients = {"x": twin.backward(dy), **twin.gradients()}
        shapes = {name: np.shape(gradient) for name, gradient in gradients.items()}
        expected = {name: array.shape for name, array in arrays.items()}
        if shapes != expected:
            raise ValueError(f"the gradients have the shapes {shapes}, expected {expected}")
        return _joined({name: gradients[name] for name in arrays})

    return gradient_error(lambda point: run(point)[1], backward, point, rng=rng)


def _one_number(value):
    """What a function returned, as a float."""
    value = value if is_number(value) else float_array("what f returned", value)
    if np.shape(value):
        raise ValueError(f"what f returned has the shape {np.shape(value)}, expected a single number")
    return float(value)


def _joined(arrays):
    """The entries of all arrays in a dict, one after the other, as float64."""
    return np.concatenate([np.ravel(array) for array in arrays.values()], dtype=np.float64)
