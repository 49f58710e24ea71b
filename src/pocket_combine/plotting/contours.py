"""Scans of two parameters: contours of −2ΔNLL at confidence levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.tri import Triangulation
from scipy.interpolate import RectBivariateSpline
from scipy.spatial import QhullError

from pocket_combine.errors import StyleError
from pocket_combine.plotting.axis_titles import set_titles, set_value_ticks
from pocket_combine.plotting.canvas import add_labels, new_figure, style_context
from pocket_combine.plotting.curves import LEVELS, height_of
from pocket_combine.plotting.data_words import data_words, only_simulation
from pocket_combine.plotting.legends import PlacedLegend, height_above, place_legend, wrapped
from pocket_combine.plotting.palette import PETROFF_10
from pocket_combine.plotting.scans import LIKELIHOOD, curve_colours, level_text
from pocket_combine.plotting.sheets import FAILED_COLOUR
from pocket_combine.plotting.style import Style
from pocket_combine.results import ScanResult
from pocket_combine.templates import FloatArray

__all__ = ["ContourArtists", "Surface", "contour_figure", "draw_contours"]

_LINES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
_COLOURS = ListedColormap(colormaps["Blues_r"](np.linspace(0.35, 1.0, 256)), "light blues")
"""Light enough for black lines."""
_FINE = 8
"""Steps between two points of a grid on which a contour is drawn."""
_SPLINE = 4
"""Points that a cubic spline needs along an axis."""


@dataclass(frozen=True, eq=False)
class Surface:
    """A scan of two parameters, ready to be drawn.

    On a complete rectangular grid it is interpolated by a cubic spline, which has the likelihood of a parabola exactly;
    otherwise points are joined to triangles, and those with a failed point are left out.

    Attributes:
        x: `x[point]`.
        y: `y[point]`.
        heights: `heights[point]`, −2ΔNLL.
        triangles: How points are joined; without those that are left out.
        failed: `failed[failed point, 2]`, where fits failed.
    """

    x: FloatArray
    y: FloatArray
    heights: FloatArray
    triangles: Triangulation
    failed: FloatArray

    @classmethod
    def of(cls, scan: ScanResult) -> Surface:
        """Return the surface of a scan.

        Raises:
            StyleError: If the scan has another number of parameters than two, or its points do not span an area.
        """
        if len(scan.scanned) != 2:
            raise StyleError(f"the scan is one of {' and '.join(scan.scanned)}, expected two parameters")
        points = np.asarray(scan.points, dtype=np.float64)
        usable = np.array([status.usable for status in scan.statuses], dtype=bool) & np.isfinite(scan.delta_nll)
        heights = 2.0 * np.where(usable, scan.delta_nll, 0.0)
        if usable.all():
            fine = _refined(points, heights)
            if fine is not None:
                return cls(*fine, Triangulation(fine[0], fine[1], _grid_triangles(points)), points[:0])
        triangles = _triangulated(points, scan.scanned)
        triangles.set_mask(~usable[triangles.triangles].all(axis=1))
        return cls(points[:, 0], points[:, 1], heights, triangles, points[~usable])


def _axes_of(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    return np.unique(points[:, 0]), np.unique(points[:, 1])


def _refined(points: FloatArray, heights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray] | None:
    """Return a complete rectangular grid, interpolated; `None` for other grids."""
    x, y = _axes_of(points)
    if x.size * y.size != len(points) or min(x.size, y.size) < _SPLINE:
        return None
    if len(np.unique(points, axis=0)) != len(points):
        return None
    grid = heights[np.lexsort((points[:, 1], points[:, 0]))].reshape(x.size, y.size)
    fine_x, fine_y = _fine(x), _fine(y)
    values = RectBivariateSpline(x, y, grid)(fine_x, fine_y)
    columns, rows = np.meshgrid(fine_x, fine_y, indexing="ij")
    return columns.ravel(), rows.ravel(), values.ravel()


def _fine(values: FloatArray) -> FloatArray:
    places = np.arange((values.size - 1) * _FINE + 1) / _FINE
    result: FloatArray = np.interp(places, np.arange(values.size), values)
    return result


def _grid_triangles(points: FloatArray) -> npt.NDArray[np.intp]:
    """Return the corners of two triangles for each cell of the refined grid."""
    columns, rows = ((axis.size - 1) * _FINE + 1 for axis in _axes_of(points))
    corner = (np.arange(columns - 1)[:, np.newaxis] * rows + np.arange(rows - 1)).reshape(-1, 1)
    return np.concatenate([corner + np.array(shift) for shift in ((0, rows, 1), (rows, rows + 1, 1))])


def _triangulated(points: FloatArray, names: Sequence[str]) -> Triangulation:
    """Return points joined to triangles, both axes taken to be as long."""
    lengths = np.ptp(points, axis=0) if len(points) else np.zeros(2)
    problem = (
        f"the {len(points)} points of the scan of {' and '.join(names)} do not span an area, so there is no contour"
    )
    if len(points) < 3 or not (lengths > 0).all():
        raise StyleError(problem)
    try:
        scaled = Triangulation(*((points - points.min(axis=0)) / lengths).T)
    except (QhullError, RuntimeError, ValueError) as error:  # on a line, or one and the same
        raise StyleError(problem) from error
    return Triangulation(points[:, 0], points[:, 1], scaled.triangles)


@dataclass(frozen=True)
class ContourArtists:
    """What was drawn.

    Attributes:
        contours: The lines of each scan, with the levels that it reaches; `None` if it reaches none.
        best: The mark of the best fit of each scan.
        failed: Marks of points whose fit failed; `None` where there are none.
        map: The coloured surface; `None` where it was not wanted.
        legend: The legend.
    """

    contours: tuple[ContourSet | None, ...]
    best: tuple[Line2D, ...]
    failed: Line2D | None
    map: ScalarMappable | None
    legend: PlacedLegend


def draw_contours(
    axes: Axes,
    scans: Mapping[str, ScanResult],
    *,
    style: Style | None = None,
    levels: Sequence[float] = LEVELS,
    colours: bool = False,
    reference: tuple[float, float] | None = None,
) -> ContourArtists:
    """Draw contours of −2ΔNLL of scans of two parameters, and their best fits.

    The axes end with the scan, so that a contour which leaves it is seen to be open.

    Args:
        axes: The axes.
        scans: Scans by label; one with the label `""` is called after its data.
        style: Names.
        levels: Confidence levels, for two parameters.
        colours: Whether the surface of the first scan is shown in colours.
        reference: A point to mark, such as the prediction of the standard model.

    Raises:
        StyleError: If the scans are not of the same two parameters, a level is no probability, or points do not span an
            area.
    """
    style = style or Style()
    pairs = dict.fromkeys(scan.scanned for scan in scans.values())
    if len(pairs) != 1:
        found = ", ".join(" and ".join(pair) for pair in pairs)
        raise StyleError(f"scans of the same two parameters are drawn together, found {found or 'none'}")
    surfaces = {label: Surface.of(scan) for label, scan in scans.items()}
    heights = sorted(height_of(level, 2) for level in levels)
    first = next(iter(surfaces.values()))
    surface_map = _draw_map(axes, first, heights) if colours else None
    contours, best = [], []
    for (label, surface), colour in zip(surfaces.items(), _colours_of(len(scans), colours), strict=True):
        contours.append(_draw_lines(axes, surface, heights, colour))
        best += axes.plot(*scans[label].best, "P", color=colour, markersize=6.0, markeredgewidth=0.0, zorder=5)
    failed = _draw_failed(axes, list(surfaces.values()))
    names = next(iter(pairs))
    set_titles(axes, style.parameter(names[0]), style.parameter(names[1]))
    handles, texts = _legend_entries(scans, levels, best, failed)
    if reference is not None:
        handles += axes.plot(*reference, "*", color="#bd1f01", markersize=8.0, markeredgewidth=0.0, zorder=5)
        texts.append("Prediction")
    datas = {scan.provenance.data for scan in scans.values()}
    legend = place_legend(axes, handles, texts, data_words(datas.pop()) if all(scans) and len(datas) == 1 else "")
    _set_range(axes, list(scans.values()), height_above(axes, legend))
    return ContourArtists(tuple(contours), tuple(best), failed, surface_map, legend)


def _colours_of(count: int, on_map: bool) -> tuple[str, ...]:
    """Return colours of contours; none is blue where they lie on a map of blues."""
    every = curve_colours(count + on_map)
    return tuple(colour for colour in every if not (on_map and colour == PETROFF_10[0]))[:count]


def _draw_map(axes: Axes, surface: Surface, heights: Sequence[float]) -> ScalarMappable:
    """Colour the surface up to twice the highest level."""
    top = 2.0 * max(heights, default=1.0)
    return axes.tripcolor(
        surface.triangles, surface.heights, shading="gouraud", cmap=_COLOURS, vmin=0.0, vmax=top, rasterized=True
    )


def _draw_lines(axes: Axes, surface: Surface, heights: Sequence[float], colour: str) -> ContourSet | None:
    """Draw contours at those heights that the surface reaches; `None` if there are none."""
    corners = surface.heights[np.unique(surface.triangles.get_masked_triangles())]
    lowest, highest = corners.min(initial=np.inf), corners.max(initial=-np.inf)
    reached = [(height, at) for at, height in enumerate(heights) if lowest < height < highest]
    if not reached:
        return None
    return axes.tricontour(
        surface.triangles,
        np.sqrt(np.maximum(surface.heights, 0.0)),  # grows like a distance, so that it is interpolated well
        levels=[height**0.5 for height, _ in reached],
        colors=[colour],
        linestyles=[_LINES[at % len(_LINES)] for _, at in reached],
        linewidths=1.2,
        zorder=3,
    )


def _draw_failed(axes: Axes, surfaces: Sequence[Surface]) -> Line2D | None:
    failed = np.unique(np.concatenate([surface.failed for surface in surfaces]), axis=0)
    if not len(failed):
        return None
    (marks,) = axes.plot(*failed.T, "x", color=FAILED_COLOUR, markersize=4.0, zorder=4)
    return marks


def _legend_entries(
    scans: Mapping[str, ScanResult], levels: Sequence[float], best: Sequence[Line2D], failed: Line2D | None
) -> tuple[list[Line2D], list[str]]:
    """Return what the legend shows and says: scans by the mark of their best fit, levels by the kind of their line."""
    handles, texts = (
        list(best),
        [wrapped(f"{label or data_words(scan.provenance.data)}, best fit", 150.0) for label, scan in scans.items()],
    )
    for at, level in enumerate(sorted(levels)):
        handles.append(Line2D([], [], color="black", linestyle=_LINES[at % len(_LINES)], linewidth=1.2))
        texts.append(f"{level_text(level)} ({LIKELIHOOD} = {height_of(level, 2):.2f})")
    if failed is not None:
        handles.append(failed)
        texts.append("Fit failed")
    return handles, texts


def _set_range(axes: Axes, scans: Sequence[ScanResult], taken: float) -> None:
    """End the axes with the points, with room for the legend above."""
    points = np.concatenate([scan.points for scan in scans])
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, bottom + (top - bottom) / (1.0 - taken))
    set_value_ticks(axes)


def contour_figure(
    scans: Mapping[str, ScanResult],
    *,
    style: Style | None = None,
    levels: Sequence[float] = LEVELS,
    colours: bool = False,
    reference: tuple[float, float] | None = None,
) -> Figure:
    """Return a figure of scans of two parameters; see `draw_contours`.

    Args:
        scans: Scans by label.
        style: Labels and names.
        levels: Confidence levels.
        colours: Whether the surface of the first scan is shown in colours.
        reference: A point to mark.

    Raises:
        StyleError: As `draw_contours`.
    """
    style = style or Style()
    with style_context():
        figure = new_figure(6.2 if colours else 5.0, 5.0)
        grid = figure.add_gridspec(1, 2, width_ratios=(20, 1)) if colours else figure.add_gridspec(1, 1)
        axes = figure.add_subplot(grid[0])
        artists = draw_contours(axes, scans, style=style, levels=levels, colours=colours, reference=reference)
        if artists.map is not None:
            bar = figure.colorbar(artists.map, cax=figure.add_subplot(grid[1]), extend="max")
            bar.set_label(LIKELIHOOD)
        add_labels(axes, style.labels, simulation=only_simulation(scans.values()))
        if not artists.legend.inside:
            figure.set_size_inches(figure.get_figwidth() + artists.legend.width, figure.get_figheight())
    return figure
