"""Checks accept every right answer, refuse every wrong one, and say what is wrong with it."""

import copy
import functools
import html
import inspect
import pydoc
import signal
import sys
import warnings
from dataclasses import replace

import answers
import numpy as np
import pytest
from answers.probability import shifted

from lossprimer import checks
from lossprimer.checks import CheckFailed, Report, speed
from lossprimer.checks.calling import attempt, in_time, undisturbed
from lossprimer.checks.report import Cause, Finding
from lossprimer.checks.task import TASKS
from lossprimer.checks.values import Refused, agree, as_code, plain, shown
from lossprimer.grading.inside import wire
from lossprimer.grading.inside.raised import told

NAMES = sorted(name for name in TASKS if answers.RIGHT[name] and answers.WRONG[name])  # test_tasks.py names the others
LAYERS = [name for name in NAMES if TASKS[name].members]
RIGHT = [pytest.param(name, f, id=f"{name}-{i}") for name in NAMES for i, f in enumerate(answers.RIGHT[name])]
WRONG = [
    pytest.param(name, fragment, f, id=f"{name}-{i}-{fragment}")
    for name in NAMES
    for i, (fragment, f) in enumerate(answers.WRONG[name])
]
TIMED = speed.remark


@pytest.fixture(scope="module", autouse=True)
def untimed():
    """Call a right answer on larger arrays once, without taking the time: what is said of that has its own tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "remark", lambda ours, theirs: "" if theirs().results else "nothing came")
        yield


def check(name, f, rng=None):
    return getattr(checks, name)(f, rng=rng)


def check_without_larger(name, f, rng=None):
    """A check without the call on larger arrays, which no case names and no Generator draws."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(speed, "remark", lambda *_: "")
        return check(name, f, rng)


@functools.cache
def checked(name, f):
    """The report on a wrong answer at the same inputs as always, for all that is asked of it."""
    return check(name, f)


def key(args):
    """What tells the arguments of two calls apart; a Generator has a state."""
    return [
        arg.tobytes() + str(arg.dtype).encode()
        if isinstance(arg, np.ndarray)
        else repr(arg.bit_generator.state if isinstance(arg, np.random.Generator) else arg)
        for arg in args
    ]


def given(name, seed):
    """What a check gives to the first right answer, a function or a class, and what it says has held."""
    f, seen = answers.RIGHT[name][0], []

    def recorded(call):
        def recorder(*args):
            seen.append(key(arg for arg in args if not isinstance(arg, f)) if name in LAYERS else key(args))
            return call(*args)

        return recorder

    methods = {each: recorded(getattr(f, each)) for each in ("__init__", "forward", "backward") if hasattr(f, each)}
    recorder = type("Recorder", (f,), methods) if name in LAYERS else recorded(f)
    report = check_without_larger(name, recorder, None if seed is None else np.random.default_rng(seed))
    assert report.passed
    return seen, report.held


first_given = functools.cache(given)


def words(report):
    """The text of a report with its hint, each entry on one line."""
    return joined(str(report), report.hint)


def joined(*texts):
    return " ".join(" ".join(texts).split())


class RemoteError(Exception):
    """What a stand-in raises for an exception in another process."""

    def __init__(self, name, text, place):
        super().__init__(f"{name}: {text}")
        self.place = place


def sent(value):
    """`value` as if it had been to another process: plain, and nobody else's."""
    if isinstance(value, np.random.Generator):
        return wire.generator(wire.state_of(value))
    return copy.deepcopy(value)


def remotely(f, args, kept=()):
    """What a call in another process returns, and the Generators there beside those here, which end up alike."""
    there = [sent(arg) for arg in args]
    try:
        result = f(*there)
    except NotImplementedError:
        raise
    except BaseException as error:
        raise RemoteError(*told(error.with_traceback(error.__traceback__.tb_next))) from None
    pairs = [*zip(args, there, strict=True), *kept]
    for here, after in pairs:
        if isinstance(here, np.ndarray):
            here[...] = after
        if isinstance(here, np.random.Generator):
            wire.bring(here, wire.state_of(after))
    return result, [pair for pair in pairs if isinstance(pair[0], np.random.Generator)]


class RemoteObject:
    """Has the methods and attributes of an object elsewhere, which may keep Generators."""

    def __init__(self, there, kept):
        vars(self).update(there=there, kept=kept)

    def __getattr__(self, name):
        value, _ = remotely(functools.partial(getattr, self.there, name), ())
        return functools.partial(self.call, value) if callable(value) else sent(value)

    def __setattr__(self, name, value):
        setattr(self.there, name, sent(value))

    def call(self, method, *args):
        return sent(remotely(method, args, self.kept)[0])


class StandIn:
    """A callable for `f` that hands on positional arguments only, and plain values both ways."""

    keeps_time = True

    def __init__(self, f):
        self.f = f

    def __call__(self, *args):
        result, kept = remotely(self.f, args)
        return RemoteObject(result, kept) if isinstance(self.f, type) else sent(result)


class RecordedStandIn(StandIn):
    """One that keeps what it was called with."""

    def __init__(self, f):
        super().__init__(f)
        self.calls = []

    def __call__(self, *args):
        self.calls.append(key(args))
        return super().__call__(*args)


@functools.cache
def checked_there(name, f):
    """The report on a wrong answer in another process, with further inputs, and what it was called with."""
    there = RecordedStandIn(f)
    return check(name, there, np.random.default_rng(0)), there.calls


class TestAnswers:
    """Right ones are accepted however they are written; each wrong one gets its own sentence."""

    @pytest.mark.parametrize(("name", "f"), RIGHT)
    def test_right(self, name, f):
        report = check(name, f, np.random.default_rng(0))  # which adds cases to those without it
        assert report.passed, report
        report = check(name, StandIn(f), np.random.default_rng(1))
        assert report.passed, f"in another process: {report}"

    @pytest.mark.parametrize(("name", "fragment", "f"), WRONG)
    def test_wrong(self, name, fragment, f):
        fixed = checked(name, f)
        assert fixed.attempted
        assert not fixed.passed
        lines = str(fixed).splitlines()
        assert fragment in joined(*lines, fixed.hint)
        assert len(lines) <= 28, "too long for a terminal"
        assert max(map(len, lines)) <= 72, "too wide for a terminal"

    @pytest.mark.parametrize("name", NAMES)
    def test_neither_drawn_inputs_nor_another_process_decide(self, name):
        for number, (fragment, f) in enumerate(answers.WRONG[name]):
            here = checked(name, f)
            if "one call to the next" in fragment:
                continue
            if number % 4 or "Only plain arrays" in fragment or fragment == "print":
                assert TASKS[name].refuses(StandIn(f), rng=np.random.default_rng(0)) == here.finding.title, fragment
            else:
                there, _ = checked_there(name, f)
                assert replace(there, untried=here.untried) == here, fragment

    @pytest.mark.parametrize("name", NAMES)
    def test_a_mistake_of_a_task_gets_its_own_sentence(self, name):
        """The matrix of wrong answers and sentences: each gets its own, although all are tried on it."""
        task, found = TASKS[name], []
        for mistake in task.mistakes:
            report = task(mistake.wrong[0])
            if report.passed or report.finding.cause != mistake.cause:
                said = "nothing" if report.passed else report.finding.cause.likely
                found.append(f"{mistake.cause.likely} is told: {said}")
        assert found == []


class TestEveryCheck:
    """What is true of all of them."""

    @pytest.mark.parametrize("name", NAMES)
    def test_a_stub_is_not_attempted(self, name):
        def stub(*args):
            raise NotImplementedError

        report = check(name, stub)
        assert (report.attempted, report.passed) == (False, False)
        assert str(report).endswith(": not attempted yet")
        with pytest.raises(CheckFailed, match="not attempted yet$"):
            report.require()

    @pytest.mark.parametrize("method", ["__init__", "forward"])
    @pytest.mark.parametrize("name", LAYERS)
    def test_a_stub_of_a_class_is_not_attempted(self, name, method):
        def stub(self, *args):
            raise NotImplementedError

        whole = {"__init__": lambda self, *args: None, "forward": lambda self, x: x}
        assert not check(name, type("Stub", (), whole | {method: stub})).attempted

    @pytest.mark.parametrize("name", NAMES)
    def test_without_a_generator_the_inputs_are_always_the_same(self, name):
        f = answers.WRONG[name][0][1]
        assert str(checked(name, f)) == str(check(name, f))

    @pytest.mark.parametrize("name", NAMES)
    def test_a_generator_adds_inputs(self, name):
        (_, plain), (_, more) = first_given(name, None), first_given(name, 0)
        assert more[: len(plain)] == plain
        assert len(more) > len(plain)
        assert all(title.endswith(" (drawn)") for title in more[len(plain) :])

    @pytest.mark.parametrize("name", NAMES)
    def test_what_is_added_comes_from_the_generator(self, name):
        first, _ = first_given(name, 0)
        assert first == given(name, 0)[0]
        assert first != given(name, 1)[0]

    @pytest.mark.parametrize("name", [name for name in NAMES if TASKS[name].draw and name not in LAYERS])
    def test_knowing_the_named_inputs_by_heart_is_found_out(self, name):
        """Right on every input of the first run, wrong on others."""
        f, (seen, _) = answers.RIGHT[name][0], first_given(name, None)

        def by_heart(*args):
            return f(*args) if key(args) in seen else 7.0

        assert check_without_larger(name, by_heart).passed
        assert not check(name, by_heart, np.random.default_rng(0)).passed

    @pytest.mark.parametrize("thing", [None, 3.0, np.zeros(3), "softmax"], ids=str)
    def test_what_cannot_be_called(self, thing):
        for name in NAMES:
            report = check(name, thing)
            assert not report.passed, name
            assert "itself to the check" in words(report)
            assert type(thing).__name__ in words(report)

    @pytest.mark.parametrize("name", NAMES)
    def test_help_says_how_it_and_the_function_are_called(self, name):
        task = getattr(checks, name)
        text = pydoc.render_doc(task, renderer=pydoc.plaintext)
        assert f"{name} = <check {name}(f, *, rng=None)>" in text
        assert f"``{task.usage}``, " in text
        parameters = inspect.signature(task).parameters
        assert list(parameters) == ["f", "rng"]
        assert parameters["rng"].kind is inspect.Parameter.KEYWORD_ONLY

    @pytest.mark.parametrize("value", ["", "x", {}, object(), 1j, np.array([1j]), np.array(["a"]), np.array([None])])
    def test_results_that_are_no_numbers(self, value):
        for name in NAMES:
            report = check(name, lambda *args: value)
            assert report.attempted, name
            assert not report.passed, name


class Liar:
    """Says yes to everything."""

    shape, dtype, ndim, size = (3,), np.dtype(float), 1, 3

    def yes(self, *_):
        return True

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = yes
    __hash__ = None

    def __array__(self, *_, **__):
        return shifted(np.array([2.0, 1.0, 0.5]))

    def __float__(self):
        return 1.0

    def __iter__(self):
        return iter([0.62853172, 0.2312239, 0.14024438])

    def __len__(self):
        return 3

    def __array_function__(self, *_):
        return True

    def __array_ufunc__(self, *_, **__):
        return True


class LyingArray(np.ndarray):
    """An array whose comparisons are all true."""

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        return np.ones(3, dtype=bool)

    __eq__ = Liar.yes
    __hash__ = None


class LyingFloat(float):
    """A number that is close to every other."""

    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__
    __eq__ = Liar.yes
    __hash__ = None


class LyingList(list):
    """A list that can be read in two ways."""


LIARS = [
    Liar(),
    np.zeros(3).view(LyingArray),
    LyingFloat(3),
    [LyingFloat(0.5)] * 3,
    [Liar()] * 3,
    LyingList([0.62853172, 0.2312239, 0.14024438]),
    np.array([Liar()] * 3, dtype=object),
    np.array([[1.0, 2.0, 3.0]]).view(np.matrix),
    np.ma.array([1.0, 2.0, 3.0], mask=True),
]


class TestTrust:
    """Objects that lie about themselves are refused, and nothing that happens in a call gets out of it."""

    @pytest.mark.parametrize("liar", LIARS, ids=lambda liar: type(liar).__name__)
    def test_liars(self, liar):
        report = checks.softmax(lambda z: liar)
        assert not report.passed
        assert "Only plain arrays and numbers can be checked" in words(report)
        with pytest.raises(CheckFailed):
            report.require()

    @pytest.mark.parametrize("name", NAMES)
    def test_a_liar_passes_no_check(self, name):
        class Lies(Liar):
            def __getattr__(self, name):
                return lambda *args: Liar()

        assert not check(name, lambda *args: Lies()).passed
        assert not check(name, lambda *args: (Liar(), Liar())).passed
        assert not check(name, lambda *args: (Liar(), Liar(), Liar())).passed

    def test_the_inputs_of_a_case_survive_a_change_in_place(self):
        first = str(checks.layer_norm(answers.normalization.in_place))
        assert first == str(checks.layer_norm(answers.normalization.in_place))
        assert checks.layer_norm(answers.RIGHT["layer_norm"][0]).passed

    @pytest.mark.parametrize("error", [SystemExit(0), GeneratorExit(), MemoryError("much"), BaseException("odd")])
    def test_exceptions_of_every_kind(self, error):
        def f(z):
            raise error

        report = checks.softmax(f)
        assert type(error).__name__ in report.finding.came

    def test_an_interrupt_passes_through(self):
        def f(z):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            checks.softmax(f)

    def test_an_exception_without_words(self):
        class SilentError(Exception):
            def __str__(self):
                raise ValueError

        def f(z):
            raise SilentError

        assert checks.softmax(f).finding.came == "SilentError"

    def test_a_long_message_is_cut(self):
        def f(z):
            raise ValueError("x" * 10_000)

        assert len(str(checks.softmax(f))) < 1000

    def test_nothing_gets_out(self, capsys):
        np.random.seed(3)  # noqa: NPY002
        expected = np.random.random(3)  # noqa: NPY002
        settings = np.geterr()

        def f(z):
            print("out")
            print("err", file=sys.stderr)
            np.seterr(all="raise")
            np.random.seed(7)  # noqa: NPY002
            warnings.simplefilter("ignore")
            warnings.warn("loud", stacklevel=1)
            return shifted(z)

        np.random.seed(3)  # noqa: NPY002
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            filters = list(warnings.filters)
            checks.softmax(f)
            assert warnings.filters == filters
        assert caught == []
        assert np.geterr() == settings
        np.testing.assert_array_equal(np.random.random(3), expected)  # noqa: NPY002
        assert capsys.readouterr() == ("", "")

    def test_the_settings_of_a_notebook_do_not_matter(self):
        with np.errstate(all="raise"):
            assert checks.softmax(shifted).passed
            assert checks.kl_divergence(answers.RIGHT["kl_divergence"][1]).passed

    def test_what_our_own_functions_warn_of_is_not_said(self):
        with warnings.catch_warnings(), np.errstate(all="raise"):
            warnings.simplefilter("error")
            with undisturbed():
                assert np.log(np.zeros(1)) == -np.inf
                warnings.warn("loud", stacklevel=1)

    @pytest.mark.parametrize("name", ["isclose", "allclose", "array_equal", "abs", "absolute", "isfinite", "isnan"])
    def test_replacing_a_comparison_gains_nothing(self, name, monkeypatch):
        monkeypatch.setattr(np, name, lambda *args, **options: np.True_)
        assert not checks.softmax(lambda z: z).passed

    def test_what_numpy_warned_of_is_reported(self):
        report = checks.batch_norm(lambda x, gamma, beta, eps: np.sqrt(x - 100))
        assert "A number is nan. The first thing that went wrong is the root of a negative number." in words(report)

    def test_the_stub_of_a_second_method_is_a_finding(self):
        report = checks.dropout_layer(dict(answers.WRONG["dropout_layer"])["not written yet"])
        assert report.attempted
        assert report.held


class TestLearner:
    """What one needs to find a mistake: the line, the name that is meant, what was printed, the input, the time."""

    def test_the_line_of_an_error_and_the_name_that_is_meant(self):
        def softmax(z):
            exponentials = np.exp(z - z.max(axis=-1, keepdims=True))
            return exponentals / exponentials.sum()  # noqa: F821

        finding = checks.softmax(softmax).finding
        assert finding.came.endswith("'exponentals' is not defined. Did you mean: 'exponentials'?")
        number = softmax.__code__.co_firstlineno + 2
        assert finding.place == f"line {number}: return exponentals / exponentials.sum()  # noqa: F821"

    @pytest.mark.parametrize(
        ("f", "meant"),
        [
            (lambda z: np.expp(z), "Did you mean: 'exp'?"),
            (lambda z: np.exp(z) / z.summ(), "Did you mean: 'sum'?"),
            (lambda z: printt(z), "Did you mean: 'print'?"),  # noqa: F821
            (lambda z: qqqqqqqq, "name 'qqqqqqqq' is not defined"),  # noqa: F821
        ],
    )
    def test_did_you_mean(self, f, meant):
        finding = checks.softmax(f).finding
        assert finding.came.endswith(meant)
        assert finding.place.startswith("line ")

    def test_the_line_is_the_learners_where_a_library_raises(self):
        finding = checks.softmax(lambda z: np.linalg.inv(z)).finding
        assert "np.linalg.inv(z)" in finding.place
        assert checks.softmax(lambda: None).finding.place == "", "the call is ours"

    def test_what_was_printed_in_the_case_that_failed(self):
        def f(z):
            for number in range(20):
                print("sum", number, z.sum())
            return z

        report = checks.softmax(f)
        assert report.finding.printed == "…\n" + "\n".join(f"sum {number} 3.5" for number in range(15, 20))
        assert "    printed\n      …\n      sum 15 3.5\n" in str(report)
        assert "<li>printed: <pre><code>…\nsum 15 3.5" in report._repr_mimebundle_()["text/html"]
        assert checks.softmax(answers.probability.noisy).passed

    @pytest.mark.parametrize("name", [name for name in NAMES if name not in LAYERS])
    def test_the_input_can_be_pasted_and_run(self, name):
        called = TASKS[name].usage.partition("(")[0]
        for _, wrong in answers.WRONG[name][::4]:
            report, calls = checked_there(name, wrong)
            again = []
            exec(report.finding.given, {"np": np, called: lambda *args, again=again: again.append(key(args))})
            assert again[0] in calls

    @pytest.mark.parametrize("name", LAYERS)
    def test_what_is_done_with_a_class_can_be_pasted_and_run(self, name):
        called, right = TASKS[name].usage.partition("(")[0], answers.RIGHT[name][0]
        for _, wrong in answers.WRONG[name][::2]:
            exec(checked(name, wrong).finding.given, {"np": np, called: right})

    def test_a_loop_without_end_is_interrupted_with_its_line(self, monkeypatch):
        def endless(z):
            while True:
                z = z + 1

        monkeypatch.setattr("lossprimer.checks.calling.PATIENCE", 0.02)
        report = checks.softmax(endless)
        assert "TimeoutError: this took too long and was interrupted. Is there a loop that never ends?" in words(report)
        assert "The function does not come to an end." in words(report)
        assert report.finding.place.startswith("line ")
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

    def test_nothing_but_a_call_is_timed(self):
        theirs = signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 1000)
        with in_time(shifted):
            attempt(shifted, (np.zeros(2),), names=("",), usage="softmax(z)")
            assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        assert signal.setitimer(signal.ITIMER_REAL, 0)[0] > 900, "an alarm of the caller's goes on"
        assert signal.signal(signal.SIGALRM, theirs) is signal.SIG_IGN

    def test_a_right_answer_that_is_slow_gets_a_remark(self, monkeypatch):
        there = StandIn(answers.probability.by_rows)
        slow = answers.probability.by_rows, answers.RIGHT["pre_norm_branch"][2], there
        monkeypatch.setattr(speed, "remark", TIMED)
        for measure in ("seconds", "_once"):
            monkeypatch.setattr(
                f"lossprimer.checks.speed.{measure}", lambda call, _: 23.0 if call.args[0] in slow else 1.0
            )
        report = checks.softmax(answers.probability.by_rows)
        assert report.passed
        assert "about 20 times slower" in words(report)
        assert "remark: It is right" in report._repr_mimebundle_()["text/html"]
        assert "about 20 times slower" in words(checks.pre_norm_branch(slow[1])), "a class, too"
        assert checks.softmax(shifted).remark == ""
        report = checks.softmax(there)
        assert report.passed
        assert report.remark == "", "another process has a clock of its own"

    @pytest.mark.parametrize(
        ("otherwise", "said"),
        [(lambda z: 1 / 0, "ZeroDivisionError: division by zero"), (lambda z: "?", "an object of type str")],
    )
    def test_a_right_answer_that_fails_on_larger_arrays_gets_a_remark(self, otherwise, said, monkeypatch):
        monkeypatch.setattr(speed, "remark", TIMED)
        report = checks.softmax(lambda z: shifted(z) if z.size < 1000 else otherwise(z))
        assert report.passed
        assert report.remark == f"All cases hold, but a call on larger arrays fails: {said}"

    @pytest.mark.parametrize("name", [name for name in NAMES if TASKS[name].large])
    def test_what_is_timed_can_be_called(self, name, monkeypatch):
        monkeypatch.setattr(speed, "remark", TIMED)
        monkeypatch.setattr(speed, "seconds", lambda call, _: len(call().results))
        assert check(name, answers.RIGHT[name][0]).remark == ""

    def test_a_factor_is_told_only_if_it_is_known_and_explains_all_numbers(self):
        right = TASKS["cross_entropy"].right
        assert "No typical mistake" in words(checks.cross_entropy(lambda z, labels: 0.7636 * right(z, labels)))
        assert "multiplied by 2" in words(checks.cross_entropy(lambda z, labels: 2 * right(z, labels)))
        logs = TASKS["log_softmax"].right
        assert "it is divided by the number of entries in a row" in words(
            checks.log_softmax(lambda z: logs(z) / z.shape[-1])
        )
        # The same factor in the first case alone is chance.
        assert "times what it should be" not in words(
            checks.cross_entropy(lambda z, labels: (2 if len(z) == 1 else 3.1) * right(z, labels))
        )

    def test_a_method_is_judged_by_its_own_results(self):
        """What is wrong in forward alone has its sentence, although backward is right."""

        class Branch(answers.RIGHT["pre_norm_branch"][0]):
            def forward(self, x):
                return super().forward(x) - x

        assert "the skip connection is missing" in words(checks.pre_norm_branch(Branch))

    def test_an_error_has_the_sentence_of_a_mistake_only_where_that_explains_a_wrong_result_or_all_errors(self):
        right = TASKS["add_block"].right
        report = checks.add_block(lambda m, s, z: tuple(float(each) for each in right(m, s, z)))
        assert "can be converted" in words(report)
        assert "goes down the rows" not in words(report)

    def test_places_are_integers(self):
        right = answers.RIGHT["sample"][0]
        report = checks.sample(lambda z, temperature, rng: right(z, temperature, rng) * 1.0)
        assert report.finding.came == "float64"
        assert "they are not integers" in words(report)
        assert checks.sample(lambda *args: right(*args).tolist()).passed

    def test_of_whole_numbers_it_is_not_said_that_an_argument_makes_no_difference(self):
        report = checks.sample(lambda z, temperature, rng: np.rint(rng.random(len(z))).astype(int))
        assert "is the same" not in words(report)

    def test_the_array_that_is_changed_has_its_name(self):
        assert checks.pre_norm_branch(answers.branch.WritesIntoDy).finding.came == "dy has changed after the call"

    def test_what_varies_is_tried_more_than_twice(self):
        turns = iter([2.0] + [1.0, 1.0, 1.0, 3.0] * 9)
        right = TASKS["layer_norm"].right
        assert "something is random" in words(checks.layer_norm(lambda *args: right(*args) * next(turns)))

    def test_what_else_all_results_have_in_common(self):
        right = TASKS["layer_norm"].right
        assert "too large by the same" not in words(checks.layer_norm(lambda x, gamma, beta, eps: x))
        assert "0.01 too large, for every input" in words(
            checks.layer_norm(lambda x, gamma, beta, eps: right(x, gamma, beta, eps) + 0.01)
        )
        assert "beta is not used: with a different one the result is the same" in words(
            checks.layer_norm(lambda x, gamma, beta, eps: right(x, gamma, 0 * beta, eps) + gamma**3 - 1)
        )

    def test_what_is_kept_between_calls_is_found(self):
        def softmax(z, seen=[]):  # noqa: B006
            seen.append(z)
            return shifted(z) * (1.0 if len(seen) <= len(checks.softmax.steps) else 1.5)

        report = checks.softmax(softmax)
        assert report.finding.title == "the first input once more"
        assert "kept from one call to the next" in words(report)


class TestReport:
    """How it shows."""

    PASSED = checks.softmax(shifted)
    FAILED = checks.softmax(answers.probability.naive)

    def test_passed(self):
        assert self.PASSED.passed
        assert self.PASSED.require() is None
        assert str(self.PASSED).startswith("softmax(z): all 13 cases hold.\n  held          three scores by hand; ")

    def test_failed(self):
        assert str(self.FAILED) == (
            "softmax(z): 5 of 13 cases hold; the next one does not.\n"
            "  held          three scores by hand; each row of a table by itself; a\n"
            "                table that is not square; the last of three axes;\n"
            "                float32 stays float32\n"
            "  did not hold  scores near 1000\n"
            "    input\n"
            "      z = np.array([1000.0, 999.0, 997.0])\n"
            "      softmax(z)\n"
            "    got         [nan, nan, nan]\n"
            "    expected    [0.70538, 0.2595, 0.035119]\n"
            "    likely      Nothing is subtracted from the scores before exp: the\n"
            "                exponential of a large score is infinite, and those of\n"
            "                very negative ones are all 0.\n"
            "    hint        folded away: add .hint to the call"
        )
        assert self.FAILED.hint == (
            "Subtract the largest score of each row, z.max(axis=-1, keepdims=True): the probabilities stay the same, "
            "and no exponent is above 0."
        )
        assert self.FAILED.hint not in " ".join(str(self.FAILED).split())
        with pytest.raises(CheckFailed) as caught:
            self.FAILED.require()
        assert str(caught.value) == str(self.FAILED)
        assert isinstance(caught.value, AssertionError)

    def test_a_notebook_shows_no_traceback(self):
        assert CheckFailed("text")._render_traceback_() == ["CheckFailed: text"]

    def test_in_a_notebook(self):
        bundle = self.FAILED._repr_mimebundle_()
        assert bundle["text/plain"] == str(self.FAILED) == repr(self.FAILED)
        assert bundle["text/html"].count("<li>held: ") == 5
        assert "<strong>did not hold: scores near 1000</strong>" in bundle["text/html"]
        assert "<li>got: <code>[nan, nan, nan]</code></li>" in bundle["text/html"]
        assert f"<details><summary>Hint</summary>{self.FAILED.hint}</details>" in bundle["text/html"]
        assert "style" not in bundle["text/html"]
        assert "did not hold" not in self.PASSED._repr_mimebundle_()["text/html"]
        assert "not attempted yet" in Report("f(x)", attempted=False)._repr_mimebundle_()["text/html"]

    def test_everything_is_escaped(self):
        bad = "<script>&"
        report = Report(f"f{bad}", (bad,), Finding(bad, bad, bad, bad, Cause(bad, bad), bad, bad), remark=bad)
        shown = report._repr_mimebundle_()["text/html"]
        assert bad not in shown
        assert shown.count(html.escape(bad)) == 11

    def test_what_an_exception_says_is_escaped(self):
        def f(z):
            raise ValueError("<img src=x onerror=alert()>")

        assert "<img" not in checks.softmax(f)._repr_mimebundle_()["text/html"]


class TestValues:
    """Reading, comparing and showing."""

    @pytest.mark.parametrize(
        "value",
        [1, 2.5, True, np.float32(1), np.int8(3), np.bool_(True), np.zeros(3), [1.0, 2], (1, 2.0), [np.zeros(2)] * 2],
        ids=str,
    )
    def test_plain(self, value):
        array = plain(value)
        assert type(array) is np.ndarray
        np.testing.assert_array_equal(array, value)
        assert not np.shares_memory(array, value)

    def test_rows_of_different_lengths(self):
        with pytest.raises(Refused, match="different lengths"):
            plain((1, [2.0]))

    def test_a_list_in_itself(self):
        endless = []
        endless.append(endless)
        with pytest.raises(Refused, match="without end"):
            plain(endless)

    def test_a_number_too_large_for_an_array(self):
        with pytest.raises(Refused, match="object"):
            plain(10**400)

    def test_agree(self):
        a = np.array([1.0, np.nan, np.inf, -np.inf, 0.0])
        assert agree(a, a.copy())
        assert agree(a * (1 + 1e-9), a)
        assert not agree(a[:4], a)
        for index, other in enumerate((1.001, 0.0, 1e300, np.inf, 1e-6)):
            b = a.copy()
            b[index] = other
            assert not agree(b, a)
            assert not agree(a, b)

    def test_shown(self):
        assert shown(np.array([[1.0, 2.5], [np.inf, np.nan]])) == "[[1, 2.5], [inf, nan]]"
        assert shown(np.arange(100.0).reshape(10, 10)) == "0, 1, 2, 3, … (shape (10, 10))"
        assert shown(np.array(0.1, dtype=np.float32)) == "0.1"
        assert shown(np.array([True])) == "[True]"
        assert shown(np.array(2.0)) == "2"

    def test_as_code(self):
        single = np.array([[0.1, 1e-7], [-np.inf, np.nan]], dtype=np.float32)
        assert as_code(single) == "np.array([[0.1, 1e-07], [-np.inf, np.nan]], dtype=np.float32)"
        assert as_code(np.array([True, False])) == "np.array([True, False])"
        assert as_code(np.array(2.5)) == "np.array(2.5)"
