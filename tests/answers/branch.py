"""Answers to the task of the epilogue on a branch of a block."""

import numpy as np

import lossprimer as lp


def norm(x):
    return lp.normalize(x, axis=-1)


class Right:
    """Step by step."""

    def __init__(self, w1, w2):
        self.w1, self.w2 = w1, w2

    def forward(self, x):
        self.x = x
        self.n = norm(x)
        self.h = self.n @ self.w1
        self.a = self.h * (self.h > 0)
        return x + self.a @ self.w2

    def backward(self, dy):
        da = dy @ self.w2.T
        self.dw2 = np.tensordot(self.a, dy, ((0, 1), (0, 1)))
        dh = self.back(da)
        self.dw1 = np.tensordot(self.n, dh, ((0, 1), (0, 1)))
        return dy + self.undo(dh @ self.w1.T)

    def back(self, da):
        return da * (self.h > 0)

    def undo(self, dn):
        return lp.normalize_backward(dn, self.x, axis=-1)


class OfLayers:
    """Made of the package's layers."""

    def __init__(self, w1, w2):
        rng = np.random.default_rng(0)
        self.layers = lp.Linear(*w1.shape, rng=rng), lp.ReLU(), lp.Linear(*w2.shape, rng=rng)
        self.layers[0].weight, self.layers[2].weight = w1, w2

    def forward(self, x):
        self.x, y = x, lp.normalize(x, axis=-1)
        for layer in self.layers:
            y = layer(y)
        return x + y

    def backward(self, dy):
        gradient = dy
        for layer in self.layers[::-1]:
            gradient = layer.backward(gradient)
        self.dw1, self.dw2 = self.layers[0].gradients()["weight"], self.layers[2].gradients()["weight"]
        return dy + lp.normalize_backward(gradient, self.x, axis=-1)


class InRows:
    """All positions below each other, and the norm's derivative written out."""

    def __init__(self, w1, w2):
        self.weights = w1, w2

    def forward(self, x):
        rows = x.reshape(-1, x.shape[-1])
        centred = rows - rows.mean(axis=1, keepdims=True)
        self.root = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
        self.n = centred / self.root
        self.a = np.maximum(self.n.dot(self.weights[0]), 0)
        return (rows + self.a.dot(self.weights[1])).reshape(x.shape)

    def backward(self, dy):
        rows = dy.reshape(-1, dy.shape[-1])
        dh = np.where(self.a > 0, rows.dot(self.weights[1].T), 0)
        self.dw1, self.dw2 = self.n.T.dot(dh), self.a.T.dot(rows)
        dn = dh.dot(self.weights[0].T)
        inner = dn - dn.mean(1, keepdims=True) - self.n * (dn * self.n).mean(1, keepdims=True)
        return (rows + inner / self.root).reshape(dy.shape)


def like(**methods):
    return type("Branch", (Right,), methods)


def forward(f):
    """Another output; what backward needs is kept."""

    def call(self, x):
        Right.forward(self, x)
        return f(self, x)

    return like(forward=call)


def backward(f):
    """Another gradient, made of dy and the one of the branch."""

    def call(self, dy):
        inner = Right.backward(self, dy) - dy
        return f(self, dy, inner)

    return like(backward=call)


def weights(f):
    """Other gradients of the weights."""

    def call(self, dy):
        dx = Right.backward(self, dy)
        f(self, dy, self.back(dy @ self.w2.T))
        return dx

    return like(backward=call)


def put(dw1, dw2):
    """Set the gradients by functions of the branch, dy and dh; None leaves one as it is."""

    def change(self, dy, dh):
        one, two = (f(self, dy, dh) if f else None for f in (dw1, dw2))
        self.dw1 = self.dw1 if one is None else one
        self.dw2 = self.dw2 if two is None else two

    return weights(change)


def summed(a, b):
    return np.einsum("bli,blj->ij", a, b)


class Accumulates(Right):
    """Adds to the gradients of the call before."""

    def __init__(self, w1, w2):
        super().__init__(w1, w2)
        self.total1, self.total2 = np.zeros_like(w1), np.zeros_like(w2)

    def backward(self, dy):
        dx = super().backward(dy)
        self.total1 = self.total1 + self.dw1
        self.total2 = self.total2 + self.dw2
        self.dw1, self.dw2 = self.total1, self.total2
        return dx


class InTheClass(Right):
    """Keeps what it needs in the class."""

    def forward(self, x):
        y = super().forward(x)
        InTheClass.kept = self.x, self.n, self.h, self.a
        return y

    def backward(self, dy):
        self.x, self.n, self.h, self.a = InTheClass.kept
        return super().backward(dy)


class WritesIntoDy(Right):
    """Uses the caller's array for its result."""

    def backward(self, dy):
        dy += super().backward(dy) - dy
        return dy


class WritesIntoX(Right):
    """Adds the branch to the caller's x."""

    def forward(self, x):
        y = super().forward(x.copy())
        x += y - x
        return x


def no_backward(self, dy):
    raise NotImplementedError


RIGHT = {"pre_norm_branch": [Right, OfLayers, InRows]}

WRONG = {
    "pre_norm_branch": [
        ("skip connection is missing", forward(lambda self, x: self.a @ self.w2)),
        ("normalized x is added", forward(lambda self, x: self.n + self.a @ self.w2)),
        ("post-norm block", forward(lambda self, x: norm(x + np.maximum(x @ self.w1, 0) @ self.w2))),
        ("comes at the end of the branch", forward(lambda self, x: x + norm(np.maximum(x @ self.w1, 0) @ self.w2))),
        ("is not normalized", forward(lambda self, x: x + np.maximum(x @ self.w1, 0) @ self.w2)),
        ("over the positions, or over the batch", forward(
            lambda self, x: x + np.maximum(lp.normalize(x, axis=1) @ self.w1, 0) @ self.w2)),
        ("one mean and one variance in common", forward(
            lambda self, x: x + np.maximum((x - x.mean()) / np.sqrt(x.var() + 1e-5) @ self.w1, 0) @ self.w2)),
        ("divides by D - 1", forward(lambda self, x: x + np.maximum(
            (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True, ddof=1) + 1e-5) @ self.w1, 0)
            @ self.w2)),
        ("eps is missing, in the wrong place", forward(lambda self, x: x + np.maximum(
            (x - x.mean(-1, keepdims=True)) / (x.std(-1, keepdims=True) + 1e-5) @ self.w1, 0) @ self.w2)),
        ("eps is missing, in the wrong place", forward(
            lambda self, x: x + np.maximum(lp.normalize(x, axis=-1, eps=1e-6) @ self.w1, 0) @ self.w2)),
        ("ReLU is missing", forward(lambda self, x: x + self.h @ self.w2)),
        ("ReLU is in the wrong place", forward(lambda self, x: x + np.maximum(self.h @ self.w2, 0))),
        ("ReLU is in the wrong place", forward(lambda self, x: np.maximum(x + self.h @ self.w2, 0))),
        ("not the ReLU", forward(lambda self, x: x + np.tanh(self.h) @ self.w2)),
        ("The branch is subtracted", forward(lambda self, x: x - self.a @ self.w2)),
        ("matrix product", forward(lambda self, x: x + self.a @ self.w2.T)),
        ("missing in backward", backward(lambda self, dy, inner: inner)),
        ("dx is dy alone", backward(lambda self, dy, inner: dy)),
        ("dy is added twice", backward(lambda self, dy, inner: 2 * dy + inner)),
        ("multiplied by dy", backward(lambda self, dy, inner: dy * inner)),
        ("subtracted from dy", backward(lambda self, dy, inner: dy - inner)),
        ("not go back through the normalization", like(undo=lambda self, dn: dn)),
        ("deviation alone", like(undo=lambda self, dn: dn / np.sqrt(self.x.var(-1, keepdims=True) + 1e-5))),
        ("gradient is normalized", like(undo=lambda self, dn: norm(dn))),
        ("an array other than the x", like(undo=lambda self, dn: lp.normalize_backward(dn, self.n, axis=-1))),
        ("backward are swapped", like(undo=lambda self, dn: lp.normalize_backward(self.x, dn, axis=-1))),
        ("eps of backward", like(undo=lambda self, dn: lp.normalize_backward(dn, self.x, axis=-1, eps=1e-8))),
        ("dy goes through the normalization", backward(
            lambda self, dy, inner: inner + lp.normalize_backward(dy, self.x, axis=-1))),
        ("lets every gradient through", like(back=lambda self, da: da)),
        ("looks at the gradient", like(back=lambda self, da: da * (da > 0))),
        ("slope of a ReLU is 1 or 0", like(back=lambda self, da: da * self.a)),
        ("on the wrong side", like(back=lambda self, da: np.where(self.h > 0, 0, da))),
        ("dw1 uses x", put(lambda self, dy, dh: summed(self.x, dh), None)),
        ("dw1 uses the gradient before", put(lambda self, dy, dh: summed(self.n, dy @ self.w2.T), None)),
        ("hidden numbers before the ReLU", put(None, lambda self, dy, dh: summed(self.h, dy))),
        ("is transposed", put(lambda self, dy, dh: self.dw1.T, lambda self, dy, dh: self.dw2.T)),
        ("is transposed", put(None, lambda self, dy, dh: self.dw2.T)),
        ("means over the positions", put(
            lambda self, dy, dh: self.dw1 / len(dy), lambda self, dy, dh: self.dw2 / len(dy))),
        ("are swapped", put(lambda self, dy, dh: self.dw2, lambda self, dy, dh: summed(self.n, dh))),
        ("still have an axis for the batch", put(lambda self, dy, dh: self.n.transpose(0, 2, 1) @ dh,
                                                  lambda self, dy, dh: self.a.transpose(0, 2, 1) @ dy)),
        ("example of the batch counts", put(lambda self, dy, dh: self.n[0].T @ dh[0],
                                            lambda self, dy, dh: self.a[0].T @ dy[0])),
        ("added to those of the previous call", Accumulates),
        ("changed what the first one kept", InTheClass),
        ("changed in place", WritesIntoDy),
        ("changed in place", WritesIntoX),
        ("not written yet", like(backward=no_backward)),
        ("The class has no dw1", like(backward=lambda self, dy: dy)),
        ("prints and returns nothing", like(backward=lambda self, dy: print(Right.backward(self, dy)))),
    ],
}  # fmt: skip
