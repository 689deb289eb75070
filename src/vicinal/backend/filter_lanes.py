"""Weighted sums of neighbours in registers of 64 bytes: of lines of float32, or of 16-bit whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

SHORTS = 32  # 16-bit numbers in a register
_INDEX, _TOGETHER = ir.IntType(64), 3  # registers of sums that share what is loaded of a tap: three go into rows of three channels


@final
@dataclass(frozen=True)
class _Taps:
    """The sums over taps of values from an address on: arrays of offsets in values and of weights, of which ``count`` are taken."""

    builder: Any
    item: Any
    offsets: Any
    weights: Any
    count: Any

    @property
    def lanes(self) -> int:
        return 16 if self.item == ir.FloatType() else SHORTS

    @property
    def size(self) -> Any:
        return _INDEX(64 // self.lanes)

    @property
    def form(self) -> Any:
        return ir.VectorType(self.item, self.lanes)

    def sums(self, start: Any, many: int) -> list[Any]:
        """``many`` registers of sums that follow one another."""
        builder, held = self.builder, [cgutils.alloca_once(self.builder, self.form) for _ in range(many)]
        for one in held:
            builder.store(ir.Constant(self.form, [0] * self.lanes), one)
        with cgutils.for_range(builder, self.count) as tap:
            weight = builder.load(builder.gep(self.weights, [tap.index]))
            weight = _everywhere(builder, weight, self.form)
            at = builder.add(start, builder.mul(builder.load(builder.gep(self.offsets, [tap.index])), self.size))
            for n, one in enumerate(held):
                value = builder.load(builder.inttoptr(builder.add(at, _INDEX(64 * n)), self.form.as_pointer()), align=2)
                builder.store(self._more(builder.load(one), value, weight), one)
        return [builder.load(one) for one in held]

    def _more(self, total: Any, value: Any, weight: Any) -> Any:
        """``total + value * weight``; of 16-bit products the upper half."""
        if self.item == ir.FloatType():
            return self.builder.fadd(total, self.builder.fmul(value, weight))
        wide = ir.VectorType(ir.IntType(32), self.lanes)
        product = self.builder.mul(self.builder.sext(value, wide), self.builder.sext(weight, wide))
        return self.builder.add(total, self.builder.trunc(self.builder.ashr(product, ir.Constant(wide, [16] * self.lanes)), self.form))


def _rows(builder: Any, many: Any, wide: Any, lanes: int, block: Callable[[Any, Any, int], None]) -> None:
    """Blocks (row, place in it, registers) of ``many`` rows of ``wide`` values. The last block of a row is done again in part rather than to
    be longer than the row, unless the row is shorter than a register."""
    each = _INDEX(lanes * _TOGETHER)
    whole = builder.udiv(wide, each)
    done = builder.mul(whole, each)
    rest = builder.udiv(builder.add(builder.sub(wide, done), _INDEX(lanes - 1)), _INDEX(lanes))
    last = builder.sub(wide, _INDEX(lanes))
    last = builder.select(builder.icmp_signed("<", last, _INDEX(0)), _INDEX(0), last)
    with cgutils.for_range(builder, many) as row:
        with cgutils.for_range(builder, whole) as loop:
            block(row.index, builder.mul(loop.index, each), _TOGETHER)
        with cgutils.for_range(builder, rest) as loop:
            at = builder.add(done, builder.mul(loop.index, _INDEX(lanes)))
            block(row.index, builder.select(builder.icmp_signed("<", at, last), at, last), 1)


def _everywhere(builder: Any, number: Any, form: Any) -> Any:
    """One number in all lanes."""
    blank, first = ir.Constant(form, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), form.count), [0] * form.count)
    return builder.shuffle_vector(builder.insert_element(blank, number, ir.IntType(32)(0)), blank, first)


def _address(context: Any, builder: Any, signature: Any, args: Any, n: int) -> Any:
    return context.make_array(signature.args[n])(context, builder, args[n]).data


def _taps(context: Any, builder: Any, signature: Any, args: Any) -> _Taps:
    """Of the arguments after the lines, their step and how many there are and how wide."""
    offsets, weights = (_address(context, builder, signature, args, n) for n in (4, 5))
    item = ir.FloatType() if signature.args[0].dtype == types.float32 else ir.IntType(16)
    return _Taps(builder, item, offsets, weights, args[6])


def _added(
    typing: Any, lines: Any, step: Any, many: Any, wide: Any, offsets: Any, weights: Any, count: Any, into: Any, at: Any, apart: Any
) -> Any:
    """``into[at + y * apart + i] = sum of weights[t] * lines[y * step + i + offsets[t]]`` for ``many`` rows y, i below ``wide``, t below
    ``count``. Up to 63 bytes more than the lines have are read, and written behind a row that is shorter than that."""
    words = [types.intp] * 3
    return types.void(lines, *words, offsets, weights, types.intp, into, types.intp, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    taps, (_, step, many, wide, *_, at, apart) = _taps(context, builder, signature, args), args
    source, target = (builder.ptrtoint(_address(context, builder, signature, args, n), _INDEX) for n in (0, 7))

    def block(row: Any, place: Any, registers: int) -> None:
        start, into = (builder.add(builder.mul(row, one), place) for one in (step, apart))
        made = taps.sums(builder.add(source, builder.mul(start, taps.size)), registers)
        into = builder.add(target, builder.mul(builder.add(at, into), taps.size))
        for n, one in enumerate(made):
            builder.store(one, builder.inttoptr(builder.add(into, _INDEX(64 * n)), taps.form.as_pointer()), align=2)

    _rows(builder, many, wide, taps.lanes, block)
    return context.get_dummy_value()


def _levels(
    typing: Any, lines: Any, step: Any, many: Any, wide: Any, offsets: Any, weights: Any, count: Any, into: Any, at: Any, numbers: Any
) -> Any:
    """The same of 16-bit numbers to bytes, in rows of ``wide``, at least SHORTS, that follow one another: a sum s and three numbers (add,
    odd, bits) become ``(s + add + (s >> bits & odd)) >> bits``, within 0 and 255."""
    words = [types.intp] * 3
    return types.void(lines, *words, offsets, weights, types.intp, into, types.intp, types.UniTuple(types.int16, 4)), _generated_levels


def _generated_levels(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    taps, (_, step, many, wide, *_, at, numbers) = _taps(context, builder, signature, args), args
    source, target = (builder.ptrtoint(_address(context, builder, signature, args, n), _INDEX) for n in (0, 7))
    numbers = [_everywhere(builder, builder.extract_value(numbers, n), taps.form) for n in range(4)]

    def block(row: Any, place: Any, registers: int) -> None:
        start, into = (builder.add(builder.mul(row, one), place) for one in (step, wide))
        made = taps.sums(builder.add(source, builder.mul(start, taps.size)), registers)
        into = builder.add(target, builder.add(at, into))
        for n, one in enumerate(made):
            octets = _octets(builder, one, numbers)
            builder.store(octets, builder.inttoptr(builder.add(into, _INDEX(SHORTS * n)), octets.type.as_pointer()), align=1)

    _rows(builder, many, wide, SHORTS, block)
    return context.get_dummy_value()


def _octets(builder: Any, total: Any, numbers: Sequence[Any]) -> Any:
    lift, half, odd, bits = numbers
    more = cgutils.get_or_insert_function(builder.module, ir.FunctionType(total.type, [total.type] * 2), f"llvm.sadd.sat.v{SHORTS}i16")
    total = builder.call(more, [total, lift])
    half = builder.add(half, builder.and_(builder.ashr(total, bits), odd))
    made = builder.ashr(builder.call(more, [total, half]), bits)
    none, top = (ir.Constant(total.type, [level] * SHORTS) for level in (0, 255))
    made = builder.select(builder.icmp_signed("<", made, none), none, made)
    made = builder.select(builder.icmp_signed(">", made, top), top, made)
    return builder.trunc(made, ir.VectorType(ir.IntType(8), SHORTS))


added: Any = intrinsic(_added)
levels: Any = intrinsic(_levels)
