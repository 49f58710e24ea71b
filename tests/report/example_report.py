"""Reports as large and as strange as one likes, made without a fit and without matplotlib."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from random import Random

from pocket_combine.report.contents import (
    Cell,
    Column,
    Detail,
    Figure,
    Mark,
    Paragraph,
    Report,
    Row,
    Section,
    Table,
)

HOSTILE = (
    """</script></style><img src=x onerror="document.title='stolen'">{{ 7*7 }}{% raw %}&amp;'`${1}\u2028\x00\ud800"""
)
"""A name that closes tags, opens quotes and templates, and holds what neither HTML nor UTF-8 can."""

LONG = "CMS_ttHbb_scale_j_Absolute_2016postVFP_uncorrelated_between_channels_v12"


def png(width: int, height: int, seed: int = 0, *, resolution: float | None = 150.0) -> bytes:
    """A PNG file: bars in grey and blue below a frame, different for each seed."""
    random = Random(seed)  # noqa: S311  # a picture, no secret
    levels = [random.uniform(0.2, 0.9) for _ in range(12)]
    rows = bytearray()
    for line in range(height):
        rows.append(0)
        for column in range(width):
            bar = column * len(levels) // width
            edge = min(column, line, width - 1 - column, height - 1 - line) < 2
            inside = 1 - line / height < levels[bar]
            rows += (
                b"\x33\x33\x33"
                if edge
                else (b"\x3f\x90\xda" if bar % 2 else b"\x94\xa4\xa2")
                if inside
                else b"\xff" * 3
            )
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))]
    if resolution is not None:
        chunks.append((b"pHYs", struct.pack(">IIB", round(resolution / 0.0254), round(resolution / 0.0254), 1)))
    chunks += [(b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b"")]
    checked = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(checked)


def figure(name: str, seed: int = 0, *, width: int = 750, height: int = 600) -> Figure:
    return Figure(
        name,
        f"{name}: templates with one standard deviation up and down, and their ratio to the nominal.",
        f"Histogram of {name}",
        png(width // 3, height // 3, seed, resolution=50.0),
    )


IMPACTS = (
    Column("#", number=True, help="Place in the ranking."),
    Column("nuisance"),
    Column("kind"),
    Column("pull", number=True, help="(θ̂ − θ₀)/σ, with σ of the constraint."),
    Column("constraint", number=True, help="Uncertainty after the fit over the one before."),
    Column("impact +1σ", number=True),
    Column("impact −1σ", number=True),
)


def nuisance_name(number: int) -> str:
    return LONG if number == 7 else HOSTILE if number == 11 else f"CMS_effect_{number}"


def _impact_row(number: int, random: Random) -> Row:
    pull = random.gauss(0, 0.6)
    up = 0.2 / number
    return Row(
        (
            Cell(str(number)),
            Cell(nuisance_name(number)),
            Cell(random.choice(["lnN", "shape", "shape?"])),
            Cell(
                f"{pull:+.2f}".replace("-", "−"),
                pull,
                Mark.BAD if abs(pull) > 1.5 else Mark.NOTICE if abs(pull) > 1 else None,
            ),
            Cell("–") if number % 10 == 3 else Cell(f"{random.uniform(0.4, 1.02):.2f}"),
            Cell(f"{up:+.4f}"),
            Cell(f"{-up:+.4f}".replace("-", "−")),
        ),
        detail=nuisance_name(number),
    )


def _detail(number: int, figures: int) -> Detail:
    columns = (Column("channel"), Column("process"), Column("up", number=True), Column("down", number=True))
    rows = [
        Row((Cell(channel), Cell(process), Cell("+2.1 %"), Cell("−1.9 %")))
        for channel in ("SR_run3", "CR_tt_run3", "CR_nJets_run3")
        for process in ("ttH_2024", "ttbb_2024", "other_2024")
    ]
    parts: list[Paragraph | Table | Figure] = [
        Paragraph("Acts on 9 templates. Its largest effect is on ttbb_2024 in SR_run3."),
        Table("effects", columns, tuple(rows), "Change of the yields"),
    ]
    if number <= figures:
        parts += [figure(f"SR_run3_{number}", 100 + number), figure(f"CR_tt_run3_{number}", 1000 + number)]
    return Detail(nuisance_name(number), nuisance_name(number), tuple(parts))


def example_report(nuisances: int = 30, figures: int = 4, *, blind: bool = True) -> Report:
    """A report with a section of each kind.

    Args:
        nuisances: How many rows the ranking has.
        figures: How many of them have figures in their detail.
        blind: What the banner says.
    """
    random = Random(1)  # noqa: S311
    yields = Table(
        "yields",
        (Column("process"), Column("SR_run3", number=True), Column("CR_tt_run3", number=True)),
        (
            Row((Cell("ttH"), Cell("109.2"), Cell("12.4"))),
            Row((Cell("ttbb"), Cell("1,204.9"), Cell("9,120"))),
            Row((Cell("other"), Cell("98.1"), Cell("7.5e4"))),
            Row((Cell("QCD"), Cell("–"), Cell("0.2", mark=Mark.NOTICE))),
        ),
        "Expected events before the fit",
    )
    ranking = Table(
        "ranking",
        IMPACTS,
        tuple(_impact_row(number, random) for number in range(1, nuisances + 1)),
        "Nuisances by their impact on r",
        filterable=True,
    )
    sections = (
        Section(
            "card",
            "The card",
            "3 channels, 9 processes and 47 nuisances; 3 files were read.",
            parts=(
                yields,
                Paragraph("Files and their hashes:"),
                Paragraph("datacard_SR_run3.txt  sha256:" + "0123456789abcdef" * 4, code=True),
            ),
            command="pocket-combine cards show datacards/combined.txt",
            options={"channels": "SR_run3, CR_tt_run3, CR_nJets_run3"},
            seconds=0.24,
        ),
        Section(
            "checks",
            "Checks of the card",
            "2 findings ask for a look: templates that are one-sided, and an empty bin.",
            Mark.NOTICE,
            parts=(figure("one_sided", 1), figure("empty_bin", 2), figure("third", 3, width=1500)),
            command="pocket-combine cards check datacards/combined.txt",
        ),
        Section(
            "impacts",
            "Impacts",
            "The largest impact on r is that of CMS_effect_1: +0.200 −0.200.",
            parts=(ranking, figure("impacts", 4, width=1200, height=2400)),
            command="pocket-combine impacts datacards/combined.txt --expect-signal 1 --set-parameter r=1 "
            "--output impacts.json --processes 2",
            options={"toys": "0", "expected signal": "r = 1", "tolerance": "1e-4"},
            seconds=75.2,
        ),
        Section(
            "fit", "Fit", "The fit did not converge: the covariance is not positive definite.", Mark.BAD, seconds=4000
        ),
        Section("gof", "Goodness of fit", "Not made: it needs the observation.", Mark.SKIPPED),
        Section("scheme", "Correlation scheme", "Nothing is correlated.", parts=(Table("none", IMPACTS, ()),)),
    )
    return Report(
        "ttH(bb) Run 3, combination of 3 channels",
        blind,
        {"pocket_combine": "0.1.0", "card": "combined.txt", "sha256": "0123456789abcdef" * 4},
        sections,
        {nuisance_name(number): _detail(number, figures) for number in range(1, nuisances + 1)},
    )


def hostile_report() -> Report:
    """A report in which every text is `HOSTILE`."""
    table = Table(
        HOSTILE,
        (Column(HOSTILE, help=HOSTILE), Column(HOSTILE, number=True)),
        (Row((Cell(HOSTILE), Cell(HOSTILE, 1.0)), HOSTILE), *[Row((Cell(HOSTILE), Cell(HOSTILE)))] * 11),
        HOSTILE,
        filterable=True,
    )
    parts = (
        Paragraph(HOSTILE),
        Paragraph(HOSTILE, code=True),
        table,
        replace(figure("x"), caption=HOSTILE, alternative=HOSTILE),
    )
    section = Section(HOSTILE, HOSTILE, HOSTILE, Mark.BAD, parts, HOSTILE, {HOSTILE: HOSTILE}, 1.0)
    return Report(HOSTILE, False, {HOSTILE: HOSTILE}, (section,), {HOSTILE: Detail(HOSTILE, HOSTILE, parts)})


def alike_report() -> Report:
    """A report whose sections, tables and details have the names that the page gives to its own parts."""
    names = ("page", "head", "table", "detail", "caption", "filter", "overview", "page/overview")
    column = (Column("x"),)
    tables = tuple(Table(name, column, (Row((Cell("x"),)),) * 11, "Caption", filterable=True) for name in names)
    sections = tuple(Section(name, name, "", parts=tables) for name in names)
    return Report("alike", True, {}, sections, {name: Detail(name, name, tables) for name in names})
