"""Which part of the course's package does a learner's process have? The functions that the problem set itself names.

They come as source text, cut from the package together with what they need (see :mod:`lossprimer.grading.excerpt`), so
that the process holds no answer that was not given away.
"""

import contextlib
import functools
import sys
import types
from collections.abc import Iterator
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec

NAME = "lossprimer"
ABSENT = (
    "{name} is not there while a problem set is graded: the package then offers what the set itself uses, and the "
    "answers are yours to write"
)
ASKED = "{name} of the package is what this task asks you to write; it does not answer while your function is graded"


class Package(MetaPathFinder, InspectLoader):
    """The importer of the modules that are there. It comes first, and lets no other one look for the rest."""

    def __init__(self):
        self.withdrawn = frozenset()
        self._sources = {NAME: ""}
        self._lenient = False
        sys.meta_path.insert(0, self)

    def offer(self, sources: dict[str, str], names: list[str]) -> None:
        """Put modules there, as source texts by their full names; `names` are the functions of the package."""
        self._sources |= sources
        package = __import__(NAME)
        for name in names:
            value = getattr(package, name)
            if isinstance(value, types.FunctionType):
                for module in (package, sys.modules[value.__module__]):
                    setattr(module, name, self._guarded(name, value))

    @contextlib.contextmanager
    def lenient(self) -> Iterator[None]:
        """Let what is not there be imported all the same, for a cell that was given with the set."""
        self._lenient = True
        try:
            yield
        finally:
            self._lenient = False

    def find_spec(self, fullname, path=None, target=None):
        """The place of a module of the package."""
        if fullname.partition(".")[0] != NAME:
            return None
        if fullname not in self._sources and not self._lenient:
            raise ImportError(ABSENT.format(name=fullname), name=fullname)
        # A package, so that an import of what lies below comes here, too.
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec):
        """A module that explains what it does not have."""
        return _Module(spec.name, self)

    def get_source(self, fullname):
        """The text of a module, empty for one that is not there."""
        return self._sources.get(fullname, "")

    def missing(self, name: str) -> object:
        """What a module answers when it is asked for something that it does not have."""
        if self._lenient:
            return _Nothing(name)
        raise ImportError(ABSENT.format(name=name), name=name)

    def _guarded(self, name, function):
        @functools.wraps(function)
        def guarded(*args, **kwargs):
            if name in self.withdrawn:
                raise RuntimeError(ASKED.format(name=name))
            return function(*args, **kwargs)

        del guarded.__wrapped__
        return guarded


class _Module(types.ModuleType):
    def __init__(self, name, package):
        super().__init__(name)
        self.__dict__["__getattr__"] = functools.partial(_ask, package, name)


def _ask(package, module, name):
    if name.startswith("__"):  # what the import system asks every module for
        raise AttributeError(name)
    return package.missing(f"{module}.{name}")


class _Nothing:
    """Stands for something of the package that is not there; using it raises an error that says so."""

    def __init__(self, name):
        self._name = name

    def __call__(self, *args, **kwargs):
        raise ImportError(ABSENT.format(name=self._name), name=self._name)

    def __getattr__(self, name):
        if name.startswith("_"):  # what a display asks every value for
            raise AttributeError(name)
        raise ImportError(ABSENT.format(name=f"{self._name}.{name}"), name=self._name)

    def __repr__(self):
        return f"<{self._name}: not there while a problem set is graded>"
