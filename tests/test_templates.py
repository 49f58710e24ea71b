"""Templates: what is refused, and that parts add up."""

import numpy as np
import pytest

from pocket_combine.errors import TemplateError
from pocket_combine.templates import Templates

EDGES = [0.0, 1.0, 2.0]


def test_sum_adds_contents_variances_and_data() -> None:
    part = Templates.of(EDGES, {"a": [1, 2]}, {("a", "s"): ([2, 2], [0, 1])}, observation=[3, 4])
    total = part + part
    assert total.values.tolist() == [[2, 4]]
    assert total.variances.tolist() == [[2, 4]]
    assert total.up.tolist() == [[4, 4]]
    assert total.observation is not None
    assert total.observation.tolist() == [6, 8]


def test_data_of_one_part_only_is_kept() -> None:
    simulated = Templates.of(EDGES, {"a": [1, 2]})
    data = Templates.of(EDGES, {"a": [0, 0]}, observation=[3, 4])
    for total in (simulated + data, data + simulated):
        assert total.observation is not None
        assert total.observation.tolist() == [3, 4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [0.0, 2.0, 1.0]}, "edges do not increase strictly"),
        ({"values": [[1.0, np.nan]]}, "process a, nominal: values not finite in bin 1"),
        ({"up": [[np.inf, 1.0]]}, "process a, s: up not finite in bin 0"),
        ({"pairs": (("b", "s"),)}, "without a nominal template: b"),
        ({"values": [[1.0]]}, r"values has shape \(1, 1\), expected \(1, 2\)"),
        ({"observation": [1.0, np.nan]}, "observation is not finite"),
    ],
)
def test_contradictions_are_refused(change: dict[str, object], message: str) -> None:
    good = Templates.of(EDGES, {"a": [1, 2]}, {("a", "s"): ([2, 2], [0, 1])})
    fields = {name: getattr(good, name) for name in good.__dataclass_fields__} | change
    with pytest.raises(TemplateError, match=message):
        Templates(**fields)


def test_arrays_cannot_be_written() -> None:
    templates = Templates.of(EDGES, {"a": [1, 2]})
    with pytest.raises(ValueError, match="read-only"):
        templates.values[0, 0] = 5
