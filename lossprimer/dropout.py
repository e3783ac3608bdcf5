"""How does a network learn not to rely on any single unit? In training, a random part of them is set to 0."""

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import POSITIVE_SHARE, float_array, number, quietly, random_generator
from lossprimer._layer import Layer


@quietly
def inverted_dropout(a: ArrayLike, *, keep_prob: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    r"""Activations, of which a random part is set to 0 and the rest scaled up; and the mask of those that are kept.

    Parameters
    ----------
    a : array_like, shape (...)
        Activations. float16, float32 and float64 keep their type; integers and booleans become float64.
    keep_prob : float
        The probability of keeping an entry, greater than 0 and at most 1. PyTorch and Keras take the probability of
        *dropping* it, which is ``1 - keep_prob``.
    rng : numpy.random.Generator
        Draws the mask: one number for each entry, whatever `keep_prob` is.

    Returns
    -------
    output : ndarray, shape of `a`
        ``a / keep_prob`` where `mask` is True, and exactly 0 elsewhere, even where `a` is infinite or NaN.
    mask : ndarray of bool, shape of `a`
        True at the entries that were kept.

    Raises
    ------
    TypeError
        If `a` is not real, `keep_prob` is not a number, or `rng` is not a Generator.
    ValueError
        If `keep_prob` is not greater than 0 and at most 1.

    Notes
    -----
    .. math:: a'_i = \frac{m_i}{p_\mathrm{keep}} a_i, \qquad m_i \in \{0, 1\}, \qquad P(m_i = 1) = p_\mathrm{keep}

    where :math:`p_\mathrm{keep}` is `keep_prob`. The expected output is :math:`a`, because
    :math:`E[m_i] = p_\mathrm{keep}`, so that no correction is needed at inference. The original form [1]_ used
    :math:`m_i a_i` in training and multiplied the weights by :math:`p_\mathrm{keep}` at inference. Only the expected
    value stays the same: the variance grows by :math:`a_i^2 (1 - p_\mathrm{keep}) / p_\mathrm{keep}`.

    References
    ----------
    .. [1] Hinton et al., Improving neural networks by preventing co-adaptation of feature detectors,
       arXiv:1207.0580.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> a = [1.2, 0.7, 1.8, -0.3, 0.9]
    >>> output, mask = inverted_dropout(a, keep_prob=0.5, rng=rng)
    >>> output
    array([ 2.4,  1.4,  0. , -0.6,  0. ])
    >>> mask
    array([ True,  True, False,  True, False])

    The average over many masks comes back to what went in, here within 3 of its standard errors:

    >>> a = np.ones(90_000)
    >>> output, _ = inverted_dropout(a, keep_prob=0.1, rng=rng)
    >>> bool(abs(output.mean() - 1) < 3 * np.sqrt(0.9 / 0.1 / a.size))
    True
    """
    a, keep_prob = float_array("a", a), number("keep_prob", keep_prob, POSITIVE_SHARE)
    mask = np.asarray(random_generator(rng).random(a.shape) < keep_prob)
    return np.where(mask, a / keep_prob, 0), mask


class Dropout(Layer):
    r"""Layer that sets a random part of its inputs to 0 in training, and returns them unchanged at inference.

    Parameters
    ----------
    keep_prob : float
        The probability of keeping an entry, greater than 0 and at most 1.
    rng : numpy.random.Generator, optional
        Draws a new mask at every call in training. Needed only there, and only where `keep_prob` is below 1.

    Raises
    ------
    TypeError
        If `keep_prob` is not a number, or `rng` is not a Generator; at a call in training with `keep_prob` below 1,
        also if `rng` is None.
    ValueError
        If `keep_prob` is not greater than 0 and at most 1.

    Notes
    -----
    The backward pass goes through the same mask, :math:`dx_i = dy_i\, m_i / p_\mathrm{keep}`: an entry that was dropped
    gets no gradient. With ``keep_prob=1``, or after ``eval()``, the layer returns its input itself, and draws nothing.

    Examples
    --------
    >>> layer = Dropout(keep_prob=0.5, rng=np.random.default_rng(2))
    >>> layer([1.2, 0.7, np.inf, -0.3, 0.9])
    array([ 2.4,  1.4,  0. , -0.6,  0. ])
    >>> layer.backward([1.0, 1.0, 1.0, 1.0, 1.0])
    array([2., 2., 0., 2., 0.])
    >>> layer.eval()([1.2, 0.7, 1.8, -0.3, 0.9])
    array([ 1.2,  0.7,  1.8, -0.3,  0.9])
    """

    def __init__(self, keep_prob: float = 0.5, *, rng: np.random.Generator | None = None):
        self.keep_prob = number("keep_prob", keep_prob, POSITIVE_SHARE)
        self.rng = None if rng is None else random_generator(rng)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [f"{self.keep_prob}"]

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """`x` with a random part of its entries dropped in training, `x` itself at inference."""
        x = float_array("x", x)
        if not self.training or self.keep_prob == 1:
            return self._keep(x, None)
        y, mask = inverted_dropout(x, keep_prob=self.keep_prob, rng=self.rng)
        return self._keep(y, mask)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the last call, through the mask of that call."""
        dy, mask = self._recall(dy)
        return dy if mask is None else np.where(mask, dy / self.keep_prob, 0)
