"""The wheel that `pip install .` makes: what is in it, and the module names that PocketCoffea documents.

`pocket_combine.pth` works in site-packages only, so every test here uses a virtual environment of its own.
Dependencies are those of the environment that runs the tests.
"""

import importlib.metadata
import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pocket_combine import __version__

PROJECT = Path(__file__).resolve().parents[1]
STAT_NAMES = "MCProcess, DataProcess, MCProcesses, DataProcesses, SystematicUncertainty, Systematics, Datacard"

# What a setuptools editable install writes: a finder at the end of sys.meta_path, put there by a .pth file.
EDITABLE_FINDER = """
import sys
from importlib.machinery import PathFinder

class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        return PathFinder.find_spec(fullname, [{folder!r}]) if fullname == "pocket_coffea" else None

def install():
    sys.meta_path.append(Finder)
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip: the pip of this environment installs into it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return self.folder / "lib" / version / "site-packages"

    def pip(self, *arguments: str | Path) -> None:
        run([sys.executable, "-m", "pip", "--python", self.python, *arguments])

    @property
    def dependencies(self) -> Path:
        """The file that makes the packages of this environment importable there, behind its own.

        A line with a folder appends it to sys.path; .pth files in that folder are not read.
        """
        return self.site_packages / "dependencies.pth"

    def install(self, wheel: Path) -> None:
        # Without the dependencies: pocket_combine may be one of them, and pip would find it installed.
        self.pip("install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel)
        self.dependencies.write_text(sysconfig.get_path("purelib"))

    def uninstall(self) -> None:
        self.dependencies.unlink()
        self.pip("uninstall", "--quiet", "--yes", "pocket-combine")

    def unpack(self, wheel: Path) -> None:
        """Do what pip does with the modules of a wheel, faster."""
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(self.site_packages)
        self.dependencies.write_text(sysconfig.get_path("purelib"))

    def evaluate(self, program: str) -> Any:
        """Run a program away from the project's folder and return the JSON that it prints."""
        return json.loads(run([self.python, "-c", program], cwd=self.folder))


def run(command: list[str | Path], cwd: Path | None = None) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for name in ("pip", "hatchling"):
        try:
            importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed, so that no wheel can be built")
    folder = tmp_path_factory.mktemp("wheel")
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    run([sys.executable, "-m", "pip", "wheel", "--quiet", *offline, "--wheel-dir", folder, PROJECT])
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    folder = tmp_path / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    return Environment(folder)


def write_pocket_coffea(folder: Path) -> dict[Path, bytes]:
    """Write a stand-in for PocketCoffea itself and return the contents of its files."""
    package = folder / "pocket_coffea"
    files = {
        package / "__init__.py": "own = True",
        package / "workflows.py": "own = True",
        package / "utils" / "__init__.py": "own = True",
        package / "utils" / "stat" / "__init__.py": "from .combine import Datacard",
        package / "utils" / "stat" / "combine.py": "class Datacard: own = True",
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {path: path.read_bytes() for path in files}


def test_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    source = PROJECT / "src" / "pocket_combine"
    expected = {
        f"pocket_combine/{path.relative_to(source).as_posix()}"
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        pth = archive.read("pocket_combine.pth").decode()
    assert {"pocket_combine/py.typed", "pocket_combine/io/streamers_th1d.bin"} <= expected
    assert names == expected | {"pocket_combine.pth"}
    assert pth.count("\n") == 1


def test_documented_modules_are_importable_and_are_the_package(wheel: Path, environment: Environment) -> None:
    environment.install(wheel)
    program = f"""
import json, pocket_combine
from pocket_coffea.utils.stat import {STAT_NAMES}
from pocket_coffea.utils.stat.combine import Datacard as FromCombine, combine_datacards
import pocket_coffea.utils.stat as stat
print(json.dumps({{
    "same": [getattr(stat, name) is getattr(pocket_combine, name) for name in stat.__all__],
    "names": stat.__all__,
    "combine": FromCombine is Datacard and combine_datacards is pocket_combine.combine_datacards,
    "from": pocket_combine.__file__,
}}))"""
    seen = environment.evaluate(program)
    assert seen["names"] == STAT_NAMES.split(", ")
    assert seen["same"] == [True] * 7
    assert seen["combine"] is True
    assert Path(seen["from"]).is_relative_to(environment.folder)


def test_command_and_uninstall(wheel: Path, environment: Environment) -> None:
    environment.install(wheel)
    assert (
        run([environment.folder / "bin" / "pocket-combine", "--version"]) == f"pocket-combine, version {__version__}\n"
    )
    environment.uninstall()
    assert list(environment.folder.rglob("*pocket*")) == []


def test_modules_that_are_not_documented_stay_missing(wheel: Path, environment: Environment) -> None:
    environment.unpack(wheel)
    program = """
import importlib, json
failures = {}
for name in ("pocket_coffea.workflows", "pocket_coffea.utils.plot_utils", "pocket_coffea.utils.stat.processes"):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        failures[name] = str(error)
print(json.dumps(failures))"""
    seen = environment.evaluate(program)
    assert seen == {name: f"No module named {name!r}" for name in seen}
    assert len(seen) == 3


@pytest.mark.parametrize("order", ["PocketCoffea first", "PocketCoffea last"])
@pytest.mark.parametrize("layout", ["package", "editable path", "editable finder"])
def test_an_installed_pocket_coffea_is_untouched(
    wheel: Path, environment: Environment, tmp_path: Path, layout: str, order: str
) -> None:
    if order == "PocketCoffea last":
        environment.unpack(wheel)
    site, checkout = environment.site_packages, tmp_path / "checkout"
    # .pth files are read in alphabetical order: the name decides whose finder stands first.
    prefix = "__editable__" if order == "PocketCoffea first" else "zz_editable"
    files = write_pocket_coffea(site if layout == "package" else checkout)
    if layout == "editable path":
        (site / f"{prefix}.pth").write_text(str(checkout))
    if layout == "editable finder":
        (site / f"{prefix}_finder.py").write_text(EDITABLE_FINDER.format(folder=str(checkout)))
        (site / f"{prefix}.pth").write_text(f"import {prefix}_finder; {prefix}_finder.install()")
    if order == "PocketCoffea first":
        environment.unpack(wheel)
    program = """
import json, pocket_coffea, pocket_coffea.workflows, pocket_coffea.utils, pocket_combine
from pocket_coffea.utils.stat import Datacard
from pocket_coffea.utils.stat.combine import Datacard as FromCombine
try:
    from pocket_coffea.utils.stat import MCProcess
    missing = ""
except ImportError as error:
    missing = type(error).__name__
print(json.dumps({
    "own": [pocket_coffea.own, pocket_coffea.workflows.own, pocket_coffea.utils.own, Datacard.own, FromCombine.own],
    "missing": missing,
    "beside": pocket_combine.Datacard is not Datacard,
}))"""
    assert environment.evaluate(program) == {"own": [True] * 5, "missing": "ImportError", "beside": True}
    assert {path: path.read_bytes() for path in files} == files
