"""Answers to the tasks of chapter 4."""

import numpy as np

import lossprimer


def standard(x, eps, axis, var=np.var):
    return (x - x.mean(axis=axis, keepdims=True)) / np.sqrt(var(x, axis=axis, keepdims=True) + eps)


def squares(x, **options):
    return (x**2).mean(**options) - x.mean(**options) ** 2


def unbiased(x, **options):
    return x.var(ddof=1, **options)


def norm(axis, x_hat=standard, **options):
    return lambda x, gamma, beta, eps: gamma * x_hat(x, eps, axis, **options) + beta


def batch_loop(x, gamma, beta, eps):
    y = np.empty_like(x)
    n, features = x.shape
    for c in range(features):
        mean = sum(x[:, c]) / n
        var = sum((v - mean) ** 2 for v in x[:, c]) / n
        y[:, c] = gamma[c] * (x[:, c] - mean) / (var + eps) ** 0.5 + beta[c]
    return y


def layer_loop(x, gamma, beta, eps):
    y = np.empty_like(x)
    for index in np.ndindex(x.shape[:-1]):
        centred = x[index] - x[index].mean()
        y[index] = gamma * centred / np.sqrt(np.dot(centred, centred) / len(centred) + eps) + beta
    return y


def by_library(layer, x, gamma, beta, eps):
    layer = layer(x.shape[-1], eps=eps)
    layer.gamma[:], layer.beta[:] = gamma, beta
    return layer(x)


def in_place(x, gamma, beta, eps):
    x -= x.mean(axis=-1, keepdims=True)
    return gamma * x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) + beta


def rms(x, gamma, eps):
    return gamma * x / np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + eps)


def rms_loop(x, gamma, eps):
    if x.ndim > 1:
        return np.array([rms_loop(row, gamma, eps) for row in x])
    return x / np.sqrt((x @ x) / x.size + eps) * gamma


def backward(dy, x, gamma, eps):
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=-1, keepdims=True)) / std
    g = dy * gamma
    dx = (g - g.mean(-1, keepdims=True) - x_hat * (g * x_hat).mean(-1, keepdims=True)) / std
    return dx, (dy * x_hat).sum(axis=0), dy.sum(axis=0)


def backward_step_by_step(dy, x, gamma, eps):
    size = x.shape[1]
    centred = x - x.mean(axis=1, keepdims=True)
    var = (centred**2).mean(axis=1, keepdims=True)
    g = dy * gamma
    dvar = (g * centred).sum(axis=1, keepdims=True) * -0.5 * (var + eps) ** -1.5
    dmean = -g.sum(axis=1, keepdims=True) / np.sqrt(var + eps)
    dx = g / np.sqrt(var + eps) + dvar * 2 * centred / size + dmean / size
    dgamma = np.einsum("nc,nc->c", dy, centred / np.sqrt(var + eps))
    return [dx, dgamma, np.ones(len(dy)) @ dy]


def backward_by_jacobian(dy, x, gamma, eps):
    size = x.shape[1]
    rows, x_hat = [], standard(x, eps, -1)
    for row, hat, slope in zip(x, x_hat, dy, strict=True):
        jacobian = (np.eye(size) - 1 / size - np.outer(hat, hat) / size) / np.sqrt(row.var() + eps)
        rows.append(jacobian @ (slope * gamma))
    return np.array(rows), np.sum(dy * x_hat, axis=0), np.sum(dy, axis=0)


def backward_without(first=1.0, second=1.0, mean=np.mean):
    def gradients(dy, x, gamma, eps):
        x_hat, g = standard(x, eps, -1), dy * gamma
        dx = g - first * mean(g, axis=-1, keepdims=True) - second * x_hat * mean(g * x_hat, axis=-1, keepdims=True)
        return dx / np.sqrt(x.var(axis=-1, keepdims=True) + eps), (dy * x_hat).sum(axis=0), dy.sum(axis=0)

    return gradients


def and_then(change):
    return lambda dy, x, gamma, eps: change(dy, x, gamma, *backward(dy, x, gamma, eps))


class Layer:
    """Written out; the wrong ones change a method."""

    def __init__(self, num_features, momentum, eps):
        self.momentum, self.eps, self.training = momentum, eps, True
        self.running_mean, self.running_var = np.zeros(num_features), np.ones(num_features)

    def forward(self, x):
        mean, var = (x.mean(axis=0), x.var(axis=0)) if self.training else (self.running_mean, self.running_var)
        if self.training:
            self.update(x)
        return (x - mean) / np.sqrt(var + self.eps)

    def update(self, x):
        self.running_mean = (1 - self.momentum) * self.running_mean + self.momentum * x.mean(axis=0)
        self.running_var = (1 - self.momentum) * self.running_var + self.momentum * x.var(axis=0, ddof=1)


class InPlace(Layer):
    """Updates its own arrays, with the variance corrected by hand."""

    def update(self, x):
        n = len(x)
        self.running_mean += self.momentum * (x.mean(axis=0) - self.running_mean)
        self.running_var *= 1 - self.momentum
        self.running_var += self.momentum * x.var(axis=0) * n / (n - 1)


class Lists:
    """With Python lists."""

    training = True

    def __init__(self, num_features, momentum, eps):
        self.momentum, self.eps = momentum, eps
        self.running_mean, self.running_var = [0.0] * num_features, [1.0] * num_features

    def forward(self, x):
        columns = []
        for c, column in enumerate(x.T):
            mean, var = self.running_mean[c], self.running_var[c]
            if self.training:
                m = self.momentum
                self.running_mean[c] = (1 - m) * mean + m * float(column.mean())
                self.running_var[c] = (1 - m) * var + m * float(column.var(ddof=1))
                mean, var = column.mean(), column.var()
            columns.append([(float(v) - mean) / (var + self.eps) ** 0.5 for v in column])
        return np.array(columns).T


class Library:
    """The package's layer under another name."""

    def __init__(self, num_features, momentum, eps):
        self.layer, self.training = lossprimer.BatchNorm(num_features, momentum=momentum, eps=eps), True

    def forward(self, x):
        return (self.layer.train() if self.training else self.layer.eval())(x)

    running_mean = property(lambda self: self.layer.running_mean)
    running_var = property(lambda self: self.layer.running_var)


class WithoutStatistics:
    """Only what training needs."""

    def __init__(self, num_features, momentum, eps):
        self.eps = eps

    def forward(self, x):
        return standard(x, self.eps, 0)


def like(**changes):
    return type("BatchNorm", (Layer,), changes)


def mixed(old, new, ddof=1):
    """An update by two weights, given the momentum."""

    def update(self, x):
        m = self.momentum
        self.running_mean = old(m) * self.running_mean + new(m) * x.mean(axis=0)
        self.running_var = old(m) * self.running_var + new(m) * x.var(axis=0, ddof=ddof)

    return update


def running_in_training(self, x):
    if self.training:
        self.update(x)
    return (x - self.running_mean) / np.sqrt(self.running_var + self.eps)


def updated_in_use(self, x):
    y = Layer.forward(self, x)
    if not self.training:
        self.update(x)
    return y


def batch_in_use(self, x):
    Layer.forward(self, x)
    return standard(x, self.eps, 0)


def eps_outside(self, x):
    mean, var = (x.mean(axis=0), x.var(axis=0)) if self.training else (self.running_mean, self.running_var)
    if self.training:
        self.update(x)
    return (x - mean) / (np.sqrt(var) + self.eps)


def over_features(self, x):
    Layer.forward(self, x)
    return standard(x, self.eps, 1)


def zero_variance_at_first(self, num_features, momentum, eps):
    Layer.__init__(self, num_features, momentum, eps)
    self.running_var = np.zeros(num_features)


RIGHT = {
    "batch_norm": [
        norm(0),
        batch_loop,
        lambda x, gamma, beta, eps: by_library(lossprimer.BatchNorm, x, gamma, beta, eps),
        lambda x, gamma, beta, eps: gamma / np.sqrt(np.var(x, axis=0) + eps) * (x - np.mean(x, axis=0)) + beta,
    ],
    "batch_norm_layer": [Layer, InPlace, Lists, Library],
    "layer_norm": [
        norm(-1),
        layer_loop,
        lambda x, gamma, beta, eps: by_library(lossprimer.LayerNorm, x, gamma, beta, eps),
        lambda x, gamma, beta, eps: (lambda c: c / np.sqrt(np.einsum("...c,...c->...", c, c)[..., None] / c.shape[-1]
                                                           + eps) * gamma + beta)(x - x.mean(axis=-1, keepdims=True)),
    ],
    "rms_norm": [
        rms,
        rms_loop,
        lambda x, gamma, eps: x * gamma * (np.square(x).sum(-1, keepdims=True) / x.shape[-1] + eps) ** -0.5,
    ],
    "layer_norm_backward": [backward, backward_step_by_step, backward_by_jacobian],
}  # fmt: skip

WRONG = {
    "batch_norm": [
        ("that is layer normalization", norm(-1)),
        ("those of the whole array", norm(None)),
        ("divides by n - 1", norm(0, var=unbiased)),
        ("E[x^2] - E[x]^2", norm(0, var=squares)),
        ("eps is in the wrong place", lambda x, g, b, eps: g * (x - x.mean(axis=0)) / (x.std(axis=0) + eps) + b),
        ("eps is missing", lambda x, g, b, eps: g * (x - x.mean(axis=0)) / x.std(axis=0) + b),
        ("root is missing", lambda x, g, b, eps: g * (x - x.mean(axis=0)) / (x.var(axis=0) + eps) + b),
        ("mean is not subtracted", lambda x, g, b, eps: g * x / np.sqrt(x.var(axis=0) + eps) + b),
        ("gamma is not used", lambda x, g, b, eps: standard(x, eps, 0) + b),
        ("beta is not used", lambda x, g, b, eps: g * standard(x, eps, 0)),
        ("gamma and beta are not used", lambda x, g, b, eps: standard(x, eps, 0)),
        ("are swapped", lambda x, g, b, eps: b * standard(x, eps, 0) + g),
        ("float type of the result", lambda x, g, b, eps: norm(0)(x.astype(float), g, b, eps)),
        ("changed in place", lambda x, g, b, eps: np.add(g * standard(x, eps, 0), b, out=x)),
    ],
    "batch_norm_layer": [
        ("Training uses the running statistics", like(forward=running_in_training)),
        ("The running statistics change in evaluation mode", like(forward=updated_in_use)),
        ("wrong way round", like(update=mixed(lambda m: m, lambda m: 1 - m))),
        ("running variance is the biased one", like(update=mixed(lambda m: 1 - m, lambda m: m, ddof=0))),
        ("become those of the last batch", like(update=mixed(lambda m: 0.0, lambda m: 1.0))),
        ("keeps its full weight", like(update=mixed(lambda m: 1.0, lambda m: m))),
        ("not updated in training", like(update=lambda self, x: None)),
        ("In evaluation mode the batch is still normalized", like(forward=batch_in_use)),
        ("eps is in the wrong place", like(forward=eps_outside)),
        ("over the features", like(forward=over_features)),
        ("running variance begins at 0", like(__init__=zero_variance_at_first)),
        ("The task asks for BatchNorm", WithoutStatistics),
        ("not written yet", like(forward=lambda self, x: Layer.forward(self, x) if self.training else stub())),
    ],
    "layer_norm": [
        ("that is batch normalization", norm(0)),
        ("those of the whole array", norm(None)),
        ("divides by n - 1", norm(-1, var=unbiased)),
        ("E[x^2] - E[x]^2", norm(-1, var=squares)),
        ("eps is in the wrong place", lambda x, g, b, eps: g * (x - x.mean(axis=-1, keepdims=True))
         / (x.std(axis=-1, keepdims=True) + eps) + b),
        ("eps is missing", lambda x, g, b, eps: g * standard(x, 0, -1) + b),
        ("gamma is not used", lambda x, g, b, eps: standard(x, eps, -1) + b),
        ("beta is not used", lambda x, g, b, eps: g * standard(x, eps, -1)),
        ("mean is not subtracted", lambda x, g, b, eps: g * x / np.sqrt(x.var(axis=-1, keepdims=True) + eps) + b),
        ("form a row", lambda x, g, b, eps: g * (x - x.mean(-1)) / np.sqrt(x.var(-1) + eps) + b),
        ("E[x^2] - E[x]^2", lambda x, g, b, eps: layer_loop(x, g, b, eps) if abs(x).max() < 1e6
         else norm(-1, var=squares)(x, g, b, eps)),
        ("the wrong axis", norm(1)),
        ("changed in place", in_place),
        ("float type of the result", lambda x, g, b, eps: norm(-1)(x, np.float64(g), b, eps)),
        ("likely", lambda x, g, b, eps: standard(x, 0, None)),
    ],
    "rms_norm": [
        ("The mean is subtracted", lambda x, g, eps: g * standard(x, eps, -1)),
        ("gamma is not used", lambda x, g, eps: rms(x, 1.0, eps)),
        ("added up, not averaged", lambda x, g, eps: g * x / np.sqrt((x**2).sum(axis=-1, keepdims=True) + eps)),
        ("over the batch", lambda x, g, eps: g * x / np.sqrt((x**2).mean(axis=0) + eps)),
        ("whole array", lambda x, g, eps: g * x / np.sqrt((x**2).mean() + eps)),
        ("form a row", lambda x, g, eps: g * x / np.sqrt((x**2).mean(-1) + eps)),
        ("root is missing", lambda x, g, eps: g * x / ((x**2).mean(axis=-1, keepdims=True) + eps)),
        ("eps is in the wrong place", lambda x, g, eps: g * x / (np.sqrt((x**2).mean(-1, keepdims=True)) + eps)),
        ("eps is missing", lambda x, g, eps: g * x / np.sqrt((x**2).mean(-1, keepdims=True))),
        ("float type of the result", lambda x, g, eps: rms(x, g, np.array([eps]))),
    ],
    "layer_norm_backward": [
        ("Both corrections are missing", backward_without(0, 0)),
        ("the mean depends on x", backward_without(first=0)),
        ("the variance depends on x", backward_without(second=0)),
        ("corrections in dx are sums", backward_without(mean=np.sum)),
        ("gamma is missing in dx", lambda dy, x, gamma, eps: (backward(dy, x, 1.0, eps)[0],
                                                             *backward(dy, x, gamma, eps)[1:])),
        ("gamma multiplies dx at the end", lambda dy, x, gamma, eps: (backward(dy, x, 1.0, eps)[0] * gamma,
                                                                     *backward(dy, x, gamma, eps)[1:])),
        ("sign of dx", and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (-dx, dgamma, dbeta))),
        ("x_hat is missing in dgamma", and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dy.sum(axis=0), dbeta))),
        ("x is used in place of x_hat",
         and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, (dy * x).sum(axis=0), dbeta))),
        ("mean over the batch", and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dgamma / len(x), dbeta))),
        ("mean over the batch", and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, dgamma, dbeta / len(x)))),
        ("summed over the features",
         and_then(lambda dy, x, gamma, dx, dgamma, dbeta: (dx, (dy * standard(x, 0.01, -1)).sum(axis=-1), dbeta))),
        ("eps is missing", lambda dy, x, gamma, eps: backward(dy, x, gamma, 0.0)),
        ("return dx, dgamma, dbeta", lambda dy, x, gamma, eps: backward(dy, x, gamma, eps)[0]),
    ],
}  # fmt: skip


def stub():
    raise NotImplementedError
