"""Cards built from toy outputs, and their texts as words."""

from __future__ import annotations

from typing import Any

from toys import (
    YEARS,
    Toy,
    observed,
    random_declarations,
    random_toy,
    shape,
    signal_and_background,
    small_toy,
)

from pocket_combine import Datacard, Systematics


def build(toy: Toy | None = None, **options: Any) -> Datacard:
    arguments: dict[str, Any] = {
        "years": ["2018"],
        "mc_processes": signal_and_background(),
        "systematics": Systematics([shape("JER")]),
        "category": "SR",
        "data_processes": observed(),
        "verbose": False,
    }
    return Datacard(**(toy or small_toy()).inputs, **{**arguments, **options})


def random_card(seed: int, **options: Any) -> Datacard:
    processes, systematics, data = random_declarations()
    arguments: dict[str, Any] = {
        "years": YEARS,
        "category": "SR",
        "mc_processes": processes,
        "systematics": systematics,
    }
    return build(random_toy(seed), **{**arguments, "data_processes": data, **options})


def tokens(text: str) -> dict[str, list[list[str]]]:
    """The words of every line of a card, by its first word."""
    lines: dict[str, list[list[str]]] = {}
    for line in text.splitlines():
        if line.split():
            lines.setdefault(line.split()[0], []).append(line.split()[1:])
    return lines
