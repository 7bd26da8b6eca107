"""Stand-ins for packages that are not installed, so that a module of losses imports without them.

A file of losses often begins with imports that its losses do not use. A stand-in takes part in an
import: it may be a base class, a decorator or an annotation. Once `seal` is called, whatever uses
one ends in a `GantheoryError` that names the package: nothing is computed with a stand-in.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import inspect
import re
import sys
from collections.abc import Callable, Iterator, MutableSequence
from types import ModuleType
from typing import Any

from gantheory.errors import GantheoryError

MOST = 60  # packages of one import that may be absent


class Absent:
    """Something of a package that is not installed: inert while modules are imported.

    >>> Absent.sealed = False  # what `seal` ends
    >>> register = Absent("registry").LOSSES.register_module(name="mine")
    >>> register(len) is len
    True
    """

    sealed = False

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        self._use()
        return Absent(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._use()
        decorated = len(args) == 1 and not kwargs
        if decorated and (inspect.isclass(args[0]) or inspect.isroutine(args[0])):
            return args[0]
        return Absent(self._name)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()

    def __getitem__(self, key: Any) -> Any:
        self._use()
        return Absent(self._name)

    def __or__(self, other: Any) -> Any:
        return self

    __ror__ = __or__

    def __iter__(self) -> Iterator[Any]:
        self._use()
        return iter(())

    def __bool__(self) -> bool:
        self._use()
        return False

    def __enter__(self) -> Any:
        self._use()
        return self

    def __exit__(self, *_: Any) -> None:
        self._use()

    def __instancecheck__(self, instance: Any) -> bool:
        return False

    def _compare(self, other: Any) -> bool:
        self._use()
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _compare

    def _use(self) -> None:
        if Absent.sealed:
            package = self._name.split(".")[0]
            raise GantheoryError(
                f"the loss uses {self._name}, and the package {package} is not installed here"
            )


class _Module(ModuleType):
    """A module that is not there; every name in it is a stand-in."""

    __path__: MutableSequence[str] = []  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return Absent(f"{self.__name__}.{name}")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the packages that are known to be absent, after every other finder has failed."""

    def __init__(self) -> None:
        self.packages: set[str] = set()

    def find_spec(
        self, name: str, path: Any = None, target: Any = None
    ) -> importlib.machinery.ModuleSpec | None:
        known = any(name == one or name.startswith(f"{one}.") for one in self.packages)
        return importlib.machinery.ModuleSpec(name, self, is_package=True) if known else None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module empty."""


FINDER = _Finder()


def importing(run: Callable[[], ModuleType], own: str) -> ModuleType:
    """Run an import, with a stand-in for each package without which it fails.

    A package stands in only where its absence ended the import: what a module tries and does
    without stays absent. ``own`` is the package that is imported, which nothing stands in for.
    """
    if FINDER not in sys.meta_path:
        sys.meta_path.append(FINDER)
    for _ in range(MOST):
        try:
            return run()
        except ImportError as error:
            if not _stood_in(error, own):
                raise
        except AssertionError:  # such as ``assert torch.cuda.is_available()``
            return _as_with_cuda(run)
    raise ImportError(f"more than {MOST} packages are not installed")


def _as_with_cuda(run: Callable[[], ModuleType]) -> ModuleType:
    """Run an import that insists on an accelerator; the losses themselves run on the CPU."""
    import torch

    kept = torch.cuda.is_available
    torch.cuda.is_available = lambda: True
    try:
        return run()
    finally:
        torch.cuda.is_available = kept


def _stood_in(error: ImportError, own: str) -> bool:
    """Provide what an import missed; return whether that was possible."""
    missing = error.name or ""
    top = missing.split(".")[0]
    if not top or top == own or missing in FINDER.packages:
        return False
    if isinstance(error, ModuleNotFoundError):
        FINDER.packages.add(missing)
        return True
    wanted, module = re.search(r"cannot import name '(\w+)'", str(error)), sys.modules.get(missing)
    if wanted is None or module is None or hasattr(module, wanted[1]):
        return False
    setattr(module, wanted[1], Absent(f"{missing}.{wanted[1]}"))
    return True


def absent() -> tuple[str, ...]:
    """Return the packages that something stood in for."""
    return tuple(sorted({name.split(".")[0] for name in FINDER.packages}))


def seal() -> None:
    """From now on, refuse every use of a stand-in."""
    Absent.sealed = True
