"""The examples in docstrings of the package, wherever it is imported from: an editable install or a built one.

`pytest --doctest-modules src` would import a second copy of a package that is installed from a wheel.
"""

import doctest
import importlib
import pkgutil

import pytest

import pocket_combine

OPTIONAL = {"matplotlib", "mplhep", "dask", "distributed"}
NEEDED = {"pocket_combine.report.page": "jinja2"}
"""What the examples of a module need beyond what importing it needs."""
MODULES = [module.name for module in pkgutil.walk_packages(pocket_combine.__path__, "pocket_combine.")]


@pytest.mark.parametrize("name", [name for name in MODULES if not name.endswith("__main__")])
def test_examples(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in OPTIONAL:
            pytest.skip(f"{error.name} is not installed")
        raise
    if name in NEEDED:
        pytest.importorskip(NEEDED[name])
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for test in doctest.DocTestFinder().find(module, name):
        runner.run(test, out=report.append)
    assert runner.summarize(verbose=False).failed == 0, "".join(report)
