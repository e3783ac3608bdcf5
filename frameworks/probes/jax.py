"""What do JAX, Flax and Optax do?"""

import jax
import jax.numpy as jnp
import optax
from flax import linen, nnx

from frameworks import inputs
from frameworks.inputs import share_of_zeros, spread
from frameworks.probes import attempt, probe

KEY = jax.random.key(0)
RNGS = nnx.Rngs(0)


def linen_apply(layer, x, **options):
    """Apply a layer of linen; return output and stored statistics."""
    seeds = {"params": KEY, "dropout": KEY}
    variables = layer.init(seeds, x, **options)
    return layer.apply(
        variables, x, rngs=seeds, mutable=["batch_stats"], **options
    )


def linen_output(layer, x, **options):
    """Apply a layer of linen; return its output."""
    y, _ = linen_apply(layer, x, **options)
    return y


def nnx_batch_norm(x, **options):
    """Normalize a batch; return output, stored mean and variance."""
    norm = nnx.BatchNorm(x.shape[-1], rngs=RNGS, **options)
    norm.train()
    return norm(x), norm.mean[...], norm.var[...]


def linen_batch_norm(x, **options):
    """Normalize a batch; return output, stored mean and variance."""
    norm = linen.BatchNorm(use_running_average=False, **options)
    y, stored = linen_apply(norm, x)
    return y, stored["batch_stats"]["mean"], stored["batch_stats"]["var"]


BATCH_NORMS = {
    "nnx.BatchNorm": nnx_batch_norm,
    "linen.BatchNorm": linen_batch_norm,
}


def primitives(jaxpr):
    """Return the operations of a program, those of its parts included."""
    names = []
    for equation in jaxpr.eqns:
        part = equation.params.get("jaxpr")
        names += primitives(part) if part else [equation.primitive.name]
    return names


def both(measure):
    """Measure in each of the two floating-point types of half precision."""
    return {
        "float16": attempt(measure, jnp.float16),
        "bfloat16": attempt(measure, jnp.bfloat16),
    }


# Dropout


@probe(
    "dropout-rate",
    {
        "nnx.Dropout": lambda x: nnx.Dropout(0.2, rngs=RNGS)(x),
        "linen.Dropout": lambda x: linen_output(
            linen.Dropout(0.2, deterministic=False), x
        ),
    },
)
def dropout_rate(dropout):
    y = dropout(inputs.ONES)
    return {"zeros": share_of_zeros(y), "largest": y.max()}


@probe(
    "dropout-default",
    {
        "nnx.Dropout": lambda x: nnx.Dropout(rngs=RNGS)(x),
        "linen.Dropout": lambda x: linen_output(
            linen.Dropout(deterministic=False), x
        ),
    },
)
def dropout_default(dropout):
    return share_of_zeros(dropout(inputs.ONES))


@probe(
    "dropout-mode",
    {
        "nnx.Dropout": lambda x: nnx.Dropout(0.2, rngs=RNGS)(x),
        "linen.Dropout": lambda x: linen_output(linen.Dropout(0.2), x),
    },
)
def dropout_mode(dropout):
    return share_of_zeros(dropout(inputs.ONES))


@probe(
    "dropout-extremes",
    {
        "nnx.Dropout": lambda x, rate: nnx.Dropout(rate, rngs=RNGS)(x),
        "linen.Dropout": lambda x, rate: linen_output(
            linen.Dropout(rate, deterministic=False), x
        ),
    },
)
def dropout_extremes(dropout):
    return {rate: attempt(dropout, jnp.ones(4), float(rate)) for rate in (0, 1)}


@probe("train-eval-switch", "nnx, model.eval()")
def switch_nnx():
    dropout = nnx.Dropout(0.2, rngs=RNGS)
    norm = nnx.BatchNorm(1, rngs=RNGS)
    nnx.Sequential(dropout, norm).eval()
    return {
        "zeros": share_of_zeros(dropout(inputs.ONES)),
        "normalized": norm(inputs.PAIR),
    }


@probe(
    "train-eval-switch",
    "linen, deterministic=True, use_running_average=True",
)
def switch_linen():
    dropped = linen_output(linen.Dropout(0.2), inputs.ONES, deterministic=True)
    normalized = linen_output(
        linen.BatchNorm(), inputs.PAIR, use_running_average=True
    )
    return {"zeros": share_of_zeros(dropped), "normalized": normalized}


# Normalization


@probe(
    "batch-norm-mode",
    {
        "nnx.BatchNorm": lambda x: nnx.BatchNorm(1, rngs=RNGS)(x),
        "linen.BatchNorm": lambda x: linen_output(linen.BatchNorm(), x),
    },
)
def batch_norm_mode(norm):
    return norm(inputs.PAIR)


@probe("batch-norm-epsilon", BATCH_NORMS)
def batch_norm_epsilon(batch_norm):
    y, _, _ = batch_norm(inputs.ROWS.T)
    return spread(y, axis=0)


@probe(
    "layer-norm-epsilon",
    {
        "nnx.LayerNorm": lambda x: nnx.LayerNorm(8, rngs=RNGS)(x),
        "linen.LayerNorm": lambda x: linen_output(linen.LayerNorm(), x),
        "jax.nn.standardize": jax.nn.standardize,
    },
)
@probe(
    "rms-norm-epsilon",
    {
        "nnx.RMSNorm": lambda x: nnx.RMSNorm(8, rngs=RNGS)(x),
        "linen.RMSNorm": lambda x: linen_output(linen.RMSNorm(), x),
    },
)
@probe(
    "group-norm-epsilon",
    {
        "nnx.GroupNorm": lambda x: nnx.GroupNorm(8, num_groups=1, rngs=RNGS)(x),
        "linen.GroupNorm": lambda x: linen_output(
            linen.GroupNorm(num_groups=1), x
        ),
    },
)
def epsilon(norm):
    return spread(norm(inputs.ROWS))


@probe("batch-variance", BATCH_NORMS)
def batch_variance(batch_norm):
    y, _, _ = batch_norm(inputs.FAR_PAIR)
    return y


@probe("stored-variance", BATCH_NORMS)
def stored_variance(batch_norm):
    _, mean, variance = batch_norm(inputs.PAIR)
    return {"mean": mean[0], "variance": variance[0]}


@probe("momentum", BATCH_NORMS)
def momentum(batch_norm):
    _, by_default, _ = batch_norm(inputs.PAIR)
    _, chosen, _ = batch_norm(inputs.PAIR, momentum=0.25)
    return {"default": by_default[0], "chosen": chosen[0]}


@probe("batch-norm-axis", BATCH_NORMS)
def batch_norm_axis(batch_norm):
    y, _, _ = batch_norm(inputs.CUBE)
    return y


@probe("batch-norm-one", BATCH_NORMS)
def batch_norm_one(batch_norm):
    image = inputs.IMAGE.reshape(1, 2, 2, 1)
    return {
        "vector": attempt(lambda: batch_norm(inputs.VECTOR)[0]),
        "image": attempt(lambda: batch_norm(image)[0].ravel()),
    }


@probe(
    "far-from-zero",
    {
        "nnx.LayerNorm": lambda x: nnx.LayerNorm(512, rngs=RNGS)(x),
        "nnx.LayerNorm(use_fast_variance=False)": lambda x: nnx.LayerNorm(
            512, use_fast_variance=False, rngs=RNGS
        )(x),
        "linen.LayerNorm": lambda x: linen_output(linen.LayerNorm(), x),
        "jax.nn.standardize": jax.nn.standardize,
    },
)
def far_from_zero(norm):
    return spread(norm(inputs.FAR))


# Softmax and its loss

VECTOR_LOSS = {"optax.softmax_cross_entropy": optax.softmax_cross_entropy}
INTEGER_LOSS = {
    "optax.softmax_cross_entropy_with_integer_labels": (
        optax.softmax_cross_entropy_with_integer_labels
    )
}


@probe("loss-input", VECTOR_LOSS)
def loss_input_vectors(loss):
    return loss(inputs.THREE, jnp.array([[1.0, 0.0, 0.0]]))[0]


@probe("loss-input", INTEGER_LOSS)
def loss_input_integers(loss):
    return loss(inputs.THREE, jnp.array([0]))[0]


@probe("loss-labels", VECTOR_LOSS | INTEGER_LOSS)
def loss_labels(loss):
    labels = {
        "integers": jnp.array([1]),
        "vectors": jnp.array([[0.0, 1.0, 0.0]]),
    }
    return {
        kind: attempt(loss, inputs.THREE, label)
        for kind, label in labels.items()
    }


@probe("loss-axis", INTEGER_LOSS)
def loss_axis(loss):
    return loss(inputs.CUBE, inputs.CUBE_LABELS).mean()


@probe("loss-reduction", INTEGER_LOSS)
def loss_reduction(loss):
    return loss(inputs.TWO, jnp.array([0, 1]))


@probe("loss-outside", INTEGER_LOSS)
def loss_outside(loss):
    return {
        label: attempt(loss, inputs.TWO, jnp.array([0, label]))
        for label in (-100, -1, 3)
    }


@probe("loss-ignored", INTEGER_LOSS)
def loss_ignored(loss):
    return loss(inputs.TWO, jnp.array([0, 2]), ignore_index=2)


@probe("loss-ignored", "jnp.mean(losses, where=)")
def loss_where():
    losses = optax.softmax_cross_entropy_with_integer_labels(
        inputs.TWO, jnp.array([0, 2])
    )
    return jnp.mean(losses, where=jnp.array([True, False]))


@probe("all-ignored", "jnp.mean(losses, where=)")
def all_ignored():
    losses = optax.softmax_cross_entropy_with_integer_labels(
        inputs.TWO, jnp.array([2, 2])
    )
    return jnp.mean(losses, where=jnp.array([False, False]))


@probe("label-smoothing", "optax.smooth_labels")
def label_smoothing():
    label = optax.smooth_labels(jnp.array([1.0, 0.0, 0.0, 0.0]), 0.2)
    return [optax.softmax_cross_entropy(z, label) for z in inputs.FOUR]


@probe("class-weights", INTEGER_LOSS)
def class_weights(loss):
    return loss(inputs.TWO, jnp.array([0, 1]), weight=jnp.array(inputs.WEIGHTS))


@probe("smoothing-weights", INTEGER_LOSS)
def smoothing_weights(loss):
    return loss(
        inputs.FOUR[0],
        0,
        weight=jnp.array(inputs.FOUR_WEIGHTS),
        label_smoothing=0.2,
    )


@probe("loss-certain", INTEGER_LOSS)
def loss_certain(loss):
    return loss(jnp.array([[1000.0, 0.0]]), jnp.array([1]))[0]


@probe("loss-operations", INTEGER_LOSS)
def loss_operations(loss):
    return primitives(jax.make_jaxpr(loss)(inputs.THREE, jnp.array([0])).jaxpr)


@probe("softmax-axis", "jax.nn.softmax")
def softmax_axis():
    return jax.nn.softmax(inputs.CUBE)


@probe("softmax-masked", "jax.nn.softmax")
def softmax_masked():
    return jax.nn.softmax(inputs.MASKED)


@probe("softmax-masked", "jax.nn.softmax(where=)")
def softmax_where():
    return jax.nn.softmax(jnp.zeros((1, 3)), where=jnp.zeros((1, 3), bool))


@probe("attention-masked", "jax.nn.dot_product_attention")
def attention_masked():
    values = jnp.array([1.0, 3.0]).reshape(1, 2, 1, 1)
    nothing = jnp.zeros((1, 1, 1, 2), bool)
    return jax.nn.dot_product_attention(
        jnp.ones((1, 1, 1, 1)),
        jnp.ones((1, 2, 1, 1)),
        values,
        mask=nothing,
    )


# Low precision


@probe(
    "softmax-low-precision",
    {
        "jax.nn.softmax": jax.nn.softmax,
        "jax.jit(jax.nn.softmax)": jax.jit(jax.nn.softmax),
    },
)
def softmax_low_precision(softmax):
    return both(
        lambda dtype: softmax(jnp.zeros(inputs.VOCABULARY, dtype)).max()
    )


@probe("loss-low-precision", INTEGER_LOSS)
def loss_low_precision(loss):
    return both(
        lambda dtype: loss(
            jnp.zeros((1, inputs.VOCABULARY), dtype), jnp.array([0])
        )[0]
    )


@probe("mean-low-precision", "jnp.mean")
def mean_low_precision():
    return both(lambda dtype: jnp.ones(inputs.VOCABULARY, dtype).mean())


@probe(
    "layer-norm-low-precision",
    {
        "nnx.LayerNorm": lambda x: nnx.LayerNorm(512, dtype=x.dtype, rngs=RNGS)(
            x
        ),
        "linen.LayerNorm": lambda x: linen_output(
            linen.LayerNorm(dtype=x.dtype), x
        ),
        "jax.nn.standardize": jax.nn.standardize,
    },
)
@probe(
    "rms-norm-low-precision",
    {
        "nnx.RMSNorm": lambda x: nnx.RMSNorm(512, dtype=x.dtype, rngs=RNGS)(x),
        "linen.RMSNorm": lambda x: linen_output(
            linen.RMSNorm(dtype=x.dtype), x
        ),
    },
)
def norm_low_precision(norm):
    return both(lambda dtype: spread(norm(jnp.array(inputs.LARGE, dtype))))
