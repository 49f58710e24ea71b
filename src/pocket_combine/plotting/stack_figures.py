"""Figures of stacks, of a size that fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matplotlib.figure import Figure

from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.data_words import only_simulation
from pocket_combine.plotting.legends import lay_out
from pocket_combine.plotting.stack_axes import draw_bins
from pocket_combine.plotting.stack_numbers import Stack, overview_of, stack_of
from pocket_combine.plotting.stack_options import PLAIN, StackOptions
from pocket_combine.plotting.stack_panels import draw_stack_panel
from pocket_combine.plotting.stacks import draw_stack, make_room
from pocket_combine.plotting.style import Style
from pocket_combine.results import PostfitResult

__all__ = ["overview_figure", "stack_figure", "stack_figures"]

_DEFAULT = Style()


def stack_figure(
    result: PostfitResult,
    channel: str,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = PLAIN,
) -> Figure:
    """Return the stack of a channel.

    Args:
        result: Expected events before or after a fit.
        channel: Name of one of its channels.
        style: Labels, names, colours, merging, blinded ranges and unrolling.
        prefit: A result whose total is drawn as a dashed line.
        options: How it is drawn.

    Raises:
        ResultError: If there is no such channel, or the bins of `prefit` differ.
        StyleError: If the style does not fit the channel.
    """
    shown = stack_of(result, channel, style=style, prefit=prefit)
    return _figure(shown, style, options, simulation=only_simulation([result]))


def stack_figures(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = PLAIN,
) -> Iterator[tuple[str, Figure]]:
    """Yield the name of each channel and its stack; see `stack_figure`.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        style: Labels, names, colours, merging, blinded ranges and unrolling.
        prefit: A result whose total is drawn as a dashed line.
        options: How they are drawn.
    """
    for name in [one.channel for one in result.channels] if channels is None else channels:
        yield name, stack_figure(result, name, style=style, prefit=prefit, options=options)


def overview_figure(
    result: PostfitResult,
    channels: Sequence[str] | None = None,
    *,
    style: Style = _DEFAULT,
    prefit: PostfitResult | None = None,
    options: StackOptions = PLAIN,
) -> Figure:
    """Return a stack with one bin for each channel.

    Args:
        result: Expected events before or after a fit.
        channels: Names of channels; `None` for all.
        style: Labels, names, colours and merging.
        prefit: A result whose totals are drawn as a dashed line.
        options: How it is drawn.

    Raises:
        ResultError: If there is no such channel.
        StyleError: If a rule adds signals to backgrounds.
    """
    shown = overview_of(result, channels, style=style, prefit=prefit)
    return _figure(shown, style, options, simulation=only_simulation([result]))


def _figure(stack: Stack, style: Style, options: StackOptions, *, simulation: bool) -> Figure:
    with_panel = options.panel == "ratio" or (options.panel == "pull" and stack.observed is not None)
    count = stack.total.size
    width = min(max(5.0, 3.0 + 0.3 * count), 20.0) if stack.bin_labels else min(5.0 + 0.03 * max(count - 40, 0), 14.0)
    with style_context():
        figure = new_figure(width, 5.0 if with_panel else 4.2)
        figure.get_layout_engine().set(hspace=0.0, h_pad=0.03, w_pad=0.05)  # type: ignore[union-attr, call-arg]  # constrained layout
        rows = (3, 1) if with_panel else (1,)
        upper, *below = figure.subplots(len(rows), 1, sharex=True, height_ratios=rows, squeeze=False)[:, 0]
        artists = draw_stack(upper, stack, options=options)
        for lower in below:
            draw_stack_panel(lower, stack, options=options)
            upper.set_xlabel("")
            upper.tick_params(labelbottom=False)
        if not artists.legend.inside:
            figure.set_size_inches(width + artists.legend.width, figure.get_figheight())
        figure.align_ylabels()
        add_labels(upper, style.labels, simulation=simulation)
        lay_out(figure)
        bins = draw_bins(stack, per_width=options.per_width, equal=options.equal_bins)
        make_room(upper, stack, bins, options, artists)
    return figure
