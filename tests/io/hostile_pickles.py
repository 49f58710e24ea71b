"""Pickles that attack their reader, each with the message that it must get.

They are written opcode by opcode, because most of them no pickler would write. `RUN` is a shell command that leaves a
mark; a reader that runs anything is found out by it.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Any

from assembly import (
    END,
    FALSE,
    HIST,
    NONE,
    ONE,
    START,
    THREE,
    TRUE,
    ZERO,
    array,
    build,
    call,
    data,
    dtype,
    dtype_state,
    group,
    histogram,
    mapping,
    name,
    new,
    number,
    regular_axis,
    text,
    trans_axis,
    zeros,
)

RUN = "touch {marker}"


def key(value: bytes) -> bytes:
    return pickle.EMPTY_DICT + value + NONE + pickle.SETITEM


def doubled(levels: int) -> bytes:
    """Pairs of the pair before."""
    steps = (pickle.MEMOIZE + pickle.BINGET + bytes([index]) + pickle.TUPLE2 for index in range(levels))
    return text("x") + b"".join(steps)


def record(field: bytes) -> bytes:
    """A dtype with one field."""
    fields = mapping(a=group(field, ZERO))
    return build(
        call(name("numpy", "dtype"), text("V8")), dtype_state(names=group(text("a")), fields=fields, size=number(8))
    )


def laughs(levels: int) -> bytes:
    """Lists that have the next one ten times."""
    steps = b"".join(
        pickle.MEMOIZE + pickle.POP + pickle.EMPTY_LIST + pickle.MARK + 10 * (pickle.BINGET + bytes([level])) + b"e"
        for level in range(levels)
    )
    return text("ha") + steps


def colliding_keys() -> bytes:
    prime = 2**61 - 1
    items = b"".join(number(prime * index) + NONE for index in range(1, 50))
    return pickle.EMPTY_DICT + pickle.MARK + items + pickle.SETITEMS


def colliding_tuples() -> bytes:
    # -1 and -2 have one hash, so that pairs, triples, … of them have one too.
    keys = b"".join(group(*(number(-1 - (index >> bit & 1)) for bit in range(8))) + NONE for index in range(256))
    return pickle.EMPTY_DICT + pickle.MARK + keys + pickle.SETITEMS


def copies(count: int) -> bytes:
    """A mebibyte that is copied again and again."""
    large = data(bytes(1 << 20)) + pickle.MEMOIZE + pickle.POP
    copy = call(name("builtins", "bytearray"), pickle.BINGET + b"\0")
    return large + pickle.EMPTY_LIST + pickle.MARK + count * copy + pickle.APPENDS


@dataclass(frozen=True)
class Attack:
    """A pickle, and a part of the message that its reader gives."""

    id: str
    program: bytes
    message: str
    unsafe: bool = True
    limit: int = 64 << 20


def refused(name_of_code: str) -> str:
    return f"asks for code that an output does not need: {name_of_code}."


def running(id_: str, module: str, attribute: str, *arguments: bytes) -> Attack:
    """An attack that calls a function of the standard library or of NumPy."""
    return Attack(id_, call(name(module, attribute), *arguments), refused(f"{module}.{attribute}"))


SHELL = text(RUN)
PYTHON = text("__import__('os').system('" + RUN + "')")

CODE = [
    running("os.system", "os", "system", SHELL),
    running("posix.system", "posix", "system", SHELL),
    running("nt.system", "nt", "system", SHELL),
    running("os.popen", "os", "popen", SHELL),
    running("subprocess.Popen", "subprocess", "Popen", SHELL),
    running("subprocess.check_output", "subprocess", "check_output", group(text("touch"), text("{marker}"))),
    running("pty.spawn", "pty", "spawn", group(text("touch"), text("{marker}"))),
    running("eval", "builtins", "eval", PYTHON),
    running("exec", "builtins", "exec", PYTHON),
    running("eval of Python 2", "__builtin__", "eval", PYTHON),
    running("compile", "builtins", "compile", PYTHON, text("x"), text("exec")),
    running("__import__", "builtins", "__import__", text("antigravity")),
    running("import_module", "importlib", "import_module", text("antigravity")),
    running("runpy", "runpy", "run_path", text("{marker}.py")),
    running("open", "builtins", "open", text("{marker}"), text("w")),
    running("Path.touch", "pathlib", "Path", text("{marker}")),
    running("marshal", "marshal", "loads", data(b"\xe3")),
    running("pickle.loads", "pickle", "loads", data(b"\x80\x05cos\nsystem\n.")),
    running("ctypes", "ctypes", "CDLL", text("libc.so.6")),
    running("copyreg", "copyreg", "_reconstructor", HIST, HIST, NONE),
    running("webbrowser", "webbrowser", "open", text("file://{marker}")),
    running("numpy runstring", "numpy.testing._private.utils", "runstring", PYTHON, mapping()),
    running("numpy load", "numpy", "load", text("{marker}.npy")),
    running("ndarray.tofile", "numpy.ndarray", "tofile", zeros(1), text("{marker}")),
    running("cloudpickle function", "cloudpickle.cloudpickle", "_make_function", NONE),
    running("types.CodeType", "types", "CodeType", NONE),
    running("operator.methodcaller", "operator", "methodcaller", text("system"), SHELL),
    Attack(
        "functools.partial",
        call(call(name("functools", "partial"), name("os", "system"), SHELL)),
        refused("functools.partial, os.system"),
    ),
    Attack(
        "getattr chain",
        call(call(name("builtins", "getattr"), name("os", "path"), text("system")), SHELL),
        "builtins.getattr, os.path.",
    ),
    Attack(
        "operator.attrgetter",
        call(call(call(name("operator", "attrgetter"), text("__class__.__base__")), HIST), SHELL),
        refused("operator.attrgetter"),
    ),
    Attack("text opcode", b"cos\nsystem\n" + group(SHELL) + pickle.REDUCE, refused("os.system")),
    Attack("text opcode with a line break", b"cos\nsystem\x00\n" + group(SHELL) + pickle.REDUCE, "os.system"),
    Attack("dotted name", call(name("collections", "abc.sys.modules"), SHELL), refused("collections.abc.sys.modules")),
    Attack("dotted name of a class", name("hist.hist", "Hist.__init__.__globals__"), "hist.hist.Hist.__init__"),
    Attack("dotted module", name("hist", "hist.Hist"), refused("hist.hist.Hist")),
    Attack("INST", pickle.MARK + SHELL + b"ios\nsystem\n", "opcode INST"),
    Attack("OBJ", pickle.MARK + HIST + SHELL + b"o", "opcode OBJ"),
    Attack("EXT1", b"\x82\x01", "opcode EXT1"),
    Attack("EXT2", b"\x83\x01\x00", "opcode EXT2"),
    Attack("EXT4", b"\x84\x01\x00\x00\x00", "opcode EXT4"),
    Attack("PERSID", b"Pos.system\n", "opcode PERSID"),
    Attack("BINPERSID", SHELL + b"Q", "opcode BINPERSID"),
    Attack("several at once", group(name("os", "system"), name("pty", "spawn")), "need: os.system, pty.spawn. Nothing"),
    Attack(
        "defaultdict of os.system",
        call(name("collections", "defaultdict"), name("os", "system")),
        refused("os.system"),
    ),
    Attack("a long name", name("os", "x" * 1000), "asks for code by a name of 1,002 characters"),
    Attack("a name for terminals", name("os", "system\x1b[2K\r"), r"need: 'os.system\x1b[2K\r'. Nothing"),
    Attack("a name that is no text", ONE + text("x") + pickle.STACK_GLOBAL, "something else than two texts"),
]

ALLOWED = [
    # What the allow-list stands for, called and changed in ways that no pickler does.
    Attack("Hist called", call(HIST, zeros(3)), "calls hist.hist.Hist, which is allowed as a name only"),
    Attack("Hist with arguments", new(HIST, zeros(3)), "makes a hist.hist.Hist with arguments"),
    Attack("ndarray called", call(name("numpy", "ndarray"), group(number(10**15))), "calls numpy.ndarray"),
    Attack("ndarray made", new(name("numpy", "ndarray"), group(number(10**15))), "numpy.ndarray, which is not read so"),
    Attack("dtype made", new(name("numpy", "dtype"), text("f8")), "numpy.dtype, which is not read so"),
    Attack("text called", call(text("os.system"), SHELL), "calls a value of type str"),
    Attack("array called", call(zeros(1), SHELL), "calls a value of type ndarray"),
    Attack("object of a text", new(text("x")), "makes an object of a value of type str"),
    Attack("arguments are no tuple", HIST + text("x") + pickle.REDUCE, "in place of arguments", unsafe=False),
    Attack(
        "state of a class",
        build(HIST, group(NONE, mapping(fill=name("builtins", "set")))),
        "sets the state of a value of type Global",
    ),
    Attack(
        "state of a function",
        build(name("numpy._core.multiarray", "_reconstruct"), group(NONE, mapping(__defaults__=group(ONE)))),
        "sets the state of a value of type Global",
    ),
    Attack(
        "state of a dictionary", build(mapping(), mapping(__class__=HIST)), "sets the state of a value of type dict"
    ),
    Attack("state of an array", build(zeros(1), group(ONE)), "sets the state of a value of type ndarray"),
    Attack(
        "state of a histogram, twice", build(histogram(), mapping(fill=ONE)), "sets the state of a value of type Hist"
    ),
    Attack("items of a class", HIST + text("fill") + ONE + pickle.SETITEM, "sets items of a value of type Global"),
    Attack("items of a histogram", histogram() + ZERO + ONE + pickle.SETITEM, "sets items of a value of type Hist"),
    Attack("appends to a histogram", histogram() + ONE + pickle.APPEND, "appends to a value of type Hist"),
    Attack("appends to an array", zeros(1) + ONE + pickle.APPEND, "appends to a value of type ndarray"),
    Attack(
        "adds to a list",
        pickle.EMPTY_LIST + pickle.MARK + ONE + pickle.ADDITEMS,
        "adds members to a value of type list",
    ),
    Attack(
        "keywords",
        name("coffea.processor.accumulator", "dict_accumulator") + group() + mapping(x=ONE) + pickle.NEWOBJ_EX,
        "makes a coffea.processor.accumulator.dict_accumulator with arguments",
    ),
    Attack(
        "defaultdict of a value", call(name("collections", "defaultdict"), ONE), "collections.defaultdict is called"
    ),
    Attack("set of a text", call(name("builtins", "set"), text("abc")), "set is called with odd arguments"),
    Attack("dict of texts", call(name("builtins", "dict"), group(text("ab"))), "dict is called with something else"),
    Attack(
        "range of texts", call(name("builtins", "range"), text("a"), ONE, ONE), "range is called with odd arguments"
    ),
    Attack("slice of a class", call(name("builtins", "slice"), HIST, NONE, NONE), "slice is called with odd arguments"),
    Attack("complex of a text", call(name("builtins", "complex"), text("1j")), "complex is called with (str)"),
    Attack(
        "bytearray of a number",
        call(name("builtins", "bytearray"), number(1 << 40)),
        "bytearray is called with a value of type int",
    ),
    Attack("odd encoding", call(name("_codecs", "encode"), text("x"), text("zip")), "the encoding 'zip'"),
    Attack("deque of a text", call(name("collections", "deque"), text("ab")), "collections.deque is called with odd"),
    Attack(
        "column without an array",
        build(new(name("coffea.processor.accumulator", "column_accumulator")), mapping(_value=SHELL)),
        "gives a column_accumulator no array",
    ),
    Attack("dtype of objects", call(name("numpy", "dtype"), text("O8"), FALSE, TRUE), "array of Python objects"),
    Attack("dtype of a description", call(name("numpy", "dtype"), text("f8,O"), FALSE, TRUE), "called with 'f8,O'"),
    Attack("dtype of a class", call(name("numpy", "dtype"), HIST), "numpy.dtype is called with odd arguments"),
    Attack(
        "dtype of an enormous void", call(name("numpy", "dtype"), text("V" + "9" * 12)), "numpy.dtype is called with"
    ),
    Attack(
        "dtype with a state of another kind",
        build(call(name("numpy", "dtype"), text("f8")), mapping(type=HIST)),
        "gives numpy.dtype an odd state",
    ),
    Attack(
        "dtype with fields outside",
        array(
            data(bytes(16)),
            build(
                call(name("numpy", "dtype"), text("V16")),
                dtype_state(
                    names=group(text("a")), fields=mapping(a=group(dtype("f8"), number(1 << 30))), size=number(16)
                ),
            ),
            group(ONE),
        ),
        "is damaged near byte",
        unsafe=False,
    ),
    Attack(
        "dtype with a sub-array",
        build(call(name("numpy", "dtype"), text("V8")), dtype_state(base=group(dtype("f8"), group(number(1 << 40))))),
        "a sub-array, which is not read",
    ),
    Attack(
        "array of more than there is", array(data(b"x"), dtype("f8"), group(number(10**15))), "bytes of contents", False
    ),
    Attack(
        "array of a text", array(text("x"), dtype("f8"), group(ONE)), "gives an array a value of type str as contents"
    ),
    Attack("array of a negative shape", array(data(b""), dtype("f8"), group(number(-1))), "an odd shape"),
    Attack(
        "array of empty items", array(data(b""), dtype("S0", "|"), group(number(10**15))), "bytes of contents", False
    ),
    Attack("texts of no characters", array(data(b"\xff" * 8), dtype("U2"), group(ONE)), "does not exist", unsafe=False),
    Attack(
        "text of no character",
        call(name("numpy.core.multiarray", "scalar"), dtype("U1", ">"), data(b"\x00\x11\x00\x00")),
        "does not exist",
        unsafe=False,
    ),
    Attack(
        "record of no character",
        array(data(b"\xff" * 8), record(dtype("U1")), group(ONE)),
        "does not exist",
        unsafe=False,
    ),
    Attack(
        "_reconstruct of a class",
        call(name("numpy._core.multiarray", "_reconstruct"), HIST, group(ZERO), data(b"b")),
        "_reconstruct is called with odd arguments",
    ),
    Attack(
        "_reconstruct of a large array",
        call(
            name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), group(number(10**15)), data(b"b")
        ),
        "_reconstruct is called with odd arguments",
    ),
    Attack(
        "array with objects as contents",
        build(
            call(name("numpy.core.multiarray", "_reconstruct"), name("numpy", "ndarray"), group(ZERO), data(b"b")),
            group(ONE, group(ONE), dtype("f8"), FALSE, pickle.EMPTY_LIST),
        ),
        "gives an array a value of type list as contents",
    ),
    Attack(
        "scalar of objects",
        call(name("numpy.core.multiarray", "scalar"), name("numpy", "dtype"), SHELL),
        "a value of type str as contents and a value of type Global as dtype",
    ),
]

HISTOGRAMS = [
    # States that boost-histogram would take, and read or write outside its memory or call what it finds.
    Attack("contents too short", histogram(contents=zeros(1)), "1 numbers as contents, expected 3", False),
    Attack("contents too long", histogram(contents=zeros(9)), "9 numbers as contents, expected 3", False),
    Attack("contents of bytes", histogram(contents=data(bytes(24))), "contents of type bytes", False),
    Attack(
        "contents of another type",
        histogram(contents=array(data(bytes(12)), dtype("i4"), group(THREE))),
        "contents of type int32, expected float64",
        False,
    ),
    Attack(
        "unlimited storage of another size",
        histogram(storage="unlimited", contents=ZERO + number(5) + number(1 << 30) + zeros(3)),
        "size 1073741824, expected size 3",
        False,
    ),
    Attack(
        "unlimited storage with few contents",
        histogram(storage="unlimited", contents=ZERO + number(5) + THREE + zeros(1)),
        "1 numbers as contents, expected 3",
        False,
    ),
    Attack(
        "bins beyond memory", histogram(axis=regular_axis(number(1 << 40))), "1099511627776 as a number of bins", False
    ),
    Attack("no bins", histogram(axis=regular_axis(ZERO)), "0 as a number of bins", False),
    Attack(
        "categories beyond memory",
        histogram(axis=ZERO + ZERO + number(23) + ZERO + number((1 << 31) - 1) + text("a") + mapping()),
        "a category that is not text",
        False,
    ),
    Attack(
        "a category twice",
        histogram(axis=ZERO + ZERO + number(23) + ZERO + number(2) + 2 * text("a") + mapping(), contents=zeros(3)),
        "a category that occurs twice",
        False,
    ),
    Attack(
        "edges that fall",
        histogram(axis=ZERO + ZERO + number(12) + ZERO + zeros(3) + mapping(), contents=zeros(2)),
        "edges that do not increase",
        False,
    ),
    Attack("unknown axis", histogram(axis=ZERO + ZERO + number(99)), "an axis of the kind number 99", False),
    Attack("more in the state", histogram(contents=zeros(3) + SHELL), "more in its state than belongs there", False),
    Attack("less in the state", histogram(storage="weight"), "an incomplete state", False),
    Attack("another version", histogram(axis=ONE + ZERO), "a version 1, expected 0", False),
    Attack(
        "transform with a function",
        histogram(axis=trans_axis(text(RUN), text(RUN), name("os", "system")), contents=zeros(5)),
        refused("os.system"),
    ),
    Attack(
        "transform with an allowed function",
        histogram(axis=trans_axis(text("_log_fn"), text("_exp_fn"), name("builtins", "set")), contents=zeros(5)),
        "a transform that runs code of its own",
    ),
    Attack(
        "transform with another name",
        histogram(
            axis=trans_axis(
                text("pow"), text("__name__"), name("boost_histogram.axis.transform", "_internal_conversion")
            ),
            contents=zeros(5),
        ),
        "a transform that runs code of its own",
    ),
    Attack("axis method hidden", histogram(axis=regular_axis(metadata=mapping(index=ONE))), "the attribute 'index'"),
    Attack("axis internals", histogram(axis=regular_axis(metadata=mapping(_ax=ONE))), "the attribute '_ax'"),
    Attack("axis name", histogram(axis=regular_axis(metadata=mapping(name=ONE))), "a name that is no text"),
    Attack("axis metadata", histogram(axis=regular_axis(metadata=text("x"))), "a value of type str as metadata"),
    Attack("histogram method hidden", histogram(fill=ONE), "gives a Hist the attribute 'fill'"),
    Attack("histogram class", histogram(__class__=HIST), "gives a Hist the attribute '__class__'"),
    Attack("histogram axes", histogram(axes=pickle.EMPTY_LIST), "gives a Hist the attribute 'axes'"),
    Attack("histogram state", build(new(HIST), mapping(_hist=ONE)), "gives a histogram an odd state"),
    Attack("histogram contents", build(new(HIST), group(ZERO, mapping(_hist=SHELL))), "odd contents"),
    Attack("histogram without a state", new(HIST), "a part that is not completed", False),
    Attack(
        "accumulator of texts",
        build(new(name("boost_histogram.accumulators", "WeightedSum")), group(ZERO, SHELL, SHELL)),
        "gives an accumulator an odd state",
    ),
    Attack(
        "contents used twice",
        data(bytes(8 * 3000))
        + pickle.MEMOIZE
        + pickle.POP
        + pickle.EMPTY_LIST
        + pickle.MARK
        + 2
        * histogram(
            axis=regular_axis(number(3000)),
            contents=array(pickle.BINGET + b"\0", dtype("f8"), group(number(3000))) + pickle.MEMOIZE,
        )
        + pickle.BINGET
        + b"\x01"
        + pickle.APPENDS,
        "uses the contents of a histogram a second time",
        False,
    ),
]

RESOURCES = [
    Attack("memo index", ONE + pickle.LONG_BINPUT + struct.pack("<I", 2**32 - 1), "of its memo after 0 values", False),
    Attack("memo of nothing", pickle.BINGET + b"\x07", "is damaged near byte", False),
    Attack("length of bytes", pickle.BINBYTES8 + struct.pack("<Q", 1 << 60), "claims to hold a value of 1,152,", False),
    Attack("length of a text", pickle.BINUNICODE8 + struct.pack("<Q", 1 << 60), "claims to hold a value of", False),
    Attack("length of a byte array", pickle.BYTEARRAY8 + struct.pack("<Q", 1 << 60), "claims to hold a value", False),
    Attack(
        "length of an integer", pickle.LONG4 + struct.pack("<I", 1 << 31), "claims to hold a value of 2,147,", False
    ),
    Attack("length that is not there", pickle.BINBYTES8 + struct.pack("<Q", 1 << 20), "its pickle does not end", False),
    Attack("large integer", pickle.LONG4 + struct.pack("<I", 5000) + bytes(5000), "an integer of 5,000 bytes", False),
    Attack("copies", copies(70), "its objects take more than 67,108,864 bytes", False),
    Attack("opcodes", pickle.EMPTY_LIST * (1 << 15), "more than 16,384 opcodes", False, 1 << 20),
    Attack("deep lists", pickle.EMPTY_LIST * 100_000 + pickle.APPEND * 99_999, "deeper than 64 levels", False),
    Attack("deep tuples", text("x") + pickle.TUPLE1 * 100_000, "deeper than 64 levels", False),
    Attack("deep key", key(text("x") + pickle.TUPLE1 * 100_000), "a deeply nested tuple as a key", False),
    Attack("doubling key", key(doubled(100)), "as a key or as a member of a set", False),
    Attack("endless message", laughs(30) + pickle.NONE + pickle.NEWOBJ, "a value of type list", False),
    Attack(
        "endless key of a table",
        histogram(axis=trans_axis(doubled(40), text("x"), NONE), contents=zeros(5)),
        "a transform that runs code of its own",
    ),
    Attack(
        "endless description of a dtype",
        array(data(b""), record(record(dtype("f8"))), group(ONE)),
        "has an array of records in records",
    ),
    Attack("lists of lists", laughs(30), "more than 200,000,000 values", False),
    Attack(
        "list in itself",
        pickle.EMPTY_LIST + pickle.MEMOIZE + pickle.BINGET + b"\0" + pickle.APPEND,
        "a container that contains itself",
        False,
    ),
    Attack("integers of one hash", colliding_keys(), "has an integer of 2^60 or more as a key", False),
    Attack("tuples of one hash", colliding_tuples(), "many different keys of one hash", False),
    Attack(
        "a list as a key",
        mapping()[:-1] + pickle.EMPTY_LIST + NONE + pickle.SETITEMS,
        "has a value of type list as a key",
        False,
    ),
    Attack(
        "a histogram as a member",
        pickle.MARK + histogram() + pickle.FROZENSET,
        "has a value of type Hist as a key",
        False,
    ),
    Attack("long name", b"c" + b"x" * 5000, "a name of more than 1024 characters", False),
    Attack("odd group of items", mapping()[:-1] + ONE + pickle.SETITEMS, "is damaged near byte", False),
    Attack("empty stack", pickle.TUPLE2, "a tuple of 2 has 0 values", False),
    Attack("no mark", pickle.APPENDS, "is damaged near byte", False),
    Attack("nothing left", b"", "ends with 0 values", False),
    Attack("two values", ONE + ONE, "ends with 2 values", False),
    Attack("mark left", pickle.MARK + ONE, "ends with 1 values and 1 unfinished", False),
    Attack("text that is none", pickle.SHORT_BINUNICODE + b"\x02\xff\xff", "is damaged near byte", False),
    Attack("unknown opcode", b"\xff", "has the opcode b'\\xff'", False),
    Attack("buffer outside", b"\x97", "has the opcode b'\\x97'", False),
    Attack("opcode of protocol 0", b"I1\n", "has the opcode b'I'", False),
    Attack("protocol of the future", b"\x80\x09" + ONE, "protocol 9, expected 2 to 5", False),
]

ATTACKS = [*CODE, *ALLOWED, *HISTOGRAMS, *RESOURCES]


def program(attack: Attack, marker: Any) -> bytes:
    """Return the pickle of an attack that leaves its mark at a path.

    The place holder has a length, which stands before it, so the path has to have the same one.
    """
    path = str(marker).encode()
    assert len(path) == len(b"{marker}"), "the working folder is used, so that the path has a fixed length"
    return START + attack.program.replace(b"{marker}", path) + END
