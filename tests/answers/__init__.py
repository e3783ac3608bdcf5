"""What learners hand in: right answers, each written in another way, and wrong ones with a part of their diagnosis.

By the name of the check: functions in RIGHT, pairs of a fragment and a function in WRONG. Every module of this folder
adds its own.
"""

from importlib import import_module
from pkgutil import iter_modules

RIGHT, WRONG = {}, {}
for _module in iter_modules(__path__, f"{__name__}."):
    _answers = import_module(_module.name)
    for _all, _some in ((RIGHT, _answers.RIGHT), (WRONG, _answers.WRONG)):
        for _name, _functions in _some.items():
            _all[_name] = [*_all.get(_name, []), *_functions]
