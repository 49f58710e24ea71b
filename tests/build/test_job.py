"""Cards from any number of outputs: one pass, the same bytes with every executor and in every order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hist
import numpy as np
import pytest
from outputs import save_output
from toys import YEARS, Toy, observed, random_declarations, random_toy, shape, signal_and_background, small_toy

from pocket_combine import (
    Analysis,
    ArtificialVariation,
    Category,
    Datacard,
    MCProcess,
    Systematics,
    build_cards,
)
from pocket_combine.build.job import build_channels
from pocket_combine.errors import DeclarationError, FindingsError, MissingInputError, TaskError, TemplateError
from pocket_combine.execution import DaskExecutor, Executor, ProcessExecutor, SerialExecutor


def analysis(**changes: Any) -> Analysis:
    processes, systematics, data = random_declarations()
    arguments: dict[str, Any] = {
        "mc_processes": processes,
        "systematics": systematics,
        "years": YEARS,
        "categories": {
            "SR": Category("x", bins_edges=[0, 1, 4], flow="fold"),
            "CR": Category("x", shape_only_for_rateparam=True, rateparam_norm_categories=["CR", "VR"]),
            "VR": Category("y", mcstat=False),
        },
        "data_processes": data,
        "label": "run2",
    }
    return Analysis(**{**arguments, **changes})


def thirds(toy: Toy) -> Toy:
    """Contents whose sums depend on their order."""
    toy.histograms = {
        sample: {dataset: filled * (1 / 3) for dataset, filled in datasets.items()}
        for sample, datasets in toy.histograms.items()
    }
    return toy


def two_variables(seed: int) -> dict[str, Any]:
    """An output with the variables x and y."""
    output = thirds(random_toy(seed)).output("x")
    output["variables"]["y"] = random_toy(seed, axes=[hist.axis.Integer(0, 3, name="y")]).histograms
    return output


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three outputs of the same datasets, as three jobs would leave them."""
    folder = tmp_path_factory.mktemp("outputs")
    return [save_output(two_variables(seed), folder / f"output_{seed}.coffea") for seed in (3, 1, 2)]


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_one_output_gives_the_cards_of_the_documented_loop(outputs: list[Path], tmp_path: Path) -> None:
    report = build_cards(analysis(), outputs[:1], tmp_path / "job", strict=False)
    declared = analysis()
    output = two_variables(3)
    for name, category in declared.categories.items():
        card = Datacard(
            output["variables"][category.variable], output["datasets_metadata"], output["cutflow"], YEARS,
            declared.mc_processes, declared.systematics, name, declared.data_processes, bin_suffix="run2",
            bins_edges=category.bins_edges, flow=category.flow, mcstat=category.mcstat, verbose=False,
            shape_only_for_rateparam=category.shape_only_for_rateparam,
            rateparam_norm_categories=category.rateparam_norm_categories,
        )  # fmt: skip
        card.dump(tmp_path / "loop", f"datacard_{name}_run2.txt", f"shapes_{name}_run2.root")
        assert tuple(card.findings) == report.channels[f"datacard_{name}_run2.txt"].findings
    job = written(tmp_path / "job")
    script = job.pop("combine_datacards_run2.sh").decode()
    assert job == written(tmp_path / "loop")
    assert "combineCards.py SR_run2=datacard_SR_run2.txt CR_run2=datacard_CR_run2.txt VR_run2=" in script
    assert script.endswith("text2workspace.py datacard_combined_run2.txt -o workspace_run2.root\n")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def reference(outputs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("reference")
    build_cards(analysis(), outputs, folder, strict=False)
    return written(folder)


@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0)])
def test_the_order_of_outputs_does_not_change_a_byte(
    order: Sequence[int], outputs: list[Path], reference: dict[str, bytes], tmp_path: Path
) -> None:
    build_cards(analysis(), [outputs[index] for index in order], tmp_path, executor=SerialExecutor(), strict=False)
    assert written(tmp_path) == reference


def check_executor(executor: Executor, outputs: list[Path], reference: dict[str, bytes], folder: Path) -> None:
    """Three outputs in another order, and one, give the bytes of the serial executor."""
    build_cards(analysis(), outputs[1:] + outputs[:1], folder / "three", executor=executor, strict=False)
    assert written(folder / "three") == reference
    build_cards(analysis(), outputs[:1], folder / "serial", strict=False)
    build_cards(analysis(), outputs[:1], folder / "one", executor=executor, strict=False)
    assert written(folder / "one") == written(folder / "serial") != reference


def test_processes_give_the_same_bytes(outputs: list[Path], reference: dict[str, bytes], tmp_path: Path) -> None:
    check_executor(ProcessExecutor(2), outputs, reference, tmp_path)


def test_a_dask_cluster_gives_the_same_bytes(
    outputs: list[Path], reference: dict[str, bytes], cluster: Any, tmp_path: Path
) -> None:
    check_executor(DaskExecutor(cluster), outputs, reference, tmp_path)


def test_outputs_add_up(outputs: list[Path]) -> None:
    total = build_channels(analysis(), outputs)
    single = [build_channels(analysis(), [path]) for path in outputs]
    for name in ("CR", "VR"):
        parts = [channels[name].templates for channels in single]
        observation = total[name].templates.observation
        assert observation is not None
        assert observation == pytest.approx(sum(part.observation for part in parts), rel=1e-12)  # type: ignore[misc]
        assert total[name].templates.variances == pytest.approx(sum(part.variances for part in parts), rel=1e-12)


def test_each_output_is_told_to_the_progress(outputs: list[Path], tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    build_cards(
        analysis(), outputs, tmp_path, strict=False,
        progress=lambda done, total, label: seen.append((done, total, label)),
    )  # fmt: skip
    assert seen == [(0, 3, ""), (1, 3, "output_1.coffea"), (2, 3, "output_2.coffea"), (3, 3, "output_3.coffea")]


def small_analysis(**changes: Any) -> Analysis:
    arguments: dict[str, Any] = {
        "mc_processes": signal_and_background(),
        "systematics": Systematics([shape("JER")]),
        "years": ["2018"],
        "categories": {"SR": "x"},
        "data_processes": observed(),
    }
    return Analysis(**{**arguments, **changes})


def save(folder: Path, name: str, toy: Toy, variable: str = "x") -> Path:
    return save_output(toy.output(variable), folder / name)


def test_one_output_a_sample(tmp_path: Path) -> None:
    whole = small_toy()
    paths = []
    for sample, datasets in whole.histograms.items():
        part = Toy(histograms={sample: datasets}).know(sample, "2018", f"{sample}_2018")
        part.cutflow["presel"] = {f"{sample}_2018": 100}
        paths.append(save(tmp_path, f"{sample}.coffea", part))
    (channel,) = build_channels(small_analysis(), paths).values()
    assert channel.templates.values.tolist() == [[1, 2, 3, 4], [40, 30, 20, 10]]
    assert channel.findings == ()


def test_outputs_of_another_run_may_lack_the_variable(tmp_path: Path) -> None:
    paths = [save(tmp_path, "a.coffea", small_toy()), save(tmp_path, "b.coffea", small_toy(), "y")]
    (channel,) = build_channels(small_analysis(), paths).values()
    assert channel.templates.values.tolist() == [[1, 2, 3, 4], [40, 30, 20, 10]]
    with pytest.raises(MissingInputError, match="variable 'z' is in none of the outputs; available: 'x', 'y'"):
        build_channels(small_analysis(categories={"SR": "z"}), paths)


def test_outputs_of_years_may_call_the_axis_differently_but_not_bin_it_differently(tmp_path: Path) -> None:
    def with_axis(axis: Any) -> Path:
        toy = Toy(axes=[axis])
        for sample in ("Sig", "Bkg"):
            toy.simulate(sample, "2018", [1.0] * len(axis))
        return save(tmp_path, f"{axis.name}{len(axis)}.coffea", toy.observe("DATA", "2018", [1.0] * len(axis)))

    names = [with_axis(hist.axis.Regular(4, 0, 4, name=name)) for name in ("MET.pt", "PuppiMET.pt")]
    (channel,) = build_channels(small_analysis(), names).values()
    assert channel.templates.values.tolist() == [[2, 2, 2, 2], [2, 2, 2, 2]]
    coarse = with_axis(hist.axis.Regular(2, 0, 4, name="z"))
    message = r"variable 'x', .*z2\.coffea, and the outputs before it: outputs with different binnings cannot be added"
    with pytest.raises(TemplateError, match=message):
        build_channels(small_analysis(), [*names, coarse])


def test_a_dataset_that_two_outputs_have_normalised_is_noticed(tmp_path: Path) -> None:
    paths = []
    for name in ("a", "b"):
        output = small_toy().output() | {"sum_genweights": {"Bkg_2018": 1e6, "Other_2018": 1e6}}
        paths.append(save_output(output, tmp_path / f"{name}.coffea"))
    declared = small_analysis()
    (channel,) = build_channels(declared, paths[:1]).values()
    assert channel.findings == ()
    (channel,) = build_channels(declared, paths).values()
    (finding,) = channel.findings
    assert (finding.code, finding.place) == ("dataset-in-several-outputs", "dataset Bkg_2018")
    assert "their sum counts them repeatedly" in finding.message


def test_data_that_two_outputs_have_are_noticed(tmp_path: Path) -> None:
    output = small_toy().output()
    (data,) = output["variables"]["x"]["DATA"]
    output["datasets_metadata"]["by_dataset"] = {data: {"isMC": "False"}}
    paths = [save_output(output, tmp_path / f"{name}.coffea") for name in ("a", "b")]
    (channel,) = build_channels(small_analysis(), paths).values()
    assert [(finding.code, finding.place) for finding in channel.findings] == [
        ("data-in-several-outputs", f"dataset {data}")
    ]


def test_an_output_that_lost_a_histogram_is_noticed(tmp_path: Path) -> None:
    broken = small_toy()
    del broken.histograms["Bkg"]
    paths = [save(tmp_path, "a.coffea", small_toy()), save(tmp_path, "b.coffea", broken)]
    with pytest.raises(MissingInputError, match="dataset 'Bkg_2018' of sample 'Bkg' has 100 events after"):
        build_channels(small_analysis(), paths)


def test_artificial_variations_go_in_first(tmp_path: Path) -> None:
    toy = small_toy(categories=["SR", "CR"])
    other = Toy(axes=[hist.axis.Regular(2, 0, 1, name="y")], categories=["SR", "CR"])
    for sample, year in (("Sig", "2018"), ("Bkg", "2018")):
        other.simulate(sample, year, [1, 2])
    output = toy.output("x")
    output["variables"]["y"] = other.histograms
    path = save_output(output, tmp_path / "output.coffea")
    variations = [
        ArtificialVariation("extra", ["Bkg"], {"SR": [2.0, 1.0, 1.0, 1.0], "CR": [1.0, 3.0]}, down_mode="mirror")
    ]
    declared = small_analysis(
        systematics=Systematics([shape("extra", ["bkg"])]),
        categories={"SR": "x", "CR": "y"},
        artificial_variations=variations,
        data_processes=None,
    )
    channels = build_channels(declared, [path])
    assert channels["SR"].templates.up.tolist() == [[80, 30, 20, 10]]
    assert channels["SR"].templates.down.tolist() == [[20, 30, 20, 10]]
    assert channels["CR"].templates.up.tolist() == [[1, 6]]


def test_nothing_is_written_where_there_are_errors(tmp_path: Path) -> None:
    path = save(tmp_path, "output.coffea", small_toy())
    wrong = small_analysis(systematics=Systematics([shape("JRE")]))
    with pytest.raises(FindingsError, match=r"variation 'JRE' is in none of the histograms .* did you mean 'JER'"):
        build_cards(wrong, [path], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    report = build_cards(wrong, [path], tmp_path / "out", strict=False)
    assert [finding.code for finding in report.findings] == ["variation-nowhere"]
    assert sorted(item.name for item in (tmp_path / "out").iterdir()) == [
        "combine_datacards_2018.sh",
        "datacard_SR_2018.txt",
        "shapes_SR_2018.root",
    ]


def test_a_finding_that_channels_share_stands_once(tmp_path: Path) -> None:
    path = save(tmp_path, "output.coffea", small_toy(categories=["SR", "CR"]))
    declared = small_analysis(systematics=Systematics([shape("JRE")]), categories={"SR": "x", "CR": "x"})
    report = build_cards(declared, [path], tmp_path / "out", strict=False)
    assert [finding.code for finding in report.findings] == ["variation-nowhere"]


def test_a_blind_build_does_not_depend_on_data(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        toy = small_toy()
        toy.histograms["DATA"]["DATA_2018"].view()["value"] *= 1 + number
        toy.histograms["DATA"]["DATA_2018"].view()["value"][0, 0] += np.nan if number else 0.0
        path = save(tmp_path, f"{name}.coffea", toy)
        build_cards(small_analysis(), [path], tmp_path / name, blind=True)
    assert written(tmp_path / "a") == written(tmp_path / "b")
    assert b"observation  110\n" in written(tmp_path / "a")["datacard_SR_2018.txt"]


def test_outputs_that_would_be_counted_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path, "output.coffea", small_toy())
    (tmp_path / "link.coffea").symlink_to(path)
    monkeypatch.chdir(tmp_path)
    for paths in ([path, path], ["output.coffea", str(path)], [path, tmp_path / "link.coffea"]):
        with pytest.raises(
            DeclarationError, match=r"output\.coffea.* is given 2 times: its events would count 2 times"
        ):
            build_channels(small_analysis(), paths)
    with pytest.raises(DeclarationError, match="no output is given"):
        build_channels(small_analysis(), [])
    with pytest.raises(DeclarationError, match=r"outputs is 'output.coffea', expected a list: \['output.coffea'\]"):
        build_channels(small_analysis(), "output.coffea")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    good = save(tmp_path, "good.coffea", small_toy())
    (tmp_path / "bad.coffea").write_bytes(good.read_bytes()[:200])
    with pytest.raises(TaskError, match=r"bad\.coffea"):
        build_channels(small_analysis(), [good, tmp_path / "bad.coffea"])


def test_processes_of_the_report(tmp_path: Path) -> None:
    processes = signal_and_background()
    processes["more"] = MCProcess("more", ["Bkg"], ["2018"], False)
    path = save(tmp_path, "output.coffea", small_toy())
    report = build_cards(small_analysis(mc_processes=processes), [path], tmp_path / "out")
    assert report.directory == tmp_path / "out"
    assert (report.combination, report.combined_card) == ("combine_datacards_2018.sh", "datacard_combined_2018.txt")
    (channel,) = report.channels.values()
    assert [column.process for column in channel.card.columns] == ["sig_2018", "bkg_2018", "more_2018"]
    assert [finding.code for finding in report.findings] == ["shared-sample"]
