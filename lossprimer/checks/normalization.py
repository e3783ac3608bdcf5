"""The tasks of chapter 4: batch, layer and RMS normalization, running statistics, and a backward pass."""

import numpy as np

import lossprimer
from lossprimer.checks.probability import second
from lossprimer.checks.task import Case, Mistake, Task


def _numbers(rng, *shape):
    return rng.normal(loc=1.0, scale=2.0, size=shape).round(2)


def _inside(var, eps):
    return np.sqrt(var + eps)


def _standard(x, eps, axis, *, var=np.var, mean=np.mean, root=_inside, keepdims=True):
    """Centred and divided; each part can be the wrong one."""
    centred = x - mean(x, axis=axis, keepdims=keepdims)
    return centred / root(var(x, axis=axis, keepdims=keepdims), eps)


def _squares_of_sums(x, **options):
    return np.mean(x**2, **options) - np.mean(x, **options) ** 2


def _unbiased(x, **options):
    return np.var(x, ddof=1, **options)


def _no_mean(x, **options):
    return np.zeros_like(np.mean(x, **options))


def _affine(axis, **options):
    """Make a normalization with gamma and beta."""
    return lambda x, gamma, beta, eps: gamma * _standard(x, eps, axis, **options) + beta


_COLUMNS = np.array([[1.0, 2.0], [3.0, 8.0]])
_X = np.array([[1.0, 4.0, 0.0, -2.0], [3.0, 4.5, 1.0, 5.0], [-2.0, 6.0, 0.5, 1.0]])
_SQUARE = np.array([[1.0, 4.0, 0.0], [3.0, -1.0, 2.5], [-2.0, 6.0, 0.5]])
_GAMMA = np.array([2.0, 0.5, -1.0, 3.0])
_BETA = np.array([1.0, -2.0, 0.5, 4.0])
_DEEP = np.stack([_X, 2.0 - _X**2, _X[::-1] + 1])

_EPS_OUTSIDE = "eps is in the wrong place. It is added to the variance, inside the root: sqrt(var + eps)."
_NO_EPS = "eps is missing: sqrt(var + eps) keeps the division finite where all values are equal."
_NO_ROOT = "The root is missing: divide by sqrt(var + eps), not by the variance."
_DDOF = "The variance divides by n - 1. Normalization takes the plain mean of the squares: np.var with ddof=0."
_CANCELS = (
    "The variance is computed as E[x^2] - E[x]^2. For values far from 0 the two nearly cancel, and few digits are "
    "left, or a negative number. Subtract the mean first, then average the squares."
)
_NOT_CENTRED = "The mean is not subtracted."
_NO_GAMMA = "gamma is not used: multiply the normalized values by it."
_NO_BETA = "beta is not used: add it at the end."
_GAMMA_IS_BETA = "gamma and beta are swapped: gamma multiplies, beta is added."
_KEEPDIMS = (
    "The means of the rows stand in a row instead of a column: without keepdims=True, column i loses the mean of row "
    "i, and in a square table that goes unnoticed."
)
_WHOLE = "Mean and variance are those of the whole array."


def _shared(axis):
    """The mistakes that batch_norm and layer_norm share."""
    return [
        Mistake(_NO_GAMMA, lambda x, gamma, beta, eps: _standard(x, eps, axis) + beta),
        Mistake(_NO_BETA, lambda x, gamma, beta, eps: gamma * _standard(x, eps, axis)),
        Mistake(
            "gamma and beta are not used: multiply by gamma and add beta.",
            lambda x, gamma, beta, eps: _standard(x, eps, axis),
        ),
        Mistake(_GAMMA_IS_BETA, lambda x, gamma, beta, eps: beta * _standard(x, eps, axis) + gamma),
        Mistake(
            "beta is added before gamma multiplies. Multiply first, then add.",
            lambda x, gamma, beta, eps: gamma * (_standard(x, eps, axis) + beta),
        ),
        Mistake(_NOT_CENTRED, _affine(axis, mean=_no_mean)),
        Mistake("The values are centred and not divided by sqrt(var + eps).", _affine(axis, root=lambda var, eps: 1.0)),
        Mistake(_DDOF, _affine(axis, var=_unbiased)),
        Mistake(_NO_ROOT, _affine(axis, root=lambda var, eps: var + eps)),
        Mistake(
            _EPS_OUTSIDE,
            _affine(axis, root=lambda var, eps: np.sqrt(var) + eps),
            _affine(axis, root=lambda var, eps: np.sqrt(var + eps**2)),
        ),
        Mistake(_NO_EPS, _affine(axis, root=lambda var, eps: np.sqrt(var))),
        Mistake(
            _CANCELS,
            _affine(axis, var=_squares_of_sums),
            _affine(axis, var=lambda x, **options: np.abs(_squares_of_sums(x, **options))),
            _affine(axis, var=lambda x, **options: np.maximum(_squares_of_sums(x, **options), 0)),
        ),
    ]


batch_norm = Task(
    "batch_norm(x, gamma, beta, eps)",
    """batch normalization in training.

    `x` has the shape ``(N, C)``. Each of the C columns loses its mean and is divided by ``sqrt(var + eps)``, with the
    variance that divides by N; then it is multiplied by its entry of `gamma` and moved by that of `beta`, both of
    shape ``(C,)``. The result has the shape and the float type of `x`.
    """,
    right=lambda x, gamma, beta, eps: gamma * lossprimer.normalize(x, axis=0, eps=eps) + beta,
    keeps_type=True,
    steps=[
        Case("two columns by hand", (_COLUMNS, np.ones(2), np.zeros(2), 0.0)),
        Case("three examples of four features", (_X, np.ones(4), np.zeros(4), 0.01)),
        Case("as many examples as features", (_SQUARE, np.ones(3), np.zeros(3), 0.01)),
        Case("gamma and beta", (_X, _GAMMA, _BETA, 0.01)),
        Case("an eps that one can see", (_X, _GAMMA, _BETA, 3.0), _EPS_OUTSIDE),
        Case("a column of equal values", (np.array([[5.0, 1.0], [5.0, 3.0]]), np.ones(2), np.ones(2), 0.01), _NO_EPS),
        Case("float32 stays float32", tuple(a.astype(np.float32) for a in (_X, _GAMMA, _BETA)) + (0.01,)),
        Case("values far from 0", (_X + 1e8, np.ones(4), np.zeros(4), 0.01), _CANCELS),
    ],
    draw=lambda rng: _draw_norm(rng, (7, 4), (4, 7), (5, 5)),
    mistakes=[
        Mistake(
            "Mean and variance go over the features of each example: that is layer normalization. Here each column is "
            "normalized over the batch: axis=0.",
            _affine(-1),
            _affine(-1, root=lambda var, eps: np.sqrt(var) + eps),
        ),
        Mistake(_WHOLE + " Each column has its own: axis=0.", _affine(None)),
        *_shared(0),
    ],
)


def _draw_norm(rng, *shapes):
    # Far enough from 0 to lose digits in E[x^2] - E[x]^2, and so near that the mean, however it is summed, loses none.
    return [
        *(
            Case(f"shape {shape}", (*(_numbers(rng, *s) for s in (shape, shape[-1:], shape[-1:])), 0.01))
            for shape in shapes
        ),
        Case("a larger eps", (*(_numbers(rng, *s) for s in (shapes[0], shapes[0][-1:], shapes[0][-1:])), 0.5)),
        Case(
            "values far from 0",
            (_numbers(rng, *shapes[0]) + 1e6, np.ones(shapes[0][-1]), np.zeros(shapes[0][-1]), 0.01),
            _CANCELS,
        ),
    ]


layer_norm = Task(
    "layer_norm(x, gamma, beta, eps)",
    """layer normalization.

    `x` has the shape ``(..., C)``. Each row of C numbers loses its mean and is divided by ``sqrt(var + eps)``, with the
    variance that divides by C; then it is multiplied by `gamma` and moved by `beta`, both of shape ``(C,)``. The
    result has the shape and the float type of `x`.
    """,
    right=lambda x, gamma, beta, eps: gamma * lossprimer.normalize(x, axis=-1, eps=eps) + beta,
    keeps_type=True,
    steps=[
        Case("two rows by hand", (_COLUMNS, np.ones(2), np.zeros(2), 0.0)),
        Case("three rows of four", (_X, np.ones(4), np.zeros(4), 0.01)),
        Case("three rows of three", (_SQUARE, np.ones(3), np.zeros(3), 0.01)),
        Case("the last of three axes", (_DEEP, np.ones(4), np.zeros(4), 0.01)),
        Case("one row alone", (_X[0], np.ones(4), np.zeros(4), 0.01)),
        Case("gamma and beta", (_X, _GAMMA, _BETA, 0.01)),
        Case("an eps that one can see", (_X, _GAMMA, _BETA, 3.0), _EPS_OUTSIDE),
        Case("a row of equal values", (np.array([[5.0, 5.0], [1.0, 3.0]]), np.ones(2), np.ones(2), 0.01), _NO_EPS),
        Case("float32 stays float32", tuple(a.astype(np.float32) for a in (_X, _GAMMA, _BETA)) + (0.01,)),
        Case("values far from 0", (_X + 1e8, np.ones(4), np.zeros(4), 0.01), _CANCELS),
    ],
    draw=lambda rng: _draw_norm(rng, (7, 4), (4, 7), (5, 5), (2, 3, 4)),
    mistakes=[
        Mistake(
            "Mean and variance go over the batch: that is batch normalization. Here each row is normalized by itself: "
            "axis=-1.",
            _affine(0),
        ),
        Mistake(
            "Mean and variance go over the wrong axis. Each row is normalized by itself: axis=-1.",
            lambda x, gamma, beta, eps: _affine(second(x))(x, gamma, beta, eps),
        ),
        Mistake(_WHOLE + " Each row has its own: axis=-1.", _affine(None)),
        Mistake(_KEEPDIMS, _affine(-1, keepdims=False)),
        *_shared(-1),
    ],
)


def _rms(x, gamma, eps, *, axis=-1, square=lambda x: x**2, average=np.mean, root=_inside, keepdims=True):
    return gamma * x / root(average(square(x), axis=axis, keepdims=keepdims), eps)


def _wrong_rms(**options):
    return lambda x, gamma, eps: _rms(x, gamma, eps, **options)


rms_norm = Task(
    "rms_norm(x, gamma, eps)",
    """each row over its root mean square.

    `x` has the shape ``(..., C)``, `gamma` the shape ``(C,)``. The result is ``gamma * x / sqrt(mean(x**2) + eps)``,
    with the mean over the last axis, in the shape and the float type of `x`.
    """,
    right=_rms,
    keeps_type=True,
    steps=[
        Case("one row by hand", (np.array([1.0, 7.0]), np.ones(2), 0.0)),
        Case("three rows of three", (_SQUARE, np.ones(3), 0.01)),
        Case("three rows of four", (_X, np.ones(4), 0.01)),
        Case("the last of three axes", (_DEEP, np.ones(4), 0.01)),
        Case("gamma", (_X, _GAMMA, 0.01)),
        Case("an eps that one can see", (_X, _GAMMA, 3.0), _EPS_OUTSIDE.replace("variance", "mean square")),
        Case(
            "a row of zeros",
            (np.array([[0.0, 0.0], [1.0, 3.0]]), np.ones(2), 0.01),
            "eps is missing: sqrt(mean(x**2) + eps) keeps the division finite where all values are 0.",
        ),
        Case("float32 stays float32", (_X.astype(np.float32), _GAMMA.astype(np.float32), 0.01)),
    ],
    draw=lambda rng: [
        Case(f"shape {shape}", (_numbers(rng, *shape), _numbers(rng, shape[-1]), eps))
        for shape, eps in (((7, 4), 0.01), ((5, 5), 0.01), ((2, 3, 4), 0.01), ((4, 7), 0.5))
    ],
    mistakes=[
        Mistake(
            "The mean is subtracted: that is layer normalization. RMSNorm only divides by the root of the mean square.",
            lambda x, gamma, eps: gamma * _standard(x, eps, -1),
            _wrong_rms(square=lambda x: (x - x.mean(axis=-1, keepdims=True)) ** 2),
            lambda x, gamma, eps: _rms(x - x.mean(axis=-1, keepdims=True), gamma, eps),
            lambda x, gamma, eps: (
                gamma * (x - x.mean(-1, keepdims=True)) / np.sqrt((x**2).mean(-1, keepdims=True) + eps)
            ),
        ),
        Mistake("gamma is not used: multiply the normalized values by it.", lambda x, gamma, eps: _rms(x, 1.0, eps)),
        Mistake(
            "The squares are added up, and not averaged: a row gets the length 1. Divide the sum by C.",
            _wrong_rms(average=np.sum),
        ),
        Mistake("The mean goes over the batch. Each row has its own root mean square: axis=-1.", _wrong_rms(axis=0)),
        Mistake(
            "The mean goes over the wrong axis. Each row has its own root mean square: axis=-1.",
            lambda x, gamma, eps: _rms(x, gamma, eps, axis=second(x)),
        ),
        Mistake(
            "The mean goes over the whole array. Each row has its own root mean square: axis=-1.", _wrong_rms(axis=None)
        ),
        Mistake(
            "The root mean squares of the rows stand in a row instead of a column: keepdims=True is missing, and in a "
            "square table that goes unnoticed.",
            _wrong_rms(keepdims=False),
        ),
        Mistake("The root is missing: divide by sqrt(mean(x**2) + eps).", _wrong_rms(root=lambda m, eps: m + eps)),
        Mistake(
            "eps is in the wrong place. It is added to the mean square, inside the root: sqrt(mean(x**2) + eps).",
            _wrong_rms(root=lambda m, eps: np.sqrt(m) + eps),
            _wrong_rms(root=lambda m, eps: np.sqrt(m + eps**2)),
        ),
        Mistake(
            "eps is missing: sqrt(mean(x**2) + eps) keeps the division finite where all values are 0.",
            _wrong_rms(root=lambda m, eps: np.sqrt(m)),
        ),
        Mistake(
            "The squares are missing: the mean of the values, or of their sizes, is no root mean square.",
            _wrong_rms(square=np.abs, root=lambda m, eps: m + eps),
            _wrong_rms(square=lambda x: x),
            _wrong_rms(square=lambda x: x, root=lambda m, eps: m + eps),
        ),
        Mistake(
            "The values are multiplied by the root mean square. Divide by it.",
            _wrong_rms(root=lambda m, eps: 1 / np.sqrt(m + eps)),
        ),
    ],
)


def _gradients(
    dy,
    x,
    gamma,
    eps,
    *,
    first=True,
    second=True,
    average=np.mean,
    sign=-1.0,
    inner=True,
    scale=None,
    var=np.var,
    root=_inside,
):
    """The gradients of layer normalization; each part can be left out."""
    x_hat = _standard(x, eps, -1, var=var, root=root)
    g = dy * gamma if inner else dy
    dx = g
    if first:
        dx = dx + sign * average(g, axis=-1, keepdims=True)
    if second:
        dx = dx + sign * x_hat * average(g * x_hat, axis=-1, keepdims=True)
    divisor = root(var(x, axis=-1, keepdims=True), eps)
    dx = dx / divisor if scale is None else scale(dx, divisor)
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def _wrong_gradients(**options):
    return lambda dy, x, gamma, eps: _gradients(dy, x, gamma, eps, **options)


def _changed_gradients(change):
    """Make a mistake from what is done to the right gradients."""
    return lambda dy, x, gamma, eps: change(dy, x, gamma, *_gradients(dy, x, gamma, eps))


def _reduced(reduce):
    """Two mistakes: dgamma and dbeta, or only the second, are made from the parts of each example in a wrong way."""

    def both(dy, x, gamma, eps):
        parts = dy * _standard(x, eps, -1), dy
        return _gradients(dy, x, gamma, eps)[0], *(reduce(part, gamma) for part in parts)

    def only_dbeta(dy, x, gamma, eps):
        return *_gradients(dy, x, gamma, eps)[:2], reduce(dy, gamma)

    return both, only_dbeta


def _right_gradients(dy, x, gamma, eps):
    dx = lossprimer.normalize_backward(dy * gamma, x, axis=-1, eps=eps)
    return dx, (dy * lossprimer.normalize(x, axis=-1, eps=eps)).sum(axis=0), dy.sum(axis=0)


_DY = np.array([[1.0, 0.0, -1.0, 2.0], [0.5, 2.0, 1.0, -1.0], [0.0, 1.0, 3.0, 0.5]])


def _draw_backward(rng):
    return [
        Case(f"shape {shape}", (_numbers(rng, *shape), _numbers(rng, *shape), _numbers(rng, shape[-1]), eps))
        for shape, eps in (((4, 6), 0.01), ((5, 5), 0.01), ((6, 3), 0.5))
    ]


layer_norm_backward = Task(
    "layer_norm_backward(dy, x, gamma, eps)",
    """the gradients of layer normalization.

    `dy`, the gradient by the output, and `x` have the shape ``(N, C)``, `gamma` has the shape ``(C,)``. The result is
    the tuple ``(dx, dgamma, dbeta)`` in the shapes of `x`, `gamma` and beta.
    """,
    right=_right_gradients,
    returns=("dx", "dgamma", "dbeta"),
    steps=[
        Case("one row of three", (np.array([[1.0, 0.0, 0.0]]), np.array([[2.0, 3.0, 7.0]]), np.ones(3), 0.01)),
        Case("three rows of four", (_DY, _X, np.ones(4), 0.01)),
        Case("with gamma", (_DY, _X, _GAMMA, 0.01)),
        Case("three rows of three", (_DY[:, 1:], _SQUARE, _GAMMA[1:], 0.01)),
        Case("an eps that one can see", (_DY, _X, _GAMMA, 3.0), _EPS_OUTSIDE),
        Case("float32", tuple(a.astype(np.float32) for a in (_DY, _X, _GAMMA)) + (0.01,)),
    ],
    draw=_draw_backward,
    mistakes=[
        Mistake(
            "Both corrections are missing. Mean and variance depend on x as well: the mean of g = dy gamma, and x_hat "
            "times the mean of g x_hat, are subtracted before the division.",
            _wrong_gradients(first=False, second=False),
        ),
        Mistake(
            "A term is missing in dx: the mean depends on x as well. Subtract the mean of g = dy gamma over each row.",
            _wrong_gradients(first=False),
        ),
        Mistake(
            "A term is missing in dx: the variance depends on x as well. Subtract x_hat times the mean of g x_hat over "
            "each row, with g = dy gamma.",
            _wrong_gradients(second=False),
        ),
        Mistake(
            "The corrections in dx are sums. They are means over the C entries of a row: divide by C.",
            _wrong_gradients(average=np.sum),
        ),
        Mistake("gamma is missing in dx: begin with g = dy gamma.", _wrong_gradients(inner=False)),
        Mistake(
            "gamma multiplies dx at the end. It belongs to g = dy gamma before the means are taken, because it differs "
            "between the entries of a row.",
            lambda dy, x, gamma, eps: (
                gamma * _gradients(dy, x, gamma, eps, inner=False)[0],
                *_gradients(dy, x, gamma, eps)[1:],
            ),
        ),
        Mistake("dx is not divided by sqrt(var + eps).", _wrong_gradients(scale=lambda dx, root: dx)),
        Mistake(
            "dx is multiplied by sqrt(var + eps), or divided twice. Divide once.",
            _wrong_gradients(scale=lambda dx, root: dx * root),
            _wrong_gradients(scale=lambda dx, root: dx / root**2),
        ),
        Mistake(
            "The corrections are added. They are subtracted.",
            _wrong_gradients(sign=1.0),
        ),
        Mistake("The sign of dx is reversed.", _changed_gradients(lambda dy, x, gamma, dx, *rest: (-dx, *rest))),
        Mistake(
            "x_hat is missing in dgamma: it is the sum of dy x_hat over the batch.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dbeta, dbeta)),
        ),
        Mistake(
            "dgamma takes x in place of x_hat, the normalized values.",
            _changed_gradients(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, (dy * x).sum(axis=0), dbeta)),
        ),
        Mistake(
            "dgamma or dbeta is a mean over the batch. The gradients of all examples are added up.",
            *_reduced(lambda parts, gamma: parts.mean(axis=0)),
        ),
        Mistake(
            "dgamma or dbeta is summed over the features. gamma and beta serve all examples: sum over the batch, "
            "axis=0.",
            *_reduced(lambda parts, gamma: parts.sum(axis=-1)),
        ),
        Mistake(
            "dgamma or dbeta is not summed: gamma and beta serve all examples. Sum over the batch, axis=0.",
            *_reduced(lambda parts, gamma: parts),
        ),
        Mistake(
            "gamma is used in dgamma or dbeta. It has no part there: dgamma is the sum of dy x_hat, dbeta that of dy.",
            *_reduced(lambda parts, gamma: (parts * gamma).sum(axis=0)),
        ),
        Mistake(_DDOF, _wrong_gradients(var=_unbiased)),
        Mistake(_EPS_OUTSIDE, _wrong_gradients(root=lambda var, eps: np.sqrt(var) + eps)),
        Mistake(
            "eps is missing: the division is by sqrt(var + eps).", _wrong_gradients(root=lambda var, eps: np.sqrt(var))
        ),
    ],
)


class _Right:
    """The layer of the task, by the package's own."""

    def __init__(self, num_features, momentum, eps):
        self._layer = lossprimer.BatchNorm(num_features, momentum=momentum, eps=eps)
        self.training = True

    def forward(self, x):
        self._layer.training = self.training
        return self._layer(x)

    running_mean = property(lambda self: self._layer.running_mean)
    running_var = property(lambda self: self._layer.running_var)


class _BatchNorm:
    """The layer of the task, written out, so that a wrong one is this one but for a method or a number."""

    axis = 0
    ddof = 0
    running_ddof = 1
    start = 0.0, 1.0

    def __init__(self, num_features, momentum, eps):
        self.momentum, self.eps, self.training = momentum, eps, True
        self.running_mean = np.full(num_features, self.start[0])
        self.running_var = np.full(num_features, self.start[1])

    def forward(self, x):
        if not self.training:
            return self.at_inference(x)
        mean, var = x.mean(axis=self.axis), x.var(axis=self.axis, ddof=self.ddof)
        self.update(x)
        return self.standard(x, mean, var)

    def at_inference(self, x):
        return self.standard(x, self.running_mean, self.running_var)

    def standard(self, x, mean, var):
        return (x - mean) / np.sqrt(var + self.eps)

    def update(self, x):
        self.running_mean = self.mixed(self.running_mean, x.mean(axis=self.axis))
        self.running_var = self.mixed(self.running_var, x.var(axis=self.axis, ddof=self.running_ddof))

    def mixed(self, old, new):
        return (1 - self.momentum) * old + self.momentum * new


def _like(**changes):
    """Make a class that is `_BatchNorm` but for some attributes."""
    return type("BatchNorm", (_BatchNorm,), changes)


def _updated_at_inference(self, x):
    y = _BatchNorm.at_inference(self, x)
    self.update(x)
    return y


def _updated_before_inference(self, x):
    self.update(x)
    return _BatchNorm.at_inference(self, x)


def _running_in_training(self, x):
    if self.training:
        self.update(x)
    return self.at_inference(x)


def _running_before_update(self, x):
    y = self.at_inference(x)
    if self.training:
        self.update(x)
    return y


def _batch_at_inference(self, x):
    return self.standard(x, x.mean(axis=0), x.var(axis=0))


def _only_mean(self, x):
    self.running_mean = self.mixed(self.running_mean, x.mean(axis=0))


def _after(*uses):
    """Play: a layer is made, and used on one batch after another; `uses` says in which mode."""

    def play(BatchNorm, num_features, momentum, eps, *batches):  # noqa: N803
        layer = BatchNorm(num_features, momentum, eps)
        for training, x in zip(uses, batches, strict=True):
            if not training:
                layer.training = False
            y = layer.forward(x)
        return y, layer.running_mean, layer.running_var

    return play


def _script(uses, momentum, eps):
    batches = ["x", "x2", "x3"]
    lines, before = [f"layer = BatchNorm(..., {momentum:g}, {eps:g})"], True
    for name, training in zip(batches, uses, strict=False):
        if before and not training:
            lines.append("layer.training = False")
        lines.append(f"y = layer.forward({name})")
        before = training
    return "; ".join(lines)


def _layer_case(title, uses, *batches, momentum=0.25, eps=0.01, cause=""):
    args = (batches[0].shape[1], momentum, eps, *batches)
    names = ("y", "running_mean", "running_var")
    return Case(title, args, cause, play=_after(*uses), script=_script(uses, momentum, eps), returns=names)


_SECOND = np.array([[0.0, 1.0, 2.0, 3.0], [5.0, -1.0, 4.0, 0.0]])


def _draw_layer(rng):
    momentum = float(rng.choice([0.1, 0.3, 0.75]))
    first, second, third = (_numbers(rng, n, 3) for n in rng.integers(3, 7, size=3))
    return [
        _layer_case("two batches in training", (True, True), first, second, momentum=momentum),
        _layer_case("two batches, then inference", (True, True, False), first, second, third, momentum=momentum),
        _layer_case("inference twice", (True, False, False), first, second, third, momentum=momentum),
    ]


batch_norm_layer = Task(
    "BatchNorm(num_features, momentum, eps)",
    """with ``forward(x)`` for `x` of shape ``(N, C)``.

    ``training`` is True at first. In training, ``forward`` normalizes with the mean and the variance of the batch
    (gamma is 1, beta 0) and moves ``running_mean`` (0 at first) and ``running_var`` (1 at first, unbiased: it divides
    by N - 1) to ``(1 - momentum) * old + momentum * batch``. With ``training = False`` it normalizes with these
    two and leaves them as they are.
    """,
    name="batch_norm_layer",
    members="training, running_mean, running_var and forward(x)",
    right=_Right,
    steps=[
        _layer_case("training by hand", (True,), _COLUMNS, momentum=0.5),
        _layer_case("one batch of three examples", (True,), _X),
        _layer_case("a second batch", (True, True), _X, _SECOND),
        _layer_case("inference: the running statistics", (True, False), _X, _SECOND),
        _layer_case("at inference a batch changes nothing", (True, False, False), _X, _SECOND, _X),
        _layer_case("a new layer at inference", (False,), _X),
        _layer_case("one example at inference", (True, False), _X, _SECOND[:1]),
        _layer_case("an eps that one can see", (True, False), _X, _SECOND, eps=3.0, cause=_EPS_OUTSIDE),
        _layer_case("values far from 0", (True,), _X + 1e8, cause=_CANCELS),
    ],
    draw=_draw_layer,
    mistakes=[
        Mistake(
            "Training uses the running statistics. In training the batch normalizes itself; the running ones are for "
            "inference.",
            _like(forward=_running_in_training),
            _like(forward=_running_before_update),
        ),
        Mistake(
            "The momentum is the wrong way round. Here it is the weight of the new batch: (1 - momentum) * old + "
            "momentum * batch.",
            _like(mixed=lambda self, old, new: self.momentum * old + (1 - self.momentum) * new),
        ),
        Mistake(
            "The running variance is the biased one. It stands for all data and divides by N - 1: np.var with ddof=1.",
            _like(running_ddof=0),
        ),
        Mistake(
            "The batch is normalized with the variance that divides by N - 1. Only the running variance does so; "
            "in training divide by N.",
            _like(ddof=1),
        ),
        Mistake(
            "At inference the batch still normalizes itself. With training = False take the running mean and variance.",
            _like(at_inference=_batch_at_inference),
        ),
        Mistake(
            "The running statistics change at inference. Update them only in training.",
            _like(at_inference=_updated_at_inference),
            _like(at_inference=_updated_before_inference),
        ),
        Mistake("The running statistics are not updated in training.", _like(update=lambda self, x: None)),
        Mistake("The running variance is not updated in training.", _like(update=_only_mean)),
        Mistake(
            "The running statistics become those of the last batch. Mix: (1 - momentum) * old + momentum * batch.",
            _like(mixed=lambda self, old, new: new),
        ),
        Mistake(
            "The old value keeps its full weight. It gets 1 - momentum.",
            _like(mixed=lambda self, old, new: old + self.momentum * new),
        ),
        Mistake(
            "The running variance begins at 0. Before the first batch it is 1, so that a new layer passes its input "
            "on.",
            _like(start=(0.0, 0.0)),
        ),
        Mistake(
            "The running mean begins at 1. Before the first batch it is 0.",
            _like(start=(1.0, 1.0)),
            _like(start=(1.0, 0.0)),
        ),
        Mistake(
            "Mean and variance go over the features of each example. Each column is normalized over the batch: axis=0.",
            _like(standard=lambda self, x, mean, var: _standard(x, self.eps, -1)),
        ),
        Mistake("Mean and variance are those of the whole batch. Each column has its own: axis=0.", _like(axis=None)),
        Mistake(_EPS_OUTSIDE, _like(standard=lambda self, x, mean, var: (x - mean) / (np.sqrt(var) + self.eps))),
        Mistake(_NO_EPS, _like(standard=lambda self, x, mean, var: (x - mean) / np.sqrt(var))),
        Mistake(_NO_ROOT, _like(standard=lambda self, x, mean, var: (x - mean) / (var + self.eps))),
        Mistake(_NOT_CENTRED, _like(standard=lambda self, x, mean, var: x / np.sqrt(var + self.eps))),
        Mistake(
            _CANCELS,
            _like(standard=lambda self, x, mean, var: (x - mean) / np.sqrt(_squares_of_sums(x, axis=0) + self.eps)),
        ),
    ],
)
