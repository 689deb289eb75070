"""What loops over vectors of LLVM begin and end with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from llvmlite import ir
from numba.core import cgutils

from vicinal.backend.vectors import WIDE, instruction

LANES = 16  # 32-bit numbers that are worked on together
NUMBERS = ir.VectorType(ir.IntType(32), LANES)


def everywhere(builder: Any, number: Any, form: Any) -> Any:
    """One number in all lanes of a vector."""
    blank, zeros = ir.Constant(form, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), form.count), [0] * form.count)
    return builder.shuffle_vector(builder.insert_element(blank, number, ir.IntType(32)(0)), blank, zeros)


def constant(number: Any, form: Any) -> Any:
    """The same, of a number that is known beforehand."""
    return ir.Constant(form, [number] * form.count)


def loaded(builder: Any, address: Any, form: Any) -> Any:
    """A vector, or a number, from any address."""
    return builder.load(builder.inttoptr(address, form.as_pointer()), align=1)


def stored(builder: Any, value: Any, address: Any) -> None:
    """The way back."""
    builder.store(value, builder.inttoptr(address, value.type.as_pointer()), align=1)


def address_of(context: Any, builder: Any, signature: Any, args: Any, n: int) -> Any:
    """Where the values of an array begin that is an argument."""
    return builder.ptrtoint(context.make_array(signature.args[n])(context, builder, args[n]).data, ir.IntType(64))


def gathered(builder: Any, table: Any, places: Any, item: Any, size: int = 4) -> Any:
    """Of LANES places, ``size`` bytes from one to the next, the 32-bit items there of a table whose address is given."""
    form, number = ir.VectorType(item, LANES), ir.IntType(32)
    if not WIDE:
        made = ir.Constant(form, ir.Undefined)
        for lane in range(LANES):
            place = builder.zext(builder.extract_element(places, number(lane)), ir.IntType(64))
            one = loaded(builder, builder.add(table, builder.mul(place, ir.IntType(64)(size))), item)
            made = builder.insert_element(made, one, number(lane))
        return made
    lanes, base = ir.VectorType(ir.IntType(1), LANES), builder.inttoptr(table, ir.IntType(8).as_pointer())
    name = f"mask.gather.dp{'s' if item == ir.FloatType() else 'i'}.512"
    function = instruction(builder, name, form, form, base.type, places.type, lanes, number)
    return builder.call(function, [constant(0, form), base, places, constant(1, lanes), number(size)])


def summed(builder: Any, first: Any, count: Any, term: Callable[[Any], Any], add: str = "add") -> Any:
    """A vector and so many more, one after the other: without a loop where their number is known beforehand."""
    if isinstance(count, ir.Constant):
        for n in range(count.constant):
            first = getattr(builder, add)(first, term(count.type(n)))
        return first
    total = cgutils.alloca_once_value(builder, first)
    with cgutils.for_range(builder, count) as loop:
        builder.store(getattr(builder, add)(builder.load(total), term(loop.index)), total)
    return builder.load(total)


def often(builder: Any, count: Any, known: tuple[int, ...], each: Callable[[Any], None]) -> None:
    """What is done for a number, written out for those that it often is, which may be twice as fast; else for any."""
    if not known:
        each(count)
        return
    one = count.type(known[0])
    with builder.if_else(builder.icmp_signed("==", count, one)) as (same, other):
        with same:
            each(one)
        with other:
            often(builder, count, known[1:], each)


@final
@dataclass(frozen=True)
class Lanes:
    """Whole numbers side by side, to be reckoned with as if they were one."""

    builder: Any
    value: Any

    def _of(self, other: Any) -> Any:
        return other.value if isinstance(other, Lanes) else constant(other, self.value.type)

    def _made(self, operation: str, other: Any) -> Lanes:
        return Lanes(self.builder, getattr(self.builder, operation)(self.value, self._of(other)))

    def __add__(self, other: Any) -> Lanes:
        return self._made("add", other)

    def __sub__(self, other: Any) -> Lanes:
        return self._made("sub", other)

    def __mul__(self, other: Any) -> Lanes:
        return self._made("mul", other)

    def __lshift__(self, other: Any) -> Lanes:
        return self._made("shl", other)

    def __rshift__(self, other: Any) -> Lanes:
        return self._made("ashr", other)

    def __and__(self, other: Any) -> Lanes:
        return self._made("and_", other)

    def __or__(self, other: Any) -> Lanes:
        return self._made("or_", other)

    def where_below(self, bound: Any, one: Any, other: Any) -> Lanes:
        """One number where this is below a bound, the other elsewhere."""
        below = self.builder.icmp_signed("<", self.value, self._of(bound))
        return Lanes(self.builder, self.builder.select(below, self._of(one), self._of(other)))

    def over(self, divisor: int) -> Lanes:
        """The quotient of numbers below 2**24, cut off."""
        floats = ir.VectorType(ir.FloatType(), LANES)
        quotient = self.builder.fdiv(self.builder.sitofp(self.value, floats), constant(float(divisor), floats))
        return Lanes(self.builder, self.builder.fptosi(quotient, NUMBERS))

    def found(self, table: Any) -> Lanes:
        """The numbers at these places of a table whose address is given."""
        return Lanes(self.builder, gathered(self.builder, table, self.value, NUMBERS.element))
