"""Is an answer right, and if not, what went wrong? One check for each task of the exercises.

A check takes the learner's function (or class) and returns a `Report`::

    checks.softmax(softmax)

It tries named cases in order and stops at the first that does not hold. The report says what held, and of that case the
input, what it gave, what was expected, and the likely cause; its `hint` is the remedy. By default
only these cases decide. With ``rng=np.random.default_rng()`` it draws more, so that knowing the named ones by heart
gets nobody far;
``checks.softmax(softmax, rng=rng).require()`` raises `CheckFailed` unless all hold. A function that raises
NotImplementedError is "not attempted yet".

Inside the learner's own process nothing can be trusted for certain: code that runs there can replace any function,
these checks included. Objects that lie about themselves are refused, and that is as far as it goes here. Grades come
from the same checks in another process, which hands them a stand-in for the learner's function.
"""

from importlib import import_module
from pkgutil import iter_modules

from lossprimer.checks.report import CheckFailed, Report
from lossprimer.checks.task import TASKS

# A task enters itself in TASKS when the module that makes it is imported.
for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
globals().update(TASKS)

__all__ = ["CheckFailed", "Report", *sorted(TASKS)]
