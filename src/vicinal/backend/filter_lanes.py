"""Weighted sums of neighbours in registers of 64 bytes: of lines of float32, or of 16-bit whole numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.lanes import address_of, constant, everywhere, loaded, stored

SHORTS = 32  # 16-bit numbers in a register
_INDEX, _TOGETHER = ir.IntType(64), 3  # registers of sums that share what is loaded of a tap: three go into rows of three channels


@final
@dataclass(frozen=True)
class _Taps:
    """Addresses of ``count`` offsets, in values, and of weights, for vectors of a form."""

    builder: Any
    form: Any
    offsets: Any
    weights: Any
    count: Any

    @property
    def size(self) -> Any:
        """Bytes of a value."""
        return _INDEX(64 // self.form.count)

    def sums(self, start: Any, registers: int) -> list[Any]:
        """Over the taps of values from an address on, in registers that follow one another."""
        builder, held = self.builder, [cgutils.alloca_once(self.builder, self.form) for _ in range(registers)]
        for one in held:
            builder.store(constant(0, self.form), one)
        with cgutils.for_range(builder, self.count) as tap:
            offset = loaded(builder, builder.add(self.offsets, builder.mul(tap.index, _INDEX(8))), _INDEX)
            weight = loaded(builder, builder.add(self.weights, builder.mul(tap.index, self.size)), self.form.element)
            weight, at = everywhere(builder, weight, self.form), builder.add(start, builder.mul(offset, self.size))
            for n, one in enumerate(held):
                value = loaded(builder, builder.add(at, _INDEX(64 * n)), self.form)
                builder.store(self._more(builder.load(one), value, weight), one)
        return [builder.load(one) for one in held]

    def _more(self, total: Any, value: Any, weight: Any) -> Any:
        """``total + value * weight``; of 16-bit products the upper half."""
        if self.form.element == ir.FloatType():
            return self.builder.fadd(total, self.builder.fmul(value, weight))
        wide = ir.VectorType(ir.IntType(32), self.form.count)
        product = self.builder.mul(self.builder.sext(value, wide), self.builder.sext(weight, wide))
        return self.builder.add(total, self.builder.trunc(self.builder.ashr(product, constant(16, wide)), self.form))


def _rows(builder: Any, many: Any, wide: Any, lanes: int, block: Callable[[Any, Any, int], None]) -> None:
    """Blocks (row, place in it, registers) of ``many`` rows of ``wide`` values. Some of a row are done twice rather than to do more than
    there are, unless the row is shorter than a register."""
    each = _INDEX(lanes * _TOGETHER)
    whole = builder.udiv(wide, each)
    done, last = builder.mul(whole, each), builder.sub(wide, _INDEX(lanes))
    rest = builder.udiv(builder.add(builder.sub(wide, done), _INDEX(lanes - 1)), _INDEX(lanes))
    last = builder.select(builder.icmp_signed("<", last, _INDEX(0)), _INDEX(0), last)
    with cgutils.for_range(builder, many) as row:
        with cgutils.for_range(builder, whole) as loop:
            block(row.index, builder.mul(loop.index, each), _TOGETHER)
        with cgutils.for_range(builder, rest) as loop:
            at = builder.add(done, builder.mul(loop.index, _INDEX(lanes)))
            block(row.index, builder.select(builder.icmp_signed("<", at, last), at, last), 1)


def _generated(context: Any, builder: Any, signature: Any, args: Any, made: Callable[[Any], Any] = lambda total: total) -> Any:
    """For the arguments of ``_added``; what is made of sums is stored."""
    source, offsets, weights, target = (address_of(context, builder, signature, args, n) for n in (0, 4, 5, 7))
    (_, step, many, wide, *_), (at, apart) = args, args[8:10]
    item = ir.FloatType() if signature.args[0].dtype == types.float32 else ir.IntType(16)
    taps = _Taps(builder, ir.VectorType(item, SHORTS if item == ir.IntType(16) else SHORTS // 2), offsets, weights, args[6])
    size = _INDEX(signature.args[7].dtype.bitwidth // 8)

    def block(row: Any, place: Any, registers: int) -> None:
        start, into = (builder.add(builder.mul(row, one), place) for one in (step, apart))
        into = builder.add(target, builder.mul(builder.add(at, into), size))
        for total in taps.sums(builder.add(source, builder.mul(start, taps.size)), registers):
            stored(builder, made(total), into)
            into = builder.add(into, builder.mul(size, _INDEX(taps.form.count)))

    _rows(builder, many, wide, taps.form.count, block)
    return context.get_dummy_value()


def _added(typing: Any, lines: Any, step: Any, many: Any, wide: Any, offsets: Any, weights: Any, count: Any, into: Any, at: Any,
           apart: Any) -> Any:  # fmt: skip
    """``into[at + y * apart + i] = sum of weights[t] * lines[y * step + i + offsets[t]]`` for ``many`` rows y, i below ``wide``, t below
    ``count``, in order. Behind a row that is shorter than a register what is missing is read, and written, too."""
    return types.void(lines, *[types.intp] * 3, offsets, weights, types.intp, into, types.intp, types.intp), _generated


def _levels(typing: Any, lines: Any, step: Any, many: Any, wide: Any, offsets: Any, weights: Any, count: Any, into: Any, at: Any,
            apart: Any, lift: Any, half: Any, even: Any, bits: Any) -> Any:  # fmt: skip
    """The same of 16-bit numbers to bytes, in rows of SHORTS or more: ``s = sum + lift`` becomes ``(s + half + (s >> bits & even))
    >> bits``, within 0 and 255."""
    words = [types.intp] * 3
    return types.void(lines, *words, offsets, weights, types.intp, into, *words[:2], *[types.int16] * 4), _generated_levels


def _generated_levels(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    form = ir.VectorType(ir.IntType(16), SHORTS)
    numbers = [everywhere(builder, number, form) for number in args[10:]]
    return _generated(context, builder, signature, args, lambda total: _octets(builder, total, *numbers))


def _octets(builder: Any, total: Any, lift: Any, half: Any, even: Any, bits: Any) -> Any:
    # A sum that leaves the 16 bits lies beyond 255 with and without what it has more.
    more = cgutils.get_or_insert_function(builder.module, ir.FunctionType(total.type, [total.type] * 2), f"llvm.sadd.sat.v{SHORTS}i16")
    total = builder.call(more, [total, lift])
    half = builder.add(half, builder.and_(builder.ashr(total, bits), even))
    made = builder.ashr(builder.call(more, [total, half]), bits)
    none, top = constant(0, total.type), constant(255, total.type)
    made = builder.select(builder.icmp_signed("<", made, none), none, made)
    made = builder.select(builder.icmp_signed(">", made, top), top, made)
    return builder.trunc(made, ir.VectorType(ir.IntType(8), SHORTS))


added: Any = intrinsic(_added)
levels: Any = intrinsic(_levels)
