"""The command line. It alone knows Typer and Rich; it prints sentences, never tracebacks, and exits with 2 on bad input."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vicinal.core.declare import Parameter, declarations
from vicinal.core.errors import VicinalError
from vicinal.core.transform import find, registry

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; bad input gives a sentence and exit code 2."""
    # Threads of torch that wait by spinning make a comparison many times slower when something else wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    signal.signal(signal.SIGINT, _stop)
    try:
        app(prog_name="vicinal")
    except VicinalError as fault:
        _complain(f"error: {fault}")
        sys.exit(2)
    except ModuleNotFoundError as fault:
        _complain(f"error: vicinal: expected the package {fault.name}, got none; write pip install 'vicinal[lab]'")
        sys.exit(2)
    except _Stopped:
        _complain("interrupted: no file is half-written")
        sys.exit(130)


@final
class _Stopped(BaseException):
    """Ctrl-C, as the command line frameworks do not catch it: they would say "Aborted!" and exit with 1."""


def _stop(signum: int, frame: object) -> None:
    raise _Stopped


def _complain(sentence: str) -> None:
    Console(stderr=True, soft_wrap=True).print(Text(sentence, style="red"))  # Text, not markup: it may hold what a person typed


def _version(wanted: bool) -> None:
    if wanted:
        from vicinal import __version__

        typer.echo(f"vicinal {__version__}")
        raise typer.Exit


@app.callback()
def whole(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    """Data augmentation that proves itself."""


@app.command("list")
def list_(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the transforms.

    \b
    Example:
      vicinal list
    """
    import vicinal  # noqa: F401  (registers the transforms)

    rows = {name: _facts(name) for name in sorted(registry())}
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("transform", "acts on", "what it does"):
        table.add_column(heading)
    for name, facts in rows.items():
        table.add_row(name, facts["needs"], facts["summary"])
    Console().print(table)


def _facts(name: str) -> dict[str, Any]:
    cls = find(name)
    parameters = {
        field: {"expected": declared.expected() if isinstance(declared, Parameter) else declared.expected, "help": declared.doc}
        for field, declared in declarations(cls).items()
    }
    summary = (cls.__doc__ or "").strip().splitlines()[0]
    return {"needs": ", ".join(sorted(getattr(cls, "needs", ("any",)))), "summary": summary, "parameters": parameters}


@app.command()
def show(
    data: Annotated[str, typer.Argument(metavar="DATA", help="As for compare; or COCO .json, a VOC or YOLO folder, data.yaml.")],
    policy: Annotated[str, typer.Option(help="One line of text, or a .yaml or .json file.")],
    at: Annotated[str | None, typer.Option(help="EPOCH:INDEX or EPOCH:INDEX:VIEW: print the recipe of that sample instead.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 0,
    resize: Annotated[int | None, typer.Option(min=1, help="Resize every image to this side first.")] = None,
    format: Annotated[str, typer.Option(help="As for compare, or coco, voc, yolo.")] = "auto",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable items out.")] = False,
    out: Annotated[Path, typer.Option(help="The contact sheet, a PNG file.")] = Path("vicinal-out/sheet.png"),
) -> None:
    """Show what a policy does to your images, and to their annotations: a contact sheet, or the recipe of one sample.

    \b
    Example:
      vicinal show digits --policy "Rotate(angle=(-15, 15))" --at 3:17
    """
    from vicinal.lab.show import load_any, recipe_of, sheet_file

    read = load_any(data, format, skip_bad, resize)
    if at is not None:
        typer.echo(str(recipe_of(read, policy, seed, at)))
        return
    plan, path = sheet_file(read, policy, seed, out)
    typer.echo(f"{plan}\nSheet: {path}")


@app.command()
def compare(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="digits, a CSV, an IDX file or folder, a folder per class, an NPZ, or a study.yaml.")
    ],
    arm: Annotated[
        list[str] | None, typer.Option(help="NAME=POLICY, or NAME:K=POLICY for K fixed copies of every item; repeat it.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Paired repetitions.")] = 10,
    steps: Annotated[int | None, typer.Option(min=1, help="Optimiser steps of every arm (2000 unless --epochs is given).")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of steps: passes over each arm's own items.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Distinct images in train and dev together; all of them otherwise.")] = None,
    copies: Annotated[int, typer.Option(min=0, help="Copies of every item for arms that do not say; 0 is on the fly.")] = 0,
    lr: Annotated[float, typer.Option(help="Learning rate.")] = 0.1,
    batch: Annotated[int, typer.Option(min=1, help="Items a step.")] = 32,
    hidden: Annotated[str, typer.Option(help="Widths of the hidden layers.")] = "64,32",
    dev: Annotated[float, typer.Option(help="Share of the size that is dev.")] = 0.1,
    resize: Annotated[int | None, typer.Option(min=1, help="Resize every image to this side first.")] = None,
    format: Annotated[str, typer.Option(help="digits, csv, idx, folder or npz, where sniffing is not wanted.")] = "auto",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable items out, and count them.")] = False,
    split: Annotated[str, typer.Option(help="source, or item: after copying, which leaks.")] = "source",
    allow_leak: Annotated[bool, typer.Option("--allow-leak", help="Go on with a split that leaks, and say so in red.")] = False,
    alpha: Annotated[float, typer.Option(help="Level of the verdicts, after Holm's correction.")] = 0.05,
    interval: Annotated[str, typer.Option(help="t or bca.")] = "t",
    engine: Annotated[str, typer.Option(help="auto, serial, processes or ray.")] = "auto",
    workers: Annotated[int | None, typer.Option(help="Worker processes; as many as there are cores otherwise.")] = None,
    address: Annotated[str, typer.Option(help="Of a Ray cluster: local starts one, auto takes the one that runs.")] = "local",
    budget: Annotated[str | None, typer.Option(help="A time such as 10m: run what fits, and say what was left out.")] = None,
    race: Annotated[bool, typer.Option("--race", help="Add seeds only where an arm is undecided.")] = False,
    time_limit: Annotated[float | None, typer.Option(help="Seconds a trial may take; then it counts as failed.")] = None,
    trusted: Annotated[bool, typer.Option("--trusted", help="Let a study file name code to import.")] = False,
    attribute: Annotated[str, typer.Option(help="Name of an arm: which operations of its policy carry it?")] = "",
    retry: Annotated[bool, typer.Option("--retry", help="Run failed trials again.")] = False,
    paper: Annotated[bool, typer.Option("--paper", help="Write report.md and figures/ for a paper too.")] = False,
    track: Annotated[list[str] | None, typer.Option(help="mlflow or tensorboard: log into a local store in the folder too.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.html and result.json.")] = Path("vicinal-out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print result.json instead of the table.")] = False,
) -> None:
    """Compare augmentations on your data: which helps, by how much, and can it be believed?

    Without --arm a small panel is compared. The arms none and duplicate are always there.

    \b
    Example:
      vicinal compare digits --arm shift="Translate(x=(-1, 1), y=(-1, 1))" --out results
    """
    from vicinal.lab.result_file import result_bytes
    from vicinal.lab.session import Options, session
    from vicinal.lab.terminal import print_forecast, print_policies, print_result

    console = Console(stderr=as_json)
    options = Options(
        data=data, arms=tuple(arm or ()), seeds=seeds, steps=steps, epochs=epochs, size=size, copies=copies, lr=lr, batch=batch,
        hidden=hidden, dev=dev, resize=resize, format=format, skip_bad=skip_bad, split=split, allow_leak=allow_leak, alpha=alpha,
        interval=interval, out=out, command=shlex.join(["vicinal", *sys.argv[1:]]), engine=engine, workers=workers, address=address,
        budget=budget, race=race, time_limit=time_limit, retry=retry, trusted=trusted, attribute=attribute, paper=paper,
        track=tuple(track or ()),
    )  # fmt: skip
    with _progress() as bar:
        task = bar.add_task("training", total=None)
        result, report = session(
            options, lambda done, total: bar.update(task, completed=done, total=total), lambda ahead: print_forecast(ahead, bar.console)
        )
    if as_json:
        typer.echo(result_bytes(result), nl=False)
        return
    print_result(result, console)
    console.line()
    print_policies(result, console)
    console.print(Text(f"\nReport: {report}"), soft_wrap=True)


@app.command()
def export(
    store: Annotated[Path, typer.Argument(metavar="STORE", help="A folder that compare wrote to, or a trials.db.")],
    out: Annotated[Path, typer.Option(help="A file that ends in .csv or .parquet.")] = Path("scores.csv"),
) -> None:
    """Write every measured number of a study into a table: a row for each study, arm, seed, place and metric.

    \b
    Example:
      vicinal export vicinal-out --out scores.csv
    """
    from vicinal.lab.export import export as write

    count = write(store, out)
    typer.echo(f"{count:,} rows: {out}")


@app.command()
def check(
    data: Annotated[str, typer.Argument(metavar="DATA", help="As for compare; or COCO .json, a VOC or YOLO folder, data.yaml.")],
    policy: Annotated[str | None, typer.Option(help="One line of text, or a .yaml or .json file.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="NAME=POLICY, for several; repeat it.")] = None,
    test_policy: Annotated[str | None, typer.Option(help="What is meant to be done to test data: it should draw nothing.")] = None,
    size: Annotated[int | None, typer.Option(min=1, help="Distinct images that are judged; 1,000 at most otherwise.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Practised judges of every item.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps of every judge.")] = 1500,
    practice: Annotated[str | None, typer.Option(help="A policy that is known to be harmless: judges have seen it. none for none.")] = None,
    resize: Annotated[int | None, typer.Option(min=1, help="Resize every image to this side first.")] = None,
    format: Annotated[str, typer.Option(help="As for compare, or coco, voc, yolo.")] = "auto",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable items out.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for check.html and check.json.")] = Path("vicinal-out"),
    as_json: Annotated[bool, typer.Option("--json", help="Print check.json instead of the findings.")] = False,
) -> None:
    """Say what can be said before training: lost labels, safe ranges, copies across parts, parts that were not made alike.

    Without --policy and --arm the default panel is checked.

    \b
    Example:
      vicinal check digits --policy "Rotate(angle=(-90, 90))" --size 300
    """
    from vicinal.core.policy import read_policy
    from vicinal.lab.preflight import PRACTICE, Jury
    from vicinal.lab.preflight import check as checked
    from vicinal.lab.result_file import result_bytes
    from vicinal.lab.session import check_writable
    from vicinal.lab.show import load_any
    from vicinal.lab.terminal import print_check

    console = Console(stderr=as_json)
    check_writable(out)
    jury = Jury(seeds=seeds, steps=steps, practice=None if practice == "none" else read_policy(practice or PRACTICE))
    with _progress() as bar:
        task = bar.add_task("judges", total=None)
        found = checked(
            load_any(data, format, skip_bad, resize), policy, arms=tuple(arm or ()), size=size, test_policy=test_policy, jury=jury,
            command=shlex.join(["vicinal", *sys.argv[1:]]), tell=lambda done, total: bar.update(task, completed=done, total=total),
        )  # fmt: skip
    _, page = found.write(out)
    if as_json:
        typer.echo(result_bytes(found.result), nl=False)
        return
    print_check(found.result, console)
    console.print(Text(f"\nPage: {page}"), soft_wrap=True)


@app.command()
def replicate(
    claim: Annotated[
        str | None, typer.Argument(metavar="[CLAIM]", help="The name of a claim, or a file; without one, they are listed.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="The folder with the data set that the claim names, or that data set.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Paired repetitions, instead of those of the file.")] = None,
    engine: Annotated[str, typer.Option(help="serial, processes or ray.")] = "processes",
    workers: Annotated[int | None, typer.Option(help="Worker processes; as many as there are cores otherwise.")] = None,
    address: Annotated[str, typer.Option(help="Of a Ray cluster: local starts one, auto takes the one that runs.")] = "local",
    out: Annotated[Path | None, typer.Option(help="Folder for replication.json and the trials; vicinal-out/CLAIM otherwise.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print replication.json instead of the table.")] = False,
) -> None:
    """Run a published table again: reproduced, weaker, opposite or cannot tell, row by row.

    \b
    Example:
      vicinal replicate gaussian-regression
    """
    from vicinal.lab.claims import read_claim
    from vicinal.lab.engine import engine as engine_of
    from vicinal.lab.replicate import replicate as replicated
    from vicinal.lab.result_file import result_bytes
    from vicinal.lab.terminal import print_claims, print_replication

    console = Console(stderr=as_json)
    if claim is None:
        print_claims(console)
        return
    read, folder = read_claim(claim), out or Path("vicinal-out") / Path(claim).stem
    with _progress() as bar:
        task = bar.add_task("training", total=None)
        result = replicated(
            read, data, folder, engine_of(engine, workers, address), {} if seeds is None else {"seeds": seeds},
            lambda done, total: bar.update(task, completed=done, total=total),
            lambda name, number, count: bar.update(task, description=f"{name} ({number + 1} of {count})"),
        )  # fmt: skip
    if as_json:
        typer.echo(result_bytes(result), nl=False)
        return
    print_replication(result, console)
    console.print(Text(f"\nResult: {folder / 'replication.json'}"), soft_wrap=True)


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="What a comparison wrote; two to put side by side.")],
    paper: Annotated[bool, typer.Option("--paper", help="Write report.md and figures/ for a paper too.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for comparison.html, for two.")] = None,
) -> None:
    """Write the report of a comparison again from its result.json, or compare two; nothing is trained.

    \b
    Example:
      vicinal report results --paper
      vicinal report mnist-out digits-out --out both
    """
    from vicinal.core.errors import ParameterError
    from vicinal.lab.report import read_result, rebuild, write_pair

    if len(folders) > 2:
        raise ParameterError("report", "one folder, or two to compare", str(len(folders)), "vicinal report A B --out both")
    if len(folders) == 2 and (out is None or paper):
        raise ParameterError("report", "--out and no --paper for two folders", "--paper" if paper else "none", "--out both")
    if len(folders) == 1 and out is not None:
        raise ParameterError("--out", "two folders", "one, whose report goes where it was", "vicinal report A B --out both")
    if out is None:
        written = rebuild(folders[0], paper)
    else:
        first, second = map(read_result, folders)
        written = [write_pair(first, second, (str(folders[0]), str(folders[1])), out)]
    for path in written:
        typer.echo(path)


def _progress() -> Progress:
    """A bar with time left, beside what is printed; silent where there is no terminal."""
    console = Console(stderr=True)
    percent = TextColumn("{task.percentage:>3.0f} %")
    columns = (TextColumn("{task.description}"), BarColumn(), percent, TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


if __name__ == "__main__":
    main()
