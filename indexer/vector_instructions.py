"""Vector instructions that Numba has no name for, written as LLVM operations.

All but one of them are generic: LLVM finds the widest registers of the processor for them. A look-up
of bytes by bytes has no generic form, so that one asks which instruction set there is.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]  # ships no types
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from artifacts.arrays import IntVector

ByteArray: TypeAlias = NDArray[np.uint8]

Value: TypeAlias = Any
"""A value of the program being generated; llvmlite ships no types."""

BYTE, INT, LONG = ir.IntType(8), ir.IntType(32), ir.IntType(64)
BYTES_64 = ir.VectorType(BYTE, 64)

BLOCK_ROWS = 16
"""Rows whose codes lie together: the lanes of the narrowest byte look-up in use."""
CHUNK_BYTES = 16
"""Bytes of a code that are looked up in one pass: as many tables as registers hold."""
BLOCK_BYTES = BLOCK_ROWS * CHUNK_BYTES
BLOCKS_AHEAD = 32
"""Blocks by which memory is asked ahead of use; callers pad the list of blocks by as many."""

RUN = 16
"""Numbers that `write_run` writes: a register of them."""

_LOOK_UPS = (
    # feature, bytes, name: the widest first
    ("+avx512bw", 64, "llvm.x86.avx512.pshuf.b.512"),
    ("+avx2", 32, "llvm.x86.avx2.pshuf.b"),
    ("+ssse3", 16, "llvm.x86.ssse3.pshuf.b.128"),
    ("+neon", 16, "llvm.aarch64.neon.tbl1.v16i8"),
)


def look_up_width(features: str) -> int:
    """Return the bytes that one look-up of `features`, an LLVM feature list, serves; 1 for none."""
    known = set(features.split(","))
    return next((width for feature, width, _ in _LOOK_UPS if feature in known), 1)


def _call(builder: Value, name: str, kind: Value, *arguments: Value) -> Value:
    signature = ir.FunctionType(kind, [argument.type for argument in arguments])
    insert: Any = cgutils.get_or_insert_function
    return builder.call(insert(builder.module, signature, name), arguments)


def _lanes(builder: Value, vector: Value, start: int, count: int) -> Value:
    mask = ir.Constant(ir.VectorType(INT, count), list(range(start, start + count)))
    return builder.shuffle_vector(vector, vector, mask)


def _joined(builder: Value, parts: list[Value]) -> Value:
    while len(parts) > 1:
        mask = ir.Constant(
            ir.VectorType(INT, 2 * parts[0].type.count), list(range(2 * parts[0].type.count))
        )
        parts = [
            builder.shuffle_vector(left, right, mask)
            for left, right in zip(parts[::2], parts[1::2], strict=True)
        ]
    return parts[0]


def _looked_up(builder: Value, table: Value, places: Value, features: str) -> Value:
    """Return table[16 (i // 16) + places[i]] for 64 bytes, places below 16."""
    width = look_up_width(features)
    if width == 1:
        return _looked_up_singly(builder, table, places)
    name = next(name for feature, _, name in _LOOK_UPS if feature in set(features.split(",")))
    kind = ir.VectorType(BYTE, width)
    return _joined(
        builder,
        [
            _call(
                builder,
                name,
                kind,
                _lanes(builder, table, start, width),
                _lanes(builder, places, start, width),
            )
            for start in range(0, 64, width)
        ],
    )


def _looked_up_singly(builder: Value, table: Value, places: Value) -> Value:
    result = ir.Constant(BYTES_64, ir.Undefined)
    for i in range(64):
        lane = ir.Constant(INT, i)
        place = builder.zext(builder.extract_element(places, lane), INT)
        place = builder.add(place, ir.Constant(INT, i // 16 * 16))
        result = builder.insert_element(result, builder.extract_element(table, place), lane)
    return result


def _sum(builder: Value, left: Value, right: Value) -> Value:
    """Add bytes; what passes 255 stays there."""
    name = f"llvm.uadd.sat.v{left.type.count}i8"
    return _call(builder, name, left.type, left, right)


def _load(builder: Value, data: Value, offset: Value, kind: Value) -> Value:
    value = builder.load(builder.bitcast(builder.gep(data, [offset]), kind.as_pointer()))
    value.align = 1
    return value


def _block_penalties(builder: Value, codes: Value, tables: list[Value], features: str) -> Value:
    """Return the 16 penalties of the block of codes at pointer `codes`."""
    low, four = (ir.Constant(BYTES_64, [value] * 64) for value in (15, 4))
    partial = []
    for quarter in range(len(tables) // 2):
        code = _load(builder, codes, ir.Constant(LONG, 64 * quarter), BYTES_64)
        for table, nibbles in zip(
            tables[2 * quarter : 2 * quarter + 2],
            (builder.and_(code, low), builder.lshr(code, four)),
            strict=True,
        ):
            partial.append(_looked_up(builder, table, nibbles, features))
    while len(partial) > 1:
        partial = [_sum(builder, *pair) for pair in zip(partial[::2], partial[1::2], strict=True)]
    total = partial[0]  # 4 columns of the chunk side by side, 16 rows each
    for count in (32, 16):
        total = _sum(
            builder, _lanes(builder, total, 0, count), _lanes(builder, total, count, count)
        )
    return total


@intrinsic
def _score_blocks(  # noqa: PLR0913 - kernels take arrays, not objects
    typing_context: Any,
    codes: Any,
    blocks: Any,
    count: Any,
    tables: Any,
    first: Any,
    out: Any,
) -> Any:
    signature = types.void(codes, blocks, types.int64, tables, types.boolean, out)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        features = context.codegen().magic_tuple()[2]
        code_data, block_data, table_data, out_data = (
            context.make_array(signature.args[i])(context, builder, arguments[i]).data
            for i in (0, 1, 3, 5)
        )
        registers = [
            _load(builder, table_data, ir.Constant(LONG, offset), BYTES_64)
            for offset in range(0, 2 * BLOCK_BYTES, 64)
        ]

        def block_at(place: Value) -> Value:
            block = builder.zext(builder.load(builder.gep(block_data, [place])), LONG)
            return builder.gep(code_data, [builder.mul(block, ir.Constant(LONG, BLOCK_BYTES))])

        with cgutils.for_range(builder, arguments[2]) as loop:
            ahead = block_at(builder.add(loop.index, ir.Constant(LONG, BLOCKS_AHEAD)))
            for line in range(0, BLOCK_BYTES, 64):
                _prefetch(builder, builder.gep(ahead, [ir.Constant(LONG, line)]))
            total = _block_penalties(builder, block_at(loop.index), registers, features)
            place = builder.mul(loop.index, ir.Constant(LONG, BLOCK_ROWS))
            earlier = _load(builder, out_data, place, total.type)
            nothing = ir.Constant(total.type, [0] * BLOCK_ROWS)
            total = _sum(builder, total, builder.select(arguments[4], nothing, earlier))
            target = builder.bitcast(builder.gep(out_data, [place]), total.type.as_pointer())
            builder.store(total, target).align = 1
        return context.get_dummy_value()

    return signature, generate


def _prefetch(builder: Value, pointer: Value) -> None:
    read, near, data = (ir.Constant(INT, value) for value in (0, 3, 1))
    _call(builder, "llvm.prefetch.p0", ir.VoidType(), pointer, read, near, data)


@intrinsic
def _at_most(typing_context: Any, values: Any, start: Any, limit: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        found = _load(builder, data, arguments[1], BYTES_64)
        first = builder.insert_element(
            ir.Constant(BYTES_64, ir.Undefined), arguments[2], ir.Constant(INT, 0)
        )
        limits = builder.shuffle_vector(first, first, ir.Constant(ir.VectorType(INT, 64), [0] * 64))
        return builder.bitcast(builder.icmp_unsigned("<=", found, limits), LONG)

    return types.uint64(values, types.int64, types.uint8), generate


@intrinsic
def _trailing_zeros(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.uint64), generate


@intrinsic
def _population_count(typing_context: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), generate


@intrinsic
def _prefetch_item(typing_context: Any, array: Any, item: Any, lines: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = context.make_array(signature.args[0])(context, builder, arguments[0])
        width = builder.extract_value(found.strides, 0)
        start = builder.bitcast(found.data, BYTE.as_pointer())
        pointer = builder.gep(start, [builder.mul(arguments[1], width)])
        for line in range(lines.literal_value):
            _prefetch(builder, builder.gep(pointer, [ir.Constant(LONG, 64 * line)]))
        return context.get_dummy_value()

    if not isinstance(lines, types.IntegerLiteral):
        return None
    return types.void(array, types.int64, lines), generate


@intrinsic
def _write_run(typing_context: Any, out: Any, place: Any, start: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        kind = ir.VectorType(INT, RUN)
        first = builder.insert_element(
            ir.Constant(kind, ir.Undefined), arguments[2], ir.Constant(INT, 0)
        )
        run = builder.add(
            builder.shuffle_vector(first, first, ir.Constant(kind, [0] * RUN)),
            ir.Constant(kind, list(range(RUN))),
        )
        target = builder.bitcast(builder.gep(data, [arguments[1]]), kind.as_pointer())
        builder.store(run, target).align = 4
        return context.get_dummy_value()

    return types.void(out, types.int64, types.int32), generate


score_blocks = cast(
    Callable[[ByteArray, IntVector, int, ByteArray, bool, ByteArray], None], _score_blocks
)
"""Write the penalties of blocks of codes, 16 rows each, one byte a row, saturated at 255.

Arguments: codes (m, 16, 16) uint8, byte c of the 16 rows of a block together; blocks (count + 32,)
int32 numbers of blocks; count int64; tables (8, 4, 16) uint8, where [2 w + h, l, v] is the penalty of
value v in nibble h (0 is the low one) of byte 4 w + l; first bool, False adds to what `out` holds; out
(16 count,) uint8.
"""

at_most = cast(Callable[[ByteArray, int, int], np.uint64], _at_most)
"""Return a word whose bit i tells whether values[start + i] <= limit, for 64 bytes."""

trailing_zeros = cast(Callable[[np.uint64], int], _trailing_zeros)
"""Return the number of the lowest bit set in a uint64, 64 for none."""

population_count = cast(Callable[[np.uint64], int], _population_count)
"""Return how many bits of a uint64 are set; one instruction, or a vector of them."""

prefetch = cast(Callable[[NDArray[Any], int, int], None], _prefetch_item)
"""Ask for the first cache lines of array[item], C-contiguous; how many is a literal number."""

write_run = cast(Callable[[IntVector, int, int], None], _write_run)
"""Write start, start + 1, ... 16 numbers in all, to out[place] and behind, out being (n,) int32."""
