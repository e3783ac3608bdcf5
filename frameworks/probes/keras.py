"""What do Keras 3 and TensorFlow do?"""

import keras
import tensorflow as tf
from keras import layers
from keras.losses import CategoricalCrossentropy, SparseCategoricalCrossentropy

from frameworks import inputs
from frameworks.inputs import share_of_zeros, spread
from frameworks.probes import attempt, probe

keras.utils.set_random_seed(0)


def both(measure):
    """Measure in each of the two floating-point types of half precision."""
    return {name: attempt(measure, name) for name in ("float16", "bfloat16")}


def wide(y):
    """Return numbers of any type in float64."""
    return tf.cast(y, tf.float64).numpy()


# Dropout

DROPOUTS = {
    "keras.layers.Dropout": lambda x, *rate: layers.Dropout(*rate)(
        x, training=True
    ),
    "keras.random.dropout": keras.random.dropout,
    "tf.nn.dropout": tf.nn.dropout,
}


@probe("dropout-rate", DROPOUTS)
def dropout_rate(dropout):
    y = dropout(inputs.ONES, 0.2).numpy()
    return {"zeros": share_of_zeros(y), "largest": y.max()}


@probe("dropout-default", DROPOUTS)
def dropout_default(dropout):
    return share_of_zeros(dropout(inputs.ONES))


@probe(
    "dropout-mode",
    {
        "keras.layers.Dropout": layers.Dropout(0.2),
        "keras.random.dropout": lambda x: keras.random.dropout(x, 0.2),
        "tf.nn.dropout": lambda x: tf.nn.dropout(x, 0.2),
    },
)
def dropout_mode(dropout):
    return share_of_zeros(dropout(inputs.ONES))


@probe("dropout-extremes", DROPOUTS)
def dropout_extremes(dropout):
    return {rate: attempt(dropout, tf.ones(4), float(rate)) for rate in (0, 1)}


@probe(
    "train-eval-switch",
    {
        "training=False": (True, False),
        "trainable=False, training=True": (False, True),
    },
)
def switch(setting):
    trainable, training = setting
    dropout = layers.Dropout(0.2, trainable=trainable)
    norm = layers.BatchNormalization(trainable=trainable)
    return {
        "zeros": share_of_zeros(dropout(inputs.ONES, training=training)),
        "normalized": norm(inputs.PAIR, training=training),
    }


# Normalization


@probe("batch-norm-mode", "keras.layers.BatchNormalization")
def batch_norm_mode():
    return layers.BatchNormalization()(inputs.PAIR)


@probe("batch-norm-epsilon", "keras.layers.BatchNormalization")
def batch_norm_epsilon():
    return spread(
        layers.BatchNormalization()(inputs.ROWS.T, training=True),
        axis=0,
    )


@probe(
    "layer-norm-epsilon",
    {
        "keras.layers.LayerNormalization": layers.LayerNormalization(),
        "keras.ops.layer_normalization": keras.ops.layer_normalization,
    },
)
@probe(
    "rms-norm-epsilon",
    {
        "keras.layers.RMSNormalization": layers.RMSNormalization(),
        "keras.ops.rms_normalization": keras.ops.rms_normalization,
    },
)
@probe(
    "group-norm-epsilon",
    {"keras.layers.GroupNormalization": layers.GroupNormalization(groups=1)},
)
def epsilon(norm):
    return spread(norm(inputs.ROWS))


@probe("batch-variance", "keras.layers.BatchNormalization")
def batch_variance():
    return layers.BatchNormalization()(inputs.FAR_PAIR, training=True)


@probe("stored-variance", "keras.layers.BatchNormalization")
def stored_variance():
    norm = layers.BatchNormalization()
    norm(inputs.PAIR, training=True)
    return {
        "mean": norm.moving_mean[0],
        "variance": norm.moving_variance[0],
    }


@probe("momentum", "keras.layers.BatchNormalization")
def momentum():
    norms = {
        "default": layers.BatchNormalization(),
        "chosen": layers.BatchNormalization(momentum=0.25),
    }
    return {
        name: (norm(inputs.PAIR, training=True), norm.moving_mean[0])[1]
        for name, norm in norms.items()
    }


@probe("batch-norm-axis", "keras.layers.BatchNormalization")
def batch_norm_axis():
    return layers.BatchNormalization()(inputs.CUBE, training=True)


@probe("batch-norm-one", "keras.layers.BatchNormalization")
def batch_norm_one():
    image = inputs.IMAGE.reshape(1, 2, 2, 1)
    return {
        "vector": attempt(
            layers.BatchNormalization(), inputs.VECTOR, training=True
        ),
        "image": attempt(
            lambda: tf.reshape(
                layers.BatchNormalization()(image, training=True), [4]
            )
        ),
    }


@probe("far-from-zero", "keras.layers.LayerNormalization")
def far_from_zero():
    return spread(layers.LayerNormalization()(inputs.FAR))


# Softmax and its loss

LOGITS_LOSS = tf.nn.sparse_softmax_cross_entropy_with_logits


@probe("loss-input", "CategoricalCrossentropy")
def loss_input_vectors():
    return CategoricalCrossentropy()(
        tf.constant([[1.0, 0.0, 0.0]]), inputs.THREE
    )


@probe("loss-input", "SparseCategoricalCrossentropy")
def loss_input_integers():
    return SparseCategoricalCrossentropy()(tf.constant([0]), inputs.THREE)


@probe("loss-input", "tf.nn.sparse_softmax_cross_entropy_with_logits")
def loss_input_tensorflow():
    return LOGITS_LOSS(tf.constant([0]), inputs.THREE)[0]


@probe(
    "loss-labels",
    {
        "CategoricalCrossentropy": CategoricalCrossentropy(),
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy(),
    },
)
def loss_labels(loss):
    labels = {
        "integers": tf.constant([1]),
        "vectors": tf.constant([[0.0, 1.0, 0.0]]),
    }
    return {
        kind: attempt(loss, label, inputs.THREE)
        for kind, label in labels.items()
    }


@probe("loss-axis", "SparseCategoricalCrossentropy")
def loss_axis():
    return SparseCategoricalCrossentropy(from_logits=True)(
        inputs.CUBE_LABELS, inputs.CUBE
    )


@probe("loss-reduction", "SparseCategoricalCrossentropy")
def loss_reduction():
    return SparseCategoricalCrossentropy(from_logits=True)(
        tf.constant([0, 1]), inputs.TWO
    )


@probe("loss-reduction", "tf.nn.sparse_softmax_cross_entropy_with_logits")
def loss_reduction_tensorflow():
    return LOGITS_LOSS(tf.constant([0, 1]), inputs.TWO)


@probe(
    "loss-outside",
    {
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy(
            from_logits=True
        ),
        "tf.nn.sparse_softmax_cross_entropy_with_logits": LOGITS_LOSS,
    },
)
def loss_outside(loss):
    return {
        label: attempt(loss, tf.constant([0, label]), inputs.TWO)
        for label in (-100, -1, 3)
    }


@probe("loss-ignored", "SparseCategoricalCrossentropy(ignore_class=)")
def loss_ignored():
    return SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)(
        tf.constant([0, 2]), inputs.TWO
    )


@probe("loss-ignored", "SparseCategoricalCrossentropy, sample_weight 0")
def loss_weighted_zero():
    loss = SparseCategoricalCrossentropy(from_logits=True)
    return loss(
        tf.constant([0, 2]),
        inputs.TWO,
        sample_weight=tf.constant([1.0, 0.0]),
    )


@probe("all-ignored", "SparseCategoricalCrossentropy(ignore_class=)")
def all_ignored():
    return SparseCategoricalCrossentropy(from_logits=True, ignore_class=2)(
        tf.constant([2, 2]), inputs.TWO
    )


@probe("label-smoothing", "CategoricalCrossentropy(label_smoothing=)")
def label_smoothing():
    loss = CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    return [
        loss(tf.constant([[1.0, 0.0, 0.0, 0.0]]), z[None]) for z in inputs.FOUR
    ]


@probe("label-smoothing", "SparseCategoricalCrossentropy(label_smoothing=)")
def label_smoothing_integers():
    loss = SparseCategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    return [loss(tf.constant([0]), z[None]) for z in inputs.FOUR]


@probe(
    "class-weights",
    {
        "sample_weight, default reduction": "sum_over_batch_size",
        'sample_weight, "mean_with_sample_weight"': "mean_with_sample_weight",
    },
)
def class_weights(reduction):
    loss = SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    return loss(
        tf.constant([0, 1]),
        inputs.TWO,
        sample_weight=tf.constant(inputs.WEIGHTS[:2]),
    )


@probe("class-weights", "model.fit(class_weight=)")
def class_weights_of_fit():
    model = keras.Sequential([layers.Input((3,)), layers.Activation("linear")])
    model.compile(loss=SparseCategoricalCrossentropy(from_logits=True))
    weights = dict(enumerate(inputs.WEIGHTS))
    return model.fit(
        inputs.TWO, tf.constant([0, 1]), class_weight=weights, verbose=0
    ).history["loss"][0]


@probe(
    "smoothing-weights",
    "CategoricalCrossentropy(label_smoothing=), sample_weight",
)
def smoothing_weights():
    rows, label, weight = (
        inputs.FOUR[:, None],
        tf.constant([[1.0, 0.0, 0.0, 0.0]]),
        tf.constant(inputs.FOUR_WEIGHTS[:1]),
    )
    losses = {
        how: CategoricalCrossentropy(
            from_logits=True, label_smoothing=0.2, reduction=how
        )
        for how in ("sum", "sum_over_batch_size")
    }
    sums, means = (
        [loss(label, z, sample_weight=weight) for z in rows]
        for loss in losses.values()
    )
    return {"sum": sums, "mean": means}


@probe("loss-certain", "SparseCategoricalCrossentropy")
def loss_certain():
    return SparseCategoricalCrossentropy()(
        tf.constant([1]), tf.constant([[1.0, 0.0]])
    )


@probe("loss-certain", "SparseCategoricalCrossentropy(from_logits=True)")
def loss_certain_logits():
    return SparseCategoricalCrossentropy(from_logits=True)(
        tf.constant([1]), tf.constant([[1000.0, 0.0]])
    )


@probe(
    "loss-operations",
    {
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy(),
        "SparseCategoricalCrossentropy(from_logits=True)": SparseCategoricalCrossentropy(
            from_logits=True
        ),
        "tf.nn.sparse_softmax_cross_entropy_with_logits": LOGITS_LOSS,
    },
)
def loss_operations(loss):
    graph = (
        tf.function(loss)
        .get_concrete_function(tf.constant([0]), tf.constant(inputs.THREE))
        .graph
    )
    given = {"Placeholder", "Const", "Identity", "NoOp"}
    return [
        operation.type
        for operation in graph.get_operations()
        if operation.type not in given
    ]


@probe(
    "softmax-axis",
    {
        "keras.ops.softmax": keras.ops.softmax,
        "tf.nn.softmax": tf.nn.softmax,
    },
)
def softmax_axis(softmax):
    return softmax(inputs.CUBE)


@probe(
    "softmax-masked",
    {
        "keras.ops.softmax": keras.ops.softmax,
        "tf.nn.softmax": tf.nn.softmax,
    },
)
def softmax_masked(softmax):
    return softmax(inputs.MASKED)


@probe("softmax-masked", "keras.layers.Softmax, mask")
def softmax_layer_masked():
    return layers.Softmax()(tf.zeros([1, 3]), mask=tf.zeros([1, 3], bool))


@probe("attention-masked", "keras.ops.dot_product_attention")
def attention_masked():
    values = tf.reshape(tf.constant([1.0, 3.0]), [1, 2, 1, 1])
    nothing = tf.zeros([1, 1, 1, 2], bool)
    return keras.ops.dot_product_attention(
        tf.ones([1, 1, 1, 1]),
        tf.ones([1, 2, 1, 1]),
        values,
        mask=nothing,
    )


# Low precision


@probe(
    "softmax-low-precision",
    {
        "keras.ops.softmax": keras.ops.softmax,
        "tf.nn.softmax": tf.nn.softmax,
    },
)
def softmax_low_precision(softmax):
    return both(
        lambda dtype: wide(softmax(tf.zeros([inputs.VOCABULARY], dtype))).max()
    )


@probe("loss-low-precision", "SparseCategoricalCrossentropy(from_logits=True)")
def loss_low_precision():
    loss = SparseCategoricalCrossentropy(from_logits=True)
    return both(
        lambda dtype: wide(
            loss(
                tf.constant([0]),
                tf.zeros([1, inputs.VOCABULARY], dtype),
            )
        )
    )


@probe("loss-low-precision", "tf.nn.sparse_softmax_cross_entropy_with_logits")
def loss_low_precision_tensorflow():
    return both(
        lambda dtype: wide(
            LOGITS_LOSS(
                tf.constant([0]),
                tf.zeros([1, inputs.VOCABULARY], dtype),
            )[0]
        )
    )


@probe(
    "mean-low-precision",
    {
        "keras.ops.mean": keras.ops.mean,
        "tf.reduce_mean": tf.reduce_mean,
    },
)
def mean_low_precision(mean):
    return both(lambda dtype: wide(mean(tf.ones([inputs.VOCABULARY], dtype))))


@probe(
    "layer-norm-low-precision",
    {"keras.layers.LayerNormalization": layers.LayerNormalization},
)
@probe(
    "rms-norm-low-precision",
    {"keras.layers.RMSNormalization": layers.RMSNormalization},
)
def norm_low_precision(norm):
    return both(
        lambda dtype: spread(
            wide(norm(dtype=dtype)(tf.constant(inputs.LARGE, dtype)))
        )
    )
