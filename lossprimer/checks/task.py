"""What a task is: the right function, cases in an order that teaches, and the mistakes that are often made."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from lossprimer.checks.calling import NotAttempted, Outcome, Trouble, attempt, direct, undisturbed
from lossprimer.checks.report import Finding, Report
from lossprimer.checks.values import agree, contrast, shown


@dataclass(frozen=True)
class Case:
    """An input on which the learner's function must give what the right one gives.

    Parameters
    ----------
    title : str
        What holds if it does.
    args : tuple
        The arguments: arrays, numbers, and for random tasks a Generator.
    cause : str
        The likely cause if it does not hold and no typical mistake explains what came.
    play : callable
        ``play(f, *args)``, where there is more to do than to call `f`: for a class, to make and use an object.
    script : str
        What `play` does, as code.
    returns : tuple of str
        Names of the results of `play`. Without them, those of the task.
    """

    title: str
    args: tuple
    cause: str = ""
    play: Callable = direct
    script: str = ""
    returns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Property:
    """Something that must be true of a function whose results are random.

    Parameters
    ----------
    title : str
        What holds.
    judge : callable
        ``judge(call, rng)`` draws its inputs from `rng`, calls the learner's function as ``call(*args)``, or for a
        class as ``call(play=..., script=..., returns=...)``, both of which return plain arrays, and raises `Trouble`.
    """

    title: str
    judge: Callable


class Mistake:
    """A mistake that is often made: the sentence that explains it, and functions that make it.

    Parameters
    ----------
    cause : str
        What is wrong, and where to look.
    *wrong : callable
        Functions (or classes) like the right one, but for the mistake; several, if it can be made in several ways.
    """

    def __init__(self, cause: str, *wrong: Callable):
        self.cause = cause
        self.wrong = wrong


TASKS: dict[str, "Task"] = {}  # every task there is, by its name; a task enters itself

_DOC = """
Parameters
----------
f : callable
    The learner's {kind}.
rng : numpy.random.Generator, optional
    Draw more cases from it, so that none is known beforehand.

Returns
-------
Report
    What held, and the first thing that did not.
"""


class Task:
    """What a learner is to write, and how a check finds out whether it is right.

    A task is called like a function, ``task(f, rng=None)``, and returns a `Report`. It has that function's name,
    docstring and signature, and making it is all that is needed for `lossprimer.checks` to offer it.

    Parameters
    ----------
    usage : str
        How the function is called, as ``softmax(z)``.
    doc : str
        What it returns, to go on after "Check ``softmax(z)``, ", and in paragraphs of their own the shapes and rules.
    name : str
        The name of the check. Without it, the name of the function, here softmax.
    members : str
        For a class, the methods and attributes that it must have, as a part of a sentence.
    right : callable
        The right function, or a right class.
    steps : iterable of Case and Property
        In the order in which they are tried.
    mistakes : iterable of Mistake
        The first one that gives what came explains it.
    draw : callable, optional
        ``draw(rng)`` returns more cases with inputs drawn from a Generator.
    returns : tuple of str
        Names of the results. With several, the function returns a tuple.
    keeps_type : bool
        Whether the results must have the float type of the input. Otherwise they may have a wider one.

    Raises
    ------
    ValueError
        If there is another task of that name.
    """

    def __init__(
        self,
        usage: str,
        doc: str,
        *,
        name: str = "",
        members: str = "",
        right: Callable | None = None,
        steps: Iterable[Case | Property],
        mistakes: Iterable[Mistake] = (),
        draw: Callable[[np.random.Generator], list[Case]] | None = None,
        returns: tuple[str, ...] = ("",),
        keeps_type: bool = False,
    ):
        self.usage = usage
        self.members = members
        self.contract = f"{usage} with {members}" if members else usage
        self.right = right
        self.steps = tuple(steps)
        self.mistakes = tuple(mistakes)
        self.draw = draw
        self.returns = returns
        self.keeps_type = keeps_type
        head = f"Check the class ``{usage}``" if members else f"Check ``{usage}``"
        kind = "class, not an object of it" if members else "function"
        self.__name__ = self.__qualname__ = name or usage.partition("(")[0]
        self.__doc__ = f"{head}, {inspect.cleandoc(doc)}\n{_DOC.format(kind=kind)}"
        if TASKS.setdefault(self.__name__, self) is not self:
            raise ValueError(
                f"name of Task({usage!r}) is {self.__name__!r}, expected one that no other task has: "
                f"{TASKS[self.__name__].usage} has it already"
            )

    def __repr__(self):
        return f"<check {self.__name__}(f, *, rng=None)>"

    def __call__(self, f: Callable, *, rng: np.random.Generator | None = None) -> Report:
        """Try `f` on every case, with a Generator also on cases drawn from it, up to the first that does not hold."""
        if not callable(f):
            return self._report(
                [], Trouble(f"an object of type {type(f).__name__}", "a function or a class", self._handed)
            )
        tries = self._tries(rng)
        held = []
        with undisturbed():
            for each in tries:
                try:
                    each.run(f, held)
                except NotAttempted as nothing:
                    if not held:
                        return Report(self.usage, attempted=False)
                    return self._report(held, nothing, each.title, len(tries))
                except Trouble as trouble:
                    return self._report(held, trouble, each.title, len(tries))
                held.append(each)
        return Report(self.usage, tuple(each.title for each in held))

    @property
    def _handed(self):
        name = self.usage.split("(")[0].split()[-1]
        return f"Hand the check {name} itself, without calling it."

    def _report(self, held, trouble, title="something that can be called", tries=1):
        finding = Finding(title, trouble.given, trouble.came, trouble.expected, trouble.cause, trouble.line)
        return Report(self.usage, tuple(each.title for each in held), finding, untried=tries - len(held) - 1)

    def _tries(self, rng):
        """Everything that will be tried; what is right is computed before any of it is."""
        tries = [self._try(step, step.title, np.random.default_rng(seed)) for seed, step in enumerate(self.steps)]
        if rng is not None:
            drawn = self.draw(rng) if self.draw else []
            again = [step for step in self.steps if isinstance(step, Property)]
            tries += [self._try(step, f"{step.title} (drawn)", rng) for step in [*drawn, *again]]
        return tries

    def _try(self, step, title, rng):
        if isinstance(step, Property):
            return _Try(title, partial(self._judge, step=step, rng=rng))
        expected = self._of(self.right, step)
        return _Try(title, partial(self._compare, case=step, expected=expected), step, expected)

    def _of(self, f, case):
        """What our own function `f` returns in a case, as a tuple of arrays."""
        copies = (arg.copy() if isinstance(arg, np.ndarray) else arg for arg in case.args)
        with np.errstate(all="ignore"):
            value = case.play(f, *copies)
        names = case.returns or self.returns
        return tuple(np.asarray(result) for result in (value if len(names) > 1 else (value,)))

    def _judge(self, f, held, *, step, rng):
        """Raise Trouble unless the property holds; its input is that of the last call."""
        given = ""

        def call(*args, play=direct, script="", returns=self.returns):
            nonlocal given
            given = self._given(script, args)
            outcome = attempt(f, args, names=returns, usage=self.contract, play=play)
            if outcome.changed is not None:
                raise _changed(self._parameters[outcome.changed])
            return outcome.results[0] if len(returns) == 1 else outcome.results

        try:
            step.judge(call, rng)
        except Trouble as trouble:
            trouble.given = given
            raise

    def _compare(self, f, held, *, case, expected):
        """Raise Trouble unless `f` gives in this case what is expected."""
        names = case.returns or self.returns
        try:
            outcome = attempt(f, case.args, names=names, usage=self.contract, play=case.play)
            for number in range(len(names)):
                self._compare_result(number, names[number], case, outcome, expected, held)
            if outcome.changed is not None:
                raise _changed(self._parameters[outcome.changed] if case.play is direct else "x")
        except Trouble as trouble:
            trouble.given = self._given(case.script, case.args)
            raise

    def _compare_result(self, number, name, case, outcome, expected, held):
        came, right = outcome.results[number], expected[number]
        single = _is_single(case)
        prefix = f"{name} = " if name else ""
        if not agree(came, right, single=single):
            texts = [prefix + text for text in contrast(came, right, single=single)]
            cause = self._explain(number, case, outcome, right, held)
            raise Trouble(*texts, cause)
        wanted = np.dtype(np.float32) if single else right.dtype
        kept = came.dtype == wanted if self.keeps_type else _width(came.dtype) >= _width(wanted)
        if outcome.typed[number] and right.ndim and not kept:
            raise Trouble(f"{prefix}{came.dtype}", f"{prefix}{wanted}", _type_cause(came))

    def _explain(self, number, case, outcome, right, held):
        """The sentence for a result that is not right: a typical mistake, or what can be seen from outside."""
        came = outcome.results[number]
        for mistake in self.mistakes:
            for wrong in mistake.wrong:
                if self._agrees(wrong, case, outcome.results[: number + 1]) and all(
                    self._agrees(wrong, each.case, each.expected) for each in held if each.case
                ):
                    return mistake.cause
        return case.cause if case.cause and came.shape == right.shape else _outward(number, outcome, right)

    def _agrees(self, wrong, case, results):
        """Whether a mistake gives these results in a case, as far as they go.

        A mistake that shows in an earlier case, where the learner's function was right, is not the one.
        """
        single = _is_single(case)
        try:
            ours = self._of(wrong, case)[: len(results)]
        except Exception:  # a mistake need not fit every case
            return False
        return all(agree(came, own, single=single) for came, own in zip(results, ours, strict=True))

    @property
    def _parameters(self):
        return re.findall(r"\w+", self.usage.partition("(")[2])

    def _given(self, script, args):
        """The input in words: the arguments, or what is done with the class and the first array."""
        if script:
            return "; ".join([script, *[f"x = {shown(arg)}" for arg in args if isinstance(arg, np.ndarray)][:1]])
        pairs = zip(self._parameters, args, strict=True)
        return ", ".join(f"{name} = {shown(arg)}" for name, arg in pairs if not isinstance(arg, np.random.Generator))


@dataclass(frozen=True)
class _Try:
    """Something to try: ``run(f, held)`` raises Trouble. For a case also the case and what is right."""

    title: str
    run: Callable
    case: Case | None = None
    expected: tuple[np.ndarray, ...] = ()


def _is_single(case):
    return any(isinstance(arg, np.ndarray) and arg.dtype == np.float32 for arg in case.args)


def _width(dtype):
    return dtype.itemsize if dtype.kind == "f" else 0


def _changed(name):
    return Trouble(
        f"{name} is changed after the call",
        "an input that stays as it was",
        "An input is changed in place. Operations such as -= and x[...] = write into the caller's array: write "
        "x = x - y, or work on x.copy().",
    )


def _type_cause(came):
    if came.dtype == np.float64:
        return (
            "The result has another float type than the input. np.zeros(shape), np.eye and NumPy's own float64 "
            "numbers make float64; np.zeros_like(x) and x.dtype keep the type."
        )
    return "The result has another number type than the input, and loses digits."


def _outward(number, outcome: Outcome, right):
    """What can be said of a wrong result without knowing the mistake."""
    came = outcome.results[number]
    if outcome.single[number]:
        return "The function returns a tuple with one entry: is there a comma after the result?"
    if came.shape != right.shape:
        return f"The result has the shape {came.shape}, expected {right.shape}. Which axis is summed over?"
    if came.dtype in (np.float16, np.float32) and came.dtype != right.dtype and agree(came, right, single=True):
        return _type_cause(came)
    warned = f" NumPy warned: {outcome.warning}." if outcome.warning else ""
    if not np.isfinite(came).all() and np.isfinite(right).all():
        return f"A number is not finite: somewhere there is 0/0, the log of 0, or a number too large for exp.{warned}"
    factor = _factor(came, right)
    if factor is not None:
        return (
            f"Every number is {factor:.5g} times what it should be. Is something multiplied or divided once too often?"
        )
    if came.ndim == 2 and came.shape[0] == came.shape[1] and agree(came.T, right):
        return "This is the transpose of the right result: rows and columns are swapped."
    return f"No typical mistake gives this. Compute the first number by hand and compare the steps.{warned}"


def _factor(came, right):
    """The number that `right` must be multiplied by to be `came`, if there is one."""
    at = np.unravel_index(np.argmax(np.abs(right)), right.shape)
    if not np.isfinite(right).all() or right[at] == 0:
        return None
    factor = came[at] / right[at]
    return factor if factor != 0 and agree(came, factor * right) else None
