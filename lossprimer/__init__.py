"""What do softmax, cross-entropy, dropout and normalization really do? The functions that the course explains."""

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lossprimer.dropout import Dropout, inverted_dropout
    from lossprimer.losses import cross_entropy, cross_entropy_and_grad, cross_entropy_grad
    from lossprimer.network import SGD, Adam, Linear, ReLU, Residual, Sequential, fit
    from lossprimer.normalization import BatchNorm, LayerNorm, RMSNorm, normalize, normalize_backward
    from lossprimer.probability import (
        entropy,
        kl_divergence,
        log_softmax,
        logsumexp,
        one_hot,
        softmax,
        softmax_backward,
    )
    from lossprimer.transformer import FeedForward, SelfAttention, Transformer, TransformerBlock, generate

if sys.platform == "emscripten":
    import_module("lossprimer._browser").quiet()

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "BatchNorm",
    "Dropout",
    "FeedForward",
    "LayerNorm",
    "Linear",
    "RMSNorm",
    "ReLU",
    "Residual",
    "SelfAttention",
    "Sequential",
    "Transformer",
    "TransformerBlock",
    "cross_entropy",
    "cross_entropy_and_grad",
    "cross_entropy_grad",
    "entropy",
    "fit",
    "generate",
    "inverted_dropout",
    "kl_divergence",
    "log_softmax",
    "logsumexp",
    "normalize",
    "normalize_backward",
    "one_hot",
    "softmax",
    "softmax_backward",
]

# In the order of the chapters: each name is defined in the first module that has it.
_MODULES = ("probability", "losses", "dropout", "normalization", "network", "transformer")

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a name when it is first used: the explorers alone need none of the mathematics."""
        if name in _MODULES:
            return import_module(f"lossprimer.{name}")
        if name in __all__:
            for module in map(import_module, (f"lossprimer.{module}" for module in _MODULES)):
                if hasattr(module, name):
                    return globals().setdefault(name, getattr(module, name))
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *_MODULES, *__all__})
