"""Run the examples of a page, in order, and compare what they print with what the page says; or write it there.

    python docs/make_outputs.py README.md docs/tutorial.md            compares, with small budgets; exit code 1 on a difference
    python docs/make_outputs.py --write README.md docs/tutorial.md    runs everything in full and rewrites the outputs

An example is a fenced block of ``python``, or of ``console`` whose lines begin with ``$ vicinal``. What it prints is the block of ``text``
right behind it, if there is one. The blocks of a page share a folder and a Python namespace. A comment right above a block may say

    <!-- test: skip, REASON -->       not run
    <!-- test: needs mnist -->        run where $VICINAL_DATA (or ../shared/data) has a folder of that name, which then stands in the folder
    <!-- test: imports albumentations -->    run where that package is installed
    <!-- test: varies, REASON -->     run, but the output is only compared by eye
    <!-- test: fails -->              the command ends with exit code 2
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.util
import io
import os
import re
import shlex
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import final

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("VICINAL_DATA", ROOT.parent / "shared" / "data")).resolve()
WIDTH = "90"  # columns of a terminal that fit on a page
BLOCK = re.compile(
    r"(?:^<!-- test: (?P<note>[^\n]*?) -->\n)?^```(?P<language>python|console)\n(?P<code>.*?)^```\n"
    r"(?:\n^```text\n(?P<output>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)


@final
@dataclass(frozen=True)
class Example:
    """One block of a page: its code, what it should print (None: nothing is said), and where that stands in the page."""

    language: str
    code: str
    note: str
    output: str | None
    span: tuple[int, int]
    line: int

    def missing(self) -> str | None:
        """Why it cannot be run here; None where it can."""
        word, _, rest = self.note.partition(" ")
        if word.rstrip(",") == "skip":
            return rest
        if word == "imports":
            return None if importlib.util.find_spec(rest) else f"{rest} is not installed"
        return f"no data set {rest}" if word == "needs" and not (DATA / rest).exists() else None

    @property
    def varies(self) -> bool:
        """True where the output is not the same on every machine, or not with a small budget."""
        return self.note.startswith("varies") or (self.code.startswith(("$ vicinal compare", "$ vicinal check")) and self.note != "fails")


def examples(page: str) -> list[Example]:
    """The blocks of a page that can be run."""
    found = []
    for match in BLOCK.finditer(page):
        line = page.count("\n", 0, match.start("code")) + 1
        note, output = match["note"] or "", match["output"]
        found.append(Example(match["language"], match["code"], note, output, match.span("output"), line))
    return found


def commands(code: str) -> list[list[str]]:
    """The arguments of every ``$ vicinal`` line of a block."""
    lines = code.replace("\\\n", " ").splitlines()
    return [shlex.split(line[2:])[1:] for line in lines if line.startswith("$ vicinal ")]


def small(arguments: Sequence[str]) -> list[str]:
    """The same command with a budget that takes seconds: of an option that is given twice, the last one counts."""
    if arguments[0] == "check":
        return [*arguments, "--size", "60", "--seeds", "1", "--steps", "20"]
    if arguments[0] != "compare" or arguments[1].endswith(".yaml"):  # what a study file says cannot be typed as well
        return list(arguments)
    budget = ["--epochs", "1"] if "--epochs" in arguments else ["--steps", "20"]
    return [*arguments, "--seeds", "2", *budget]


def run_python(code: str, namespace: dict, name: str, line: int) -> str:
    """What a block prints; a fault is raised with the line of the page."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile("\n" * (line - 1) + code, name, "exec", dont_inherit=True), namespace)
    return printed.getvalue()


def run_console(example: Example, *, full: bool) -> str:
    """What the commands of a block print; one that fails although the page does not say so raises."""
    printed = io.StringIO()
    for arguments in commands(example.code):
        code = run_command(arguments if full else small(arguments), printed)
        if code != (2 if example.note == "fails" else 0):
            raise RuntimeError(f"vicinal {shlex.join(arguments)} ended with {code}:\n{printed.getvalue()}")
    return printed.getvalue()


def run_command(arguments: Sequence[str], printed: io.StringIO) -> int:
    """Run the command line within this process, which spares seconds of imports, and return its exit code."""
    from vicinal.cli import main as vicinal

    before, sys.argv = sys.argv, ["vicinal", *arguments]
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            vicinal()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = before
    return 0


def run_page(path: Path, *, full: bool, folder: Path | None = None) -> list[tuple[Example, str]]:
    """Every example that can be run, with what it prints, in a folder of their own or in the one that is given."""
    found = examples(path.read_text("utf-8"))
    module = sys.modules["page"] = ModuleType("page")  # a real module, so that classes of the page can be pickled
    results = []
    with tempfile.TemporaryDirectory() as temporary, contextlib.chdir(folder or temporary):
        for example in found:
            if reason := example.missing():
                print(f"{path}:{example.line}: not run: {reason}", file=sys.stderr)
                continue
            if example.note.startswith("needs"):
                _linked(example.note.split()[1])
            if example.language == "python":
                results.append((example, run_python(example.code, vars(module), str(path), example.line)))
            else:
                results.append((example, run_console(example, full=full)))
    return results


def _linked(name: str) -> None:
    if not Path(name).exists():
        Path(name).symlink_to(DATA / name)


def difference(example: Example, printed: str, path: Path) -> str:
    """How the page and the machine differ; empty where they agree."""
    if example.output is None or example.varies or printed.strip() == example.output.strip():
        return ""
    lines = (example.output.strip().splitlines(), printed.strip().splitlines())
    return "\n".join(difflib.unified_diff(*lines, f"{path}:{example.line}", "printed", lineterm=""))


def rewritten(page: str, results: Sequence[tuple[Example, str]]) -> str:
    """The page with the outputs as they came."""
    for example, printed in reversed(results):
        if example.output is not None:
            start, end = example.span
            page = page[:start] + "\n".join(line.rstrip() for line in printed.strip("\n").splitlines()) + "\n" + page[end:]
    return page


def prepare(*, full: bool) -> None:
    """Import this checkout, print for a page, and leave the other cores to other tests."""
    sys.path.insert(0, str(ROOT / "src"))
    os.environ["COLUMNS"] = WIDTH
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it would look for a newer version
    if not full:
        os.environ["OMP_NUM_THREADS"] = "1"


def main() -> int:
    """Compare or rewrite the pages that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--write", action="store_true", help="run in full and rewrite the outputs")
    parser.add_argument("--folder", type=Path, help="run here instead of in a temporary folder, and keep what the examples write")
    chosen, faults = parser.parse_args(), 0
    prepare(full=chosen.write)
    for path in (page.resolve() for page in chosen.pages):
        try:
            results = run_page(path, full=chosen.write, folder=chosen.folder)
        except Exception:
            traceback.print_exc()
            faults += 1
            continue
        if chosen.write:
            path.write_text(rewritten(path.read_text("utf-8"), results), "utf-8")
            continue
        for different in filter(None, (difference(example, printed, path) for example, printed in results)):
            print(different)
            faults += 1
    return min(faults, 1)


if __name__ == "__main__":
    sys.exit(main())
