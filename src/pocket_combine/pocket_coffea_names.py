"""Makes `pocket_coffea.utils.stat` importable where PocketCoffea is not installed.

PocketCoffea documents the datacard classes under these two modules:

    from pocket_coffea.utils.stat import MCProcess, ...
    from pocket_coffea.utils.stat.combine import Datacard, combine_datacards

A file `pocket_combine.pth` beside the installed package calls `install` when the interpreter starts. It adds a finder
at the end of `sys.meta_path`, which answers only where no other finder knows `pocket_coffea`: nothing of an installed
PocketCoffea is overwritten or shadowed, in whatever order the two were installed. The module imports nothing heavy,
because it is loaded with every start.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["install"]

_PACKAGE = "pocket_coffea"

_NAMES: dict[str, tuple[str, ...]] = {
    "pocket_coffea": (),
    "pocket_coffea.utils": (),
    "pocket_coffea.utils.stat": (
        "MCProcess",
        "DataProcess",
        "MCProcesses",
        "DataProcesses",
        "SystematicUncertainty",
        "Systematics",
        "Datacard",
    ),
    "pocket_coffea.utils.stat.combine": ("Datacard", "combine_datacards"),
}


class _NamesLoader(Loader):
    """Fills a module with the names of `pocket_combine` that PocketCoffea documents there."""

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its names."""
        package = importlib.import_module("pocket_combine")
        names = _NAMES[module.__name__]
        module.__doc__ = "Names of pocket_combine under the module path that PocketCoffea documents."
        for name in names:
            setattr(module, name, getattr(package, name))
        module.__all__ = list(names)  # type: ignore[attr-defined]  # modules have any attribute


class _NamesFinder(MetaPathFinder):
    """Finds the documented modules where nothing else does."""

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return a specification for a documented module, unless PocketCoffea itself is there."""
        del path, target
        if fullname not in _NAMES or (fullname == _PACKAGE and self._installed()):
            return None
        parent = sys.modules.get(_PACKAGE)
        if fullname != _PACKAGE and not isinstance(getattr(parent, "__loader__", None), _NamesLoader):
            return None
        return ModuleSpec(fullname, _NamesLoader(), is_package=True)

    def _installed(self) -> bool:
        """Whether a finder behind this one knows PocketCoffea; those before it were asked already."""
        behind = sys.meta_path[sys.meta_path.index(self) + 1 :]
        return any(finder.find_spec(_PACKAGE, None) is not None for finder in behind if hasattr(finder, "find_spec"))


def install() -> None:
    """Add the finder, once."""
    if not any(isinstance(finder, _NamesFinder) for finder in sys.meta_path):
        sys.meta_path.append(_NamesFinder())
