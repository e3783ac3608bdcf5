"""How the cases of one test run together: alone, most of them take less than what surrounds a test."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

import pytest

_MOST = 5  # failures that are shown; the others would hide them


def together(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Make one item of those in a row that are cases of the same test and share all of its fixtures.

    It fails where one of them does, and names it. Cases that were chosen one by one stay as they are, as do those that
    need a fixture made for each, and those that have marks of their own.
    """
    for whole, cases in groupby(items, lambda item: (item.parent, getattr(item, "originalname", item), _shared(item))):
        cases = list(cases)
        shared = whole[-1]
        if shared is None or len(cases) == 1:
            yield from cases
        else:
            yield pytest.Function.from_parent(whole[0], name=whole[1], callobj=_all(cases, shared))


def _shared(item: pytest.Item) -> tuple[str, ...] | None:
    """Return the fixtures that a test is called with besides its case, or None where a case needs its own."""
    case = getattr(item, "callspec", None)
    if case is None or case.marks or hasattr(item.obj, "hypothesis"):
        return None
    names = set(item.fixturenames) - set(case.params)
    found = [item._fixtureinfo.name2fixturedefs[name][-1] for name in names - {"request"}]
    if "request" in item._fixtureinfo.argnames or any(each.scope == "function" or each.params for each in found):
        return None
    return tuple(name for name in item._fixtureinfo.argnames if name in names)


def _all(cases: list[pytest.Function], shared: tuple[str, ...]) -> Callable[..., None]:
    """Return a test that runs all cases, with the same fixtures and marks."""

    def run(**fixtures):
        __tracebackhide__ = lambda info: not isinstance(info.value, BaseExceptionGroup)  # noqa: E731
        failed, skipped = [], []
        for case in cases:
            try:
                case.obj(**fixtures, **case.callspec.params)
            except pytest.skip.Exception as reason:
                skipped.append(reason)
            except (Exception, pytest.fail.Exception) as error:
                error.add_note(f"in the case [{case.callspec.id}]")
                failed.append(error)
        if len(failed) == 1:
            raise failed[0]
        if failed:
            raise BaseExceptionGroup(f"{len(failed)} of {len(cases)} cases", failed[:_MOST])
        if len(skipped) == len(cases):
            raise skipped[0]

    first = cases[0]
    place = [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)] if first.cls else []
    run.__signature__ = inspect.Signature(
        [*place, *(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in shared)]
    )
    run.__name__, run.__doc__, run.__module__ = first.originalname, first.obj.__doc__, first.obj.__module__
    run.pytestmark = [mark for mark in getattr(first.obj, "pytestmark", []) if mark.name != "parametrize"]
    return run
