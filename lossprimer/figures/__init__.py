"""Every picture of the course: one function each, parameters in, `Picture` out."""

from lossprimer.figures.probability import (
    attention_spread,
    jacobian,
    overflow,
    recipe,
    sampling,
    temperature,
    temperature_on_data,
    winner_share,
)

__all__ = [
    "attention_spread",
    "jacobian",
    "overflow",
    "recipe",
    "sampling",
    "temperature",
    "temperature_on_data",
    "winner_share",
]
