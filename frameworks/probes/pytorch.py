"""What does PyTorch do?"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from frameworks import inputs
from frameworks.inputs import share_of_zeros, spread
from frameworks.probes import attempt, probe

torch.manual_seed(0)


def tensor(array, dtype=None):
    """Return an array of `inputs` as a tensor."""
    return torch.tensor(array, dtype=dtype)


def both(measure):
    """Measure in each of the two floating-point types of half precision."""
    return {
        "float16": attempt(measure, torch.float16),
        "bfloat16": attempt(measure, torch.bfloat16),
    }


# Dropout


@probe(
    "dropout-rate",
    {
        "torch.nn.Dropout": nn.Dropout(0.2),
        "F.dropout": lambda x: F.dropout(x, 0.2),
    },
)
def dropout_rate(dropout):
    y = dropout(tensor(inputs.ONES))
    return {"zeros": share_of_zeros(y), "largest": y.max()}


@probe(
    "dropout-default",
    {
        "torch.nn.Dropout": lambda x: nn.Dropout()(x),
        "F.dropout": F.dropout,
    },
)
def dropout_default(dropout):
    return share_of_zeros(dropout(tensor(inputs.ONES)))


@probe(
    "dropout-mode",
    {
        "torch.nn.Dropout": nn.Dropout(0.2),
        "F.dropout": lambda x: F.dropout(x, 0.2),
    },
)
def dropout_mode(dropout):
    return share_of_zeros(dropout(tensor(inputs.ONES)))


@probe(
    "dropout-extremes",
    {
        "torch.nn.Dropout": lambda x, p: nn.Dropout(p)(x),
        "F.dropout": F.dropout,
    },
)
def dropout_extremes(dropout):
    return {
        rate: attempt(dropout, torch.ones(4), float(rate)) for rate in (0, 1)
    }


@probe(
    "train-eval-switch",
    {
        "model.eval()": nn.Module.eval,
        "model.requires_grad_(False)": lambda m: m.requires_grad_(False),
    },
)
def switch(evaluate):
    dropout, norm = nn.Dropout(0.2), nn.BatchNorm1d(1)
    evaluate(nn.Sequential(dropout, norm))
    return {
        "zeros": share_of_zeros(dropout(tensor(inputs.ONES))),
        "normalized": norm(tensor(inputs.PAIR)).detach(),
    }


# Normalization


@probe("batch-norm-mode", "torch.nn.BatchNorm1d")
def batch_norm_mode():
    return nn.BatchNorm1d(1)(tensor(inputs.PAIR)).detach()


@probe("batch-norm-epsilon", "torch.nn.BatchNorm1d")
def batch_norm_epsilon():
    return spread(nn.BatchNorm1d(10)(tensor(inputs.ROWS.T)).detach(), axis=0)


@probe(
    "layer-norm-epsilon",
    {
        "torch.nn.LayerNorm": nn.LayerNorm(8),
        "F.layer_norm": lambda x: F.layer_norm(x, (8,)),
    },
)
@probe(
    "rms-norm-epsilon",
    {
        "torch.nn.RMSNorm": nn.RMSNorm(8),
        "F.rms_norm": lambda x: F.rms_norm(x, (8,)),
    },
)
@probe(
    "group-norm-epsilon",
    {
        "torch.nn.GroupNorm": nn.GroupNorm(1, 8),
        "F.group_norm": lambda x: F.group_norm(x, 1),
    },
)
def epsilon(norm):
    return spread(norm(tensor(inputs.ROWS)).detach())


@probe("batch-variance", "torch.nn.BatchNorm1d")
def batch_variance():
    return nn.BatchNorm1d(1)(tensor(inputs.FAR_PAIR)).detach()


@probe("stored-variance", "torch.nn.BatchNorm1d")
def stored_variance():
    norm = nn.BatchNorm1d(1)
    norm(tensor(inputs.PAIR))
    return {
        "mean": norm.running_mean[0],
        "variance": norm.running_var[0],
    }


@probe("momentum", "torch.nn.BatchNorm1d")
def momentum():
    norms = {
        "default": nn.BatchNorm1d(1),
        "chosen": nn.BatchNorm1d(1, momentum=0.25),
    }
    return {
        name: (norm(tensor(inputs.PAIR)), norm.running_mean[0])[1]
        for name, norm in norms.items()
    }


@probe("batch-norm-axis", "torch.nn.BatchNorm1d")
def batch_norm_axis():
    return nn.BatchNorm1d(3)(tensor(inputs.CUBE)).detach()


@probe("batch-norm-one", "torch.nn.BatchNorm1d, torch.nn.BatchNorm2d")
def batch_norm_one():
    image = tensor(inputs.IMAGE).reshape(1, 1, 2, 2)
    return {
        "vector": attempt(
            lambda: nn.BatchNorm1d(3)(tensor(inputs.VECTOR)).detach()
        ),
        "image": attempt(lambda: nn.BatchNorm2d(1)(image).detach().ravel()),
    }


@probe("far-from-zero", "torch.nn.LayerNorm")
def far_from_zero():
    return spread(nn.LayerNorm(512)(tensor(inputs.FAR)).detach())


# Softmax and its loss


@probe(
    "loss-input",
    {"F.cross_entropy": F.cross_entropy, "F.nll_loss": F.nll_loss},
)
def loss_input(loss):
    return loss(tensor(inputs.THREE), torch.tensor([0]))


@probe("loss-labels", "F.cross_entropy")
def loss_labels():
    labels = {
        "integers": torch.tensor([1]),
        "vectors": torch.tensor([[0.0, 1.0, 0.0]]),
    }
    return {
        kind: attempt(F.cross_entropy, tensor(inputs.THREE), label)
        for kind, label in labels.items()
    }


@probe("loss-axis", "F.cross_entropy")
def loss_axis():
    return F.cross_entropy(tensor(inputs.CUBE), tensor(inputs.CUBE_LABELS))


@probe("loss-reduction", "F.cross_entropy")
def loss_reduction():
    return F.cross_entropy(tensor(inputs.TWO), torch.tensor([0, 1]))


@probe("loss-outside", "F.cross_entropy")
def loss_outside():
    return {
        label: attempt(
            F.cross_entropy,
            tensor(inputs.TWO),
            torch.tensor([0, label]),
        )
        for label in (-100, -1, 3)
    }


@probe("loss-ignored", "F.cross_entropy(ignore_index=)")
def loss_ignored():
    return F.cross_entropy(
        tensor(inputs.TWO), torch.tensor([0, 2]), ignore_index=2
    )


@probe("all-ignored", "F.cross_entropy(ignore_index=)")
def all_ignored():
    return F.cross_entropy(
        tensor(inputs.TWO), torch.tensor([2, 2]), ignore_index=2
    )


@probe("label-smoothing", "F.cross_entropy(label_smoothing=)")
def label_smoothing():
    return [
        F.cross_entropy(z, torch.tensor(0), label_smoothing=0.2)
        for z in tensor(inputs.FOUR)
    ]


@probe("class-weights", "F.cross_entropy(weight=)")
def class_weights():
    return F.cross_entropy(
        tensor(inputs.TWO),
        torch.tensor([0, 1]),
        weight=torch.tensor(inputs.WEIGHTS),
    )


@probe("smoothing-weights", "F.cross_entropy(weight=, label_smoothing=)")
def smoothing_weights():
    options = {
        "weight": torch.tensor(inputs.FOUR_WEIGHTS),
        "label_smoothing": 0.2,
    }
    label, rows = torch.tensor(0), tensor(inputs.FOUR)
    return {
        how: [F.cross_entropy(z, label, reduction=how, **options) for z in rows]
        for how in ("sum", "mean")
    }


@probe("loss-certain", "F.cross_entropy")
def loss_certain():
    return F.cross_entropy(torch.tensor([[1000.0, 0.0]]), torch.tensor([1]))


@probe("loss-operations", "F.cross_entropy")
def loss_operations():
    step, names = (
        F.cross_entropy(
            tensor(inputs.THREE).requires_grad_(), torch.tensor([0])
        ).grad_fn,
        [],
    )
    while step.next_functions:
        names.insert(0, step.name())
        step, _ = step.next_functions[0]
    return names


@probe(
    "softmax-axis",
    {
        "F.softmax": F.softmax,
        "torch.nn.Softmax": lambda x: nn.Softmax()(x),
        "torch.softmax": torch.softmax,
    },
)
def softmax_axis(softmax):
    return softmax(tensor(inputs.CUBE))


@probe("softmax-masked", "F.softmax")
def softmax_masked():
    return F.softmax(tensor(inputs.MASKED), dim=-1)


@probe("attention-masked", "F.scaled_dot_product_attention")
def attention_masked():
    values = torch.tensor([[[1.0], [3.0]]])
    nothing = torch.zeros(1, 1, 2, dtype=torch.bool)
    return F.scaled_dot_product_attention(
        torch.ones(1, 1, 1),
        torch.ones(1, 2, 1),
        values,
        attn_mask=nothing,
    )


# Low precision


@probe("softmax-low-precision", "F.softmax")
def softmax_low_precision():
    return both(
        lambda dtype: (
            F.softmax(torch.zeros(inputs.VOCABULARY, dtype=dtype), dim=-1)
            .double()
            .max()
        )
    )


@probe("loss-low-precision", "F.cross_entropy")
def loss_low_precision():
    return both(
        lambda dtype: F.cross_entropy(
            torch.zeros(1, inputs.VOCABULARY, dtype=dtype),
            torch.tensor([0]),
        ).double()
    )


@probe("mean-low-precision", "torch.mean")
def mean_low_precision():
    return both(
        lambda dtype: torch.ones(inputs.VOCABULARY, dtype=dtype).mean().double()
    )


@probe("layer-norm-low-precision", "F.layer_norm")
def layer_norm_low_precision():
    return both(
        lambda dtype: spread(
            F.layer_norm(tensor(inputs.LARGE, dtype), (512,)).double()
        )
    )


@probe("rms-norm-low-precision", "F.rms_norm")
def rms_norm_low_precision():
    return both(
        lambda dtype: spread(
            F.rms_norm(tensor(inputs.LARGE, dtype), (512,)).double()
        )
    )
