"""What figures say about the data of results."""

from __future__ import annotations

from collections.abc import Iterable

from pocket_combine.results import Result

__all__ = ["data_words", "only_simulation"]

_WORDS = {
    "observed": "Observed",
    "asimov": "Expected (Asimov data)",
    "frequentist asimov": "Expected (Asimov data after a fit)",
    "toy": "Toys",
}


def data_words(data: str) -> str:
    """Return what the data of a result are called, by `Provenance.data`.

    Examples:
        >>> data_words("observed"), data_words("asimov")
        ('Observed', 'Expected (Asimov data)')
    """
    return _WORDS.get(data, data)


def only_simulation(results: Iterable[Result]) -> bool:
    """Return whether nothing in results depends on the observation."""
    return all(result.provenance.data in ("asimov", "toy") for result in results)
