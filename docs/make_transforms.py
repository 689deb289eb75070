"""Write docs/transforms.md and its pictures from the registry: nothing about a transform is written down a second time.

    python docs/make_transforms.py

The one-line text of a section is the ``example`` of the class; of a composition, the first policy in the example of its docstring.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from pathlib import Path

import numpy as np
from make_pictures import picture

import vicinal as v
from vicinal.core.declare import Option, Parameter, declarations
from vicinal.core.space import Space, space
from vicinal.core.transform import Node, Transform

DOCS = Path(__file__).resolve().parent
PAGE, PICTURES = DOCS / "transforms.md", DOCS / "images" / "transforms"

HEAD = """\
# Transforms

<!-- Written by docs/make_transforms.py; edit the docstrings and declarations in src/vicinal instead. -->

Every field of a transform is either a *parameter* or an *option*. A parameter is a set of values: a number, a range
`(low, high)`, `{"choice": [...]}`, `{"log": [low, high]}`, `{"normal": [mean, std]}`, `{"beta": [a, b]}` or
`{"sign": magnitude}`; it is drawn anew for every sample. Its *neutral* value changes nothing, and `strength` shrinks towards
it. An option is one fixed setting. All of them also take `p`, the probability that a sample is touched (1 unless said
otherwise), and `name`, which replaces the class name in the address of the draws.

The verb says what happens to boxes, masks, keypoints and events: after a *move* they follow by the same map, after *map*,
*filter*, *mix* and *opaque* they stay (see [targets](targets.md)); what mixers bring in is told under [mixing](mixing.md).

The pictures show the original and what comes at `seed=0, index=0, 1, 2, 3`; one version stands for all where they are alike.
Transforms that look at annotations are given a box and a mask of the flower. The photographs are `flower.jpg` and, beside it
in mixtures, `china.jpg` of scikit-learn's sample images, by vultilion and danielbuechele, both under CC BY 2.0, here cut and
reduced. The lines of code are run by a test, after

```python
import vicinal as v
```

"""


def main() -> int:
    """Write the page and the pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, cls in entries():
        (PICTURES / f"{name}.{suffix(cls)}").write_bytes(picture(shown(name, cls), suffix(cls)))
    PAGE.write_text(page(), "utf-8")
    return 0


def entries() -> list[tuple[str, type[Node]]]:
    """The library's own transforms by module, then by name."""
    own = [(name, cls) for name, cls in v.registry().items() if cls.__module__.startswith("vicinal.")]
    return sorted(own, key=lambda item: (item[1].__module__, item[0]))


def page() -> str:
    """The whole page."""
    parts, module = [HEAD, overview()], ""
    for name, cls in entries():
        if cls.__module__ != module:
            module = cls.__module__
            parts.append(f"## {heading(module)}\n\n{said(module)}\n")
        parts.append(section(name, cls))
    return "\n".join(parts)


def overview() -> str:
    """One line a transform."""
    rows = [f"| [{name}](#{name.lower()}) | {acts_on(cls)} | {verb(cls)} | {plain(summary(cls))} |" for name, cls in sorted(entries())]
    return "\n".join(["| transform | acts on | verb | what it does |", "|---|---|---|---|", *rows, ""])


def heading(module: str) -> str:
    """``vicinal.image.move`` as a title."""
    kind, part = module.split(".")[1:]
    return f"{kind.capitalize()}: {part.replace('_', ' ')}" if kind != "core" else "Composition"


def said(module: str) -> str:
    """What a module's docstring says in its first paragraph."""
    return plain(inspect.cleandoc(sys.modules[module].__doc__ or "").split("\n\n")[0])


def section(name: str, cls: type[Node]) -> str:
    """Title, summary, table, text form, picture."""
    lines = [f"### {name}", "", *paragraphs(cls), *facts(cls), *table(cls)]
    lines += ["```python", f'v.parse("{shown(name, cls)}")', "```", ""]
    return "\n".join([*lines, f"![{name}](images/transforms/{name}.{suffix(cls)})", ""])


def paragraphs(cls: type[Node]) -> Iterator[str]:
    """The docstring without its example, one paragraph after the other."""
    for paragraph in inspect.cleandoc(cls.__doc__ or "").split("\n\n"):
        if paragraph.startswith("Example:"):
            continue
        first, _, rest = paragraph.partition("\n")
        yield plain(f"*{first[:-1]}.* {inspect.cleandoc(rest)}" if first == "Args:" else paragraph)
        yield ""


def plain(text: str) -> str:
    """A docstring's paragraph as Markdown on one line."""
    return re.sub(r"\s+", " ", text.replace("``", "`")).replace("|", "\\|").strip()


def summary(cls: type[Node]) -> str:
    """The first sentence of the docstring."""
    return inspect.cleandoc(cls.__doc__ or "").split("\n\n")[0]


def acts_on(cls: type[Node]) -> str:
    """ "image", "series" or "any"."""
    return ", ".join(sorted(cls.needs)) if issubclass(cls, Transform) else "any"


def verb(cls: type[Node]) -> str:
    """The verb; compositions have none of their own."""
    return cls.verb if issubclass(cls, Transform) else ""


def facts(cls: type[Node]) -> list[str]:
    """Everything the class itself says; compositions say nothing."""
    if not issubclass(cls, Transform):
        return []
    found = [f"Verb *{cls.verb}*", f"acts on {acts_on(cls)}"]
    if cls.bounded:
        found.append("takes values that are declared to lie in [0, 1]")
    if cls.whole:
        found.append("touches every sample, because dtype or layout change")
    return ["; ".join(found) + "." + (f" Source: {cls.paper}." if cls.paper else ""), ""]


def table(cls: type[Node]) -> list[str]:
    """The declared fields with bounds, unit, default and neutral value."""
    rows = [row(field, declarations(cls).get(field.name), cls) for field in fields(cls) if field.name not in ("p", "name", "of")]
    return ["| field | value | default | neutral |", "|---|---|---|---|", *rows, ""] if rows else []


def row(field: Field, declared: Parameter | Option | None, cls: type[Node]) -> str:
    """One field."""
    if isinstance(declared, Parameter):
        default = "required" if field.default is MISSING else f"`{written(space(field.default))}`"
        neutral = "" if declared.neutral is None else f"`{declared.neutral}`"
        return f"| `{field.name}` | {declared.expected()}{also(declared.doc)} | {default} | {neutral} |"
    expected = f"{declared.expected}{also(declared.doc)}" if declared else "see above"
    default = "required" if field.default is MISSING else f"`{field.default!r}`"
    return f"| `{field.name}` | {plain(expected)} | {default} | |"


def also(doc: str) -> str:
    """A declaration's own words, in brackets."""
    return f" ({doc})" if doc else ""


def written(value: Space) -> str:
    """A space as it is written."""
    data = value.data()
    return repr(tuple(data)) if isinstance(data, list) else repr(data)


def shown(name: str, cls: type[Node]) -> Node:
    """The policy of a section: a transform's ``example``; for a composition, the first policy in its docstring's example."""
    if issubclass(cls, Transform):
        return cls(**cls.example)
    lines = re.findall(r"^ +>>> (.*)$", inspect.cleandoc(cls.__doc__ or ""), re.MULTILINE)
    tree = ast.parse("\n".join(line for line in lines if not line.startswith("import")))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("v.")]
    found = next(call for call in calls if ast.unparse(call.func).removeprefix("v.") in v.registry())
    return v.parse(ast.unparse(found))


def suffix(cls: type[Node]) -> str:
    """Photographs as JPEG, curves as PNG."""
    return "png" if acts_on(cls) == "series" else "jpg"


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())
