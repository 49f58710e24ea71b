"""Written cards and ROOT files, read back by uproot, by the parser and by plain splitting of words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uproot
from cards_of_toys import build, random_card, tokens
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from toys import (
    YEARS,
    Toy,
    shape,
    signal_and_background,
    small_toy,
)

from pocket_combine import MCProcess, MCProcesses, Systematics, SystematicUncertainty, combine_datacards
from pocket_combine.card.load import load_card
from pocket_combine.errors import CardError, DeclarationError, RootFileError


class TestFiles:
    """What is written, read back by uproot and by plain splitting of words."""

    def test_templates_in_the_root_file(self, tmp_path: Path) -> None:
        card = build()
        card.dump(tmp_path, "card.txt", "shapes.root")
        with uproot.open(tmp_path / "shapes.root") as file:
            assert set(file.keys(cycle=False)) == {
                "data_obs_nominal",
                *(f"{p}_2018_{v}" for p in ("sig", "bkg") for v in ("nominal", "JERUp", "JERDown")),
            }
            assert set(file.classnames().values()) == {"TH1D"}
            assert file["bkg_2018_JERUp"].values().tolist() == [44, 33, 22, 11]
            assert file["bkg_2018_nominal"].variances().tolist() == [40, 30, 20, 10]
            assert file["bkg_2018_nominal"].axis().edges().tolist() == [0, 1, 2, 3, 4]
            assert file["data_obs_nominal"].values().tolist() == [41, 33, 22, 15]

    @pytest.mark.parametrize("seed", range(2))
    def test_every_template_of_a_random_card(self, seed: int, tmp_path: Path) -> None:
        card = random_card(seed, bins_edges=[1, 2, 4], flow="fold")
        card.dump(tmp_path, "card.txt", "shapes.root")
        loaded = load_card(tmp_path / "card.txt")
        (templates,) = loaded.templates.values()
        assert loaded.card.columns == card.card.columns
        assert loaded.card.nuisances == card.card.nuisances
        assert loaded.card.rate_parameters == card.card.rate_parameters
        assert loaded.card.mc_stats == card.card.mc_stats
        assert templates.pairs == card.templates.pairs
        for name in ("edges", "values", "variances", "up", "down", "observation"):
            assert getattr(templates, name).tolist() == getattr(card.templates, name).tolist(), name

    def test_text_of_a_card(self) -> None:
        rows = Systematics(
            [
                SystematicUncertainty("lumi", "lnN", ["sig", "bkg"], ["2018"], 1.025, group="flat"),
                SystematicUncertainty("xsec", "lnN", {"bkg": (0.98, 1.05)}, ["2018"], group="flat"),
                shape("JER", ["bkg"]),
            ]
        )
        card = build(systematics=rows, mc_processes=signal_and_background(has_rateParam=True), mcstat={"threshold": 10})
        assert card.content("shapes_SR.root") == (
            "imax 1 number of channels\n"
            "jmax 1 number of processes minus 1\n"
            "kmax 3 number of nuisance parameters\n" + "-" * 80 + "\n"
            "shapes  *  SR_2018  shapes_SR.root  $PROCESS_nominal  $PROCESS_$SYSTEMATIC\n" + "-" * 80 + "\n"
            "bin          SR_2018\n"
            "observation  111\n" + "-" * 80 + "\n"
            "bin             SR_2018   SR_2018\n"
            "process         sig_2018  bkg_2018\n"
            "process         0         1\n"
            "rate            10        100\n" + "-" * 80 + "\n"
            "lumi     lnN    1.025     1.025\n"
            "xsec     lnN    -         0.98/1.05\n"
            "JER      shape  -         1\n" + "-" * 80 + "\n"
            "SF_bkg rateParam * bkg_2018 1 [0,5]\n" + "-" * 80 + "\n"
            "flat group = lumi xsec\n"
            "SR_2018 autoMCStats 10 0 1\n"
        )

    @pytest.mark.parametrize(("mcstat", "lines"), [(True, [["autoMCStats", "0", "0", "1"]]), (False, None)])
    def test_mc_stats_line(self, mcstat: bool, lines: Any) -> None:
        assert tokens(build(mcstat=mcstat, bin_suffix="x").content()).get("SR_x") == lines

    def test_counts_are_of_what_is_written(self) -> None:
        rows = [shape("JER"), SystematicUncertainty("old", "lnN", ["sig", "bkg"], ["2017"], 1.1)]
        toy = small_toy().simulate("Sig", "2017", [1] * 4).simulate("Bkg", "2017", [1] * 4)
        card = build(toy, systematics=Systematics(rows), mc_processes=signal_and_background(years=YEARS))
        words = tokens(card.content())
        assert words["kmax"][0][0] == "1" == str(card.kmax)
        assert "old" not in words

    @settings(max_examples=30, deadline=None)
    @given(
        scale=st.floats(1e-12, 1e12),
        contents=st.lists(st.floats(0.001, 1000), min_size=4, max_size=4),
    )
    def test_the_rate_is_the_sum_of_the_template_and_its_text(self, scale: float, contents: list[float]) -> None:
        values = [scale * number for number in contents]
        toy = small_toy().simulate("Bkg", "2018", values, dataset="Bkg_more")
        toy.histograms["Bkg"]["Bkg_2018"] *= 0.0
        card = build(toy, data_processes=None)
        printed = [float(word) for word in tokens(card.content())["rate"][0]]
        row = card.templates.column_index["bkg_2018"]
        assert printed[1] == pytest.approx(sum(values), rel=1e-9)
        assert printed[1] == card.rate("bkg_2018") == card.templates.values[row].sum()

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        names=st.lists(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,60}", fullmatch=True), min_size=2, max_size=4, unique=True
        ),
        year=st.from_regex(r"[A-Za-z0-9_]{1,30}", fullmatch=True),
        suffix=st.from_regex(r"[A-Za-z0-9_]{0,40}", fullmatch=True),
        nuisance=st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,60}", fullmatch=True),
    )
    def test_names_of_any_length_stay_words(
        self, names: list[str], year: str, suffix: str, nuisance: str, tmp_path: Path
    ) -> None:
        toy = Toy()
        for name in names:
            toy.simulate(f"Sample_{name}", year, [1, 2, 3, 4], {"v": ([1, 2, 3, 5], [1, 2, 3, 3])})
        processes = [MCProcess(name, [f"Sample_{name}"], [year], not index) for index, name in enumerate(names)]
        row = SystematicUncertainty("v", "shape", names, [year], 1, datacard_name=nuisance)
        try:
            card = build(
                toy, mc_processes=MCProcesses(processes), systematics=Systematics([row]), data_processes=None,
                years=[year], bin_suffix=suffix,
            )  # fmt: skip
        except DeclarationError as error:
            assert "data_obs" in str(error)  # noqa: PT017  a name may turn out to be the reserved one
            return
        card.dump(tmp_path, "card.txt", "shapes.root")
        text = (tmp_path / "card.txt").read_text()
        words = [line.split() for line in text.splitlines()]
        columns = [f"{name}_{year}" for name in names]
        assert ["process", *columns] in words
        assert ["bin", *[card.bin] * len(names)] in words
        assert [nuisance, "shape", *["1"] * len(names)] in words
        assert load_card(tmp_path / "card.txt").card.processes(card.bin) == tuple(columns)

    def test_files_have_the_same_bytes_whatever_the_hash_seed(self, tmp_path: Path) -> None:
        program = (
            "import sys, cards_of_toys\ncards_of_toys.random_card(1).dump(sys.argv[1], 'card.txt', 'shapes.root')\n"
        )
        environment = {
            **os.environ,
            "PYTHONHASHSEED": "1",
            "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
        }
        subprocess.run([sys.executable, "-c", program, str(tmp_path / "1")], check=True, env=environment)  # noqa: S603
        random_card(1).dump(tmp_path / "2", "card.txt", "shapes.root")
        for name in ("card.txt", "shapes.root"):
            assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()

    @pytest.mark.parametrize(
        ("names", "message"),
        [
            (("a/card.txt", "shapes.root"), "card_name is 'a/card.txt', expected a file name without folders"),
            (("card.txt", "sha pes.root"), "shapes_name is 'sha pes.root', expected a file name without"),
            (("card.txt", "shapes.txt"), "shapes_name is 'shapes.txt', expected a name that ends in .root"),
            (
                ("card.txt", "$CHANNEL.root"),
                r"shapes_name is '\$CHANNEL.root', which Combine reads as an option or fills",
            ),
            (("-o", "shapes.root"), "card_name is '-o', which Combine reads as an option"),
            (("same.root", "same.root"), "card_name and shapes_name are both 'same.root'"),
            ((3, "shapes.root"), "card_name is 3, expected a file name"),
        ],
    )
    def test_names_of_files_that_would_break_the_card(self, names: Any, message: str, tmp_path: Path) -> None:
        with pytest.raises(DeclarationError, match=message):
            build().dump(tmp_path / "out", *names)
        assert not (tmp_path / "out").exists()

    def test_a_card_that_cannot_be_written_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "shapes.root").mkdir()
        with pytest.raises(RootFileError, match=r"shapes\.root was not written: Is a directory"):
            build().dump(tmp_path, "card.txt", "shapes.root")
        (tmp_path / "file").write_text("text")
        with pytest.raises(CardError, match="file: no folder can be made there"):
            build().dump(tmp_path / "file", "card.txt", "shapes.root")
        (tmp_path / "script.sh").mkdir()
        with pytest.raises(CardError, match=r"script\.sh: cannot be written: Is a directory"):
            combine_datacards({"card.txt": build()}, tmp_path, "script.sh")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "script.sh", "shapes.root"]

    def test_an_existing_folder_and_files_are_replaced(self, tmp_path: Path) -> None:
        build().dump(tmp_path / "a" / "b", "card.txt", "shapes.root")
        first = (tmp_path / "a" / "b" / "shapes.root").read_bytes()
        build().dump(str(tmp_path / "a" / "b"), "card.txt", "shapes.root")
        assert (tmp_path / "a" / "b" / "shapes.root").read_bytes() == first
        assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == ["card.txt", "shapes.root"]


def test_a_list_of_cards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeclarationError, match=r"datacards is a list, expected {file name of the card: Datacard}"):
        combine_datacards([build()], tmp_path)  # type: ignore[arg-type]  # what is tested
