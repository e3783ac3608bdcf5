"""What a task is: the right function, cases in an order that teaches, and the mistakes that are often made."""

import inspect
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from lossprimer.checks import outside, speed
from lossprimer.checks.calling import NotAttempted, Trouble, attempt, direct, in_time, undisturbed, withheld
from lossprimer.checks.report import Cause, Finding, Report
from lossprimer.checks.values import agree, as_code, contrast

_ENOUGH = 3  # cases in which an argument must make no difference


@dataclass(frozen=True, eq=False)
class Case:
    """An input on which the learner's function must give what the right one gives.

    Parameters
    ----------
    title : str
        What holds if it does.
    args : tuple
        The arguments: arrays, numbers, and for random tasks a Generator.
    cause : Cause or str
        The likely cause if it does not hold and no typical mistake explains what came: what is true of any answer that
        held until then.
    play : callable
        ``play(f, *args)``, where there is more to do than to call `f`: for a class, to make and use an object.
    script : str
        What `play` does, as code that can be run. Without it, a call of the function.
    returns : tuple of str
        Names of the results of `play`. Without them, those of the task.
    names : tuple of str
        Names of the arguments. Without them, those of the task; for what `play` hands over, x.
    """

    title: str
    args: tuple
    cause: Cause | str = ""
    play: Callable = direct
    script: str = ""
    returns: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    @cached_property
    def single(self) -> bool:
        """Whether an argument is in float32."""
        return any(isinstance(arg, np.ndarray) and arg.dtype == np.float32 for arg in self.args)


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
    cause : Cause or str
        What is wrong, and apart from that the remedy.
    *wrong : callable
        Functions (or classes) like the right one, but for the mistake; several, if it can be made in several ways.
    hint : str
        The remedy, where `cause` is a text.
    """

    def __init__(self, cause: Cause | str, *wrong: Callable, hint: str = ""):
        self.cause = _cause(cause, hint)
        self.wrong = wrong


TASKS: dict[str, "Task"] = {}  # every task there is, by its name; a task enters itself

_AGAIN = "the first input once more"
_AGAIN_AND_AGAIN = 4
_KEPT = Cause(
    "The same input gives a different result on another call: something is random, or kept from one call to the next.",
    "Look for a variable outside the function, an attribute of the class, or a list or an array as a default value.",
)
_NO_INTEGERS = (
    "The numbers are right, but they are not integers. They are indices, which must be integers.",
    "Make the array with dtype=int, or end with .astype(int).",
)
_DOC = """
Parameters
----------
f : callable
    The learner's {kind}.
rng : numpy.random.Generator, optional
    Used to draw further cases, which nobody can know beforehand.

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
        In the order in which they are tried. They decide; what is drawn confirms that no input is known by heart.
    mistakes : iterable of Mistake
        The one that gives what came, and contradicts the fewest of the other results, explains it.
    draw : callable, optional
        ``draw(rng)`` returns more cases with inputs drawn from a Generator.
    returns : tuple of str
        Names of the results. With several, the function returns a tuple.
    keeps_type : bool
        Whether the results must have the float type of the input. Otherwise they may have a wider one.
    large : callable, optional
        ``large()`` returns the arguments of a call, or a Case, on arrays at which a loop is slow.

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
        large: Callable[[], tuple | Case] | None = None,
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
        self.large = large
        self._known, self._named = {}, frozenset(self.steps)
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
            name = self.usage.partition("(")[0]
            return self._report(
                (),
                "something that can be called",
                Trouble(
                    f"an object of type {type(f).__name__}",
                    "a function or a class",
                    f"Pass {name} itself to the check, without calling it.",
                ),
            )
        with undisturbed(), in_time(f), withheld(self.usage.partition("(")[0].split()[-1]):
            tries, held, trouble = self._run(f, rng)
            titles = tuple(each.title for each in held)
            if trouble is None:
                return Report(self.usage, titles, remark=self._remark(f))
            if isinstance(trouble, NotAttempted) and not held:
                return Report(self.usage, attempted=False)
            return self._report(titles, tries[len(held)].title, trouble, len(tries))

    def refuses(self, f: Callable, *, rng: np.random.Generator | None = None) -> str:
        """The title of the first case that does not hold, without asking why; nothing if all hold."""
        with undisturbed(), in_time(f):
            tries, held, trouble = self._run(f, rng)
        return tries[len(held)].title if trouble is not None else ""

    def _run(self, f, rng):
        """All tries, those that held, and the Trouble of the next one."""
        tries, held = self._tries(rng), []
        for each in tries:
            try:
                each.run(f, tries=tries, held=held)
            except Trouble as trouble:
                return tries, held, trouble
            held.append(each)
        return tries, held, None

    def _report(self, held, title, trouble, tries=1):
        finding = Finding(
            title, trouble.given, trouble.came, trouble.expected, trouble.explain(), trouble.place, trouble.printed
        )
        return Report(self.usage, held, finding, untried=tries - len(held) - 1)

    def _remark(self, f):
        """What to say of an answer that holds, and is slow or fails on larger arrays; of one elsewhere, nothing."""
        if self.large is None or hasattr(type(f), "keeps_time"):
            return ""
        case = self.large()
        case = case if isinstance(case, Case) else Case("", case)
        try:
            return speed.remark(partial(self._attempt, self.right, case), partial(self._attempt, f, case))
        except Trouble as trouble:
            return f"All cases hold, but a call on larger arrays fails: {trouble.came}"

    def _attempt(self, f, case):
        """What a learner's function makes of a case."""
        return attempt(f, case.args, names=case.returns or self.returns, usage=self.contract, play=case.play)

    def _tries(self, rng):
        """Everything that will be tried; what is right is computed before any of it is."""
        tries = [self._try(step, step.title, seed) for seed, step in enumerate(self.steps)]
        if tries and tries[0].case:
            first = tries[0]
            again = partial(self._compare, case=first.case, expected=first.expected, again=True)
            tries.append(_Try(_AGAIN, again, first.case, first.expected))
        if rng is not None:
            drawn = self.draw(rng) if self.draw else []
            again = [step for step in self.steps if isinstance(step, Property)]
            tries += [self._try(step, f"{step.title} (drawn)", rng) for step in [*drawn, *again]]
        return tries

    def _try(self, step, title, seed):
        """A step to try, where it is random with a Generator of this seed, or with this Generator."""
        if isinstance(step, Property):
            return _Try(title, partial(self._judge, step=step, rng=np.random.default_rng(seed)))
        expected = self._expected(self.right, step)
        return _Try(title, partial(self._compare, case=step, expected=expected), step, expected)

    def _of(self, f, case):
        """What our own function `f` returns in a case, as a tuple of arrays."""
        copies = (arg.copy() if isinstance(arg, np.ndarray) else arg for arg in case.args)
        value = case.play(f, *copies)
        names = case.returns or self.returns
        return tuple(np.asarray(result) for result in (value if len(names) > 1 else (value,)))

    def _judge(self, f, *, step, rng, tries, held):
        """Raise Trouble unless the property holds; its input is that of the last call."""
        last, printed = None, ""

        def call(*args, play=direct, script="", returns=self.returns):
            nonlocal last, printed
            last = script, args
            outcome = attempt(f, args, names=returns, usage=self.contract, play=play)
            printed = outcome.printed
            if outcome.changed is not None:
                raise changed(self._parameters[outcome.changed])
            return outcome.results[0] if len(returns) == 1 else outcome.results

        try:
            step.judge(call, rng)
        except Trouble as trouble:
            if last:
                script, args = last
                trouble.given = script or self._given(args)
            trouble.printed = trouble.printed or printed
            raise

    def _compare(self, f, *, case, expected, tries, held, again=False):
        """Raise Trouble unless `f` gives in this case what is expected."""
        names = case.returns or self.returns
        outcome = None
        try:
            outcome = self._attempt(f, case)
            for number in range(len(names)):
                explain = partial(self._explain, f, number, case, outcome, tries, held)
                self._compare_result(number, names[number], case, outcome, expected, explain, again=again)
            if outcome.changed is not None:
                raise changed(self._name(case, outcome.changed))
        except Trouble as trouble:
            trouble.given = case.script or self._given(case.args)
            trouble.printed = trouble.printed or (outcome.printed if outcome else "")
            if trouble.raised and not again:
                trouble.explain = partial(self._explain_error, f, case, trouble.explain, tries, held)
            raise

    def _explain_error(self, f, case, otherwise, tries, held):
        """The sentence for an exception: a typical mistake that raises one here and explains the other results."""
        others = self._others(f, case, tries, held)
        return self._mistake(case, None, others, held) or otherwise()

    def _compare_result(self, number, name, case, outcome, expected, explain, *, again):
        came, right = outcome.results[number], expected[number]
        single = case.single
        prefix = f"{name} = " if name else ""
        if not agree(came, right, single=single):
            texts = [prefix + text for text in contrast(came, right, single=single)]
            raise Trouble(*texts, explain=(lambda: _KEPT) if again else explain)
        if right.dtype.kind in "iu" and came.dtype.kind not in "iu":
            raise Trouble(f"{prefix}{came.dtype}", f"{prefix}integers", *_NO_INTEGERS)
        wanted = np.dtype(np.float32) if single and right.dtype.kind == "f" else right.dtype
        kept = came.dtype == wanted if self.keeps_type else _width(came.dtype) >= _width(wanted)
        if outcome.typed[number] and right.ndim and not kept:
            raise Trouble(f"{prefix}{came.dtype}", f"{prefix}{wanted}", _type_cause(came))

    def _explain(self, f, number, case, outcome, tries, held):
        """The sentence for a result that is not right: a typical mistake, or what can be seen from outside."""
        came, right = outcome.results[number], self._expected(self.right, case)[number]
        if self._varies(f, case, outcome):
            return _KEPT
        others = self._others(f, case, tries, held)
        if cause := self._mistake(case, outcome.results[: number + 1], others, held):
            return cause
        if outcome.single[number]:
            return Cause("The function returns a tuple with one entry: is there a comma after the result?")
        if cause := outside.of_shape(came, right):
            return cause
        seen = [outside.Seen(case.args, came, right, case.single)]
        others = [(other, results) for other, results in others if other.returns == case.returns]
        for other, results in others:
            theirs = self._expected(self.right, other)[number]
            if results is not None and results[number].shape == theirs.shape:
                seen.append(outside.Seen(other.args, results[number], theirs, other.single))
        return (
            outside.of_numbers(seen, self._parameters)
            or _cause(case.cause)
            or outside.of_infinities(came, right, outcome.warning)
            or self._unused(f, number, {case: outcome.results, **dict(others)})
            or outside.of_digits(seen[0])
            or outside.of_nothing_else(seen[0], outcome.warning, (case.returns or self.returns)[:number])
        )

    def _varies(self, f, case, outcome):
        """Whether a case gives another result at one of a few calls; a number of few values may come twice."""
        for _ in range(_AGAIN_AND_AGAIN):
            try:
                again = self._attempt(f, case)
            except Trouble:
                return True
            if not all(map(agree, again.results, outcome.results)):
                return True
        return False

    def _others(self, f, case, tries, held):
        """The other cases, each with the results of the learner's function, or None where it fails."""
        found, on = {}, True
        for each in tries:
            if each.case is None or each.case is case or each.case in found:
                continue
            results = each.expected if each in held else None
            if results is None and on:
                try:
                    results = self._attempt(f, each.case).results
                except Trouble as trouble:
                    on = not trouble.came.startswith("TimeoutError")
            found[each.case] = results
        return list(found.items())

    def _mistake(self, case, results, others, held):
        """The typical mistake that gives these results and those that held, and contradicts the fewest of the others.

        Two mistakes may come together, one of them in cases that have a cause of their own, as large numbers have: so
        two thirds of the plain cases must be confirmed. Where the case itself has a cause that is sure, all must be.
        Only those with the same results as this case count, for the methods of a class can have mistakes of their own.
        Of an exception there are no results: then the mistake must raise one too, and explain another result that is
        wrong, or raise in all the cases in which this function does. Results that are nan throughout tell nothing.
        """
        holding = {each.case for each in held if each.case}
        known = {other: came for other, came in others if came is not None}
        # Where the shape is wrong and was right here, something else may have gone wrong first.
        shaped = results is not None and self._is_shaped(case, results)
        alike = {other for other in known if other.returns == case.returns}
        plain = {other for other in alike if not other.cause and (not shaped or self._is_shaped(other, known[other]))}
        best, most = None, -1
        for mistake in self.mistakes:
            for wrong in mistake.wrong:
                if not self._agrees(wrong, case, results):
                    continue
                confirmed = {other for other, came in known.items() if self._agrees(wrong, other, came)}
                enough = confirmed >= alike if case.cause else 3 * len(confirmed & plain) >= 2 * len(plain)
                if (
                    enough
                    and holding <= confirmed
                    and len(confirmed) > most
                    and _tells([results, *map(known.get, confirmed)])
                    and (results is not None or self._is_wrong(known, confirmed) or self._raises_alike(wrong, others))
                ):
                    best, most = mistake.cause, len(confirmed)
                    if most == len(known):  # no other can have more
                        return best
        return best

    def _is_wrong(self, known, cases):
        """Whether one of these cases has results that are not right."""
        return any(not self._agrees(self.right, case, known[case]) for case in cases)

    def _raises_alike(self, wrong, others):
        """Whether a mistake gives no results in the same cases, of which there are some."""
        raising = [other for other, came in others if came is None]
        return bool(raising) and all((self._expected(wrong, other) is None) == (came is None) for other, came in others)

    def _is_shaped(self, case, results):
        """Whether results have the shapes of the right ones."""
        right = self._expected(self.right, case)
        return all(came.shape == ours.shape for came, ours in zip(results, right, strict=False))

    def _agrees(self, wrong, case, results):
        """Whether a mistake gives these results in a case, as far as they go."""
        ours = self._expected(wrong, case)
        if ours is None or results is None:
            return ours is results
        single = case.single
        return all(agree(came, own, single=single) for came, own in zip(results, ours, strict=False))

    def _expected(self, ours, case):
        """What the right function or a mistake gives in a case, or None; for the named cases it is kept."""
        if (ours, case) in self._known:
            return self._known[ours, case]
        try:
            results = self._of(ours, case)
        except Exception:
            if ours is self.right:
                raise
            results = None  # a mistake need not fit every case
        if case in self._named:
            self._known[ours, case] = results
        return results

    def _unused(self, f, number, results):
        """The argument that makes no difference in a few cases, and should in one of them."""
        known = [(case, came) for case, came in results.items() if came is not None]
        # Of whole numbers many stay the same, whatever is changed.
        if len(known) < _ENOUGH or self._expected(self.right, known[0][0])[number].dtype.kind != "f":
            return None
        known = [known[len(known) * n // _ENOUGH] for n in range(_ENOUGH)]
        result = (known[0][0].returns or self.returns)[number]
        places = range(max(len(case.args) for case, _ in known))
        felt = [[self._feels(f, number, place, *each) for each in known] for place in places]
        idle = [place for place in places if felt[place] and not any(did for did, _ in felt[place])]
        missed = [place for place in idle if any(should for _, should in felt[place])]
        if not missed:
            return None
        if len(idle) == len(places):
            return Cause(f"{result or 'The result'} is the same, whatever the function is given.")
        names = self._parameters[missed[0] :][:1]
        place = f" in {result}" if result else ""
        return Cause(f"{names[0]} is not used{place}: with a different one the result is the same.") if names else None

    def _feels(self, f, number, place, case, came):
        """Whether another argument changes the result of the learner's function, and that of the right one."""
        other = _other(case.args[place]) if place < len(case.args) else None
        if other is None:
            return False, False
        args = (*case.args[:place], other, *case.args[place + 1 :])
        moved = Case("", args, "", case.play, "", case.returns)
        try:
            right = self._expected(self.right, moved)[number]
            result = self._attempt(f, moved).results[number]
        except (Trouble, ValueError, IndexError):
            return True, True
        return not agree(result, came[number]), not agree(right, self._expected(self.right, case)[number])

    def _name(self, case, place):
        """The name of an argument of a case."""
        names = case.names or (self._parameters if case.play is direct else ())
        return names[place] if place < len(names) else "x"

    @property
    def _parameters(self):
        return re.findall(r"\w+", self.usage.partition("(")[2])

    def _given(self, args):
        """The input as code: the arguments, one in a line, and the call."""
        lines = [f"{name} = {as_code(arg)}" for name, arg in zip(self._parameters, args, strict=True)]
        return "\n".join([*lines, self.usage])


@dataclass(frozen=True, eq=False)
class _Try:
    """Something to try: ``run(f, tries=..., held=...)`` raises Trouble. For a case also the case and what is right."""

    title: str
    run: Callable
    case: Case | None = None
    expected: tuple[np.ndarray, ...] = ()


def _cause(cause, hint=""):
    """A Cause, or None where nothing is said."""
    if isinstance(cause, Cause):
        return cause
    return Cause(cause, hint) if cause else None


def _tells(outcomes):
    """Whether there is a finite number among results: nan is what many mistakes have in common."""
    return any(np.isfinite(array).any() for results in outcomes if results is not None for array in results)


def _width(dtype):
    return dtype.itemsize if dtype.kind == "f" else 0


def _other(arg):
    """Another argument of the same kind."""
    if type(arg) is float:
        return arg / 2 if arg > 0.005 else 0.3
    if not isinstance(arg, np.ndarray):
        return None
    if arg.dtype == bool:
        return ~arg
    if arg.dtype.kind != "f":
        return np.where(arg > 0, arg - 1, 1)
    return (np.linspace(0.1, 0.3, arg.size).reshape(arg.shape) ** 2 - 0.7 * arg).astype(arg.dtype)


def changed(name: str) -> Trouble:
    """Say that an array of the caller's was written to."""
    return Trouble(
        f"{name} has changed after the call",
        "an input that stays as it was",
        "An input is changed in place: operations such as -= and x[...] = write into the caller's array.",
        "Write x = x - y in place of x -= y, or work on x.copy().",
    )


def _type_cause(came):
    if came.dtype == np.float64:
        return Cause(
            "The float type of the result is not that of the input: float64 where float32 came in.",
            "np.zeros(shape), np.eye and NumPy's own float64 numbers make float64; np.zeros_like(x) and x.dtype keep "
            "the type.",
        )
    return Cause("The number type of the result is not that of the input, and digits are lost.")
