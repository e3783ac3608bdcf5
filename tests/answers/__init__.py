"""What learners hand in: right answers, each written in another way, and wrong ones with a part of their diagnosis.

By the name of the check: functions in RIGHT, pairs of a fragment and a function in WRONG. Every module of this folder
adds its own. A task without answers has empty lists: test_tasks.py says so, and no other file of tests trips over it.
"""

from importlib import import_module
from pkgutil import iter_modules

from lossprimer.checks.task import TASKS

RIGHT, WRONG = {name: [] for name in TASKS}, {name: [] for name in TASKS}
for _module in iter_modules(__path__, f"{__name__}."):
    _answers = import_module(_module.name)
    for _all, _table in ((RIGHT, "RIGHT"), (WRONG, "WRONG")):
        for _name, _functions in getattr(_answers, _table, {}).items():
            _all[_name] = [*_all.get(_name, []), *_functions]
