"""What loops over vectors of LLVM begin and end with."""

from __future__ import annotations

from typing import Any

from llvmlite import ir


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
