"""Expected events before and after the fit."""

from __future__ import annotations

from collections.abc import Iterator

from pocket_combine.plotting.uncertainties import decimals
from pocket_combine.report.contents import Cell, Column, Row, Table
from pocket_combine.report.drafts import Draft, Drawing, Material, PartDraft
from pocket_combine.results import ChannelYields, PostfitResult
from pocket_combine.wording import error_text, events

__all__ = ["build_yields"]

_LISTED = 3


def build_yields(material: Material) -> Draft:
    """Return expected events per channel and process, and the stacks."""
    before = material.result(PostfitResult, f"prefit-{material.data.value}")
    after = material.result(PostfitResult, f"postfit-{material.data.value}")
    last = after or before
    if last is None:
        return Draft("Expected events could not be found.")
    totals = []
    for channel in last.channels:
        value, error = last.yields[f"{channel.channel}/total"]
        totals.append(f"{_measured(value, error)} in {channel.channel}{_data(material, channel)}")
    when = "after" if after is not None else "before"
    shown = "; ".join(totals[:_LISTED]) + (f"; and {len(totals) - _LISTED} more channels" * (len(totals) > _LISTED))
    lead = f"Expected events {when} the fit of {material.describe(material.data)}: {shown}."
    numbers = {
        name: {key: {"events": value, "error": error} for key, (value, error) in result.yields.items()}
        for name, result in (("prefit", before), ("postfit", after))
        if result is not None
    }
    parts = [*_stacks(material, before, after), _table(material, before, after)]
    return Draft(lead, parts=tuple(parts), numbers=numbers)


def _measured(value: float, error: float) -> str:
    """Return events with their uncertainty, which has two significant digits, or is whole."""
    places = max(decimals([error]), 0)
    return f"{value:,.{places}f} ± {error:,.{places}f}"


def _data(material: Material, channel: ChannelYields) -> str:
    observed = _observed(material, channel)
    return "" if observed is None else f" ({events(observed)} observed)"


def _observed(material: Material, channel: ChannelYields) -> float | None:
    """Return the observed events of a channel, unless the style blinds some of them."""
    if channel.observed is None or material.options.style.channel(channel.channel).blinded:
        return None
    return float(channel.observed.sum())


def _stacks(material: Material, before: PostfitResult | None, after: PostfitResult | None) -> Iterator[PartDraft]:
    """Yield stacks, those of one channel side by side."""
    made = [("prefit", before, "before the fit"), ("postfit", after, "after the fit")]
    found = [(name, result, words) for name, result, words in made if result is not None]
    for place in range(len(found[0][1].channels)):
        for name, result, words in found:
            channel = result.channels[place]
            data = "" if channel.observed is None else ", with the data"
            yield Drawing(
                f"{name}-{channel.channel}",
                f"{channel.channel}: expected events {words}{data}.",
                f"Stack of processes in {channel.channel} {words}.",
                "stack_figure",
                (result, channel.channel),
                {"style": material.options.style, **({"prefit": before} if result is after and before else {})},
            )


def _table(material: Material, before: PostfitResult | None, after: PostfitResult | None) -> Table:
    source = after or before
    assert source is not None  # noqa: S101  the caller has one
    rows = []
    for channel in source.channels:
        for process in (*channel.processes, "total"):
            key = f"{channel.channel}/{process}"
            cells = [Cell(channel.channel), Cell(process)]
            for result in (before, after):
                if result is None:
                    cells += [Cell("–"), Cell("–")]
                else:
                    value, error = result.yields[key]
                    cells += [Cell(events(value), value), Cell(error_text(error), error)]
            observed = _observed(material, channel) if process == "total" else None
            if any(one.observed is not None for one in source.channels):
                cells.append(Cell("") if observed is None else Cell(events(observed), observed))
            rows.append(Row(tuple(cells)))
    columns = [
        Column("Channel"),
        Column("Process"),
        Column("Before the fit", number=True),
        Column("±", number=True),
        Column("After the fit", number=True),
        Column("± after", number=True),
    ]
    if any(one.observed is not None for one in source.channels):
        columns.append(Column("Observed", number=True))
    caption = (
        "Expected events, with the parameters of autoMCStats. Before the fit, parameters without a constraint have no "
        "uncertainty."
    )
    return Table("yields", tuple(columns), tuple(rows), caption, filterable=True)
