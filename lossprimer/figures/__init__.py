"""Every picture of the course: one function each, parameters in, `Picture` out."""

from lossprimer.figures.dropout import *
from lossprimer.figures.emblems import *
from lossprimer.figures.losses import *
from lossprimer.figures.normalization import *
from lossprimer.figures.probability import *
from lossprimer.figures.transformer import *
