"""What bin parameters add to each process of a bin, and the derivatives of processes with it.

A parameter of one process in one bin belongs to that process. One of a whole bin shifts its total by w x with
w² = Σ (C e)²; a process has the share (C e)² / w² of that, so that processes add up to the total. That is what
Combine saves for each process (`CMSHistErrorPropagator::applyErrorShifts`, without cropping), except that there a
process with a negative yield has no share.
"""

from __future__ import annotations

import numpy as np

from pocket_combine.likelihood.engine import Engine, EngineState
from pocket_combine.templates import FloatArray, IntArray

__all__ = ["cell_shifts", "shifted_rows"]


def cell_shifts(engine: Engine, state: EngineState) -> FloatArray:
    """Return `result[cell, point]`, what bin parameters add to each cell.

    Args:
        engine: The likelihood.
        state: What is known at the points.
    """
    process, total, bins = engine.bins.process, engine.bins.total, state.bins
    yields = state.yields.columns.yields
    result = np.zeros_like(state.yields.templates)
    given = bins.amplitude * bins.parameters[process.parameter]
    contents = yields[process.column] * state.yields.templates[process.cell]
    result[process.cell] += given - np.where(process.is_count, contents, 0.0)
    shifts = bins.parameters[total.parameter][total.cell_row]
    result[total.cell] += shifts * _total_shares(engine, state)
    return result


def shifted_rows(engine: Engine, state: EngineState, cells: IntArray) -> FloatArray:
    """Return `result[point, process, bin, parameter]`: derivatives of the cells of a channel, with `cell_shifts`.

    The parameters are those of the model, bin parameters last. A share (C e)² x / w has three derivatives: of (C e)²,
    of x and of 1/w, which all processes of the bin move.

    Args:
        engine: The likelihood.
        state: What is known at the points, ready for first derivatives.
        cells: `cells[process, bin]` of all processes of the channel.
    """
    flat = cells.ravel()
    own = engine.derivatives.cell_rows(
        state.yields, flat, *(part[flat] for part in engine.bins.share_weights(state.yields, state.bins))
    )
    result = np.zeros((*own.shape[:2], engine.size + engine.bins.count))
    result[:, :, : engine.size] = own
    process, total = engine.bins.process, engine.bins.total
    place = np.full(state.yields.templates.shape[0], -1, dtype=np.intp)
    place[flat] = np.arange(flat.size)
    mine = np.flatnonzero(place[process.cell] >= 0)
    position = engine.size + process.parameter[mine]
    result[:, place[process.cell[mine]], position] = state.bins.amplitude[mine].T
    mine = np.flatnonzero(place[total.cell] >= 0)
    if mine.size:
        position = engine.size + total.parameter[total.cell_row[mine]]
        result[:, place[total.cell[mine]], position] = _total_shares(engine, state)[mine].T
        width = engine.square_rows(state)[:, :, total.bin[total.cell_row[mine]]].transpose(0, 2, 1)
        factor = _share_of_width(engine, state)[mine]
        result[:, place[total.cell[mine]], : engine.size] -= factor.T[:, :, None] * width
    return result.reshape(-1, *cells.shape, result.shape[2])


def _total_shares(engine: Engine, state: EngineState) -> FloatArray:
    """Return `result[i, point]`: (C e)² / w of cells in bins with one parameter, what x is multiplied with."""
    total = engine.bins.total
    result: FloatArray = state.bins.inverse_error()[total.cell_row] * (
        state.yields.columns.yields[total.column] ** 2 * total.cell_square
    )
    return result


def _share_of_width(engine: Engine, state: EngineState) -> FloatArray:
    """Return `result[i, point]`: -d((C e)² x / w)/d(w²) of cells in bins with one parameter."""
    total = engine.bins.total
    values = state.bins.parameters[total.parameter][total.cell_row]
    result: FloatArray = 0.5 * values * _total_shares(engine, state) * state.bins.inverse_error()[total.cell_row] ** 2
    return result
