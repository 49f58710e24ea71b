"""Executors: the same results in the same order everywhere, failures under the name of their task."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pocket_combine.errors import (
    CardError,
    DeclarationError,
    ExecutionError,
    FindingsError,
    MissingDependencyError,
    TaskError,
)
from pocket_combine.execution import DaskExecutor, Executor, ProcessExecutor, SerialExecutor, task_label
from pocket_combine.findings import Finding, Severity


@dataclass(frozen=True)
class Square:
    """A task with a name."""

    number: int

    @property
    def label(self) -> str:
        return f"square of {self.number}"


class DemandingError(Exception):
    """Cannot be read back from a pickle: its constructor takes two arguments, its `args` hold one."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def square(task: Square) -> int:
    # Later tasks finish first, so that results out of order would be seen.
    time.sleep(0.002 * max(0, 5 - task.number))
    return task.number**2


def fail_at_three(task: Square) -> int:
    if task.number == 3:
        raise ValueError("three is refused")
    return task.number


def fail_demandingly(task: Square) -> int:
    raise DemandingError("cannot be ", str(task.number))


def refuse_card(task: Square) -> int:
    raise CardError(["a is wrong", f"{task.number} is missing"])


def leave(task: Square) -> int:
    sys.exit(f"leaving at {task.number}")


def die(task: Square) -> int:
    if task.number == 1:
        os._exit(3)
    return task.number


def give_lock(task: Square) -> object:
    return threading.Lock()


@pytest.fixture(scope="module")
def dask_executor() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed", reason="the Dask executor needs distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=True
        ) as cluster,
        DaskExecutor.connect(cluster.scheduler_address) as executor,
    ):
        yield executor


@pytest.fixture(params=["serial", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Executor:
    if request.param == "dask":
        result: Executor = request.getfixturevalue("dask_executor")
        return result
    return SerialExecutor() if request.param == "serial" else ProcessExecutor(2)


TASKS = [Square(number) for number in range(40)]


def test_results_come_in_task_order(executor: Executor) -> None:
    assert list(executor.map(square, TASKS)) == [number**2 for number in range(40)]


def test_progress_counts_every_task(executor: Executor) -> None:
    seen: list[tuple[int, int, str]] = []

    def progress(done: int, total: int, label: str) -> None:
        seen.append((done, total, label))

    assert list(executor.map(square, TASKS[:3], progress=progress)) == [0, 1, 4]
    assert seen == [(0, 3, ""), (1, 3, "square of 0"), (2, 3, "square of 1"), (3, 3, "square of 2")]


def test_no_tasks_give_no_results(executor: Executor) -> None:
    assert list(executor.map(square, [])) == []


def test_failure_names_the_task_after_earlier_results(executor: Executor) -> None:
    results: list[int] = []
    with pytest.raises(TaskError, match=r"^square of 3: ValueError: three is refused$") as caught:
        results.extend(executor.map(fail_at_three, TASKS))
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.label == "square of 3"
    assert results == [0, 1, 2]


def test_exception_that_cannot_be_read_back(executor: Executor) -> None:
    with pytest.raises(TaskError, match="cannot be 0") as caught:
        list(executor.map(fail_demandingly, TASKS[:1]))
    assert "DemandingError" in repr(caught.value.__cause__)


def test_errors_of_the_package_keep_their_text(executor: Executor) -> None:
    with pytest.raises(TaskError) as caught:
        list(executor.map(refuse_card, TASKS[:1]))
    assert str(caught.value) == "square of 0: 2 problems:\n  1. a is wrong\n  2. 0 is missing"
    assert isinstance(caught.value.__cause__, CardError)
    assert caught.value.__cause__.problems == ("a is wrong", "0 is missing")


def test_task_that_exits_is_a_failure(executor: Executor) -> None:
    with pytest.raises(TaskError, match="SystemExit: leaving at 0"):
        list(executor.map(leave, TASKS[:1]))


def test_leaving_early_is_clean(executor: Executor) -> None:
    results = executor.map(square, TASKS)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  # the iterators are generators
    assert list(executor.map(square, TASKS[:2])) == [0, 1]


def threads(_: Square) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize(("variable", "expected"), [(None, "1"), ("OMP_NUM_THREADS", None)])
def test_processes_compute_with_one_thread_unless_told_otherwise(
    variable: str | None, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.endswith(("_NUM_THREADS", "_MAXIMUM_THREADS")):
            monkeypatch.delenv(name)
    if variable is not None:
        monkeypatch.setenv(variable, "4")
    before = dict(os.environ)
    assert list(ProcessExecutor(1).map(threads, TASKS[:1])) == [expected]
    assert dict(os.environ) == before


def test_result_that_cannot_be_pickled_is_a_failure() -> None:
    with pytest.raises(TaskError, match=r"square of 0: .*pickle.*lock"):
        list(ProcessExecutor(1).map(give_lock, TASKS[:1]))


def test_worker_that_dies() -> None:
    with pytest.raises(ExecutionError, match=r"ended without an answer while square of [01] or a task after it"):
        list(ProcessExecutor(2).map(die, TASKS[:4]))


def test_exception_of_a_worker_shows_where_it_was_raised() -> None:
    with pytest.raises(TaskError) as caught:
        list(ProcessExecutor(1).map(fail_at_three, TASKS[3:4]))
    cause = caught.value.__cause__
    assert cause is not None
    assert "in fail_at_three" in str(cause.__cause__)


class Counting:
    """Tasks that note how many of them were asked for."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Square]:
        for number in range(self.count):
            self.taken += 1
            yield Square(number)


def test_tasks_in_flight_are_bounded() -> None:
    tasks = Counting(500)
    results = ProcessExecutor(1).map(square, tasks)  # type: ignore[arg-type]  # has the parts of a sequence in use
    assert next(results) == 0
    assert tasks.taken == 2
    assert next(results) == 1
    assert tasks.taken == 3
    results.close()  # type: ignore[attr-defined]  # the iterators are generators


def test_tasks_in_flight_on_a_cluster_are_bounded(dask_executor: Executor) -> None:
    tasks = Counting(500)
    results = dask_executor.map(square, tasks)  # type: ignore[arg-type]  # has the parts of a sequence in use
    assert next(results) == 0
    assert tasks.taken == 32
    results.close()  # type: ignore[attr-defined]  # the iterators are generators


def test_interrupt_ends_the_workers(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, sys, time
            from pathlib import Path
            from pocket_combine.execution import ProcessExecutor

            def sleep(folder):
                (folder / str(os.getpid())).touch()
                time.sleep(60)

            if __name__ == "__main__":
                try:
                    list(ProcessExecutor(2).map(sleep, [Path(sys.argv[1])] * 8))
                except KeyboardInterrupt:
                    sys.exit(42)
            """
        )
    )
    folder = tmp_path / "workers"
    folder.mkdir()
    # A session of its own, so that the signal reaches the whole group, as Ctrl-C in a terminal does.
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(script), str(folder)], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, diagnostics = process.communicate(timeout=20)
    assert process.returncode == 42
    assert diagnostics == ""
    for worker in folder.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(worker.name), 0)


def test_jobs_below_one_are_refused() -> None:
    with pytest.raises(DeclarationError, match="jobs is 0, expected a number of processes, at least 1"):
        ProcessExecutor(0)


def test_no_scheduler_at_the_address() -> None:
    pytest.importorskip("distributed")
    with (
        pytest.raises(ExecutionError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1' within 0.3 s"),
        DaskExecutor.connect("tcp://127.0.0.1:1", timeout=0.3),
    ):
        pass


def test_address_without_meaning() -> None:
    pytest.importorskip("distributed")
    with (
        pytest.raises(ExecutionError, match="expected an address such as tcp://host:8786"),
        DaskExecutor.connect("nonsense://here", timeout=0.3),
    ):
        pass


def test_missing_dask_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(MissingDependencyError, match=r"pip install 'pocket-combine\[dask\]'"),
        DaskExecutor.connect("tcp://127.0.0.1:8786"),
    ):
        pass


def test_importing_the_module_does_not_import_dask() -> None:
    code = "import pocket_combine.execution, sys; print(sorted({'dask', 'distributed'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert result.stdout == "[]\n"


def test_labels() -> None:
    assert task_label(Path("a/b.coffea")) == "a/b.coffea"
    assert task_label("x" * 200) == "x" * 99 + "…"
    assert task_label(Square(3)) == "square of 3"
    assert task_label(5) == "5"


@pytest.mark.parametrize(
    "error",
    [
        DeclarationError(["a", "b"]),
        CardError("a"),
        FindingsError([Finding("code", Severity.ERROR, "here", "this")]),
        TaskError("task", "problem"),
    ],
)
def test_errors_survive_the_way_between_processes(error: Exception) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
