"""Formulas: values and derivatives against Python's own arithmetic, ROOT's integers, and what is refused."""

import logging
import math
from collections.abc import Callable

import numpy as np
import pytest

from pocket_combine.errors import CardError
from pocket_combine.likelihood.formula import formula_names, read_formula
from pocket_combine.likelihood.jets import Jet, evaluate
from pocket_combine.likelihood.program import ProgramBuilder
from pocket_combine.templates import FloatArray

NAMES = ("x", "y")


def run(text: str, points: FloatArray, order: int = 2) -> Jet:
    """Evaluate at `points[argument, point]`."""
    builder = ProgramBuilder()
    for name in NAMES:
        builder.argument(name)
    program = builder.finish(read_formula(text, NAMES, builder, builder.argument, "rateParam f"))
    coefficients = np.array(builder.coefficients).reshape(-1, 1)
    return evaluate(program, points[:, None, :], coefficients, order)


CASES: list[tuple[str, Callable[[float, float], float]]] = [
    ("@0*@1", lambda x, y: x * y),
    ("@0/@1-@1/(1+@0)", lambda x, y: x / y - y / (1 + x)),
    ("-@0^2*@1", lambda x, y: -(x**2) * y),
    ("@0^@1", lambda x, y: x**y),
    ("2^@0^2-@1", lambda x, y: 2 ** (x**2) - y),
    ("@0**3-@0^-2+@1^0.5", lambda x, y: x**3 - x**-2 + y**0.5),
    ("x^0*x+y^1", lambda x, y: x + y),
    ("exp(-@0*@1/2)", lambda x, y: math.exp(-x * y / 2)),
    ("log(x)*log10(y)", lambda x, y: math.log(x) * math.log10(y)),
    ("sqrt(x+y)", lambda x, y: math.sqrt(x + y)),
    ("abs(y-3)+fabs(x)", lambda x, y: abs(y - 3) + x),
    ("pow(x,2)+sq(y)", lambda x, y: x**2 + y**2),
    ("sin(x)*cos(y)+tan(x*0.1)", lambda x, y: math.sin(x) * math.cos(y) + math.tan(x * 0.1)),
    ("asin(x*0.1)+acos(y*0.1)+atan(x)", lambda x, y: math.asin(x * 0.1) + math.acos(y * 0.1) + math.atan(x)),
    ("sinh(x)-cosh(y)*tanh(x)", lambda x, y: math.sinh(x) - math.cosh(y) * math.tanh(x)),
    ("min(x,y)+2*max(x,1.0)", lambda x, y: min(x, y) + 2 * max(x, 1.0)),
    ("TMath::Power(x,y)*TMath::Pi()", lambda x, y: x**y * math.pi),
    ("TMath::Exp(x)+TMath::Log(y)-TMath::Abs(x)", lambda x, y: math.exp(x) + math.log(y) - x),
    ("x>y ? x*x : x<1 ? y : 3*y", lambda x, y: x * x if x > y else (y if x < 1 else 3 * y)),
    ("(x>1 && y>1)*x + (x<=1 || !(y>1))*y", lambda x, y: x if x > 1 and y > 1 else y),
    ("(x==y)+2*(x!=y)+(x>=y)", lambda x, y: (x == y) + 2 * (x != y) + (x >= y)),
    ("1+0.3*x+0.2*x*y+pi-e", lambda x, y: 1 + 0.3 * x + 0.2 * x * y + math.pi - math.e),
    ("true*x+false*y+ +y", lambda x, y: x + y),
]


@pytest.mark.parametrize(("text", "function"), CASES, ids=[text for text, _ in CASES])
def test_value_gradient_and_hessian(text: str, function: Callable[[float, float], float]) -> None:
    rng = np.random.default_rng(3)
    points = rng.uniform(0.4, 2.4, (2, 7))
    jet = run(text, points)
    slow = [function(x, y) for x, y in points.T.tolist()]
    np.testing.assert_allclose(jet.value[0], slow, rtol=1e-13)
    gradient = np.zeros((2, 7)) if jet.gradient is None else jet.gradient[:, 0]
    hessian = np.zeros((2, 2, 7)) if jet.hessian is None else jet.hessian[:, :, 0]
    for i in range(2):
        step = np.zeros((2, 1))
        step[i] = 1e-6
        difference = (run(text, points + step, 0).value - run(text, points - step, 0).value)[0] / 2e-6
        np.testing.assert_allclose(gradient[i], difference, rtol=1e-6, atol=1e-7)
        moved = [run(text, points + sign * step, 1).gradient for sign in (1, -1)]
        slopes = [np.zeros((2, 7)) if array is None else array[:, 0] for array in moved]
        np.testing.assert_allclose(hessian[i], (slopes[0] - slopes[1]) / 2e-6, rtol=1e-5, atol=1e-6)


def test_integers_divide_as_in_cpp(caplog: pytest.LogCaptureFixture) -> None:
    points = np.array([[1.5], [0.7]])
    with caplog.at_level(logging.WARNING):
        assert run("1/2*x", points).value.item() == 0.0
        assert run("7/2*x", points).value.item() == 4.5
        assert run("-7/2*x", points).value.item() == -4.5
    assert caplog.messages[0] == (
        "rateParam f: ROOT computes the integer division 1/2 in '1/2*x' as 0; write 1./2 for the fraction"
    )
    caplog.clear()
    assert run("4/2*x", points).value.item() == 3.0
    assert run("1./2*x", points).value.item() == 0.75
    assert run("x/2", points).value.item() == 0.75
    assert not caplog.messages


def test_formulas_of_one_form_share_a_program() -> None:
    programs = set()
    for text in ("1+0.3*@0", "2+0.5*@0"):
        builder = ProgramBuilder()
        programs.add(builder.finish(read_formula(text, ["x"], builder, builder.argument, "f")))
    assert len(programs) == 1


def test_equal_subexpressions_are_evaluated_once() -> None:
    builder = ProgramBuilder()
    program = builder.finish(read_formula("exp(x)*exp(x)+exp(x)", ["x"], builder, builder.argument, "f"))
    assert [name for name, _ in program.steps].count("exp") == 1


def test_long_sums_do_not_exhaust_the_stack() -> None:
    text = "+".join(["0.001*x"] * 400)
    assert run(text, np.array([[1.0], [1.0]])).value.item() == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@0*@2", "has @2, but 2 arguments, counted from @0"),
        ("foo(x)", "calls 'foo', which is not known"),
        ("TMath::Gaus(x)", "calls TMath::Gaus, which is not known"),
        ("ln(x)", "calls 'ln', which is not known"),
        ("z+x", "holds 'z', which is none of its arguments: available: 'x', 'y'"),
        ("x/0", "divides by 0"),
        ("(x>1)/2", "divides a comparison by an integer, which drops the fraction; write 2. for 2"),
        ("x<y<1", "chains comparisons, expected && between them"),
        ("min(x,2)", "gives min an integer and a real number, which ROOT refuses; write 2. for 2"),
        ("pow(x)", "calls pow with 1 arguments, expected 2"),
        ("x//y", "uses the operator FloorDiv"),
        ("x%y", "holds '%'"),
        ("x if y else 3", "holds the word 'if'"),
        ("lambda:3", "holds the word 'lambda'"),
        ("__import__('os')", 'holds "\'"'),
        ("x.real", "uses attribute, which is not part of a formula"),
        ("x*1_000", "holds a number with an underscore"),
        ("1e999*x", "holds inf, which is no finite number"),
        ("(0-2)^0.5*x", "holds -2^0.5, which is no number"),
        ("x?y", "cannot be read"),
        ("exp(x", "cannot be read"),
        ("", "cannot be read"),
        ("@x", "holds @ without a number"),
        ("x*" * 60_000 + "x", "has 120001 characters, expected at most 100000"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, message: str) -> None:
    with pytest.raises(CardError) as caught:
        run(text, np.ones((2, 1)))
    assert str(caught.value).startswith("rateParam f: the formula ")
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["(" * 5000 + "x" + ")" * 5000, "x" + "+x" * 20_000, "-" * 20_000 + "x"])
def test_depth_is_an_error_or_no_problem(text: str) -> None:
    # How deep Python reads differs between its versions.
    try:
        result = run(text, np.ones((2, 1)), order=0).value.item()
    except CardError as error:
        assert "nested too deeply" in str(error) or "cannot be read" in str(error)  # noqa: PT017  # either is right
    else:
        assert result == (20_001.0 if "+" in text else 1.0)


def test_names_of_a_formula_without_arguments() -> None:
    assert formula_names("(b1-2*b2+b1)*TMath::Exp(sigma)+pi", "constr c") == ("b1", "b2", "sigma")
    with pytest.raises(CardError, match="constr c: the formula '\\(b1' cannot be read"):
        formula_names("(b1", "constr c")
