"""How is a network built and trained? From layers, with an optimizer, in one loop."""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from lossprimer._arguments import (
    LESS_THAN_ONE,
    NOT_NEGATIVE,
    POSITIVE,
    at_least_float32,
    boolean,
    examples,
    float_array,
    function,
    is_floats,
    number,
    positive_integer,
    quietly,
    random_generator,
)
from lossprimer._layer import Layer
from lossprimer.data import batches
from lossprimer.losses import cross_entropy_and_grad


class Linear(Layer):
    r"""Fully connected layer: weighted sums of the inputs, plus a bias.

    Parameters
    ----------
    in_features, out_features : int
        Sizes D and M of the last axis of input and output, at least 1.
    rng : numpy.random.Generator
        Draws the weights.
    scale : float
        Variance of the weights times D, at least 0; the square of what PyTorch calls gain. The default 2 suits a ReLU,
        which halves the mean square [1]_; 1 suits a layer without one; 0 makes all weights 0, as for a residual branch
        that adds nothing at first.
    bias : bool
        Whether a bias is added; it starts at 0.

    Attributes
    ----------
    weight : ndarray of float64, shape (in_features, out_features)
        PyTorch stores the transpose.
    bias : ndarray of float64, shape (out_features,), or None

    Raises
    ------
    TypeError
        If an argument has the wrong type, or the input is not real.
    ValueError
        If a number is out of range, or the last axis of the input does not have `in_features` entries.
    RuntimeError
        If `backward` comes before a call.

    Notes
    -----
    For inputs of shape (..., D), with :math:`n` over all examples,

    .. math:: y_n = x_n W + b, \qquad
              dx_n = dy_n W^\top, \quad dW = \sum_n x_n^\top dy_n, \quad db = \sum_n dy_n

    The output has the float type of the input, and so has the arithmetic; float16 is computed in float32. The
    parameters stay in float64, so that small steps are not lost to rounding.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Delving deep into rectifiers, arXiv:1502.01852.

    Examples
    --------
    >>> layer = Linear(3, 2, rng=np.random.default_rng(0))
    >>> layer.weight[...] = [[1, 0], [0, 1], [1, 1]]
    >>> layer([[1.0, 2.0, 1e30]])
    array([[1.e+30, 1.e+30]])
    >>> layer.backward([[1.0, 0.0]])
    array([[1., 0., 1.]])
    """

    def __init__(
        self, in_features: int, out_features: int, *, rng: np.random.Generator, scale: float = 2.0, bias: bool = True
    ):
        shape = positive_integer("in_features", in_features), positive_integer("out_features", out_features)
        deviation = math.sqrt(number("scale", scale, NOT_NEGATIVE) / in_features)
        self.weight = random_generator(rng).normal(0, deviation, shape)
        self.bias = np.zeros(out_features) if boolean("bias", bias) else None
        self._names = ("weight", "bias") if bias else ("weight",)

    def _settings(self):
        """The arguments that `repr` shows, as text."""
        return [*map(str, self.weight.shape), *(["bias=False"] if self.bias is None else [])]

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output of shape (..., out_features), of the float type of `x`."""
        x = float_array("x", x)
        if x.shape[-1:] != self.weight.shape[:1]:
            raise ValueError(f"x has the shape {x.shape}, expected (..., {len(self.weight)})")
        wide = at_least_float32(x)
        weight = self.weight.astype(wide.dtype, copy=False)
        y = wide @ weight
        if self.bias is not None:
            y += self.bias.astype(wide.dtype, copy=False)
        return self._keep(y.astype(x.dtype, copy=False), wide, weight)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input; those of the parameters are then in `gradients`."""
        dy, x, weight = self._recall(dy)
        wide = at_least_float32(dy)
        rows = wide.reshape(-1, weight.shape[1])  # one for each example
        self.dweight = x.reshape(-1, weight.shape[0]).T @ rows
        if self.bias is not None:
            self.dbias = rows.sum(axis=0)
        return (wide @ weight.T).astype(dy.dtype, copy=False)


class ReLU(Layer):
    r"""Rectified linear unit: the input where it is positive, 0 elsewhere.

    Raises
    ------
    TypeError
        If the input is not real.
    RuntimeError
        If `backward` comes before a call.

    Notes
    -----
    .. math:: y = \max(x, 0), \qquad dx = dy\,[x > 0]

    At 0, where it does not exist, the derivative is taken as 0.

    Examples
    --------
    >>> relu = ReLU()
    >>> relu([-np.inf, -1.0, 0.0, 2.0])
    array([0., 0., 0., 2.])
    >>> relu.backward([1.0, 1.0, 1.0, 1.0])
    array([0., 0., 0., 1.])
    """

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output of the shape and float type of `x`."""
        x = float_array("x", x)
        return self._keep(np.maximum(x, 0), x > 0)

    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input."""
        dy, positive = self._recall(dy)
        return np.where(positive, dy, 0)


class Composite(Layer):
    """A layer made of layers: it has their parameters and gradients, and switches their mode with its own.

    A subclass stores them in `children`, a dict whose keys are prefixes for the names of their parameters.
    """

    children: dict[str, Layer]

    def train(self) -> Self:
        """Switch to training mode, with all layers inside; returns the layer itself."""
        for child in self.children.values():
            child.train()
        return super().train()

    def eval(self) -> Self:
        """Switch to evaluation mode, with all layers inside; returns the layer itself."""
        for child in self.children.values():
            child.eval()
        return super().eval()

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters of all layers inside, by names such as ``"0.weight"``, to be changed in place."""
        return self._joined(lambda child: child.parameters())

    def gradients(self) -> dict[str, np.ndarray]:
        """Return the gradients with respect to the parameters, by the same names, from the last `backward`."""
        return self._joined(lambda child: child.gradients())

    def _settings(self):
        """The layers inside as text, each with its mode where that is a different one."""
        other = ".eval()" if self.training else ".train()"
        return [child._shown() + other * (child.training != self.training) for child in self.children.values()]

    def _joined(self, arrays):
        """What `arrays` returns for each of the layers, in one dict."""
        return {
            f"{prefix}.{name}" if prefix else name: array
            for prefix, child in self.children.items()
            for name, array in arrays(child).items()
        }


class Sequential(Composite):
    """Layers in sequence: each takes the output of the one before.

    Parameters
    ----------
    *layers : Layer
        In the order of the calls; no layer twice, because each stores only its last call.

    Attributes
    ----------
    layers : tuple of Layer
        To look inside, call them one by one.

    Raises
    ------
    TypeError
        If anything other than a layer is given.
    ValueError
        If a layer is given twice.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first = Linear(64, 32, rng=rng)
    >>> last = Linear(32, 10, rng=rng, scale=1)
    >>> network = Sequential(first, ReLU(), last)
    >>> network(np.zeros((5, 64))).shape
    (5, 10)
    >>> network.eval()
    Sequential(Linear(64, 32), ReLU(), Linear(32, 10)).eval()
    >>> list(network.parameters())
    ['0.weight', '0.bias', '2.weight', '2.bias']

    Through fifty layers the signal keeps its size:

    >>> layers = []
    >>> for _ in range(50):
    ...     layers += [Linear(128, 128, rng=rng), ReLU()]
    >>> deep = Sequential(*layers)
    >>> bool(0.1 < deep(rng.standard_normal((64, 128))).std() < 10)
    True
    """

    def __init__(self, *layers: Layer):
        for layer in layers:
            _check_layer("layers holds", layer)
        if len(set(map(id, layers))) < len(layers):
            raise ValueError("layers holds a layer twice, expected a layer of its own for each place")
        self.layers = layers
        self.children = {str(place): layer for place, layer in enumerate(layers)}

    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output of the last layer."""
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input of the first layer, by the chain rule from the last layer to the first."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class Residual(Composite):
    r"""The input plus the output of a branch.

    Parameters
    ----------
    branch : Layer
        Its output has the shape of its input.

    Attributes
    ----------
    branch : Layer
        Its parameters keep their names.

    Raises
    ------
    TypeError
        If `branch` is not a layer.
    ValueError
        If the branch returns a shape other than that of its input.

    Notes
    -----
    .. math:: y = x + f(x), \qquad dx = dy + f'(x)^\top dy

    Through the first term the gradient passes unchanged, whatever the branch does [1]_. Together with a normalization
    layer, ``Residual(Sequential(LayerNorm(64), branch))`` is the pre-norm and ``Sequential(Residual(branch),
    LayerNorm(64))`` the post-norm form.

    References
    ----------
    .. [1] He, Zhang, Ren & Sun, Deep residual learning for image recognition, arXiv:1512.03385.

    Examples
    --------
    A branch whose weights are 0 changes nothing, whatever the input:

    >>> rng = np.random.default_rng(0)
    >>> identity = Residual(Linear(3, 3, rng=rng, scale=0))
    >>> identity([[1.0, -1e300, 0.0]])
    array([[ 1.e+000, -1.e+300,  0.e+000]])
    """

    def __init__(self, branch: Layer):
        self.branch = _check_layer("branch is", branch)
        self.children = {"": branch}

    @quietly
    def __call__(self, x: ArrayLike) -> np.ndarray:
        """Output of the shape of `x`."""
        x = float_array("x", x)
        y = self.branch(x)
        if y.shape != x.shape:
            raise ValueError(f"branch returned the shape {y.shape}, expected that of its input, {x.shape}")
        return self._keep(x + y)

    @quietly
    def backward(self, dy: ArrayLike) -> np.ndarray:
        """Gradient with respect to the input."""
        (dy,) = self._recall(dy)
        return dy + self.branch.backward(dy)


class SGD:
    r"""Stochastic gradient descent, with momentum if it is not 0.

    Parameters
    ----------
    parameters : dict of ndarrays
        The arrays to optimize, as returned by ``layer.parameters()``; changed in place.
    lr : float
        Learning rate; greater than 0. The attribute of the same name can be set at any time, as for a warm-up.
    momentum : float
        From 0 up to, but not including, 1.

    Raises
    ------
    TypeError
        If `parameters` is not a dict of arrays of floats, or a number has the wrong type.
    ValueError
        If a number is out of range.

    Notes
    -----
    With the learning rate :math:`\eta` and the momentum :math:`\mu`, from :math:`v = 0`,

    .. math:: v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v

    as in PyTorch. Where the learning rate is part of the velocity instead (:math:`v \leftarrow \mu v - \eta g`),
    the two differ as soon as the rate changes. A gradient that stays the same moves the parameters
    :math:`1/(1-\mu)` times as far in the end.

    Examples
    --------
    >>> theta = np.array([1.0, 0.0])
    >>> sgd = SGD({"theta": theta}, lr=0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     sgd.step({"theta": np.array([1.0, -1e300])})
    >>> theta
    array([7.5e-001, 2.5e+299])
    """

    def __init__(self, parameters: dict[str, np.ndarray], *, lr: float, momentum: float = 0.0):
        self.parameters = _checked_parameters(parameters)
        self.lr = number("lr", lr, POSITIVE)
        self.momentum = number("momentum", momentum, LESS_THAN_ONE)
        self._velocity = {name: np.zeros_like(parameter) for name, parameter in parameters.items()}

    def __repr__(self) -> str:
        """Show the options; the parameters are only counted."""
        return f"SGD({_counted(self.parameters)}, lr={self.lr}, momentum={self.momentum})"

    @quietly
    def step(self, gradients: dict[str, np.ndarray]) -> None:
        """Change the parameters in place; `gradients` has an array for each of them, as ``layer.gradients()`` does.

        Raises
        ------
        TypeError
            If `gradients` is not a dict of arrays of numbers.
        ValueError
            If a gradient is missing, there is one too many, or one has a shape other than that of its parameter.
            Nothing is changed then.
        """
        for name, parameter, gradient in _pairs(self.parameters, gradients):
            velocity = self._velocity[name]
            velocity *= self.momentum
            velocity += gradient
            parameter -= self.lr * velocity


class Adam:
    r"""The Adam optimizer: descent by running means of the gradient and of its square.

    Parameters
    ----------
    parameters, lr
        As for `SGD`.
    betas : tuple of two floats
        The share of each running mean that is kept at a step; from 0 up to, but not including, 1.
    eps : float
        Added to the root; greater than 0.

    Raises
    ------
    TypeError, ValueError
        As for `SGD`.

    Notes
    -----
    Algorithm 1 of [1]_: at step t = 1, 2, ..., from :math:`m = v = 0`,

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \qquad
              \theta \leftarrow \theta - \eta\, \frac{m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \varepsilon}

    The divisions by :math:`1 - \beta^t` make up for the start at 0. At the first step each parameter therefore moves
    by :math:`\eta`, whatever the size of its gradient.

    References
    ----------
    .. [1] Kingma & Ba, Adam: a method for stochastic optimization, arXiv:1412.6980.

    Examples
    --------
    >>> theta = np.array([0.0, 0.0, 0.0])
    >>> gradient = np.array([1e100, -1.0, 1e-5])
    >>> Adam({"theta": theta}, lr=0.1).step({"theta": gradient})
    >>> theta.round(3)
    array([-0.1, 0.1, -0.1])
    """

    def __init__(
        self,
        parameters: dict[str, np.ndarray],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ):
        self.parameters = _checked_parameters(parameters)
        self.lr = number("lr", lr, POSITIVE)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas is {betas!r}, expected a tuple of two numbers")
        self.betas = tuple(number("betas", beta, LESS_THAN_ONE) for beta in betas)
        self.eps = number("eps", eps, POSITIVE)
        self.steps = 0
        self._mean = {name: np.zeros_like(parameter) for name, parameter in parameters.items()}
        self._square = {name: np.zeros_like(parameter) for name, parameter in parameters.items()}

    def __repr__(self) -> str:
        """Show the options; the parameters are only counted."""
        return f"Adam({_counted(self.parameters)}, lr={self.lr}, betas={self.betas}, eps={self.eps})"

    @quietly
    def step(self, gradients: dict[str, np.ndarray]) -> None:
        """Change the parameters in place; `gradients` has an array for each of them, as ``layer.gradients()`` does.

        Raises
        ------
        TypeError
            If `gradients` is not a dict of arrays of numbers.
        ValueError
            If a gradient is missing, there is one too many, or one has a shape other than that of its parameter.
            Nothing is changed then.
        """
        pairs = _pairs(self.parameters, gradients)
        self.steps += 1
        beta1, beta2 = self.betas
        unbias1, unbias2 = 1 - beta1**self.steps, 1 - beta2**self.steps
        for name, parameter, gradient in pairs:
            mean, square = self._mean[name], self._square[name]
            mean += (1 - beta1) * (gradient - mean)
            square += (1 - beta2) * (gradient * gradient - square)
            parameter -= self.lr / unbias1 * mean / (np.sqrt(square / unbias2) + self.eps)


class History(NamedTuple):
    """What `fit` recorded: the loss at each step, and what `evaluate` returned after which steps."""

    losses: np.ndarray
    evaluated_after: list[int]
    evaluations: list


def fit(
    model: Layer,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    optimizer: SGD | Adam,
    rng: np.random.Generator,
    batch_size: int,
    epochs: int | None = None,
    steps: int | None = None,
    loss: Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray]] = cross_entropy_and_grad,
    schedule: Callable[[int], float] | None = None,
    evaluate: Callable[[Layer], object] | None = None,
    evaluate_every: int | None = None,
    progress: bool = True,
) -> History:
    """Train a model on batches drawn without replacement, epoch after epoch.

    Parameters
    ----------
    model : Layer
        Put into training mode and left in it: call ``model.eval()`` before using it.
    inputs, targets : array_like, shapes (N, ...)
        N examples and their targets.
    optimizer : SGD or Adam
        Made with the parameters of `model`. It keeps its state: a second `fit` continues where the first one stopped.
    rng : numpy.random.Generator
        Draws the order of the examples.
    batch_size : int
        Examples per step; the last batch of an epoch may have fewer.
    epochs, steps : int
        How long to train; one of them. In steps, a last epoch may end early.
    loss : callable
        Takes the output of `model` and the targets of a batch; returns the loss and its gradient with respect to
        the output.
    schedule : callable
        Takes the number of the step, from 1, and returns its learning rate, which is finite and at least 0. A warm-up
        over 50 steps to 0.003: ``lambda step: 0.003 * min(1, step / 50)``.
    evaluate : callable
        Takes the model, which is in evaluation mode then; what it returns is kept in ``evaluations``.
    evaluate_every : int
        Steps between the calls of `evaluate`; one epoch by default.
    progress : bool
        Whether to show a bar on stderr if training takes more than two seconds; it disappears at the end.

    Returns
    -------
    History
        ``losses`` of shape (steps,), each in training mode before its step; ``evaluations``, and in
        ``evaluated_after`` the steps after which they were made.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If a number is below 1, or a learning rate negative or not finite; if `inputs` and `targets` are of different
        length, empty or not rectangular; if not exactly one of
        `epochs` and `steps` is given; or if `optimizer` holds arrays other than the model's parameters.

    Notes
    -----
    A step of the loop is the whole of training::

        value, gradient = loss(model(inputs), targets)
        model.backward(gradient)
        optimizer.step(model.gradients())

    The same seeds give the same result on the same machine, bit for bit. On another one the last bits may differ, and
    training amplifies such differences. A loss that overflows is recorded as inf or nan; it is not an error.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> inputs = rng.standard_normal((200, 2))
    >>> labels = (inputs[:, 0] * inputs[:, 1] > 0).astype(int)
    >>> first, last = Linear(2, 16, rng=rng), Linear(16, 2, rng=rng)
    >>> model = Sequential(first, ReLU(), last)
    >>> adam = Adam(model.parameters(), lr=0.01)
    >>> history = fit(
    ...     model, inputs, labels,
    ...     optimizer=adam, rng=rng, batch_size=20, epochs=30,
    ... )
    >>> len(history.losses), bool(history.losses[-10:].mean() < 0.2)
    (300, True)

    A learning rate that is far too large:

    >>> sgd = SGD(model.parameters(), lr=1e300)
    >>> history = fit(
    ...     model, inputs, labels,
    ...     optimizer=sgd, rng=rng, batch_size=200, steps=3,
    ... )
    >>> np.isfinite(history.losses)
    array([ True, False, False])
    """
    _check_layer("model is", model)
    _check_optimizer(optimizer, model)
    inputs, targets = examples(inputs=inputs, targets=targets)
    if (epochs is None) == (steps is None):
        raise ValueError(f"epochs is {epochs} and steps is {steps}, expected exactly one of them")
    per_epoch = math.ceil(len(inputs) / positive_integer("batch_size", batch_size))
    steps = positive_integer("steps", steps) if epochs is None else positive_integer("epochs", epochs) * per_epoch
    every = per_epoch if evaluate_every is None else positive_integer("evaluate_every", evaluate_every)
    for name, called in {"loss": loss, "schedule": schedule, "evaluate": evaluate}.items():
        if called is not None or name == "loss":
            function(name, called)
    random_generator(rng), boolean("progress", progress)
    endless = itertools.chain.from_iterable(batches(inputs, targets, batch_size, rng) for _ in itertools.count())
    history = History(np.empty(steps), [], [])
    model.train()
    with _bar(steps, progress) as bar:
        for step, (x, y) in enumerate(itertools.islice(endless, steps), 1):
            if schedule is not None:
                optimizer.lr = number(f"schedule({step})", schedule(step), NOT_NEGATIVE)
            history.losses[step - 1], gradient = _two(loss(model(x), y))
            model.backward(gradient)
            optimizer.step(model.gradients())
            if evaluate is not None and step % every == 0:
                history.evaluated_after.append(step)
                history.evaluations.append(evaluate(model.eval()))
                model.train()
            bar.update()
    return history


def _two(returned):
    """What a loss returned, if it is a pair."""
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise TypeError(f"loss returned {returned!r}, expected the loss and its gradient")
    return returned


def _check_layer(what, layer):
    """`layer` itself, if it is one."""
    if not isinstance(layer, Layer):
        raise TypeError(f"{what} {layer!r}, expected a Layer")
    return layer


def _checked_parameters(parameters):
    """`parameters` itself, if it is a dict of arrays of floats."""
    if not isinstance(parameters, dict):
        raise TypeError(f"parameters is {parameters!r}, expected a dict of arrays, as layer.parameters() returns it")
    for name, parameter in parameters.items():
        if not is_floats(parameter):
            raise TypeError(f"parameters holds {parameter!r} as {name!r}, expected an array of floats, 16 to 64 bits")
    return parameters


def _counted(parameters):
    """How many numbers there are in how many arrays."""
    numbers, arrays = sum(parameter.size for parameter in parameters.values()), len(parameters)
    return f"<{numbers:,} parameter{'s' * (numbers != 1)} in {arrays} array{'s' * (arrays != 1)}>"


def _check_optimizer(optimizer, model):
    """Refuse an optimizer of other arrays than those that the model computes with."""
    if not isinstance(optimizer, SGD | Adam):
        raise TypeError(f"optimizer is {optimizer!r}, expected an SGD or an Adam")
    parameters = model.parameters()
    _check_names("optimizer", optimizer.parameters, parameters)
    if any(optimizer.parameters[name] is not array for name, array in parameters.items()):
        raise ValueError("optimizer holds other arrays than model, expected one made with model.parameters()")


def _check_names(what, found, expected):
    """Refuse names that lack something or are too many."""
    if found.keys() != expected.keys():
        lacks, extra = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
        raise ValueError(f"{what} lacks {lacks} and has {extra} too many, expected the names of the parameters")


def _pairs(parameters, gradients):
    """The names of the parameters, each with its array and its gradient; all are checked before one is changed."""
    if not isinstance(gradients, dict):
        raise TypeError(f"gradients is {gradients!r}, expected a dict of arrays, as layer.gradients() returns it")
    _check_names("gradients", gradients, parameters)
    pairs = [(name, array, float_array(f"gradients[{name!r}]", gradients[name])) for name, array in parameters.items()]
    for name, parameter, gradient in pairs:
        if gradient.shape != parameter.shape:
            raise ValueError(f"gradients holds {name!r} of shape {gradient.shape}, expected {parameter.shape}")
    return pairs


def _bar(steps, progress):
    """A progress bar, or something that is updated in its place."""
    from tqdm import tqdm  # only training needs it

    return tqdm(total=steps, leave=False, delay=2, unit="step", disable=not progress)
