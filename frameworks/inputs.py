"""What is every framework given? The same numbers, chosen to tell conventions apart."""

import numpy as np

# Of so many ones, a rate of 0.2 drops or keeps about a fifth.
ONES = np.ones((100, 100), np.float32)

# One row for each variance. Its mean is 0, so its mean square is its variance.
VARIANCES = [10.0**-k for k in range(1, 11)]
ROWS = np.outer(np.sqrt(VARIANCES), [1, -1] * 4).astype(np.float32)

# A batch of two: mean 10, biased variance 4, unbiased variance 8.
PAIR = np.array([[8], [12]], np.float32)
# Another, in whose variance no epsilon can be seen.
FAR_PAIR = np.array([[-1000], [1000]], np.float32)

# Three axes of one length, none of which has the sums of another.
CUBE = (np.arange(27).reshape(3, 3, 3) ** 2 % 7).astype(np.float32)
CUBE_LABELS = np.array([[0, 1, 2], [1, 1, 0], [2, 0, 0]])

# Scores, probabilities and logarithms alike, but with another loss each:
# positive, below 1, and with another sum than 1.
THREE = np.array([[0.5, 0.3, 0.1]], np.float32)

# Scores of two examples. The first one's label is 0; for the second one, each
# label has a loss of its own.
TWO = np.log(np.array([[1, 1, 2], [1, 2, 4]], np.float32))
WEIGHTS = [1.0, 3.0, 5.0]

# For each of four classes, scores of which its own is 3 and the others are 0:
# the four losses tell the share of each class in the label.
SCORE = 3.0
FOUR = (SCORE * np.eye(4)).astype(np.float32)
FOUR_WEIGHTS = [2.0, 1.0, 3.0, 4.0]

MASKED = np.full((1, 3), -np.inf, np.float32)
# One example of three features, and one of one channel with four pixels.
VECTOR = np.array([[1, 2, 3]], np.float32)
IMAGE = np.array([1, 2, 3, 4], np.float32)

# The vocabulary of a language model.
VOCABULARY = 128_000
# The squares, 90,000, are larger than any number of float16.
LARGE = np.array([[300, -300] * 256], np.float32)
# Rows of deviation 1, each around another mean.
MEANS = [100.0, 1_000.0, 10_000.0, 100_000.0]
FAR = (np.array(MEANS)[:, None] + [1, -1] * 256).astype(np.float32)


def spread(y: np.ndarray, axis: int = -1) -> list[float]:
    """Return the biased standard deviation along an axis."""
    return np.std(np.asarray(y, np.float64), axis=axis).ravel().tolist()


def share_of_zeros(y: np.ndarray) -> float:
    """Return how many of all entries are 0, as a share."""
    return float(np.mean(np.asarray(y, np.float64) == 0))
