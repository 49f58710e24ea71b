"""Where lists of independent tasks run: in this process, in processes of this machine, or on a Dask cluster.

Collecting outputs, impacts, scans and toys are lists of self-contained tasks. They take an `Executor` as an argument
and give the same results with each. A function and its tasks must be picklable: the function stands at the top of a
module, the tasks are plain values.
"""

from pocket_combine.execution.dask import DaskExecutor
from pocket_combine.execution.processes import ProcessExecutor
from pocket_combine.execution.protocols import Executor, Progress, task_label
from pocket_combine.execution.serial import SerialExecutor

__all__ = ["Progress", "Executor", "SerialExecutor", "ProcessExecutor", "DaskExecutor", "task_label"]
