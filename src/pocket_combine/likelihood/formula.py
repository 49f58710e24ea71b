"""Formulas of a card (`rateParam`, `constr`), read into programs of elementary steps; nothing is executed as code.

The language is that of ROOT's `TFormula`: numbers, `@0` or names of arguments, `+ - * / ^ **`, comparisons, `&& || !`,
`a ? b : c`, the functions of `FUNCTIONS` and their `TMath::` forms. Python's own `ast` reads the text after its
operators have been spelled the Python way; only the nodes listed here are understood. ROOT compiles formulas as C++, so
a division of two integers drops the fraction: `1/2*@0` is 0. That is reproduced, and logged as a warning.
"""

from __future__ import annotations

import ast
import keyword
import logging
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pocket_combine.errors import CardError, nearest
from pocket_combine.likelihood.program import ProgramBuilder
from pocket_combine.likelihood.ternary import expand_ternary

__all__ = ["FUNCTIONS", "formula_names", "read_formula"]

_LOG = logging.getLogger(__name__)

_ONE_ARGUMENT = "exp log log10 sqrt abs sin cos tan asin acos atan sinh cosh tanh sq"

FUNCTIONS: dict[str, int] = {**dict.fromkeys(_ONE_ARGUMENT.split(), 1), "pow": 2, "min": 2, "max": 2}
"""Functions of a formula and how many arguments they take."""

_SAME = {"fabs": "abs"}
_TMATH = {name.capitalize(): name for name in ("exp", "log", "log10", "sqrt", "abs", "sin", "cos", "tan", "sq")}
_TMATH |= {"ASin": "asin", "ACos": "acos", "ATan": "atan", "SinH": "sinh", "CosH": "cosh", "TanH": "tanh"}
_TMATH |= {"Power": "pow", "Min": "min", "Max": "max"}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_TMATH_CONSTANTS = {"Pi": math.pi, "E": math.e}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
}
_COMPARISON: dict[type[ast.cmpop], str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
_FOLD: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
}
_ALLOWED = re.compile(r"[A-Za-z0-9_@+\-*/^().,<>=!&|?: ]*")
_GROUPED_DIGITS = re.compile(r"(?<![A-Za-z0-9_@])[0-9][0-9.]*_")
_ARGUMENT = re.compile(r"@(\d+)")
_SLOT = "_slot_"
_LONGEST = 100_000


@dataclass(frozen=True)
class _Operand:
    """A literal number or the result of a step, with C++'s distinction of integers."""

    integer: bool
    number: float | None = None
    step: int = -1


def read_formula(
    text: str, arguments: Sequence[str], builder: ProgramBuilder, resolve: Callable[[str], int], place: str
) -> int:
    """Write a formula into a program and return the number of its result's step.

    Args:
        text: The formula.
        arguments: Names that `@0`, `@1`, … stand for; they may also be used by name.
        builder: Where the steps go.
        resolve: Returns the step that holds an argument, given its name.
        place: What the formula belongs to, for messages.

    Raises:
        CardError: If the formula is not understood.

    Examples:
        >>> builder = ProgramBuilder()
        >>> result = read_formula("@0*(1+0.1*@1)", ["kB", "kC"], builder, builder.argument, "rateParam scaleB")
        >>> program = builder.finish(result)
        >>> program.arguments, builder.coefficients
        (2, [0.1, 1.0])
    """
    try:
        tree = _parse(text)
        result = _Reader(text, tuple(arguments), builder, resolve, place).read(tree.body)
    except _NotUnderstoodError as error:
        raise CardError(f"{place}: the formula {_shown(text)} {error}") from None
    except SyntaxError:
        raise CardError(f"{place}: the formula {_shown(text)} cannot be read, expected TFormula syntax") from None
    except (RecursionError, MemoryError):
        raise CardError(f"{place}: the formula {_shown(text)} is nested too deeply") from None
    return builder.coefficient(result.number) if result.number is not None else result.step


def formula_names(text: str, place: str) -> tuple[str, ...]:
    """Return the names of the parameters in a formula without `@`, in order of appearance.

    Raises:
        CardError: If the text is no formula.

    Examples:
        >>> formula_names("(x1-2*x2)*TMath::Exp(x1)", "constr c")
        ('x1', 'x2')
    """
    try:
        tree = _parse(text)
    except (_NotUnderstoodError, SyntaxError, RecursionError, MemoryError):
        raise CardError(f"{place}: the formula {_shown(text)} cannot be read, expected TFormula syntax") from None
    nodes = sorted((node for node in ast.walk(tree) if isinstance(node, ast.Name)), key=lambda node: node.col_offset)
    reserved = {*FUNCTIONS, *_SAME, *_CONSTANTS, "TMath", "true", "false"}
    return tuple(dict.fromkeys(node.id for node in nodes if node.id not in reserved))


class _NotUnderstoodError(Exception):
    """What is wrong, as the end of a sentence."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "…")


def _parse(text: str) -> ast.Expression:
    if len(text) > _LONGEST:
        raise _NotUnderstoodError(f"has {len(text)} characters, expected at most {_LONGEST}")
    if not _ALLOWED.fullmatch(text):
        found = "".join(dict.fromkeys(character for character in text if not _ALLOWED.fullmatch(character)))
        raise _NotUnderstoodError(f"holds {found!r}")
    words = [word for word in re.findall(r"[A-Za-z_]\w*", text) if keyword.iskeyword(word)]
    if words:
        raise _NotUnderstoodError(f"holds the word {words[0]!r}")
    if _GROUPED_DIGITS.search(text):
        raise _NotUnderstoodError("holds a number with an underscore")
    translated = _ARGUMENT.sub(rf"{_SLOT}\1", expand_ternary(text.strip()))
    if "@" in translated:
        raise _NotUnderstoodError("holds @ without a number")
    translated = re.sub(r"!(?!=)", "~", translated).replace("^", "**").replace("::", ".")
    translated = translated.replace("&&", " and ").replace("||", " or ")
    return ast.parse(translated.strip(), mode="eval")


class _Reader:
    """Writes the nodes of one formula as steps."""

    def __init__(
        self,
        text: str,
        arguments: tuple[str, ...],
        builder: ProgramBuilder,
        resolve: Callable[[str], int],
        place: str,
    ) -> None:
        self.text = text
        self.arguments = arguments
        self.builder = builder
        self.resolve = resolve
        self.place = place

    def read(self, node: ast.expr) -> _Operand:
        """Return the operand that an expression stands for."""
        if isinstance(node, ast.Constant):
            return self._literal(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.BinOp):
            return self._binary(node)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node)
        if isinstance(node, ast.Compare):
            return self._compare(node)
        if isinstance(node, ast.BoolOp):
            values = [self._step(self.read(value)) for value in node.values]
            name = "both" if isinstance(node.op, ast.And) else "either"
            result = values[0]
            for value in values[1:]:
                result = self.builder.step(name, result, value)
            return _Operand(True, step=result)
        if isinstance(node, ast.IfExp):
            condition, yes, no = self.read(node.test), self.read(node.body), self.read(node.orelse)
            step = self.builder.step("choose", self._step(condition), self._step(yes), self._step(no))
            return _Operand(yes.integer and no.integer, step=step)
        if isinstance(node, ast.Call):
            return self._call(node)
        raise _NotUnderstoodError(f"uses {type(node).__name__.lower()}, which is not part of a formula")

    def _step(self, operand: _Operand) -> int:
        return operand.step if operand.number is None else self.builder.coefficient(operand.number)

    def _literal(self, node: ast.Constant) -> _Operand:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise _NotUnderstoodError(f"holds {value!r}, which is no finite number")
        return _Operand(isinstance(value, int), float(value))

    def _name(self, name: str) -> _Operand:
        if name.startswith(_SLOT) and name[len(_SLOT) :].isdigit():
            position = int(name[len(_SLOT) :])
            if position >= len(self.arguments):
                raise _NotUnderstoodError(f"has @{position}, but {len(self.arguments)} arguments, counted from @0")
            return _Operand(False, step=self.resolve(self.arguments[position]))
        if name in self.arguments:
            return _Operand(False, step=self.resolve(name))
        if name in ("true", "false"):
            return _Operand(True, float(name == "true"))
        if name in _CONSTANTS:
            return _Operand(False, _CONSTANTS[name])
        raise _NotUnderstoodError(f"holds {name!r}, which is none of its arguments: {nearest(name, self.arguments)}")

    def _binary(self, node: ast.BinOp) -> _Operand:
        # Long sums lean to the left; walking down that side keeps the depth of recursion small.
        chain = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        left = self.read(chain[-1].left)
        for item in reversed(chain):
            right = self.read(item.right)
            left = self._power(left, right) if isinstance(item.op, ast.Pow) else self._arithmetic(item.op, left, right)
        return left

    def _arithmetic(self, kind: ast.operator, left: _Operand, right: _Operand) -> _Operand:
        name = _ARITHMETIC.get(type(kind))
        if name is None:
            raise _NotUnderstoodError(f"uses the operator {type(kind).__name__}, which is not understood")
        integer = left.integer and right.integer
        if name == "divide" and right.number == 0:
            raise _NotUnderstoodError("divides by 0")
        if name == "divide" and integer:
            return self._integer_division(left, right)
        if left.number is not None and right.number is not None:
            return _Operand(integer, _FOLD[name](left.number, right.number))
        return _Operand(integer, step=self.builder.step(name, self._step(left), self._step(right)))

    def _integer_division(self, left: _Operand, right: _Operand) -> _Operand:
        if left.number is None or right.number is None:
            raise _NotUnderstoodError("divides a comparison by an integer, which drops the fraction; write 2. for 2")
        quotient = math.trunc(left.number / right.number)
        if quotient * right.number != left.number:
            _LOG.warning(
                "%s: ROOT computes the integer division %g/%g in %s as %d; write %g./%g for the fraction",
                *(self.place, left.number, right.number, _shown(self.text), quotient, left.number, right.number),
            )
        return _Operand(True, float(quotient))

    def _power(self, base: _Operand, exponent: _Operand) -> _Operand:
        if base.number is not None and exponent.number is not None:
            try:
                value = math.pow(base.number, exponent.number)
            except (ValueError, OverflowError):
                raise _NotUnderstoodError(f"holds {base.number:g}^{exponent.number:g}, which is no number") from None
            return _Operand(False, value)
        if exponent.number is not None:
            return _Operand(False, step=self.builder.step("constant_power", base.step, exponent.number))
        return _Operand(False, step=self.builder.step("power", self._step(base), exponent.step))

    def _unary(self, node: ast.UnaryOp) -> _Operand:
        operand = self.read(node.operand)
        if isinstance(node.op, ast.UAdd):
            return operand
        if isinstance(node.op, ast.USub):
            if operand.number is not None:
                return _Operand(operand.integer, -operand.number)
            return _Operand(operand.integer, step=self.builder.step("negative", operand.step))
        return _Operand(True, step=self.builder.step("not", self._step(operand)))

    def _compare(self, node: ast.Compare) -> _Operand:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARISON:
            raise _NotUnderstoodError("chains comparisons, expected && between them")
        left, right = self._step(self.read(node.left)), self._step(self.read(node.comparators[0]))
        return _Operand(True, step=self.builder.step(_COMPARISON[type(node.ops[0])], left, right))

    def _call(self, node: ast.Call) -> _Operand:
        name, constant = self._function(node.func)
        if node.keywords:
            raise _NotUnderstoodError("has an argument with a name")
        if constant is not None and not node.args:
            return _Operand(False, constant)
        if len(node.args) != FUNCTIONS[name]:
            raise _NotUnderstoodError(f"calls {name} with {len(node.args)} arguments, expected {FUNCTIONS[name]}")
        values = [self.read(argument) for argument in node.args]
        if name == "pow":
            return self._power(values[0], values[1])
        if name in ("min", "max") and values[0].integer != values[1].integer:
            raise _NotUnderstoodError(f"gives {name} an integer and a real number, which ROOT refuses; write 2. for 2")
        integer = name in ("min", "max", "abs") and values[0].integer
        return _Operand(integer, step=self.builder.step(name, *(self._step(value) for value in values)))

    def _function(self, node: ast.expr) -> tuple[str, float | None]:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "TMath":
            if node.attr in _TMATH_CONSTANTS:
                return "exp", _TMATH_CONSTANTS[node.attr]
            if node.attr in _TMATH:
                return _TMATH[node.attr], None
            raise _NotUnderstoodError(f"calls TMath::{node.attr}, which is not known: {nearest(node.attr, _TMATH)}")
        if isinstance(node, ast.Name) and _SAME.get(node.id, node.id) in FUNCTIONS:
            return _SAME.get(node.id, node.id), None
        shown = node.id if isinstance(node, ast.Name) else ast.unparse(node)
        raise _NotUnderstoodError(f"calls {shown!r}, which is not known: {nearest(shown, FUNCTIONS)}")
