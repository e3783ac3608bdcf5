"""What do softmax, cross-entropy, dropout and normalization really do? The functions that the course explains."""

from lossprimer.probability import (
    entropy,
    kl_divergence,
    log_softmax,
    logsumexp,
    one_hot,
    softmax,
    softmax_backward,
)

__version__ = "0.1.0"

__all__ = [
    "entropy",
    "kl_divergence",
    "log_softmax",
    "logsumexp",
    "one_hot",
    "softmax",
    "softmax_backward",
]
