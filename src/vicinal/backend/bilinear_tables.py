"""What a table makes of 8-bit pixels that have been sampled, to where a result lies."""

from __future__ import annotations

import numpy as np

from vicinal.backend.chain_lookup import byte_planes, look_up, look_up_floats, split
from vicinal.backend.kernels import _compiled, _inlined
from vicinal.backend.pixels import copied


@_compiled
def entries_of(table, bytewise, entries, planes):
    """A table (256, K) channel by channel, entries (K, 256); ``bytewise`` also as the look-up of float32 takes it, planes (K, 4, 256)."""
    for c in range(len(entries)):
        for k in range(256):
            entries[c, k] = table[k, c]
        if bytewise:
            byte_planes(entries[c], planes[c])


@_compiled
def _found(entries, planes, source, into):
    """into[i] = entries[source[i]], by the look-up for their dtype."""
    if entries.itemsize == 1:
        look_up(entries, source, into)
    elif entries.itemsize == 4:
        look_up_floats(entries, planes, source, into)
    else:
        for i in range(len(source)):
            into[i] = entries[np.uintp(source[i])]


@_compiled
def placed(line, many, entries, planes, planar, apart, out, at, area):
    """The values of so many pixels through tables to ``out`` from pixel ``at`` on; ``area`` a plane, ``apart`` room for channels."""
    count = len(apart)
    if count == 1 or (not planar and len(entries) == 1):
        _found(entries[0], planes[0], line[: many * count], out[at * count : (at + many) * count])
        return
    split(line, many, apart)
    for c in range(count):
        own = c % len(entries)
        if planar:
            _found(entries[own], planes[own], apart[c, :many], out[c * area + at : c * area + at + many])
        else:
            target = out[at * count + c :]
            for x in range(many):
                target[x * count] = entries[own, np.uintp(apart[c, x])]


@_inlined
def given(line, many, done, plain, entries, planes, planar, apart, out, at, area):
    """Pixels of a block, from ``done`` on, to a result as it is or as tables tell."""
    if plain:
        copied(out, at * len(apart), line, 0, many * len(apart))
    elif done < many:
        placed(line, many - done, entries, planes, planar, apart, out, at + done, area)
