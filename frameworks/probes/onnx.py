"""What does ONNX Runtime do, and what ONNX's own reference evaluator?"""

import tempfile
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnxruntime
from onnx import ValueInfoProto, checker, helper
from onnx.reference import ReferenceEvaluator

from frameworks import inputs
from frameworks.inputs import share_of_zeros, spread
from frameworks.probes import attempt, probe

OPSET = [helper.make_opsetid("", 23)]
QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4
# Whoever looks at the answers sees what overflowed.
np.seterr(all="ignore")


def model(operator, arrays, outputs, attributes):
    """Return a model of one operator. What is not said stays out, so that the default holds."""
    names = [
        f"input_{i}" if array is not None else ""
        for i, array in enumerate(arrays)
    ]
    node = helper.make_node(
        operator,
        names,
        [f"output_{i}" for i in range(outputs)],
        **attributes,
    )
    context = checker.C.CheckerContext()
    context.ir_version, context.opset_imports = 10, {"": 23}
    checker.check_node(node, context)
    given = [
        helper.make_tensor_value_info(
            name,
            helper.np_dtype_to_tensor_dtype(array.dtype),
            array.shape,
        )
        for name, array in zip(names, arrays, strict=True)
        if name
    ]
    graph = helper.make_graph(
        [node],
        operator,
        given,
        [ValueInfoProto(name=name) for name in node.output],
    )
    return helper.make_model(graph, opset_imports=OPSET, ir_version=10)


def evaluated(run, operator, arrays, outputs, attributes):
    """Evaluate an operator; return its output, or all of them where there are several."""
    arrays = [None if array is None else np.asarray(array) for array in arrays]
    made = model(operator, arrays, outputs, attributes)
    results = run(
        made,
        {
            f"input_{i}": array
            for i, array in enumerate(arrays)
            if array is not None
        },
    )
    return results[0] if outputs == 1 else results


def reference(operator, *arrays, outputs=1, **attributes):
    """Evaluate an operator with the reference evaluator."""
    return evaluated(
        lambda made, given: ReferenceEvaluator(made).run(None, given),
        operator,
        arrays,
        outputs,
        attributes,
    )


def runtime(operator, *arrays, outputs=1, **attributes):
    """Evaluate an operator with ONNX Runtime, on the processor."""

    def run(made, given):
        session = onnxruntime.InferenceSession(
            made.SerializeToString(),
            QUIET,
            providers=["CPUExecutionProvider"],
        )
        return session.run(None, given)

    return evaluated(run, operator, arrays, outputs, attributes)


def engines(operator):
    """Name the two that are asked about an operator."""
    return {
        f"{operator}, runtime": runtime,
        f"{operator}, reference": reference,
    }


def float32(*numbers):
    """Return numbers as ONNX wants them."""
    return np.array(numbers, np.float32)


def both(measure):
    """Measure in each of the two floating-point types of half precision."""
    return {
        "float16": attempt(measure, np.float16),
        "bfloat16": attempt(measure, ml_dtypes.bfloat16),
    }


def batch_norm(run, x, channels, **attributes):
    """Normalize a batch in training; return the output, the new mean and the new variance."""
    ones, zeros = (
        np.ones(channels, np.float32),
        np.zeros(channels, np.float32),
    )
    return run(
        "BatchNormalization",
        x,
        ones,
        zeros,
        zeros,
        ones,
        outputs=3,
        training_mode=1,
        **attributes,
    )


# Dropout


@probe("dropout-rate", engines("Dropout"))
def dropout_rate(run):
    y = run("Dropout", inputs.ONES, np.float32(0.2), np.bool_(True), seed=0)
    return {"zeros": share_of_zeros(y), "largest": y.max()}


@probe("dropout-default", engines("Dropout"))
def dropout_default(run):
    return share_of_zeros(
        run("Dropout", inputs.ONES, None, np.bool_(True), seed=0)
    )


@probe("dropout-mode", engines("Dropout"))
def dropout_mode(run):
    return share_of_zeros(run("Dropout", inputs.ONES, np.float32(0.2)))


@probe("dropout-extremes", engines("Dropout"))
def dropout_extremes(run):
    ones, training = float32(1, 1, 1, 1), np.bool_(True)
    return {
        rate: attempt(run, "Dropout", ones, np.float32(rate), training)
        for rate in (0, 1)
    }


@probe(
    "train-eval-switch",
    {
        "training_mode, runtime": runtime,
        "training_mode, reference": reference,
    },
)
def switch(run):
    dropped = run("Dropout", inputs.ONES, np.float32(0.2), np.bool_(False))
    given = inputs.PAIR, float32(1), float32(0), float32(0), float32(1)
    return {
        "zeros": share_of_zeros(dropped),
        "normalized": run("BatchNormalization", *given, training_mode=0),
    }


# Normalization


@probe("batch-norm-mode", engines("BatchNormalization"))
def batch_norm_mode(run):
    return run(
        "BatchNormalization",
        inputs.PAIR,
        float32(1),
        float32(0),
        float32(0),
        float32(1),
    )


@probe("batch-norm-epsilon", engines("BatchNormalization"))
def batch_norm_epsilon(run):
    y, _, _ = batch_norm(run, inputs.ROWS.T, 10)
    return spread(y, axis=0)


@probe("layer-norm-epsilon", engines("LayerNormalization"))
def layer_norm_epsilon(run):
    return spread(
        run("LayerNormalization", inputs.ROWS, np.ones(8, np.float32))
    )


@probe("rms-norm-epsilon", engines("RMSNormalization"))
def rms_norm_epsilon(run):
    return spread(run("RMSNormalization", inputs.ROWS, np.ones(8, np.float32)))


@probe("group-norm-epsilon", engines("GroupNormalization"))
def group_norm_epsilon(run):
    ones, zeros = np.ones(8, np.float32), np.zeros(8, np.float32)
    return spread(
        run(
            "GroupNormalization",
            inputs.ROWS[:, :, None],
            ones,
            zeros,
            num_groups=1,
        )[:, :, 0]
    )


@probe("batch-variance", engines("BatchNormalization"))
def batch_variance(run):
    y, _, _ = batch_norm(run, inputs.FAR_PAIR, 1)
    return y


@probe("stored-variance", engines("BatchNormalization"))
def stored_variance(run):
    _, mean, variance = batch_norm(run, inputs.PAIR, 1)
    return {"mean": mean[0], "variance": variance[0]}


@probe("momentum", engines("BatchNormalization"))
def momentum(run):
    _, by_default, _ = batch_norm(run, inputs.PAIR, 1)
    _, chosen, _ = batch_norm(run, inputs.PAIR, 1, momentum=0.25)
    return {"default": by_default[0], "chosen": chosen[0]}


@probe("batch-norm-axis", engines("BatchNormalization"))
def batch_norm_axis(run):
    y, _, _ = batch_norm(run, inputs.CUBE, 3)
    return y


@probe("batch-norm-one", engines("BatchNormalization"))
def batch_norm_one(run):
    image = inputs.IMAGE.reshape(1, 1, 2, 2)
    return {
        "vector": attempt(lambda: batch_norm(run, inputs.VECTOR, 3)[0]),
        "image": attempt(lambda: batch_norm(run, image, 1)[0].ravel()),
    }


@probe("far-from-zero", engines("LayerNormalization"))
def far_from_zero(run):
    return spread(
        run("LayerNormalization", inputs.FAR, np.ones(512, np.float32))
    )


# Softmax and its loss


@probe("loss-input", engines("SoftmaxCrossEntropyLoss"))
def loss_input(run):
    return run("SoftmaxCrossEntropyLoss", inputs.THREE, np.array([0]))


@probe("loss-input", engines("NegativeLogLikelihoodLoss"))
def likelihood_input(run):
    return run("NegativeLogLikelihoodLoss", inputs.THREE, np.array([0]))


@probe("loss-labels", engines("SoftmaxCrossEntropyLoss"))
def loss_labels(run):
    labels = {"integers": np.array([1]), "vectors": float32([0, 1, 0])}
    return {
        kind: attempt(run, "SoftmaxCrossEntropyLoss", inputs.THREE, label)
        for kind, label in labels.items()
    }


@probe("loss-axis", engines("SoftmaxCrossEntropyLoss"))
def loss_axis(run):
    return run("SoftmaxCrossEntropyLoss", inputs.CUBE, inputs.CUBE_LABELS)


@probe("loss-reduction", engines("SoftmaxCrossEntropyLoss"))
def loss_reduction(run):
    return run("SoftmaxCrossEntropyLoss", inputs.TWO, np.array([0, 1]))


@probe("loss-outside", engines("SoftmaxCrossEntropyLoss"))
def loss_outside(run):
    loss = "SoftmaxCrossEntropyLoss"
    return {
        label: attempt(run, loss, inputs.TWO, np.array([0, label]))
        for label in (-100, -1, 3)
    }


@probe("loss-ignored", engines("SoftmaxCrossEntropyLoss"))
def loss_ignored(run):
    return run(
        "SoftmaxCrossEntropyLoss",
        inputs.TWO,
        np.array([0, 2]),
        ignore_index=2,
    )


@probe("all-ignored", engines("SoftmaxCrossEntropyLoss"))
def all_ignored(run):
    return run(
        "SoftmaxCrossEntropyLoss",
        inputs.TWO,
        np.array([2, 2]),
        ignore_index=2,
    )


@probe("label-smoothing", engines("SoftmaxCrossEntropyLoss"))
def label_smoothing(run):
    loss = "SoftmaxCrossEntropyLoss"
    return [
        run(loss, z[None], np.array([0]), label_smoothing=0.2)
        for z in inputs.FOUR
    ]


@probe("class-weights", engines("SoftmaxCrossEntropyLoss"))
def class_weights(run):
    return run(
        "SoftmaxCrossEntropyLoss",
        inputs.TWO,
        np.array([0, 1]),
        float32(*inputs.WEIGHTS),
    )


@probe("smoothing-weights", engines("SoftmaxCrossEntropyLoss"))
def smoothing_weights(run):
    given = np.array([0]), float32(*inputs.FOUR_WEIGHTS)
    return [
        run(
            "SoftmaxCrossEntropyLoss",
            z[None],
            *given,
            label_smoothing=0.2,
        )
        for z in inputs.FOUR
    ]


@probe("loss-certain", engines("SoftmaxCrossEntropyLoss"))
def loss_certain(run):
    return run("SoftmaxCrossEntropyLoss", float32([1000, 0]), np.array([1]))


@probe("loss-operations", "SoftmaxCrossEntropyLoss, runtime")
def loss_operations():
    with tempfile.TemporaryDirectory() as folder:
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4
        settings.optimized_model_filepath = str(Path(folder, "run.onnx"))
        made = model(
            "SoftmaxCrossEntropyLoss",
            [inputs.THREE, np.array([0])],
            1,
            {},
        )
        onnxruntime.InferenceSession(
            made.SerializeToString(),
            settings,
            providers=["CPUExecutionProvider"],
        )
        return [
            node.op_type
            for node in onnx.load(settings.optimized_model_filepath).graph.node
        ]


@probe("softmax-axis", engines("Softmax"))
def softmax_axis(run):
    return run("Softmax", inputs.CUBE)


@probe("softmax-masked", engines("Softmax"))
def softmax_masked(run):
    return run("Softmax", inputs.MASKED)


@probe("attention-masked", engines("Attention"))
def attention_masked(run):
    query, keys, values = float32(1), float32(1, 1), float32(1, 3)
    shaped = [array.reshape(1, 1, -1, 1) for array in (query, keys, values)]
    return run("Attention", *shaped, np.zeros((1, 2), bool))


# Low precision


@probe("softmax-low-precision", engines("Softmax"))
def softmax_low_precision(run):
    return both(
        lambda dtype: run("Softmax", np.zeros(inputs.VOCABULARY, dtype)).max()
    )


@probe("loss-low-precision", engines("SoftmaxCrossEntropyLoss"))
def loss_low_precision(run):
    loss = "SoftmaxCrossEntropyLoss"
    return both(
        lambda dtype: run(
            loss, np.zeros((1, inputs.VOCABULARY), dtype), np.array([0])
        )
    )


@probe("mean-low-precision", engines("ReduceMean"))
def mean_low_precision(run):
    return both(
        lambda dtype: run(
            "ReduceMean", np.ones(inputs.VOCABULARY, dtype), keepdims=0
        )
    )


@probe("layer-norm-low-precision", engines("LayerNormalization"))
def layer_norm_low_precision(run):
    return both(
        lambda dtype: spread(
            run(
                "LayerNormalization",
                inputs.LARGE.astype(dtype),
                np.ones(512, dtype),
            )
        )
    )


@probe("rms-norm-low-precision", engines("RMSNormalization"))
def rms_norm_low_precision(run):
    return both(
        lambda dtype: spread(
            run(
                "RMSNormalization",
                inputs.LARGE.astype(dtype),
                np.ones(512, dtype),
            )
        )
    )
