"""Pickles written opcode by opcode, for what no pickler would write."""

from __future__ import annotations

import pickle
import struct

START, END = b"\x80\x05", b"."


def text(value: str) -> bytes:
    data = value.encode()
    return pickle.BINUNICODE + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(max(1, (value.bit_length() + 8) // 8), "little", signed=True)
    return pickle.LONG1 + bytes([len(data)]) + data


def data(value: bytes) -> bytes:
    return pickle.BINBYTES + struct.pack("<I", len(value)) + value


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + pickle.STACK_GLOBAL


def group(*items: bytes) -> bytes:
    return pickle.MARK + b"".join(items) + pickle.TUPLE


def mapping(**items: bytes) -> bytes:
    pairs = b"".join(text(key) + value for key, value in items.items())
    return pickle.EMPTY_DICT + pickle.MARK + pairs + pickle.SETITEMS


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + group(*arguments) + pickle.REDUCE


def new(kind: bytes, *arguments: bytes) -> bytes:
    return kind + group(*arguments) + pickle.NEWOBJ


def build(target: bytes, state: bytes) -> bytes:
    return target + state + pickle.BUILD


NONE, TRUE, FALSE = pickle.NONE, pickle.NEWTRUE, pickle.NEWFALSE
ZERO, ONE, THREE = number(0), number(1), number(3)
HIST = name("hist.hist", "Hist")


def zeros(count: int) -> bytes:
    """An array of `count` zeros."""
    return array(data(bytes(8 * count)), dtype("f8"), group(number(count)))


def dtype(kind: str, order: str = "<") -> bytes:
    return build(call(name("numpy", "dtype"), text(kind), FALSE, TRUE), dtype_state(order))


def dtype_state(order: str = "<", **changes: bytes) -> bytes:
    entries = {"version": THREE, "order": text(order), "base": NONE, "names": NONE, "fields": NONE}
    entries |= {"size": number(-1), "alignment": number(-1), "flags": ZERO}
    return group(*(entries | changes).values())


def array(contents: bytes, kind: bytes, shape: bytes) -> bytes:
    return call(name("numpy._core.numeric", "_frombuffer"), contents, kind, shape, text("C"))


def regular_axis(bins: bytes = THREE, metadata: bytes | None = None) -> bytes:
    """The part of a histogram's state that is a regular axis without flow bins (number 3 in the library)."""
    start, step = pickle.BINFLOAT + struct.pack(">d", 0.0), pickle.BINFLOAT + struct.pack(">d", 1.0)
    return ZERO + ZERO + THREE + ZERO + ZERO + bins + (metadata or mapping(name=text("x"))) + start + step


def histogram(
    *, axis: bytes | None = None, storage: str = "double", contents: bytes | None = None, **attributes: bytes
) -> bytes:
    """A histogram of one axis."""
    content = ZERO + ZERO + (contents or zeros(3)) if storage == "double" else (contents or b"")
    core = build(
        new(name("boost_histogram._core.hist", f"any_{storage}")), group(ZERO + ONE, axis or regular_axis(), content)
    )
    return build(new(HIST), group(ZERO, mapping(_hist=core, **attributes)))


def trans_axis(forward: bytes, inverse: bytes, convert: bytes) -> bytes:
    end = mapping(name=text("x")) + 2 * (pickle.BINFLOAT + struct.pack(">d", 1.0))
    return ZERO + ZERO + number(7) + ZERO + ZERO + forward + inverse + convert + text("") + THREE + end
