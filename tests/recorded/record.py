"""Record what PyTorch answers: ``python -m tests.recorded.record``, in an environment with torch, numpy and pytest.

Last done with PyTorch 2.13.0 (CPU) and NumPy 2.4.6. Each case is stored with its inputs, its options and the results,
forward and backward.
"""

import itertools

import numpy as np

from tests.recorded import PATH, save

INF = np.inf


def cross_entropy_cases():
    """Arrays and options of `cross_entropy`, in PyTorch's layout: classes on axis 1, or on 0 if there is one axis."""
    rng = np.random.default_rng(0)
    for shape in [(6, 5), (3, 4, 2), (2, 3, 2, 2), (4,)]:
        axis = 1 if len(shape) > 1 else 0
        num_classes, batch = shape[axis], shape[:axis] + shape[axis + 1 :]
        logits = rng.normal(0, 3, shape).round(3)
        labels = rng.integers(0, num_classes, batch)
        holes = np.where(np.arange(labels.size).reshape(batch) % 3 == 1, -7, labels)
        probabilities = rng.dirichlet(np.ones(num_classes), batch)
        probabilities = np.moveaxis(probabilities, -1, axis) * (1.5 if len(shape) == 3 else 1)  # 1 in sum, or not
        weight = rng.uniform(0, 2, num_classes).round(3)
        for smoothing, weighted in itertools.product([0.0, 0.1], [False, True]):
            options = {"label_smoothing": smoothing}
            arrays = {"logits": logits} | ({"weight": weight} if weighted else {})
            name = f"{shape} smoothing {smoothing}{' weight' * weighted}"
            yield f"{name} classes", arrays | {"target": labels}, options
            yield f"{name} holes", arrays | {"target": holes}, options | {"ignore_index": -7}
            yield f"{name} probabilities", arrays | {"target": probabilities}, options
    logits, labels = rng.normal(0, 5, (4, 6)).round(3), np.array([1, 0, 5, 2])
    for dtype in (np.float16, np.float32):
        yield f"{dtype.__name__}", {"logits": logits.astype(dtype), "target": labels}, {}
    nothing = {"label_smoothing": 0.0}
    yield "all smoothing", {"logits": logits, "target": labels}, {"label_smoothing": 1.0}
    yield "all ignored", {"logits": logits, "target": np.full(4, -7)}, nothing | {"ignore_index": -7}
    yield "one class", {"logits": logits[:, :1], "target": np.zeros(4, int)}, nothing
    large = np.array([[1e30, 0, -1e30], [-1e30, 1e30, 0], [1000.0, -1000.0, 999.0]])
    yield "large", {"logits": large, "target": np.array([2, 1, 1])}, nothing
    yield "large smoothed", {"logits": large, "target": np.array([2, 1, 1])}, {"label_smoothing": 0.3}
    masked = np.array([[2.0, -INF, 1.0, -INF], [-INF, 0.5, -INF, 0.0], [-INF, -INF, -INF, 3.0]])
    yield "masked", {"logits": masked, "target": np.array([2, 1, 3])}, nothing
    yield "masked truth", {"logits": masked, "target": np.array([1, 1, 3])}, nothing


def batch_norm_cases():
    """Two batches of training, a third at inference, for several shapes, momenta and epsilons."""
    rng = np.random.default_rng(1)
    for shape in [(6, 3), (2, 3), (4, 3, 5), (2, 3, 2, 2)]:
        for momentum, eps in [(0.1, 1e-5), (0.7, 1e-2), (1.0, 1e-5)]:
            x, dy = rng.normal(2, 3, (2, 3, *shape)).round(3)
            yield f"{shape} {momentum} {eps}", {"x": x, "dy": dy}, {"momentum": momentum, "eps": eps}
    x, dy = rng.normal(0, 1, (2, 3, 4, 3)).round(3)
    yield "constant", {"x": np.ones_like(x) * 7, "dy": dy}, {"momentum": 0.1, "eps": 1e-5}
    yield "1e8 +- 1", {"x": 1e8 + np.sign(x), "dy": dy}, {"momentum": 0.1, "eps": 1e-5}
    yield "float32", {"x": x.astype(np.float32), "dy": dy.astype(np.float32)}, {"momentum": 0.1, "eps": 1e-5}


def row_norm_cases():
    """Inputs of `LayerNorm` and `RMSNorm`."""
    rng = np.random.default_rng(2)
    for shape, axes in [((4, 6), 1), ((2, 3, 4), 1), ((2, 3, 4), 2), ((3, 4), 2), ((5, 1), 1)]:
        for eps in (1e-5, 1e-1):
            x, dy = rng.normal(1, 2, (2, *shape)).round(3)
            yield f"{shape} {axes} {eps}", {"x": x, "dy": dy}, {"normalized_shape": shape[-axes:], "eps": eps}
    x, dy = rng.normal(0, 1, (2, 3, 4)).round(3)
    options = {"normalized_shape": (4,), "eps": 1e-5}
    yield "constant", {"x": np.full((3, 4), -7.0), "dy": dy}, options
    yield "zero", {"x": np.zeros((3, 4)), "dy": dy}, options
    yield "1e8 +- 1", {"x": 1e8 + np.sign(x), "dy": dy}, options
    yield "float32", {"x": x.astype(np.float32), "dy": dy.astype(np.float32)}, options


def main():
    """Ask PyTorch for every case and write all into one file."""
    import torch
    from torch.nn import functional as F  # noqa: N812

    cases = []

    def store(function, name, options, **arrays):
        cases.append((function, name, options, {field: np.asarray(array) for field, array in arrays.items()}))

    def gradients(y, inputs, dy=None):
        return [gradient.numpy() for gradient in torch.autograd.grad(y, inputs, dy)]

    for case, arrays, options in cross_entropy_cases():
        tensors = {name: torch.tensor(array) for name, array in arrays.items()}
        z, target = tensors.pop("logits").requires_grad_(), tensors.pop("target")
        result = {}
        for reduction in ("none", "mean", "sum"):
            loss = F.cross_entropy(z, target, **tensors, **options, reduction=reduction)
            result[reduction] = loss.detach().numpy()
            if reduction != "none":
                (result[f"{reduction} gradient"],) = gradients(loss, [z])
        store("cross_entropy", case, options, **arrays, **result)

    for case, arrays, options in batch_norm_cases():
        x, dy = torch.tensor(arrays["x"]).requires_grad_(), torch.tensor(arrays["dy"])
        layer = torch.nn.BatchNorm1d(3, **options)
        layer._check_input_dim = lambda x: None  # any number of axes
        layer.to(x.dtype)
        with torch.no_grad():
            layer.weight[:] = torch.tensor([0.5, -1.0, 2.0])
            layer.bias[:] = torch.tensor([0.0, 3.0, -0.25])
        ys, results = [], [[], [], []]
        for batch in range(3):
            layer.train(batch < 2)
            ys.append(layer(x[batch]))
            for result, gradient in zip(
                results, gradients(ys[-1], [x, layer.weight, layer.bias], dy[batch]), strict=True
            ):
                result.append(gradient)
        dx, dgamma, dbeta = results
        y = torch.stack(ys).detach()
        running = torch.stack([layer.running_mean, layer.running_var])
        dx = [gradient[batch] for batch, gradient in enumerate(dx)]
        store("BatchNorm", case, options, **arrays, y=y, dx=dx, dgamma=dgamma, dbeta=dbeta, running=running)

    for (case, arrays, options), name in itertools.product(row_norm_cases(), ["LayerNorm", "RMSNorm"]):
        x, dy = torch.tensor(arrays["x"]).requires_grad_(), torch.tensor(arrays["dy"])
        layer = getattr(torch.nn, name)(**options).to(x.dtype)
        parameters = dict(zip(["gamma", "beta"], layer.parameters(), strict=False))
        with torch.no_grad():
            for i, parameter in enumerate(parameters.values()):
                parameter[:] = torch.linspace(-1, 2 + i, parameter.numel()).reshape(parameter.shape)
        y = layer(x)
        dx, *rest = gradients(y, [x, *parameters.values()], dy)
        values = {field: parameter.detach() for field, parameter in parameters.items()}
        named = {f"d{field}": gradient for field, gradient in zip(parameters, rest, strict=True)}
        store(name, case, options, **arrays, **values, y=y.detach(), dx=dx, **named)

    x = np.random.default_rng(3).normal(1, 2, (2, 6, 3, 2)).round(3)
    store("InstanceNorm", "4 axes", {}, x=x, y=F.instance_norm(torch.tensor(x)))
    store("GroupNorm", "3 groups", {}, x=x, y=F.group_norm(torch.tensor(x), 3))

    save(cases)
    print(f"{len(cases)} cases, {PATH.stat().st_size / 1000:.0f} kB, PyTorch {torch.__version__}")


if __name__ == "__main__":
    main()
