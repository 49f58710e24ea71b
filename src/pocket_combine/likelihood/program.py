"""Programs of elementary steps: what formulas become, and what is evaluated with derivatives."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Instruction", "Program", "ProgramBuilder"]

Instruction = tuple[str, tuple[float, ...]]
"""Name of the step, and what it works on: numbers of earlier steps, or the slot of an argument or coefficient."""


@dataclass(frozen=True)
class Program:
    """Elementary steps, each using earlier ones; the last one is the result.

    Two formulas that differ only in their numbers and arguments have the same program, so that all of them are
    evaluated together, see `pocket_combine.likelihood.jets`.

    Attributes:
        steps: Name and operands of each step.
        arguments: Number of arguments.
        coefficients: Number of coefficients, the literal numbers of the text.
    """

    steps: tuple[Instruction, ...]
    arguments: int
    coefficients: int


@dataclass
class ProgramBuilder:
    """A program under construction: equal steps are written once.

    Attributes:
        slots: Position of each argument.
        coefficients: Values of the coefficients so far.
    """

    slots: dict[str, int] = field(default_factory=dict)
    coefficients: list[float] = field(default_factory=list)
    _steps: list[Instruction] = field(default_factory=list)
    _known: dict[Instruction, int] = field(default_factory=dict)

    def step(self, name: str, *operands: float) -> int:
        """Return the number of a step, written now if it is new."""
        instruction = (name, operands)
        if instruction not in self._known:
            self._known[instruction] = len(self._steps)
            self._steps.append(instruction)
        return self._known[instruction]

    def argument(self, name: str) -> int:
        """Return the step that holds an argument."""
        return self.step("argument", self.slots.setdefault(name, len(self.slots)))

    def coefficient(self, value: float) -> int:
        """Return the step that holds a new coefficient."""
        self.coefficients.append(float(value))
        return self.step("coefficient", len(self.coefficients) - 1)

    def finish(self, result: int) -> Program:
        """Return the program whose result is a step."""
        steps = tuple(self._steps)
        if result != len(steps) - 1:
            steps = (*steps, ("copy", (result,)))
        return Program(steps, len(self.slots), len(self.coefficients))
