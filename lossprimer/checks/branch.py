"""The task of the epilogue on a block: a pre-norm branch with its backward pass."""

import numpy as np

from lossprimer.checks.probability import scores
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.checks.values import as_code

_EPS = 1e-5


def _standard(x, eps=_EPS, axis=-1, ddof=0):
    return (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(x.var(axis=axis, keepdims=True, ddof=ddof) + eps)


def _norm_backward(dn, x, *, mean=True, spread=True, eps=_EPS, axis=-1, average=np.mean):
    """The gradient through `_standard`; each of its two corrections can be left out."""
    n = _standard(x, eps, axis)
    first, second = (average(numbers, axis=axis, keepdims=True) for numbers in (dn, dn * n))
    return (dn - mean * first - spread * n * second) / np.sqrt(x.var(axis=axis, keepdims=True) + eps)


class _Branch:
    """The class of the task, in steps, so that a wrong one is this one but for some of them."""

    def __init__(self, w1, w2):
        self.w1, self.w2, self.dw1, self.dw2 = w1, w2, 0.0, 0.0

    def forward(self, x):
        self.x, self.n = x, self.norm(x)
        self.h = self.n @ self.w1
        self.a = self.activated(self.h)
        self.y = self.joined(x, self.a @ self.w2)
        return self.y

    def norm(self, x):
        return _standard(x)

    def activated(self, h):
        return np.maximum(h, 0)

    def joined(self, x, f):
        return x + f

    def backward(self, dy):
        da = dy @ self.w2.T
        dh = self.through_relu(da)
        self.dw1, self.dw2 = self.of_weights(dy, da, dh)
        return self.with_skip(dy, self.through_norm(dh @ self.w1.T))

    def through_relu(self, da):
        return da * (self.h > 0)

    def of_weights(self, dy, da, dh):
        return _sum_of_products(self.n, dh), _sum_of_products(self.a, dy)

    def through_norm(self, dn):
        return _norm_backward(dn, self.x)

    def with_skip(self, dy, dx):
        return dy + dx


def _sum_of_products(left, right):
    return np.einsum("blc,bld->cd", left, right)


def _like(**changes):
    """Make a class that is `_Branch` but for some methods."""
    return type("Branch", (_Branch,), changes)


def _skip(change):
    return _like(with_skip=lambda self, dy, dx: change(dy, dx))


def _gradients(change):
    """A wrong pair of gradients of the weights."""
    return _like(of_weights=change)


def _both_gradients(change):
    return _gradients(lambda self, dy, da, dh: tuple(map(change, _Branch.of_weights(self, dy, da, dh))))


_COUNTS = (lambda dy: dy[..., 0].size, len, lambda dy: dy.shape[1])


def _mean_gradients(count, which):
    """Means in place of sums, in one of the two gradients or both."""
    return _gradients(
        lambda self, dy, da, dh: tuple(
            gradient / (count(dy) if divides else 1)
            for gradient, divides in zip(_Branch.of_weights(self, dy, da, dh), which, strict=True)
        )
    )


def _post_norm(self, x):
    self.x = self.n = x
    self.h = x @ self.w1
    self.a = self.activated(self.h)
    return _standard(x + self.a @ self.w2)


def _norm_of_branch(self, x):
    self.x = self.n = x
    self.h = x @ self.w1
    self.a = self.activated(self.h)
    return x + _standard(self.a @ self.w2)


def _adds_up(self, dy, da, dh):
    dw1, dw2 = _Branch.of_weights(self, dy, da, dh)
    return self.dw1 + dw1, self.dw2 + dw2


def _keeps_first(self, x):
    """Remembers the first call for good."""
    if hasattr(self, "x"):
        return _Branch(self.w1, self.w2).forward(x)
    return _Branch.forward(self, x)


def _forward(Branch, w1, w2, x):  # noqa: N803
    return Branch(w1, w2).forward(x)


def _round(Branch, w1, w2, x, *gradients):  # noqa: N803
    """Play: forward, and backward for each of the gradients."""
    branch = Branch(w1, w2)
    branch.forward(x)
    for dy in gradients:
        dx = branch.backward(dy)
    return dx, branch.dw1, branch.dw2


def _last_forward(Branch, w1, w2, x, x2, dy):  # noqa: N803
    branch = Branch(w1, w2)
    branch.forward(x)
    branch.forward(x2)
    return branch.backward(dy), branch.dw1, branch.dw2


def _by_turns(Branch, w1, w2, x, x2, dy):  # noqa: N803
    branch, other = Branch(w1, w2), Branch(w1, w2)
    branch.forward(x)
    other.forward(x2)
    other.backward(dy)
    return branch.backward(dy), branch.dw1, branch.dw2


_END = "branch.dw1, branch.dw2"
_PLAYS = {
    _forward: ("x", "branch = Branch(w1, w2)\nbranch.forward(x)"),
    _round: ("x dy dy2", f"branch = Branch(w1, w2)\ny = branch.forward(x)\nbranch.backward(dy), {_END}"),
    _last_forward: (
        "x x2 dy",
        f"branch = Branch(w1, w2)\nbranch.forward(x)\nbranch.forward(x2)\nbranch.backward(dy), {_END}",
    ),
    _by_turns: (
        "x x2 dy",
        "branch, other = Branch(w1, w2), Branch(w1, w2)\nbranch.forward(x)\nother.forward(x2)\nother.backward(dy)\n"
        f"branch.backward(dy), {_END}",
    ),
}


def _branch_case(title, play, *args, cause=""):
    names, code = _PLAYS[play]
    names = ["w1", "w2", *names.split()][: len(args)]
    if "dy2" in names:
        code = code.replace("branch.backward(dy),", "branch.backward(dy)\nbranch.backward(dy2),")
    script = "\n".join([*(f"{name} = {as_code(arg)}" for name, arg in zip(names, args, strict=True)), code])
    returns = ("y",) if play is _forward else ("dx", "dw1", "dw2")
    return Case(title, args, cause, play, script, returns, tuple(names))


_W1 = np.array([[1.0, -0.5], [0.5, 1.0], [-1.0, 0.25]])
_W2 = np.array([[0.5, 1.0, -2.0], [1.5, -1.0, 0.5]])
_X = np.array([[[2.0, 0.5, -1.0], [0.0, 3.0, 1.0]]])
_MORE = np.array([[[1.0, -2.0, 0.5], [4.0, 0.0, 1.0]], [[-1.0, 2.5, 0.0], [0.5, 0.0, -3.0]]])
_DY = np.array([[[1.0, -0.5, 2.0], [0.5, 1.5, -1.0]]])
_OTHER = np.array([[[0.5, -1.0, 1.0], [2.0, 0.0, -0.5]]])
_DY2 = np.array([[[0.25, 1.0, -1.5], [2.0, -1.0, 0.5]], [[-0.5, 0.75, 1.0], [1.0, 0.5, 0.25]]])
_SQUARE = np.array([[1.0, 0.5, -0.5], [-1.0, 0.75, 0.25], [0.5, -1.5, 1.0]])
_NARROW = np.array([[[1.0, 1.002, 0.999], [3.0, 3.001, 3.004]]])
_EPS_IS_SEEN = Cause(
    "The formula is right where the entries of a row differ a lot. In these rows the variance is smaller than eps: eps "
    "belongs inside the root, and is 1e-5.",
    "lp.normalize(x, axis=-1) and lp.normalize_backward(dn, x, axis=-1) have this eps.",
)


def _draw_branch(rng):
    batch, length, width, hidden = (int(n) for n in rng.integers(2, 5, size=4) + (0, 0, 1, 0))
    w1, w2 = scores(rng, width, hidden), scores(rng, hidden, width)
    x, x2, dy, dy2 = (scores(rng, batch, length, width) for _ in range(4))
    return [
        _branch_case("forward", _forward, w1, w2, x),
        _branch_case("backward", _round, w1, w2, x, dy),
        _branch_case("two calls to backward", _round, w1, w2, x, dy, dy2),
        _branch_case("two calls to forward", _last_forward, w1, w2, x, x2, dy),
    ]


def _many():
    rng = np.random.default_rng(0)
    shapes = (16, 32), (32, 16), (8, 24, 16), (8, 24, 16)
    return _branch_case("", _round, *(rng.normal(size=shape) for shape in shapes))


pre_norm_branch = Task(
    "Branch(w1, w2)",
    """the residual branch of a pre-norm block, with ``forward(x)`` and ``backward(dy)``.

    `x` has the shape ``(B, L, D)``, `w1` ``(D, H)`` and `w2` ``(H, D)``. ``forward`` returns
    ``x + max(normalize(x) @ w1, 0) @ w2`` with each row normalized over its features and an eps of 1e-5.
    ``backward`` returns the gradient with respect to the `x` of the last ``forward``, and sets ``dw1`` and ``dw2`` to
    those of the weights.
    """,
    name="pre_norm_branch",
    members="forward(x), backward(dy), dw1 and dw2",
    right=_Branch,
    steps=[
        _branch_case("forward: two positions", _forward, _W1, _W2, _X),
        _branch_case("forward: a batch of two", _forward, _W1, _W2, _MORE),
        _branch_case("forward: as many hidden numbers as features", _forward, _SQUARE, _SQUARE.T + 0.5, _MORE),
        _branch_case("forward: rows of nearly equal numbers", _forward, _W1, _W2, _NARROW, cause=_EPS_IS_SEEN),
        _branch_case("backward: two positions", _round, _W1, _W2, _X, _DY),
        _branch_case("backward: a batch of two", _round, _W1, _W2, _MORE, _DY2),
        _branch_case("backward: as many hidden numbers as features", _round, _SQUARE, _SQUARE.T + 0.5, _MORE, _DY2),
        _branch_case("backward: a gradient of one entry alone", _round, _W1, _W2, _X, _DY * (_DY == 2.0)),
        _branch_case("backward: rows of nearly equal numbers", _round, _W1, _W2, _NARROW, _DY, cause=_EPS_IS_SEEN),
        _branch_case(
            "a second backward gives the gradients of its own dy",
            _round,
            _W1,
            _W2,
            _X,
            _DY,
            _OTHER,
            cause=Cause(
                "The second call to backward gives something other than it would by itself: something is accumulated, "
                "or the first call has changed what forward stored.",
            ),
        ),
        _branch_case(
            "backward belongs to the last forward",
            _last_forward,
            _W1,
            _W2,
            _X,
            _OTHER,
            _DY,
            cause=Cause("backward uses numbers from an earlier call to forward.", "Set them anew in each forward."),
        ),
        _branch_case(
            "two branches each keep their own numbers",
            _by_turns,
            _W1,
            _W2,
            _X,
            _OTHER,
            _DY,
            cause=Cause("A second branch has changed what the first one kept.", "Keep it in self, not in the class."),
        ),
        _branch_case("float32", _round, *(array.astype(np.float32) for array in (_W1, _W2, _MORE, _DY2))),
    ],
    draw=_draw_branch,
    large=_many,
    mistakes=[
        Mistake("x is not added in forward: the skip connection is missing.", _like(joined=lambda self, x, f: f)),
        Mistake(
            "The normalized x is added. What goes around the branch should be x itself.",
            _like(joined=lambda self, x, f: self.n + f),
        ),
        Mistake(
            "The sum is normalized: that is a post-norm block. Only the input of the branch should be normalized, "
            "before w1.",
            _like(forward=_post_norm),
            _like(joined=lambda self, x, f: _standard(x + f)),
        ),
        Mistake(
            "The normalization comes at the end of the branch. It should come at its beginning, before w1.",
            _like(forward=_norm_of_branch),
        ),
        Mistake(
            "The rows are normalized twice.",
            _like(norm=lambda self, x: _standard(_standard(x))),
        ),
        Mistake("The branch is not normalized.", _like(norm=lambda self, x: x)),
        Mistake(
            "The normalization goes over the positions, or over the batch. Each row should have its own mean and "
            "variance.",
            _like(norm=lambda self, x: _standard(x, axis=1)),
            _like(norm=lambda self, x: _standard(x, axis=0)),
            _like(norm=lambda self, x: _standard(x, axis=(0, 1))),
            hint="axis=-1",
        ),
        Mistake(
            "Several rows have one mean and one variance in common. Each row should have its own.",
            _like(norm=lambda self, x: _standard(x, axis=None)),
            _like(norm=lambda self, x: _standard(x, axis=(1, 2))),
            hint="axis=-1",
        ),
        Mistake(
            "The variance divides by D - 1. It should divide by D.", _like(norm=lambda self, x: _standard(x, ddof=1))
        ),
        Mistake(
            "The mean is not subtracted: the rows are divided by their root mean square, or by their deviation.",
            _like(norm=lambda self, x: x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + _EPS)),
            _like(norm=lambda self, x: x / np.sqrt(x.var(axis=-1, keepdims=True) + _EPS)),
        ),
        Mistake(
            "The mean is subtracted from the rows, but they are not divided.",
            _like(norm=lambda self, x: x - x.mean(-1, keepdims=True)),
        ),
        Mistake(
            "The root is missing: the rows are divided by the variance.",
            _like(
                norm=lambda self, x: (x - x.mean(-1, keepdims=True)) / (x.var(axis=-1, keepdims=True) + _EPS),
            ),
        ),
        Mistake(
            "eps is missing, in the wrong place, or has another value.",
            *(_like(norm=lambda self, x, e=e: _standard(x, e)) for e in (1e-12, 1e-8, 1e-6, 1e-3, 1e-2)),
            _like(norm=lambda self, x: (x - x.mean(-1, keepdims=True)) / (x.std(axis=-1, keepdims=True) + _EPS)),
            _like(norm=lambda self, x: _standard(x, 0.0)),
            hint="lp.normalize(x, axis=-1)",
        ),
        Mistake("The ReLU is missing in forward.", _like(activated=lambda self, h: h)),
        Mistake(
            "The ReLU is in the wrong place: it belongs between w1 and w2.",
            _like(activated=lambda self, h: h, joined=lambda self, x, f: x + np.maximum(f, 0)),
            _like(norm=lambda self, x: np.maximum(_standard(x), 0), activated=lambda self, h: h),
            _like(joined=lambda self, x, f: np.maximum(x + f, 0)),
            _like(activated=lambda self, h: h, joined=lambda self, x, f: np.maximum(x + f, 0)),
        ),
        Mistake(
            "The ReLU keeps the wrong sign, or takes absolute values.",
            _like(activated=lambda self, h: np.minimum(h, 0)),
            _like(activated=lambda self, h: np.abs(h)),
            _like(activated=lambda self, h: np.maximum(-h, 0)),
            hint="np.maximum(h, 0)",
        ),
        Mistake(
            "The function between w1 and w2 is not the ReLU.",
            _like(activated=lambda self, h: np.tanh(h)),
            _like(activated=lambda self, h: 1 / (1 + np.exp(-h))),
            *(_like(activated=lambda self, h, n=n: np.where(h > 0, h, n * h)) for n in (0.01, 0.1, 0.2)),
            _like(activated=lambda self, h: 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))),
            _like(activated=lambda self, h: h / (1 + np.exp(-h))),
            _like(activated=lambda self, h: (h > 0).astype(h.dtype)),
            _like(activated=lambda self, h: np.maximum(h, 0) ** 2),
        ),
        Mistake(
            "x is added twice.",
            _like(joined=lambda self, x, f: 2 * x + f),
            hint="x + branch",
        ),
        Mistake("The branch is subtracted.", _like(joined=lambda self, x, f: x - f)),
        Mistake("The sum of x and the branch is halved.", _like(joined=lambda self, x, f: (x + f) / 2)),
        Mistake("The branch is multiplied by x. It should be added.", _like(joined=lambda self, x, f: x * f)),
        # Backward.
        Mistake(
            "The skip connection is missing in backward: dy itself is a part of dx.",
            _skip(lambda dy, dx: dx),
            hint="y = x + branch, so dx = dy + what comes back through the branch.",
        ),
        Mistake("Nothing comes back through the branch: dx is dy alone.", _skip(lambda dy, dx: dy)),
        Mistake("dy is added twice.", _skip(lambda dy, dx: 2 * dy + dx)),
        Mistake("The gradient of the branch is subtracted from dy.", _skip(lambda dy, dx: dy - dx)),
        Mistake("The gradient of the branch is multiplied by dy. It should be added.", _skip(lambda dy, dx: dy * dx)),
        Mistake("The sum of dy and the branch's gradient is halved.", _skip(lambda dy, dx: (dy + dx) / 2)),
        Mistake(
            "dy goes through the normalization, too. It should go around the branch, and so around its normalization.",
            _like(
                through_norm=lambda self, dn: dn,
                with_skip=lambda self, dy, dn: _norm_backward(dy + dn, self.x),
            ),
        ),
        Mistake(
            "The gradient does not go back through the normalization.",
            _like(through_norm=lambda self, dn: dn),
            hint="lp.normalize_backward(dn, x, axis=-1)",
        ),
        Mistake(
            "The gradient is divided by the deviation alone. The mean and the variance depend on x, too.",
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.x, mean=False, spread=False)),
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.x, mean=False)),
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.x, spread=False)),
            hint="lp.normalize_backward(dn, x, axis=-1)",
        ),
        Mistake(
            "The gradient goes back through a normalization over another axis, or over the whole array.",
            *(
                _like(through_norm=lambda self, dn, axis=axis: _norm_backward(dn, self.x, axis=axis))
                for axis in (0, 1, (0, 1), (1, 2), None)
            ),
            hint="lp.normalize_backward(dn, x, axis=-1)",
        ),
        Mistake(
            "The corrections in the normalization's backward are sums. They should be means over the features of a "
            "row.",
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.x, average=np.sum)),
            hint="lp.normalize_backward(dn, x, axis=-1)",
        ),
        Mistake(
            "The gradient is divided by the deviation twice: lp.normalize_backward has done so already.",
            _like(
                through_norm=lambda self, dn: (
                    _norm_backward(dn, self.x) / np.sqrt(self.x.var(axis=-1, keepdims=True) + _EPS)
                )
            ),
        ),
        Mistake(
            "The normalization is run forward in backward: the gradient is normalized.",
            _like(through_norm=lambda self, dn: _standard(dn)),
        ),
        Mistake(
            "The normalization's backward gets an array other than the x that went into it.",
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.n)),
            _like(through_norm=lambda self, dn: _norm_backward(dn, self.y)),
            hint="lp.normalize_backward(dn, x, axis=-1), with the x of forward",
        ),
        Mistake(
            "The arguments of the normalization's backward are swapped.",
            _like(through_norm=lambda self, dn: _norm_backward(self.x, dn)),
            hint="lp.normalize_backward(dn, x, axis=-1)",
        ),
        Mistake(
            "The eps of backward is not that of forward.",
            *(
                _like(through_norm=lambda self, dn, e=e: _norm_backward(dn, self.x, eps=e))
                for e in (0.0, 1e-12, 1e-8, 1e-6, 1e-3)
            ),
            hint="lp.normalize_backward(dn, x, axis=-1) has the eps of lp.normalize.",
        ),
        Mistake(
            "The ReLU lets every gradient through. It should pass back only those of the hidden numbers above 0.",
            _like(through_relu=lambda self, da: da),
            hint="Multiply by (h > 0), the h of forward.",
        ),
        Mistake(
            "The ReLU of backward looks at the gradient. It should pass the gradient back where h was above 0 in "
            "forward.",
            _like(through_relu=lambda self, da: np.maximum(da, 0)),
            _like(through_relu=lambda self, da: np.where(da > 0, 1.0, 0.0)),
            hint="Multiply by (h > 0), the h of forward.",
        ),
        Mistake(
            "The gradient is multiplied by the hidden numbers. The slope of a ReLU is 1 or 0.",
            _like(through_relu=lambda self, da: da * self.a),
            _like(through_relu=lambda self, da: da * self.h),
            hint="Multiply by (h > 0).",
        ),
        Mistake(
            "The slope of the ReLU is on the wrong side: gradients come back where the hidden number was below 0.",
            _like(through_relu=lambda self, da: da * (self.h < 0)),
        ),
        Mistake(
            "dw1 and dw2 are swapped.",
            _gradients(lambda self, dy, da, dh: _Branch.of_weights(self, dy, da, dh)[::-1]),
        ),
        Mistake(
            "dw1 or dw2 is transposed: it should have the shape of its weights.",
            _both_gradients(lambda d: d.T),
            _gradients(lambda self, dy, da, dh: (_sum_of_products(dh, self.n), _sum_of_products(self.a, dy))),
            _gradients(lambda self, dy, da, dh: (_sum_of_products(self.n, dh), _sum_of_products(dy, self.a))),
        ),
        Mistake(
            "dw1 uses x. It should use the normalized x, which w1 was multiplied by.",
            _gradients(lambda self, dy, da, dh: (_sum_of_products(self.x, dh), _sum_of_products(self.a, dy))),
        ),
        Mistake(
            "dw1 uses the gradient before it has gone back through the ReLU. It should use the one after.",
            _gradients(lambda self, dy, da, dh: (_sum_of_products(self.n, da), _sum_of_products(self.a, dy))),
        ),
        Mistake(
            "dw2 uses the hidden numbers before the ReLU. It should use those after it, which w2 was multiplied by.",
            _gradients(lambda self, dy, da, dh: (_sum_of_products(self.n, dh), _sum_of_products(self.h, dy))),
        ),
        Mistake(
            "The gradients of the weights are means over the positions or the batch. They should be sums.",
            *(
                _mean_gradients(counts, which)
                for counts in _COUNTS
                for which in ((True, True), (True, False), (False, True))
            ),
        ),
        Mistake(
            "The gradients of the weights still have an axis for the batch or the positions. All of these share the "
            "weights.",
            _gradients(lambda self, dy, da, dh: (self.n.swapaxes(1, 2) @ dh, self.a.swapaxes(1, 2) @ dy)),
            _gradients(
                lambda self, dy, da, dh: (np.einsum("blc,bld->lcd", self.n, dh), np.einsum("blc,bld->lcd", self.a, dy))
            ),
            hint="Sum over both, the batch and the positions.",
        ),
        Mistake(
            "Only the first, or the last, example of the batch counts in the gradients of the weights.",
            _gradients(lambda self, dy, da, dh: (self.n[0].T @ dh[0], self.a[0].T @ dy[0])),
            _gradients(lambda self, dy, da, dh: (self.n[-1].T @ dh[-1], self.a[-1].T @ dy[-1])),
        ),
        Mistake(
            "The gradients of the weights are added to those of the previous call. They should be those of the last "
            "call alone.",
            _gradients(_adds_up),
            hint="self.dw1 = ..., not +=",
        ),
        Mistake("The signs of the gradients of the weights are reversed.", _both_gradients(lambda d: -d)),
        Mistake("backward uses the x of the first forward.", _like(forward=_keeps_first)),
    ],
)
