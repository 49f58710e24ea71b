"""The comparison of two cards with their templates, put together from its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from pocket_combine.card.model import Card
from pocket_combine.comparison.changes import Comparison
from pocket_combine.comparison.columns import compare_channels, compare_columns, compare_contents
from pocket_combine.comparison.matching import renamed_channels, renamed_processes
from pocket_combine.comparison.nuisances import compare_nuisances
from pocket_combine.comparison.parameters import compare_parameters
from pocket_combine.comparison.sizes import Ruler
from pocket_combine.comparison.view import view_of
from pocket_combine.templates import Templates

__all__ = ["CardAndTemplates", "diff"]

CardAndTemplates: TypeAlias = tuple[Card, Mapping[str, Templates]]
"""A card, and its templates by channel; a channel without is a counting channel."""


def diff(a: CardAndTemplates, b: CardAndTemplates, *, tolerance: float = 1e-6) -> Comparison:
    """Return how the meaning of two cards differs.

    Compared are channels, processes, data, expected events with their statistical errors, the effect of each nuisance
    on each column relative to nominal, rate parameters, `param`, `extArg` and `constr` lines, groups, autoMCStats and
    frozen parameters. Where a name is gone and another one has the same content, it was renamed. Where nuisances have
    the effects that others had, the correlations changed: split, merged or regrouped.

    Sizes are in units of the statistical error of the data, sqrt(expected events of the first card) in a bin and at
    least 1, added in quadrature over bins and channels; for nuisances at one standard deviation.

    Args:
        a: The first card with its templates.
        b: The second card with its templates.
        tolerance: Relative difference up to which numbers are the same; the default forgives single precision and the
            digits of a card's text.

    Examples:
        >>> from pocket_combine.card.model import Channel, Column, Nuisance
        >>> def card(name, kappa, rate):
        ...     return Card(
        ...         channels=(Channel("SR", 30),),
        ...         columns=(Column("SR", "signal", 0, 5), Column("SR", "background", 1, rate)),
        ...         nuisances=(Nuisance("lumi", "lnN", (1.02, 1.02)), Nuisance(name, "lnN", (None, kappa))),
        ...     )
        >>> comparison = diff((card("xsec", 1.1, 20), {}), (card("xsec_bkg", 1.1, 25), {}))
        >>> for change in comparison.changes:
        ...     print(change)
        nuisance xsec renamed to xsec_bkg: same effect on 1 column
        yield of channel SR, process background changed: 20 → 25 events (+25.00%) (1 standard deviations of the data)
        >>> bool(diff((card("xsec", 1.1, 20), {}), (card("xsec", 1.1, 20), {})))
        False
    """
    before, after = view_of(*a), view_of(*b)
    own_names = list(before.columns)
    channels = renamed_channels(before, after, tolerance)
    before = before.renamed(channels, {})
    processes = renamed_processes(before, after, tolerance)
    before = before.renamed({}, processes)
    columns = dict(zip(before.columns, own_names, strict=True))
    ruler = Ruler(before, after)
    structure = compare_channels(before, after, channels)
    structure += compare_columns(before, after, processes, ruler)
    names, effects, nuisances = compare_nuisances(before, after, ruler, tolerance)
    structure += names
    structure += compare_parameters((a[0], b[0]), (before, after), nuisances, columns)
    sized = compare_contents(before, after, ruler, tolerance) + effects
    sized.sort(key=lambda change: -change.size)
    return Comparison((*structure, *sized))
