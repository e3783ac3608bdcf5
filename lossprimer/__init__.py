"""What do softmax, cross-entropy, dropout and normalization really do? The functions that the course explains."""

from lossprimer.dropout import Dropout, inverted_dropout
from lossprimer.losses import cross_entropy, cross_entropy_and_grad, cross_entropy_grad
from lossprimer.network import SGD, Adam, Linear, ReLU, Residual, Sequential, fit, load_parameters, save_parameters
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
    "load_parameters",
    "log_softmax",
    "logsumexp",
    "normalize",
    "normalize_backward",
    "one_hot",
    "save_parameters",
    "softmax",
    "softmax_backward",
]
