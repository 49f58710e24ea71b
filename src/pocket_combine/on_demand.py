"""Names of a package that are loaded when they are first used, so that importing the package costs nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

__all__ = ["loaded"]


def loaded(package: str, homes: Mapping[str, str], name: str) -> Any:
    """Return what a package calls by a name, for its `__getattr__`, which is asked once.

    Args:
        package: The package.
        homes: Module of the package that defines it, by name.
        name: The name.

    Raises:
        AttributeError: If the package has no such name.

    Examples:
        >>> loaded("pocket_combine", {"Card": "card.model"}, "Card").__module__
        'pocket_combine.card.model'
    """
    if name not in homes:
        raise AttributeError(f"module {package!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
    setattr(sys.modules[package], name, value)
    return value
