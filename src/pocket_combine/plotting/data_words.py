"""What figures and tables say about the data of results, and which of them show nothing but simulation."""

from __future__ import annotations

from collections.abc import Iterable

from pocket_combine.results import Result

__all__ = ["data_name", "data_words", "of_simulation", "only_simulation"]

_NAMES = {"asimov": "Asimov data", "frequentist asimov": "Asimov data after a fit", "toy": "toy data"}


def data_name(data: str) -> str:
    """Return what data that were not observed are called, by `Provenance.data`; nothing for the observation.

    Examples:
        >>> data_name("asimov"), data_name("frequentist asimov"), data_name("toy"), data_name("observed")
        ('Asimov data', 'Asimov data after a fit', 'toy data', '')
    """
    return _NAMES.get(data, "" if data == "observed" else data)


def data_words(data: str) -> str:
    """Return what a curve of a result is called after its data.

    Examples:
        >>> data_words("observed"), data_words("asimov"), data_words("toy")
        ('Observed', 'Expected (Asimov data)', 'Toy data')
    """
    if data == "observed":
        return "Observed"
    return "Toy data" if data == "toy" else f"Expected ({data_name(data)})"


def of_simulation(data: str) -> bool:
    """Return whether data come from simulation alone: Asimov data after a fit depend on the observation."""
    return data in ("asimov", "toy")


def only_simulation(results: Iterable[Result]) -> bool:
    """Return whether nothing in results depends on the observation: such figures say "Simulation", as CMS asks."""
    return all(of_simulation(result.provenance.data) for result in results)
