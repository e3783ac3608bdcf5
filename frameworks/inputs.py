"""What is every framework given? The same numbers, so that answers can be compared, and told apart."""

import numpy as np

# Dropout: of so many ones, a rate of 0.2 drops or keeps about a fifth.
ONES = np.ones((100, 100), np.float32)

# One row for each variance; the mean of each is 0, so that its mean square is its variance.
VARIANCES = [10.0**-k for k in range(1, 11)]
ROWS = np.outer(np.sqrt(VARIANCES), [1, -1] * 4).astype(np.float32)

# Two examples of one feature: mean 10, biased variance 4, unbiased variance 8. In front of them, a variance at which no
# epsilon can be seen.
PAIR = np.array([[8], [12]], np.float32)
FAR_PAIR = np.array([[-1000], [1000]], np.float32)

# No two axes of these scores have the same sums, whatever is done with them.
CUBE = (np.arange(27).reshape(3, 3, 3) ** 2 % 7).astype(np.float32)
CUBE_LABELS = np.array([[0, 1, 2], [1, 1, 0], [2, 0, 0]])

# Positive and below 1, but not adding up to 1: scores, probabilities and logarithms all give another loss.
THREE = np.array([[0.5, 0.3, 0.1]], np.float32)

# Two examples; the first one's label is 0, and each label of the second one gives another loss.
TWO = np.log(np.array([[1, 1, 2], [1, 2, 4]], np.float32))
WEIGHTS = [1.0, 3.0, 5.0]

# For each of four classes, scores of which its own is 3 and the others are 0: the losses tell its share in the label.
SCORE = 3.0
FOUR = (SCORE * np.eye(4)).astype(np.float32)
FOUR_WEIGHTS = [2.0, 1.0, 3.0, 4.0]

MASKED = np.full((1, 3), -np.inf, np.float32)
# Two examples of one channel each; and one image of one channel and four pixels.
VECTOR = np.array([[1, 2, 3]], np.float32)
IMAGE = np.array([1, 2, 3, 4], np.float32)

# As many equal scores as the vocabulary of a language model has words.
VOCABULARY = 128_000
# Their squares, 90,000, are larger than any number of float16.
DEVIATION = 300
LARGE = np.array([[DEVIATION, -DEVIATION] * 256], np.float32)
# Deviation 1, far from 0.
MEANS = [100.0, 1_000.0, 10_000.0, 100_000.0]
FAR = (np.array(MEANS)[:, None] + np.array([1, -1] * 256)).astype(np.float32)


def spread(y: np.ndarray, axis: int = -1) -> list[float]:
    """Return the biased standard deviation along an axis."""
    return np.std(np.asarray(y, np.float64), axis=axis).ravel().tolist()


def share_of_zeros(y: np.ndarray) -> float:
    """Return how many of all entries are 0."""
    return float(np.mean(np.asarray(y, np.float64) == 0))
