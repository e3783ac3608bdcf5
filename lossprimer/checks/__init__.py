"""Is this answer right, and if not, what went wrong? One check for each task of the exercises.

A check takes the learner's function (or class) and returns a `Report`::

    checks.softmax(softmax)

It tries named cases in order and stops at the first that does not hold. The report says what held, and of that case the
input, what came, what was expected, and the likely cause. With ``rng=np.random.default_rng()`` it draws more cases, so
that nobody can know them beforehand; ``checks.softmax(softmax, rng=rng).require()`` raises `CheckFailed` unless all
hold. A function that raises NotImplementedError is "not attempted yet".

Inside the learner's own process nothing can be trusted for certain: code that runs there can replace any function,
these checks included. Objects that lie about themselves are refused, and that is as far as it goes here. Grades come
from the same checks in another process, which hands them a stand-in for the learner's function.
"""

from lossprimer.checks.attention import attention_weights
from lossprimer.checks.dropout import dropout_backward, dropout_layer, inverted_dropout, monte_carlo_average
from lossprimer.checks.losses import cross_entropy, cross_entropy_grad, kl_divergence, smoothed_cross_entropy
from lossprimer.checks.normalization import (
    batch_norm,
    batch_norm_layer,
    layer_norm,
    layer_norm_backward,
    rms_norm,
)
from lossprimer.checks.probability import log_softmax, softmax, softmax_backward, softmax_with_temperature
from lossprimer.checks.report import CheckFailed, Report

__all__ = [
    "CheckFailed",
    "Report",
    "attention_weights",
    "batch_norm",
    "batch_norm_layer",
    "cross_entropy",
    "cross_entropy_grad",
    "dropout_backward",
    "dropout_layer",
    "inverted_dropout",
    "kl_divergence",
    "layer_norm",
    "layer_norm_backward",
    "log_softmax",
    "monte_carlo_average",
    "rms_norm",
    "smoothed_cross_entropy",
    "softmax",
    "softmax_backward",
    "softmax_with_temperature",
]
