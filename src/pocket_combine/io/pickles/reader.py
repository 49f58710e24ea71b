"""A reader of pickles in which nothing that a file names is ever run.

The format is a program for a stack machine. This is that machine, for the opcodes with which protocols 2 to 5 write
data. Where the program names a function or class, the machine looks it up in an allow-list of inert values
(`pocket_combine.io.pickles.inert`); nothing is imported because a file asks for it.

The unpickler of the standard library is not used. Overriding its `find_class` leaves doors open: a state given to an
allowed class changes that class for the whole process, an index of the memo that lies allocates any amount of memory,
and the hash of a deeply nested key overflows the stack of the interpreter.
"""

from __future__ import annotations

import itertools
import pickle
from typing import Any, Final, Protocol

from pocket_combine.errors import OutputFileError, UnsafePickleError, listed
from pocket_combine.io.pickles.limits import RAISE_LIMIT, Limits
from pocket_combine.io.pickles.machine import Machine
from pocket_combine.io.pickles.nesting import check_nesting
from pocket_combine.io.pickles.opcodes import LINES, OPCODES, SHORT, STOP, refusal
from pocket_combine.io.pickles.trust import NameTable

__all__ = ["ByteStream", "unpickle"]

_LONGEST_NAME: Final = 1024
_MOST_NAMES: Final = 20
_OPERATIONS: Final = [OPCODES.get(code) or (0, refusal(code)) for code in range(256)]
# What a damaged file can cause in well-behaved functions. Nothing of it is hidden: the cause is kept.
_DAMAGE: Final = (
    *(AttributeError, IndexError, KeyError, MemoryError),
    *(OverflowError, RuntimeError, SystemError, TypeError, ValueError),
)


class ByteStream(Protocol):
    """Where the bytes of a pickle come from."""

    @property
    def size(self) -> int:
        """Bytes given out so far."""

    def read(self) -> bytes:
        """Return the next bytes, as many as there are at hand; nothing at the end."""


def unpickle(stream: ByteStream, table: NameTable, limits: Limits) -> Any:
    """Return the object in a pickle.

    Args:
        stream: The bytes, which end with the pickle.
        table: What stands for each (module, name) that the pickle may use.
        limits: How much the pickle may ask for.

    Raises:
        UnsafePickleError: If the pickle uses a name that is not in the table, or does with one that is in the table
            what no pickler does.
        OutputFileError: If the bytes are no pickle, are damaged, truncated, or go on after the pickle, or if the
            object is nested too deep or takes too much memory.
    """
    machine = Machine(table, limits)
    try:
        value = _Reader(stream, machine).run()
        if not machine.refused:
            check_nesting(value)
    except OutputFileError as error:
        if machine.refused:
            raise _refusal(machine) from error
        raise
    if machine.refused:
        raise _refusal(machine)
    return value


def _refusal(machine: Machine) -> UnsafePickleError:
    names = list(machine.refused)
    # A name that moves the cursor of a terminal could hide itself.
    shown = listed((name if name.isprintable() else ascii(name) for name in names), _MOST_NAMES)
    return UnsafePickleError(
        f"asks for code that an output does not need: {shown}. Nothing of it was run. "
        "If you know who wrote the file and why: --placeholder NAME, in Python allow={NAME: None}, reads what is made "
        "with a name as placeholders that do nothing; allow=[NAME], in Python only, imports it and runs it"
    )


class _Reader:
    """Cuts a stream into opcodes and their arguments, and has the machine carry them out."""

    def __init__(self, stream: ByteStream, machine: Machine) -> None:
        self._stream = stream
        self._machine = machine
        self._buffer: bytes = stream.read()
        self._position = 0

    def run(self) -> Any:
        """Carry out the whole program and return the value it leaves."""
        self._check_start()
        machine, buffer, position = self._machine, self._buffer, 0
        try:
            for _ in itertools.repeat(None, machine.limits.operations):
                if position == len(buffer):
                    buffer, position = self._next_buffer(), 0
                size, operation = _OPERATIONS[buffer[position]]
                position += 1
                if size == 0:
                    operation(machine, b"")
                elif 0 < size <= len(buffer) - position:
                    operation(machine, buffer[position : position + size])
                    position += size
                elif size == SHORT and position < len(buffer) and position + buffer[position] < len(buffer):
                    # Names and labels, most of the opcodes of an output.
                    end = position + 1 + buffer[position]
                    operation(machine, buffer[position + 1 : end])
                    position = end
                elif size == STOP:
                    self._buffer, self._position = buffer, position
                    return self._finish()
                else:
                    self._buffer, self._position = buffer, position
                    operation(machine, self._argument(size))
                    buffer, position = self._buffer, self._position
        except OutputFileError:
            raise
        except _DAMAGE as error:
            what = str(error) or type(error).__name__
            offset = self._stream.size - len(buffer) + position
            raise OutputFileError(f"is damaged near byte {offset:,} of its pickle: {what}") from error
        raise OutputFileError(f"has more than {machine.limits.operations:,} opcodes: {RAISE_LIMIT}")

    def _check_start(self) -> None:
        start = self._buffer[:8]
        if not start:
            raise OutputFileError("is an LZ4 frame with nothing in it")
        if start[:1] != pickle.PROTO:
            raise OutputFileError(
                f"is an LZ4 frame, but holds no pickle of protocol 2 or later (its contents begin with {start!r})"
            )

    def _next_buffer(self) -> bytes:
        buffer = self._stream.read()
        if not buffer:
            raise OutputFileError("is truncated: its pickle does not end; copy it again or run its job again")
        return buffer

    def _take(self, size: int) -> bytes | bytearray:
        """Return the next `size` bytes. What is allocated follows what has arrived, not what the file claims."""
        end = self._position + size
        if end <= len(self._buffer):
            taken = self._buffer[self._position : end]
            self._position = end
            return taken
        if size > self._machine.limits.size:
            raise OutputFileError(
                f"claims to hold a value of {size:,} bytes, more than {self._machine.limits.size:,}: {RAISE_LIMIT}"
            )
        grown = bytearray(self._buffer[self._position :])
        while len(grown) < size:
            self._buffer = self._next_buffer()
            self._position = min(len(self._buffer), size - len(grown))
            grown += memoryview(self._buffer)[: self._position]
        return grown

    def _argument(self, size: int) -> bytes | bytearray:
        if size == LINES:
            return self._line() + self._line()
        if size > 0:
            return self._take(size)
        return self._take(int.from_bytes(self._take(-size), "little"))

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            if len(line) > _LONGEST_NAME:
                raise OutputFileError(f"has a name of more than {_LONGEST_NAME} characters")
            line += self._take(1)
        return line

    def _finish(self) -> Any:
        stack = self._machine.stack
        if len(stack) != 1 or self._machine.marks:
            raise OutputFileError(
                f"is damaged: its pickle ends with {len(stack)} values and {len(self._machine.marks)} unfinished groups"
            )
        if self._position < len(self._buffer) or self._stream.read():
            raise OutputFileError(
                "goes on after the end of its pickle: only the first of several objects would be read"
            )
        return stack[0]
