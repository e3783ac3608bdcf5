"""The tasks of the epilogue on a text: the next token is drawn, and the tokens that count are priced."""

import copy

import numpy as np

from lossprimer.checks.losses import cross_entropy
from lossprimer.checks.probability import probabilities, scores
from lossprimer.checks.report import Cause
from lossprimer.checks.task import Case, Mistake, Task
from lossprimer.checks.values import as_code
from lossprimer.probability import log_softmax

# The next token.


def _first_above(p, u):
    """The first class of each row at which the sum of the probabilities is above `u`, or the last one."""
    return np.minimum((np.cumsum(p, axis=-1) <= u).sum(axis=-1), p.shape[-1] - 1)


def _sampled(pick=_first_above, p=probabilities, divide=np.divide, draw=lambda rng, n: rng.random((n, 1))):
    """Make a sampler; each part of it can be a wrong one."""
    return lambda z, temperature, rng: pick(p(divide(z.astype(float), temperature)), draw(rng, len(z)))


def _of_probabilities(change):
    """The temperature changes the probabilities, or is used in another way."""
    return lambda z, temperature, rng: _first_above(
        change(z.astype(float), temperature), rng.random((len(z), 1))
    )  # fmt: skip


def _first_true(p, u):
    """As one may look for the class, too; 0 if there is none."""
    return (np.cumsum(p, axis=-1) > u).argmax(axis=-1)


def _by_search(p, u):
    """As in a list that grows, whether the sums do or not."""
    sums = np.cumsum(p, axis=-1)
    numbers = np.broadcast_to(u, (len(p), 1))[:, 0]
    return np.array([np.searchsorted(row, number) for row, number in zip(sums, numbers, strict=True)])


_PICKS = (_first_above, _first_true, _by_search)


def _each_pick(**options):
    """A wrong step, with each way to look for the class."""
    return [_sampled(pick, **options) for pick in _PICKS]


def _without_last(p, u):
    return np.minimum((np.cumsum(p, axis=-1) <= u).sum(axis=-1) + 1, p.shape[-1] - 1)


def _sorted(p, u, *, back, stable=True):
    """Classes in falling order of their probabilities; their places in the order, or the classes themselves."""
    order = np.argsort(-p, axis=-1, kind="stable") if stable else np.argsort(p, axis=-1)[..., ::-1]
    places = _first_above(np.take_along_axis(p, order, -1), u)
    return np.take_along_axis(order, places[:, None], -1)[:, 0] if back else places


def _float32(p, u, pick):
    """In the float type of a model, in which the sum may end below 1."""
    return pick(np.cumsum(p.astype(np.float32), axis=-1), u)


def _in_float32(pick):
    return lambda z, temperature, rng: _float32(
        probabilities(z / np.float32(temperature) if z.dtype == np.float32 else z / temperature),
        rng.random((len(z), 1)),
        pick,
    )


def _gumbel(z, temperature, rng):
    return (z / temperature + rng.gumbel(size=z.shape)).argmax(axis=-1)


def _uniform_gumbel(z, temperature, rng):
    return (z / temperature - np.log(-np.log(rng.random(z.shape)))).argmax(axis=-1)


def _multinomial(z, temperature, rng):
    return rng.multinomial(1, probabilities(z.astype(float) / temperature)).argmax(axis=-1)


_SCORES = np.array([[0.0, 1.5, 1.0, -0.5]])
_ROWS = np.array(
    [[0.0, 1.0, 2.0], [2.0, 0.5, 0.0], [1.0, 1.0, 1.0], [-1.0, 0.5, 0.0], [0.5, 2.0, 0.0], [0.0, 0.0, 3.0]]
)
_MANY = np.array([[1.0, 0.0, 0.5, -1.0]]).repeat(24, axis=0)
_CLOSE = np.array([[0.02, 0.0, 0.01, -0.02]]).repeat(12, axis=0)
_TWO_LEVELS = np.array([[1000.0, 999.0, 1001.0], [-1000.0, -999.0, -1002.0], [1.0, 0.0, 2.0], [999.0, 1000.0, 998.0]])
_NEVER = np.array([[-np.inf, 0.0, 1.0], [1.0, -np.inf, 0.5], [0.5, 1.0, -np.inf], [-np.inf, 1.0, -np.inf]])
_OVERFLOW = Cause(
    "The formula is right, but the numbers break it here: with scores of this size an exponential is infinite, or "
    "every exponential of a row is 0. Make the largest exponent of each row 0.",
    "lp.softmax subtracts the largest score of each row.",
)
_BELOW_ONE = Cause(
    "The sum of these thousand probabilities ends, by rounding, just below 1, and the number drawn is above it: no sum "
    "exceeds it. What is left belongs to the last class.",
    "Take at most the last class: np.minimum(tokens, K - 1). Or divide the sums by the last one.",
)


def _once(f, logits, temperature, seed):
    return f(logits, temperature, np.random.default_rng(seed))


def _twice(f, logits, temperature, seed):
    rng = np.random.default_rng(seed)
    return f(logits, temperature, rng), f(logits, temperature, rng)


def _sample_case(title, logits, temperature, seed, *, cause="", twice=False, code=""):
    call = f"sample(logits, {temperature!r}, rng)"
    script = [f"logits = {code or as_code(logits)}", f"rng = np.random.default_rng({seed})", *[call] * (1 + twice)]
    play, names = (_twice, ("tokens", "tokens of a second call")) if twice else (_once, ("",))
    return Case(title, (logits, temperature, seed), cause, play, "\n".join(script), names, ("logits",))


def _draw_sample(rng):
    rows, classes = int(rng.integers(4, 20)), int(rng.integers(2, 8))
    seeds = [int(seed) for seed in rng.integers(2**32, size=4)]
    return [
        _sample_case("temperature 1", scores(rng, rows, classes), 1.0, seeds[0]),
        _sample_case("another temperature", scores(rng, rows, classes), float(rng.choice([0.3, 0.7, 2.5])), seeds[1]),
        _sample_case("large scores", scores(rng, rows, classes, scale=500.0), 2.0, seeds[2], cause=_OVERFLOW),
        _sample_case("two calls in a row", scores(rng, rows, classes), 1.0, seeds[3], twice=True),
    ]


_ONE_NUMBER = "rng.random((N, 1)) draws one for each row."

sample = Task(
    "sample(logits, temperature, rng)",
    """the next token of each row, drawn at a temperature.

    `logits` has the shape ``(N, K)``, the result holds N integers from 0 to K - 1. From the Generator `rng` comes one
    number between 0 and 1 for each row, by ``rng.random``. The token is the first class at which the cumulative sum of
    the probabilities ``softmax(logits / temperature)`` is above that number.
    """,
    right=_sampled(),
    steps=[
        _sample_case("one row", _SCORES, 1.0, 4),
        _sample_case("six rows", _ROWS, 1.0, 3),
        _sample_case("the same scores in each row", _MANY, 1.0, 5),
        _sample_case("temperature 0.5", _MANY, 0.5, 6),
        _sample_case("temperature 3", _MANY, 3.0, 7),
        _sample_case("temperature 0.01: scores far apart", _ROWS, 0.01, 13),
        _sample_case("temperature 0.02: scores close together", _CLOSE, 0.02, 14),
        _sample_case("two calls in a row", _MANY[:8], 1.0, 9, twice=True),
        _sample_case("a masked token, -inf, is never drawn", _NEVER, 1.0, 10),
        _sample_case("float32", _ROWS.astype(np.float32), 0.5, 11),
        _sample_case("scores near 1000 and -1000", _TWO_LEVELS, 1.0, 12, cause=_OVERFLOW),
        _sample_case(
            "a sum that rounding leaves below 1",
            np.zeros((1, 1000), dtype=np.float32),
            1.0,
            47408,
            cause=_BELOW_ONE,
            code="np.zeros((1, 1000), dtype=np.float32)",
        ),
    ],
    draw=_draw_sample,
    large=lambda: _sample_case("", np.random.default_rng(0).normal(size=(300, 40)), 1.0, 0),
    mistakes=[
        Mistake(
            "The temperature is not used.",
            lambda z, temperature, rng: _sampled()(z, 1.0, rng),
            hint="Divide the scores by it.",
        ),
        Mistake(
            "The scores are multiplied by the temperature. They should be divided by it.", _sampled(divide=np.multiply)
        ),
        Mistake(
            "The scores are divided by the square of the temperature, or by its root.",
            _sampled(divide=lambda z, t: z / t**2),
            _sampled(divide=lambda z, t: z / np.sqrt(t)),
        ),
        Mistake(
            "The temperature is applied after the softmax. It should divide the scores.",
            _of_probabilities(lambda z, t: probabilities(z) / t),
            _of_probabilities(lambda z, t: probabilities(probabilities(z) / t)),
        ),
        Mistake(
            "The temperature divides the exponentials. It should divide the scores, before exp.",
            _of_probabilities(lambda z, t: np.exp(z - z.max(axis=-1, keepdims=True)) / t),
        ),
        Mistake(
            "This is the most likely token. The others should have a chance, too: draw a number.",
            lambda z, temperature, rng: z.argmax(axis=-1),
            hint=_ONE_NUMBER,
        ),
        Mistake("This is the least likely token.", lambda z, temperature, rng: z.argmin(axis=-1)),
        Mistake(
            "The tokens are drawn without the scores: each class has the same chance.",
            lambda z, temperature, rng: rng.integers(z.shape[-1], size=len(z)),
            lambda z, temperature, rng: (rng.random(len(z)) * z.shape[-1]).astype(int),
            lambda z, temperature, rng: np.rint(rng.random(len(z)) * (z.shape[-1] - 1)).astype(int),
        ),
        Mistake(
            "The temperature is changed before it divides the scores: it is limited, or 1 is added to it.",
            *(
                lambda z, temperature, rng, change=change: _sampled()(z, change(temperature), rng)
                for change in (
                    lambda t: max(t, 1.0),
                    lambda t: min(t, 1.0),
                    lambda t: max(t, 0.1),
                    lambda t: max(t, 0.5),
                    lambda t: t + 1,
                )
            ),
        ),
        Mistake(
            "At a low temperature the most likely token is taken. Above 0 the others still have a chance.",
            *(
                lambda z, temperature, rng, end=end: (
                    z.argmax(axis=-1) if temperature < end else _sampled()(z, temperature, rng)
                )
                for end in (0.02, 0.7)
            ),
        ),
        Mistake(
            "Noise is added to the scores, or multiplies the probabilities, and the largest is taken: that changes "
            "the probabilities of the tokens.",
            lambda z, temperature, rng: (z / temperature + rng.random(z.shape)).argmax(axis=-1),
            lambda z, temperature, rng: (z / temperature + rng.normal(size=z.shape)).argmax(axis=-1),
            lambda z, temperature, rng: (probabilities(z / temperature) * rng.random(z.shape)).argmax(axis=-1),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "This is the mean of the tokens' numbers, rounded. Token numbers are only names, and their mean means "
            "nothing.",
            _sampled(lambda p, u: np.rint((p * np.arange(p.shape[-1])).sum(axis=-1)).astype(int)),
            _sampled(lambda p, u: (p * np.arange(p.shape[-1])).sum(axis=-1).astype(int)),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "No number is drawn: a fixed one is used in its place.",
            *(_sampled(draw=lambda rng, n, u=u: np.full((n, 1), u)) for u in (0.5, 0.1, 0.9)),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "One number decides for all rows. Each row should have one of its own.",
            _sampled(draw=lambda rng, n: rng.random()),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "All rows have the probabilities of the first one.",
            lambda z, temperature, rng: _sampled()(np.repeat(z[:1], len(z), axis=0), temperature, rng),
        ),
        Mistake(
            "A number is drawn for each entry, and one column of them is used. One should be drawn for each row.",
            lambda z, temperature, rng: _sampled(draw=lambda rng, n: rng.random(z.shape)[:, :1])(z, temperature, rng),
            lambda z, temperature, rng: _sampled(draw=lambda rng, n: rng.random(z.shape)[:, -1:])(z, temperature, rng),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "Each entry is compared with a number of its own. The cumulative sum should be compared with the number "
            "of its row.",
            lambda z, temperature, rng: (rng.random(z.shape) < probabilities(z / temperature)).argmax(axis=-1),
            lambda z, temperature, rng: _first_above(probabilities(z.astype(float) / temperature), rng.random(z.shape)),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "Each probability by itself is compared with the number. The sum of all up to it should be.",
            _sampled(lambda p, u: (p > u).argmax(axis=-1)),
            _sampled(lambda p, u: np.minimum((p <= u).sum(axis=-1), p.shape[-1] - 1)),
            hint="np.cumsum(p, axis=-1)",
        ),
        Mistake(
            "The token whose probability, or whose sum, is nearest to the number is taken.",
            _sampled(lambda p, u: np.abs(p - u).argmin(axis=-1)),
            _sampled(lambda p, u: np.abs(np.cumsum(p, axis=-1) - u).argmin(axis=-1)),
            hint="Take the first class at which the sum is above the number.",
        ),
        Mistake(
            "The comparison is the wrong way round: this counts the sums above the number.",
            _sampled(lambda p, u: np.minimum((np.cumsum(p, axis=-1) > u).sum(axis=-1), p.shape[-1] - 1)),
            _sampled(lambda p, u: (np.cumsum(p, axis=-1) > u).sum(axis=-1) - 1),
        ),
        Mistake(
            "No sum is ever above the number, or the largest sum is taken: every token is the first class, or the last "
            "one, or beyond it. Sums of logarithms do that.",
            *_each_pick(p=log_softmax),
            _sampled(lambda p, u: np.cumsum(p, axis=-1).argmax(axis=-1)),
            hint="Sum the probabilities themselves.",
        ),
        Mistake("This is the class after the one that is meant.", _sampled(_without_last)),
        Mistake(
            "This is the class before the one that is meant: the last at which the sum is not yet above the number.",
            _sampled(lambda p, u: _first_above(p, u) - 1),
            _sampled(lambda p, u: np.maximum(_first_above(p, u) - 1, 0)),
        ),
        Mistake("The tokens are counted from 1.", _sampled(lambda p, u: _first_above(p, u) + 1)),
        Mistake(
            "The sum begins at the last class. It should begin at class 0.",
            _sampled(lambda p, u: p.shape[-1] - 1 - _first_above(p[:, ::-1], u)),
            _sampled(lambda p, u: _first_above(p[:, ::-1], u)),
            _sampled(lambda p, u: _first_above(p, 1 - u)),
        ),
        Mistake(
            "The probabilities are sorted, and the token is a place in that order. They should stay as they are.",
            _sampled(lambda p, u: _sorted(p, u, back=False)),
            _sampled(lambda p, u: _sorted(p, u, back=True)),
            _sampled(lambda p, u: _sorted(p, u, back=True, stable=False)),
            _sampled(lambda p, u: _first_above(np.sort(p, axis=-1), u)),
        ),
        Mistake(
            "The sum goes down the rows, or on from one row to the next. It should begin anew in each row.",
            _sampled(lambda p, u: np.minimum((np.cumsum(p, axis=0) <= u).sum(axis=-1), p.shape[-1] - 1)),
            _sampled(lambda p, u: (np.cumsum(p, axis=0) > u).argmax(axis=-1)),
            _sampled(lambda p, u: np.minimum((np.cumsum(p).reshape(p.shape) <= u).sum(axis=-1), p.shape[-1] - 1)),
            _sampled(lambda p, u: (np.cumsum(p).reshape(p.shape) > u).argmax(axis=-1)),
            hint="np.cumsum(p, axis=-1)",
        ),
        Mistake(
            "The softmax goes over the rows, or over the whole array.",
            *_each_pick(p=lambda z: probabilities(z, 0)),
            *_each_pick(p=lambda z: probabilities(z, None)),
            hint="axis=-1",
        ),
        Mistake("The softmax is missing: scores are added up instead of probabilities.", *_each_pick(p=lambda z: z)),
        Mistake(
            "The exponentials are not divided by their sum.",
            _sampled(p=np.exp),
            _sampled(p=lambda z: np.exp(z - z.max(axis=-1, keepdims=True))),
        ),
        Mistake("The softmax is applied twice.", _sampled(p=lambda z: probabilities(probabilities(z)))),
        Mistake("The signs of the scores are reversed.", _sampled(p=lambda z: probabilities(-z))),
        Mistake(
            "This is a different way to draw. The tokens have the right probabilities, but they are not the ones asked "
            "for: the task wants one number for each row and the cumulative sum.",
            _gumbel,
            _uniform_gumbel,
            _multinomial,
            _sampled(draw=lambda rng, n: rng.random((n, 1))[::-1]),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "The number is drawn from a normal distribution. It should be uniform between 0 and 1.",
            _sampled(draw=lambda rng, n: rng.normal(size=(n, 1))),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "The numbers come from a generator other than rng: with a seed of its own they are the same on each call.",
            *(
                lambda z, temperature, rng, seed=seed: _sampled()(z, temperature, np.random.default_rng(seed))
                for seed in (0, 1, 42, 123, 1234)
            ),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "rng does not advance: the numbers come from a copy of it, and a second call draws the same again.",
            lambda z, temperature, rng: _sampled()(z, temperature, copy.deepcopy(rng)),
            hint=_ONE_NUMBER,
        ),
        Mistake(
            "These are the numbers that were drawn, or the sums or probabilities of the tokens. The task asks for the "
            "tokens.",
            lambda z, temperature, rng: rng.random(len(z)),
            _sampled(lambda p, u: np.take_along_axis(p, _first_above(p, u)[:, None], -1)[:, 0]),
            _sampled(lambda p, u: np.take_along_axis(np.cumsum(p, axis=-1), _first_above(p, u)[:, None], -1)[:, 0]),
        ),
        Mistake(
            "These are the tokens as one-hot rows. The task asks for their numbers.",
            _sampled(lambda p, u: np.eye(p.shape[-1])[_first_above(p, u)]),
            lambda z, temperature, rng: rng.multinomial(1, probabilities(z.astype(float) / temperature)),
            hint=".argmax(axis=-1)",
        ),
        Mistake(
            "Nothing is subtracted before exp, and the exponential of a large score is infinite.",
            _sampled(p=lambda z: probabilities(z, top="none")),
            hint="lp.softmax subtracts the largest score of each row.",
        ),
        Mistake(
            "The largest score of the whole array is subtracted. In a row far below it every exponential is 0.",
            _sampled(p=lambda z: probabilities(z, top="all")),
        ),
        Mistake(
            "No sum of the row is above the number, because rounding leaves the last one below 1: the search ends at "
            "class 0, or after the last class.",
            _in_float32(lambda sums, u: (sums > u).argmax(axis=-1)),
            _in_float32(lambda sums, u: (sums <= u).sum(axis=-1)),
            hint=_BELOW_ONE.hint,
        ),
    ],
)


# The loss of the tokens that count.


def _on_kept(loss):
    """A loss of the kept tokens alone."""
    return lambda logits, targets, kept: loss(logits[kept], targets[kept])


def _losses(logits, targets, logs=log_softmax):
    """The loss of each token; one without a class gets that of class 0."""
    known = np.where((targets >= 0) & (targets < logits.shape[-1]), targets, 0)
    return -np.take_along_axis(logs(logits), known[..., None], -1)[..., 0]


def _mean(average):
    """Make a mean loss from the losses of all tokens and what is kept."""
    return lambda logits, targets, kept: average(_losses(logits, targets), kept)


def _row_means(losses, kept):
    return np.array([row[k].mean() for row, k in zip(losses, kept, strict=True) if k.any()])


def _first_ones(kept):
    return np.arange(kept.shape[1]) < kept.sum(axis=1, keepdims=True)


def _shifted(logits, targets, kept, by):
    """Scores are compared with the tokens that stand elsewhere."""
    return _mean(lambda losses, kept: losses[kept].mean())(logits, np.roll(targets, by, axis=1), kept)


_TWO_TEXTS = np.array(
    [
        [[1.0, 2.0, 0.0, -0.5], [0.5, -1.0, 1.5, 0.0], [3.0, 0.5, -0.5, 1.0]],
        [[0.0, 1.0, -1.0, 2.5], [2.0, 0.0, 1.0, 0.5], [0.5, 0.5, 2.0, -1.0]],
    ]
)
_TOKENS = np.array([[2, 0, 1], [0, 2, 1]])
_KEPT = np.array([[True, False, True], [False, True, False]])
_PADDED = np.where(_KEPT, _TOKENS, -100)
_FOUR = np.array([[[2.0, 1.0, 0.5, -1.0], [0.0, 0.5, -1.5, 3.0], [1.0, 0.0, 2.0, 0.5]]])
_NOT_A_NUMBER = np.where(_KEPT[..., None], _TWO_TEXTS, np.array([np.nan, np.inf, 0.0, -np.inf]))
_ANYTHING = Cause(
    "What belongs to a token that does not count may be nan here, and it must not matter: 0 times nan is nan, and so "
    "is nan times False.",
    "Pick out the kept tokens first, logits[kept] and targets[kept], or choose with np.where.",
)
_MARK = Cause(
    "Targets that do not count are -100 here, which is not a class. They must not matter.",
    "Pick out the kept tokens first: logits[kept] and targets[kept].",
)
_SIZE = Cause(
    "The formula is right, but the numbers break it here: with scores of this size an exponential is infinite, or a "
    "probability is 0 and its logarithm infinite.",
    "lp.log_softmax gives the logarithms safely.",
)


def _as_text(logits, labels):
    """A batch of examples as one text, after a token that does not count."""
    before = np.full_like(logits[:1], 5000.0)
    return np.concatenate([before, logits])[None], np.append(0, labels)[None], (np.arange(len(labels) + 1) > 0)[None]


def _draw_kept(rng):
    texts, length, classes = (int(n) for n in rng.integers(2, 5, size=3))
    kept = rng.random((texts, length)) < 0.6
    kept[0, 0] = True
    logits, targets = scores(rng, texts, length, classes), rng.integers(classes, size=(texts, length))
    sure = scores(rng, texts, length, classes, scale=400.0)
    return [
        Case("a batch", (logits, targets, kept)),
        Case("-100 at tokens that do not count", (logits, np.where(kept, targets, -100), kept), _MARK),
        Case("nan at tokens that do not count", (np.where(kept[..., None], logits, np.nan), targets, kept), _ANYTHING),
        Case("confident logits", (sure, targets, kept), _SIZE),
    ]


def _many_kept():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 30, 12)), rng.integers(12, size=(20, 30)), rng.random((20, 30)) < 0.5


# Sentences of the loss of chapter 2 that speak of a batch of examples, for which there are others here.
_OTHERS = ("The loss is divided by", "The losses are added up", "These are the losses", "Only one example")

mean_kept_loss = Task(
    "mean_kept_loss(logits, targets, kept)",
    """the mean loss, ``-log p[target]`` in nats, over the tokens that count.

    `logits` has the shape ``(B, L, K)``; `targets` and `kept` have the shape ``(B, L)``. ``kept`` holds booleans, at
    least one of them True. Where it is False, logits and targets may hold anything, -100 and nan included. The result
    is one number, right for logits of any size.
    """,
    right=_on_kept(lambda z, labels: -log_softmax(z)[np.arange(len(z)), labels].mean()),
    steps=[
        Case("one text, all tokens count", (_TWO_TEXTS[:1], _TOKENS[:1], np.ones((1, 3), dtype=bool))),
        Case("one text, two of three tokens count", (_FOUR, np.array([[1, 3, 0]]), np.array([[True, False, True]]))),
        Case("two texts with two and one", (_TWO_TEXTS, _TOKENS, _KEPT)),
        Case("a single token counts", (_TWO_TEXTS, _TOKENS, np.arange(6).reshape(2, 3) == 4)),
        Case("a text in which no token counts", (_TWO_TEXTS, _TOKENS, np.array([[True, True, False], [False] * 3]))),
        Case("as many texts as tokens", (_TWO_TEXTS[:, :2], _TOKENS[:, :2], np.array([[True, True], [False, True]]))),
        Case("float32", (_TWO_TEXTS.astype(np.float32), _TOKENS, _KEPT)),
        Case("-100 at tokens that do not count", (_TWO_TEXTS, _PADDED, _KEPT), _MARK),
        Case("nan and inf at tokens that do not count", (_NOT_A_NUMBER, _PADDED, _KEPT), _ANYTHING),
        *(Case(step.title, _as_text(*step.args), step.cause) for step in cross_entropy.steps if step.cause),
    ],
    draw=_draw_kept,
    large=_many_kept,
    mistakes=[
        Mistake(
            "The sum of the kept losses is divided by the number of all tokens.",
            _mean(lambda losses, kept: (losses * kept).mean()),
            hint="Divide by kept.sum().",
        ),
        Mistake(
            "The sum of the kept losses is divided by the number of texts, or of positions.",
            _mean(lambda losses, kept: losses[kept].sum() / len(kept)),
            _mean(lambda losses, kept: losses[kept].sum() / kept.shape[1]),
            _mean(lambda losses, kept: losses[kept].sum() / (kept.shape[1] - 1)),
            hint="Divide by kept.sum().",
        ),
        Mistake(
            "The sum of the kept losses is divided by the number of classes.",
            lambda z, t, kept: _losses(z, t)[kept].sum() / z.shape[-1],
            lambda z, t, kept: _losses(z, t)[kept].mean() / z.shape[-1],
        ),
        Mistake(
            "The losses are added up. The task asks for their mean.",
            _mean(lambda losses, kept: losses[kept].sum()),
            hint="Divide by kept.sum().",
        ),
        Mistake(
            "This is the mean of the means of the texts: where few tokens count, each gets more weight than elsewhere.",
            _mean(lambda losses, kept: _row_means(losses, kept).mean()),
            _mean(lambda losses, kept: np.nanmean((losses * kept).sum(axis=1) / kept.sum(axis=1))),
            _mean(lambda losses, kept: ((losses * kept).sum(axis=1) / np.maximum(kept.sum(axis=1), 1)).mean()),
            _mean(lambda losses, kept: ((losses * kept).sum(axis=1) / kept.sum(axis=1)).mean()),
            hint="Add up all kept losses, and divide once, by kept.sum().",
        ),
        Mistake(
            "This is the mean of the means of the positions: where few tokens count, each gets more weight than "
            "elsewhere.",
            _mean(lambda losses, kept: _row_means(losses.T, kept.T).mean()),
            _mean(lambda losses, kept: ((losses * kept).sum(axis=0) / np.maximum(kept.sum(axis=0), 1)).mean()),
            hint="Add up all kept losses, and divide once, by kept.sum().",
        ),
        Mistake(
            "The sum of the kept losses is divided by their number, and by that of the positions or the texts.",
            _mean(lambda losses, kept: losses[kept].mean() / kept.shape[1]),
            _mean(lambda losses, kept: losses[kept].mean() / len(kept)),
            hint="Divide by kept.sum() alone.",
        ),
        Mistake(
            "The means of the texts are added up.",
            _mean(lambda losses, kept: _row_means(losses, kept).sum()),
            hint="Add up all kept losses, and divide once, by kept.sum().",
        ),
        Mistake(
            "The first tokens of a text count, as many as are kept. Those where kept is True should count.",
            _mean(lambda losses, kept: losses[_first_ones(kept)].mean()),
            _mean(lambda losses, kept: losses.ravel()[: kept.sum()].mean()),
            hint="losses[kept]",
        ),
        Mistake(
            "The largest number of kept tokens in a text divides the sum. It should be the number of all kept tokens.",
            _mean(lambda losses, kept: losses[kept].sum() / kept.sum(axis=1).max()),
        ),
        Mistake(
            "kept is not used: all tokens count.",
            _mean(lambda losses, kept: losses.mean()),
            hint="logits[kept], targets[kept]",
        ),
        Mistake(
            "The sum is over all tokens; only the divisor is the number of kept ones.",
            _mean(lambda losses, kept: losses.sum() / kept.sum()),
        ),
        Mistake(
            "kept is used the wrong way round: it is True where a token counts.",
            _mean(lambda losses, kept: losses[~kept].mean()),
            _mean(lambda losses, kept: (losses * ~kept).sum() / (~kept).sum()),
        ),
        Mistake(
            "The scores of tokens that do not count become 0, and their loss log K takes part in the mean.",
            lambda z, t, kept: _losses(np.where(kept[..., None], z, 0.0), t).mean(),
            lambda z, t, kept: _losses(z * kept[..., None], t).mean(),
            lambda z, t, kept: _losses(z * kept[..., None], t).sum() / kept.sum(),
            hint="Take them out: logits[kept].",
        ),
        Mistake(
            "Targets that do not count become 0, and the loss of class 0 is added there.",
            lambda z, t, kept: _losses(z, t * kept).mean(),
            lambda z, t, kept: _losses(z, t * kept).sum() / kept.sum(),
            hint="Take them out: targets[kept].",
        ),
        Mistake(
            "The mask is used as row numbers, 0 and 1. It should choose by True and False.",
            lambda z, t, kept: _losses(z[kept.astype(int)], t[kept.astype(int)]).mean(),
            hint="kept must be an array of booleans.",
        ),
        Mistake(
            "The targets of the next position are used, or of the one before. Each target belongs to its own position.",
            lambda z, t, kept: _shifted(z, t, kept, -1),
            lambda z, t, kept: _shifted(z, t, kept, 1),
            lambda z, t, kept: _losses(z[:, :-1], t[:, 1:])[kept[:, 1:]].mean(),
            lambda z, t, kept: _losses(z[:, :-1], t[:, 1:])[kept[:, :-1]].mean(),
        ),
        Mistake(
            "Targets are recognized by a mark, -100 or below 0, or by class 0. Use kept, which says what counts.",
            lambda z, t, kept: _losses(z, t)[t != -100].mean(),
            lambda z, t, kept: _losses(z, t)[t > 0].mean(),
            lambda z, t, kept: _losses(z, t)[kept & (t > 0)].mean(),
        ),
        Mistake(
            "Only the first, or the last, kept token counts.",
            _mean(lambda losses, kept: losses[kept][0]),
            _mean(lambda losses, kept: losses[kept][-1]),
            _mean(lambda losses, kept: losses[kept][-1] / kept.sum()),
        ),
        Mistake(
            "Only the first, or the last, text counts.",
            _mean(lambda losses, kept: losses[0][kept[0]].mean()),
            _mean(lambda losses, kept: losses[-1][kept[-1]].mean()),
        ),
        Mistake(
            "These are the losses of the kept tokens. The task asks for their mean, one number.",
            _mean(lambda losses, kept: losses[kept]),
            _mean(lambda losses, kept: losses * kept),
            _mean(lambda losses, kept: np.where(kept, losses, 0.0)),
        ),
        Mistake(
            "These are the means of the texts. The task asks for one number.",
            _mean(lambda losses, kept: (losses * kept).sum(axis=1) / kept.sum(axis=1)),
            _mean(lambda losses, kept: (losses * kept).sum(axis=1)),
        ),
        Mistake(
            "1 is added to the number of kept tokens, or taken from it.",
            _mean(lambda losses, kept: losses[kept].sum() / (kept.sum() + 1)),
            _mean(lambda losses, kept: losses[kept].sum() / (kept.sum() - 1)),
        ),
        Mistake(
            "A small number is added to the number of kept tokens, and the mean is a little too small. At least one is "
            "kept, so nothing has to be added.",
            *(_mean(lambda losses, kept, e=e: losses[kept].sum() / (kept.sum() + e)) for e in (1e-3, 1e-4, 1e-5, 1e-6)),
        ),
        Mistake(
            "The loss is divided by the number of kept tokens twice: the mean has done so already.",
            _mean(lambda losses, kept: losses[kept].mean() / kept.sum()),
        ),
        Mistake(
            "The softmax goes over the positions, or over the texts.",
            lambda z, t, kept: _losses(z, t, lambda z: log_softmax(z, axis=1))[kept].mean(),
            lambda z, t, kept: _losses(z, t, lambda z: log_softmax(z, axis=0))[kept].mean(),
            hint="The classes are on the last axis: axis=-1.",
        ),
        Mistake(
            "The losses of tokens that do not count are multiplied by 0, and 0 times nan is nan.",
            _mean(lambda losses, kept: (losses * kept).sum() / kept.sum()),
            hint="Pick out the kept tokens first, or choose with np.where.",
        ),
        *(
            Mistake(mistake.cause, *map(_on_kept, mistake.wrong))
            for mistake in cross_entropy.mistakes
            if not mistake.cause.likely.startswith(_OTHERS)
        ),
    ],
)
