"""The opcodes of pickles of protocols 2 to 5, as far as data needs them; `pickletools` describes each.

Every function takes the machine and the bytes of its argument, and changes the machine's stack. Opcodes that are not
in the table at the end are refused.
"""

from __future__ import annotations

import collections
import pickle
import struct
from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeAlias

from pocket_combine.errors import OutputFileError, UnsafePickleError
from pocket_combine.io.pickles.arguments import kind_of
from pocket_combine.io.pickles.inert import Builder, Global, Placeholder
from pocket_combine.io.pickles.limits import LARGE
from pocket_combine.io.pickles.machine import Machine
from pocket_combine.io.pickles.trust import Trusted, append_trusted, build_trusted, set_trusted

__all__ = ["LINES", "OPCODES", "SHORT", "STOP", "refusal"]

_MAPPINGS = (dict, collections.OrderedDict, collections.Counter)
_SEQUENCES = (list, collections.deque)
_CONTAINERS = (*_MAPPINGS, *_SEQUENCES, set)

Data: TypeAlias = "bytes | bytearray"
Operation: TypeAlias = Callable[[Machine, Data], None]


def _protocol(_machine: Machine, data: Data) -> None:
    if not 2 <= data[0] <= pickle.HIGHEST_PROTOCOL:
        raise OutputFileError(f"is a pickle of protocol {data[0]}, expected 2 to {pickle.HIGHEST_PROTOCOL}")


def _nothing(_machine: Machine, _data: Data) -> None:
    """Do nothing: frames only help other readers to read ahead, and the reader itself stops."""


def _mark(machine: Machine, _data: Data) -> None:
    machine.marks.append(len(machine.stack))


def _pop(machine: Machine, _data: Data) -> None:
    machine.stack.pop()


def _pop_mark(machine: Machine, _data: Data) -> None:
    machine.pop_group()


def _constant(value: bool | None) -> Operation:
    def push(machine: Machine, _data: Data) -> None:
        machine.stack.append(value)

    return push


def _small_integer(machine: Machine, data: Data) -> None:
    machine.stack.append(data[0])


def _unsigned(machine: Machine, data: Data) -> None:
    machine.stack.append(int.from_bytes(data, "little"))


def _signed(machine: Machine, data: Data) -> None:
    if len(data) > LARGE:
        raise OutputFileError(f"has an integer of {len(data):,} bytes")
    machine.stack.append(int.from_bytes(data, "little", signed=True))


def _float(machine: Machine, data: Data) -> None:
    machine.stack.extend(struct.unpack(">d", data))


def _text(machine: Machine, data: Data) -> None:
    if len(data) > LARGE:
        machine.limits.charge(4 * len(data), "a text")
    machine.stack.append(str(data, "utf-8", "surrogatepass"))


def _bytes(machine: Machine, data: Data) -> None:
    machine.stack.append(bytes(data))


def _byte_array(machine: Machine, data: Data) -> None:
    machine.stack.append(data if isinstance(data, bytearray) else bytearray(data))


def _empty(make: Callable[[], Collection[Any]]) -> Operation:
    def push(machine: Machine, _data: Data) -> None:
        machine.stack.append(make())

    return push


def _tuple_of(count: int) -> Operation:
    def push(machine: Machine, _data: Data) -> None:
        stack = machine.stack
        if len(stack) < count:
            raise OutputFileError(f"is damaged: a tuple of {count} has {len(stack)} values")
        stack[-count:] = [tuple(stack[-count:])]

    return push


def _tuple(machine: Machine, _data: Data) -> None:
    machine.stack.append(tuple(machine.pop_group()))


def _append(machine: Machine, _data: Data) -> None:
    _extend(machine, [machine.stack.pop()])


def _appends(machine: Machine, _data: Data) -> None:
    _extend(machine, machine.pop_group())


def _extend(machine: Machine, values: list[Any]) -> None:
    target = machine.stack[-1]
    if type(target) in _SEQUENCES:
        target.extend(values)
    elif id(target) in machine.trusted:
        append_trusted(target, values)
    elif not isinstance(target, Placeholder):
        raise UnsafePickleError(f"appends to {kind_of(target)}")


def _set_item(machine: Machine, _data: Data) -> None:
    value = machine.stack.pop()
    _update(machine, [machine.stack.pop()], [value])


def _set_items(machine: Machine, _data: Data) -> None:
    group = machine.pop_group()
    _update(machine, group[::2], group[1::2])


def _update(machine: Machine, keys: Sequence[Any], values: Sequence[Any]) -> None:
    target = machine.stack[-1]
    if type(target) in _MAPPINGS:
        machine.limits.check_keys(keys)
        for key, value in zip(keys, values, strict=True):
            target[key] = value
    elif id(target) in machine.trusted:
        set_trusted(target, keys, values)
    elif not isinstance(target, Placeholder):
        raise UnsafePickleError(f"sets items of {kind_of(target)}")


def _add_items(machine: Machine, _data: Data) -> None:
    group = machine.pop_group()
    target = machine.stack[-1]
    if type(target) is set:
        machine.limits.check_keys(group)
        target.update(group)
    elif not isinstance(target, Placeholder):
        raise UnsafePickleError(f"adds members to {kind_of(target)}")


def _frozen_set(machine: Machine, _data: Data) -> None:
    group = machine.pop_group()
    machine.limits.check_keys(group)
    machine.stack.append(frozenset(group))


def _put(machine: Machine, data: Data) -> None:
    machine.remember(int.from_bytes(data, "little"), machine.stack[-1])


def _memoize(machine: Machine, _data: Data) -> None:
    machine.memo.append(machine.stack[-1])


def _get(machine: Machine, data: Data) -> None:
    machine.recall(int.from_bytes(data, "little"))


def _global(machine: Machine, data: Data) -> None:
    module, name = str(data, "utf-8").split("\n")[:2]
    machine.find(module, name)


def _stack_global(machine: Machine, _data: Data) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str:
        raise UnsafePickleError("names a function or class with something else than two texts")
    machine.find(module, name)


def _reduce(machine: Machine, _data: Data) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.keep_index(_call(machine, machine.stack[-1], arguments))


def _call(machine: Machine, target: object, arguments: object) -> object:
    if not isinstance(arguments, tuple):
        raise OutputFileError(f"calls {kind_of(target)} with {kind_of(arguments)} in place of arguments")
    if isinstance(target, Placeholder):
        return target
    if isinstance(target, Trusted):
        return machine.trust(target.call(arguments))
    if not isinstance(target, Global):
        raise UnsafePickleError(f"calls {kind_of(target)}")
    if target.call is None:
        raise UnsafePickleError(f"calls {target.name}, which is allowed as a name only")
    return target.call(arguments, machine.limits)


def _new(machine: Machine, _data: Data) -> None:
    arguments = machine.stack.pop()
    machine.stack[-1] = machine.keep_index(_make(machine, machine.stack[-1], arguments, {}))


def _new_with_keywords(machine: Machine, _data: Data) -> None:
    keywords, arguments = machine.stack.pop(), machine.stack.pop()
    machine.stack[-1] = machine.keep_index(_make(machine, machine.stack[-1], arguments, keywords))


def _make(machine: Machine, target: object, arguments: object, keywords: object) -> object:
    if not isinstance(arguments, tuple) or not isinstance(keywords, dict):
        raise OutputFileError(f"makes an object of {kind_of(target)} with {kind_of(arguments)} in place of arguments")
    if isinstance(target, Placeholder):
        return target
    if isinstance(target, Trusted):
        return machine.trust(target.new(arguments, keywords))
    if not isinstance(target, Global):
        raise UnsafePickleError(f"makes an object of {kind_of(target)}")
    if target.new is None:
        raise UnsafePickleError(f"makes an object of {target.name}, which is not read so")
    if arguments or keywords:
        raise UnsafePickleError(f"makes a {target.name} with arguments, expected none")
    return target.new()


def _build(machine: Machine, _data: Data) -> None:
    state = machine.stack.pop()
    target = machine.stack[-1]
    if isinstance(target, Builder):
        built = target.build(state)
        machine.limits.charge(target.size, "a histogram")
        machine.stack[-1] = built
        index = target.memo_index
        if index < len(machine.memo) and machine.memo[index] is target:
            machine.memo[index] = built
        if target.spends_state:
            machine.forget(index)
    elif id(target) in machine.trusted:
        build_trusted(target, state)
    elif not isinstance(target, Placeholder) and (state or type(target) not in _CONTAINERS):
        raise UnsafePickleError(f"sets the state of {kind_of(target)}")


SHORT = -1
"""In place of a size: one byte tells the length of the argument."""

LINES = -2
"""In place of a size: the argument is two lines of text."""

STOP = -16
"""In place of a size: the program ends."""

OPCODES: dict[int, tuple[int, Operation]] = {
    # Size of the argument (-4, -8: so many bytes tell its length, or one of the words above), what to do.
    opcode[0]: (size, operation)
    for opcode, size, operation in (
        (pickle.PROTO, 1, _protocol),
        (pickle.FRAME, 8, _nothing),
        (pickle.MARK, 0, _mark),
        (pickle.POP, 0, _pop),
        (pickle.POP_MARK, 0, _pop_mark),
        (pickle.NONE, 0, _constant(None)),
        (pickle.NEWTRUE, 0, _constant(True)),
        (pickle.NEWFALSE, 0, _constant(False)),
        (pickle.BININT1, 1, _small_integer),
        (pickle.BININT2, 2, _unsigned),
        (pickle.BININT, 4, _signed),
        (pickle.LONG1, SHORT, _signed),
        (pickle.LONG4, -4, _signed),
        (pickle.BINFLOAT, 8, _float),
        (pickle.SHORT_BINUNICODE, SHORT, _text),
        (pickle.BINUNICODE, -4, _text),
        (pickle.BINUNICODE8, -8, _text),
        (pickle.SHORT_BINBYTES, SHORT, _bytes),
        (pickle.BINBYTES, -4, _bytes),
        (pickle.BINBYTES8, -8, _bytes),
        (pickle.BYTEARRAY8, -8, _byte_array),
        (pickle.EMPTY_DICT, 0, _empty(dict)),
        (pickle.EMPTY_LIST, 0, _empty(list)),
        (pickle.EMPTY_SET, 0, _empty(set)),
        (pickle.EMPTY_TUPLE, 0, _empty(tuple)),
        (pickle.TUPLE1, 0, _tuple_of(1)),
        (pickle.TUPLE2, 0, _tuple_of(2)),
        (pickle.TUPLE3, 0, _tuple_of(3)),
        (pickle.TUPLE, 0, _tuple),
        (pickle.FROZENSET, 0, _frozen_set),
        (pickle.APPEND, 0, _append),
        (pickle.APPENDS, 0, _appends),
        (pickle.SETITEM, 0, _set_item),
        (pickle.SETITEMS, 0, _set_items),
        (pickle.ADDITEMS, 0, _add_items),
        (pickle.BINPUT, 1, _put),
        (pickle.LONG_BINPUT, 4, _put),
        (pickle.MEMOIZE, 0, _memoize),
        (pickle.BINGET, 1, _get),
        (pickle.LONG_BINGET, 4, _get),
        (pickle.GLOBAL, LINES, _global),
        (pickle.STACK_GLOBAL, 0, _stack_global),
        (pickle.REDUCE, 0, _reduce),
        (pickle.NEWOBJ, 0, _new),
        (pickle.NEWOBJ_EX, 0, _new_with_keywords),
        (pickle.BUILD, 0, _build),
        (pickle.STOP, STOP, _nothing),
    )
}
"""What is read."""

_UNSAFE = {
    pickle.EXT1: "EXT1, which asks for code registered in the process",
    pickle.EXT2: "EXT2, which asks for code registered in the process",
    pickle.EXT4: "EXT4, which asks for code registered in the process",
    pickle.PERSID: "PERSID, which refers to an object outside the file",
    pickle.BINPERSID: "BINPERSID, which refers to an object outside the file",
    pickle.INST: "INST, with which protocol 0 makes an object of a class",
    pickle.OBJ: "OBJ, with which protocol 1 makes an object of a class",
}


def refusal(code: int) -> Operation:
    """Return what is done for an opcode that is not read: raise."""

    def refuse(_machine: Machine, _data: Data) -> None:
        opcode = bytes([code])
        if opcode in _UNSAFE:
            raise UnsafePickleError(f"has the opcode {_UNSAFE[opcode]}; no output of PocketCoffea has it")
        raise OutputFileError(f"has the opcode {opcode!r}, which no pickler writes for data in protocols 2 to 5")

    return refuse
