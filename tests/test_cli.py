"""The command line: answers on stdout, sentences instead of tracebacks on stderr, exit codes that scripts can use."""

from __future__ import annotations

import html
import json
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from annotation_files import coco, note
from data_files import DATA, DOCUMENTS, UNREADABLE, csv, pictures
from vicinal import __version__, cli
from vicinal.core.transform import registry

QUICK = ("--size", "40", "--seeds", "2", "--steps", "4")
FLIP = ("--arm", "flip=HorizontalFlip(p=0.5)")


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Answer]


@pytest.fixture
def vicinal(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Call]:
    """``vicinal("list")`` calls the entry point in a folder of its own, with a terminal of 80 columns."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*words: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["vicinal", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        return Answer(code, *capfd.readouterr())

    yield call
    signal.signal(signal.SIGINT, before)


def refused(answer: Answer, *words: str) -> None:
    """Exit code 2; a sentence with the words on stderr, nothing on stdout, no traceback, and no file."""
    assert answer.code == 2, answer
    assert "Traceback" not in answer.err
    assert [word for word in words if word not in answer.err] == [], answer.err
    assert answer.out == ""
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("fault", DATA)
def test_data_that_cannot_be_used(vicinal: Call, tmp_path: Path, fault: str) -> None:
    make, words = DATA[fault]
    refused(vicinal("compare", make(tmp_path), "--steps", 2, "--seeds", 1, *FLIP), "error: ", *words, "; write ")


TYPED = {
    "unknown transform": ("--arm", "a=Rotat(angle=3)", "arm a.policy: expected the name of a transform, got 'Rotat'; write Rotate"),
    "a bound": ("--arm", "a=Rotate(angle=900)", "a.policy.Rotate.angle: expected degrees in [-360, 360], got 900; write angle=(-360, 360)"),
    "unknown field": ("--arm", "a=Rotate(angel=9, angle=1)", "Rotate.angel: expected one of", "write angle=..."),
    "no policy": ("--arm", "a", "--arm: expected NAME=POLICY"),
    "no text": ("--arm", "a=Rotate(", "expected transforms joined by |"),
    "code": ("--arm", "a=__import__('os').getcwd()", "expected the name of a transform, got 'getcwd'"),
    "a taken name": ("--arm", "none=Invert()", "--arm none: expected a name of your own", "write my-none=..."),
    "no such file": ("--arm", "a=nowhere.yaml", "nowhere.yaml: expected a readable policy file, got No such file"),
    "another size": ("--arm", "a=CenterCrop(size=4)", "arm a: expected items of 8x8x1", "got 4x4x1; write ... | Resize(size=(8, 8))"),
    "another form": ("--arm", "a=ToTensor()", "arm a: ToTensor: expected a policy that leaves dtype", "write the policy without ToTensor"),
    "too small": ("--size", 5, "expected a size of at least 20", "got 5; write --size 20"),
    "too large": ("--size", 50000, "and at most 1198", "got 50000; write --size 1198"),
    "hidden": ("--hidden", "wide", "--hidden: expected whole numbers with commas between them, got 'wide'; write --hidden 64,32"),
    "lr": ("--lr", 0, "--lr: expected a learning rate above 0", "got 0.0; write --lr 0.1"),
    "dev": ("--dev", 1.5, "--dev: expected a share between 0 and 1, got 1.5; write --dev 0.1"),
    "two budgets": ("--epochs", 3, "--steps: expected either steps or epochs, 1 or more, got steps=4, epochs=3; write --steps 2000"),
    "split": ("--split", "items", "--split: expected source or item, got 'items'; write --split source"),
    "leak": ("--split", "item", "arm duplicate: dev: expected no held-out item with a sibling", "write --allow-leak"),
    "format": ("--format", "idy", "format: expected auto,", "got 'idy'; write idx"),
    "forced format": ("--format", "csv", "digits: expected a file or folder that exists"),
    "engine": ("--engine", "threads", "--engine: expected one of serial, processes, ray, got 'threads'; write --engine processes"),
    "budget": ("--budget", "soon", "--budget: expected a time such as 45s, 10m or 1h30m, got 'soon'; write --budget 10m"),
    "copies": ("--copies", 70000, "expected 0 to 65,535 copies, got 70,000"),
}


@pytest.mark.parametrize("fault", TYPED)
def test_options_that_cannot_be(vicinal: Call, fault: str) -> None:
    option, value, *words = TYPED[fault]
    arm = () if option == "--arm" else FLIP
    refused(vicinal("compare", "digits", *QUICK, *arm, option, value), "error: ", *map(str, words), "; write ")


@pytest.mark.parametrize(("typed", "words"), UNREADABLE)
def test_files_that_cannot_be_read_are_told_with_what_to_write(vicinal: Call, tmp_path: Path, typed: list[str], words: list[str]) -> None:
    for name, content in DOCUMENTS.items():
        (tmp_path / name).write_bytes(content)
    refused(vicinal(*(word.format(tmp_path) for word in typed)), "error: ", *(word.format(tmp_path) for word in words), "; write ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["compare"], "Missing argument 'DATA'"),
        (["show", "digits"], "Missing option '--policy'"),
        (["compare", "digits", "--seeds", "0"], "Invalid value for '--seeds'"),
        (["compare", "digits", "--steps", "many"], "Invalid value for '--steps'"),
        (["compare", "digits", "--stepz", "3"], "No such option: --stepz"),
        (["compair"], "No such command 'compair'"),
    ],
)
def test_what_the_command_line_does_not_know(vicinal: Call, words: list[str], told: str) -> None:
    refused(vicinal(*words), "Usage: vicinal", told)


def test_a_path_with_a_slip_gets_the_right_one(vicinal: Call, tmp_path: Path) -> None:
    path = csv(tmp_path)
    refused(vicinal("compare", path.with_name("dat.csv")), "nothing named 'dat.csv'", f"; write {path}")
    refused(vicinal("compare", "digit"), "expected a file or folder that exists, or the name 'digits'", "; write digits")


def test_all_faults_of_a_file_come_at_once(vicinal: Call, tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("- Rotate: {angle: 900}\n- Flip\n- Erase: {area: 7}\n- GaussianNoise: {std: 0.1, overflow: wrap}\n")
    answer = vicinal("compare", "digits", *QUICK, "--arm", f"a={path}", "--arm", "b=Rotat(angle=1)")
    refused(answer, "arms: 5 faults", "[0].Rotate.angle", "[1]: expected the name", "[2].Erase.area", "overflow", "arm b.policy")
    assert answer.err.count(str(path)) == 4


def test_what_was_typed_is_printed_as_it_was(vicinal: Call) -> None:
    refused(vicinal("compare", "digits", "--arm", "[red]:cat:[/]=Rotat(angle=1)"), "'[red]:cat:[/]=Rotat(angle=1)'")


def test_bad_items_are_left_out_and_counted_where_that_is_wanted(vicinal: Call, tmp_path: Path) -> None:
    data = pictures(tmp_path, bad=True)
    answer = vicinal("compare", data, "--skip-bad", "--seeds", 2, "--steps", 2, *FLIP, "--json", "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    result = json.loads(answer.out)
    assert [name.split(" ")[0] for name in result["data"]["skipped"]] == ["a/broken.png"]
    assert any("1 unreadable item was left out: a/broken.png" in warning for warning in result["warnings"])


def test_a_leak_that_is_allowed_is_told_in_red(vicinal: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    answer = vicinal("compare", "digits", "--size", 500, "--seeds", 2, "--steps", 2, "--split", "item", "--allow-leak", *FLIP)
    assert answer.code == 0, answer.err
    share = json.loads(Path("vicinal-out/result.json").read_text())["leak"]["share"]
    assert share == pytest.approx(0.9, abs=0.05)
    assert f"\x1b[1;31mLeak allowed: {100 * share:.1f} %" in answer.out
    assert 'class="banner leak"' in Path("vicinal-out/report.html").read_text("utf-8")


def test_siblings_across_the_official_test_are_told_too(vicinal: Call, tmp_path: Path) -> None:
    make, _ = DATA["siblings across the official test"]
    answer = vicinal("compare", make(tmp_path), "--allow-leak", "--seeds", 2, "--steps", 2, *FLIP)
    assert "of the test items have a sibling in train, so test scores are too high" in " ".join(answer.out.split())


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_place_that_cannot_be_written(vicinal: Call, tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("mine")
    refused(vicinal("compare", "digits", *QUICK, *FLIP, "--out", tmp_path / out), "expected a folder that can be written", "; write --out")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("tiny_disk", ["800k"], indirect=True)
def test_a_full_disk_keeps_the_old_files_whole(vicinal: Call, tiny_disk: Path) -> None:
    command = ("compare", "digits", *QUICK, "--out", tiny_disk)  # the panel, whose pictures take room
    assert vicinal(*command).code == 0
    before = {path.name: path.read_bytes() for path in tiny_disk.iterdir()}
    (tiny_disk / "other").write_bytes(b"x" * (shutil.disk_usage(tiny_disk).free - 100_000))
    refused(vicinal(*command), "expected room for", "got No space left on device, no file is half-written; write to a disk with room")
    after = {path.name: path.read_bytes() for path in tiny_disk.iterdir() if path.name != "other"}
    assert set(after) == set(before) == {"result.json", "report.html", "trials.db"}
    assert all(after[name] == before[name] for name in ("result.json", "report.html"))


def test_a_full_disk_without_room_for_a_store(vicinal: Call, tiny_disk: Path) -> None:
    (tiny_disk / "other").write_bytes(b"x" * 50_000)
    refused(vicinal("compare", "digits", *QUICK, *FLIP, "--out", tiny_disk), "trials.db: expected a store", "; write to a disk with room")
    assert not {"result.json", "report.html"} & {path.name for path in tiny_disk.iterdir()}


def test_training_that_fails_is_told_with_its_address(vicinal: Call) -> None:
    answer = vicinal("compare", "digits", *QUICK, *FLIP, "--lr", 1e9)
    assert (answer.code, answer.out) == (2, "")
    for words in (
        "6 trials; 6 to run",
        "6 failed trials, the first at arm none, seed 0, ",
        "training, seed 0: expected finite",
        "write a smaller learning rate",
    ):
        assert words in answer.err
    assert [path.name for path in Path("vicinal-out").iterdir()] == ["trials.db"]
    again = vicinal("compare", "digits", *QUICK, *FLIP, "--lr", 1e9, "--retry")
    assert "6 failed trials" in again.err


def study(path: Path, **fields: object) -> Path:
    path.write_text(json.dumps({"data": "digits", "arms": {"flip": "HorizontalFlip(p=0.5)"}, "size": 40, "seeds": 2, "steps": 4} | fields))
    return path


def test_a_study_file_is_compared(vicinal: Call, tmp_path: Path) -> None:
    answer = vicinal("compare", study(tmp_path / "study.yaml", size=[40, 60]), "--out", tmp_path / "out")
    assert answer.code == 0, answer.err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert [len(cell["arms"]) for cell in result["cells"]] == [3, 3]
    assert any(line.split()[:1] == ["flip"] for line in answer.out.splitlines())


def test_all_faults_of_a_study_file_come_at_once(vicinal: Call, tmp_path: Path) -> None:
    arms = {"flip": "HorizontalFip(p=0.5)", "noisy": {"policy": "GaussianNoise(std=0.1)", "copys": 1}}
    path = study(tmp_path / "study.yaml", arms=arms, stesp=3, split={"dev": 2}, metric="acuracy")
    refused(
        vicinal("compare", path),
        f"error: {path}: 5 faults",
        "arms.flip.policy: expected the name of a transform, got 'HorizontalFip'; write HorizontalFlip",
        "arms.noisy.copys: expected one of",
        "; write copies",
        "stesp: expected one of",
        "; write steps",
        "split.dev: expected a share between 0 and 1, got 2",
        "metric: expected",
    )


def test_a_study_file_and_options_do_not_mix(vicinal: Call, tmp_path: Path) -> None:
    refused(vicinal("compare", study(tmp_path / "study.yaml"), "--seeds", 3), "--seeds: expected the study file to say it", "got both")


def test_code_in_a_study_file_needs_trust(vicinal: Call, tmp_path: Path) -> None:
    path = study(tmp_path / "study.yaml", arms={"own": [{"Lambda": {"function": "numpy:array"}}]})
    refused(vicinal("compare", path), "expected a policy that names no code", "write --trusted, if you know where the file is from")


def test_a_budget_and_a_race_say_what_they_did(vicinal: Call, tmp_path: Path) -> None:
    short = vicinal("compare", "digits", *QUICK[:2], "--seeds", 30, "--steps", 300, *FLIP, "--budget", "0.1s", "--out", tmp_path / "one")
    assert "did not fit into the budget" in " ".join(short.out.split()), short
    long = vicinal("compare", "digits", *QUICK[:2], "--seeds", 12, "--steps", 4, *FLIP, "--race", "--out", tmp_path / "two")
    assert long.code == 0, long.err
    assert json.loads((tmp_path / "two" / "result.json").read_text())["looks"][-1] == 12


def test_export_writes_a_table(vicinal: Call, tmp_path: Path) -> None:
    vicinal("compare", "digits", *QUICK, *FLIP)
    answer = vicinal("export", "vicinal-out", "--out", "scores.csv")
    lines = Path("scores.csv").read_text().splitlines()
    assert answer == Answer(0, f"{len(lines) - 1} rows: scores.csv\n", "")
    missing = vicinal("export", "nowhere")
    assert (missing.code, missing.out) == (2, "")
    assert "nowhere: expected a store of trials, or a folder with trials.db, got neither" in missing.err


def test_an_interrupt_is_one_line(vicinal: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vicinal.lab.engine.work.run_group", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    answer = vicinal("compare", "digits", *QUICK, *FLIP)
    assert (answer.code, answer.err) == (130, "interrupted: no file is half-written\n")
    assert [path.name for path in Path("vicinal-out").iterdir()] == ["trials.db"]
    monkeypatch.undo()
    assert vicinal("compare", "digits", *QUICK, *FLIP).code == 0  # nothing is held by who was interrupted


def test_a_package_that_is_missing_is_named(vicinal: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vicinal.lab.session", None)
    answer = vicinal("compare", "digits")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "write pip install 'vicinal[lab]'" in answer.err


def test_compare_prints_the_verdicts_the_policies_and_where_the_report_is(vicinal: Call, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text("- HorizontalFlip: {p: 0.5}\n")
    answer = vicinal("compare", "digits", *QUICK, "--arm", f"flip={tmp_path}/policy.yaml", "--arm", "noisy:1=GaussianNoise(std=0.1)")
    assert answer.code == 0, answer.err
    lines = [line.rstrip() for line in answer.out.splitlines()]
    for arm, verdict in (("none", "reference"), ("duplicate", "no evidence"), ("flip", "no evidence"), ("noisy", "no evidence")):
        assert any(line.split()[0:1] == [arm] and verdict in line for line in lines)
    assert "flip   Compose([HorizontalFlip(p=0.5)])" in lines
    assert "noisy  1 fixed copy of every item: GaussianNoise(std=0.1)" in lines
    assert lines[-1] == "Report: vicinal-out/report.html"
    assert {path.name for path in Path("vicinal-out").iterdir()} == {"result.json", "report.html", "trials.db"}


def test_json_is_the_file_and_alone_on_stdout(vicinal: Call) -> None:
    answer = vicinal("compare", "digits", *QUICK, *FLIP, "--json")
    assert answer.out == Path("vicinal-out/result.json").read_text("utf-8")
    result = json.loads(answer.out)
    assert [arm["name"] for arm in result["arms"]] == ["none", "duplicate", "flip"]
    assert result["command"] == "vicinal compare digits --size 40 --seeds 2 --steps 4 --arm 'flip=HorizontalFlip(p=0.5)' --json"


def test_list_names_every_transform(vicinal: Call) -> None:
    facts = json.loads(vicinal("list", "--json").out)
    assert set(facts) == set(registry())
    assert facts["Rotate"]["needs"] == "image"
    assert "degrees" in facts["Rotate"]["parameters"]["angle"]["expected"]
    text = vicinal("list").out
    assert all(f"\n{name} " in text for name in facts)


def test_show_gives_a_sheet_or_a_recipe(vicinal: Call) -> None:
    answer = vicinal("show", "digits", "--policy", "Rotate(angle=(-15, 15)) | GaussianNoise(std=0.1)")
    assert "Rotate" in answer.out
    assert answer.out.endswith("Sheet: vicinal-out/sheet.png\n")
    assert Path("vicinal-out/sheet.png").read_bytes().startswith(b"\x89PNG")
    recipe = vicinal("show", "digits", "--policy", "Rotate(angle=(-15, 15))", "--at", "3:17", "--seed", 2).out
    assert recipe.startswith("seed=2, epoch=3, index=17, view=0  policy ")
    assert "angle=" in recipe
    larger = vicinal("show", "digits", "--policy", "Translate(x=(-2, 2))", "--at", "3:17:1", "--resize", 32).out
    assert "view=1" in larger


def test_show_leaves_bad_items_out(vicinal: Call, tmp_path: Path) -> None:
    data = pictures(tmp_path, sizes=3, bad=True)
    refused(vicinal("show", data, "--policy", "Invert()"), "a/broken.png", "--skip-bad")
    assert vicinal("show", data, "--policy", "Invert()", "--skip-bad").code == 0


def test_show_draws_annotations_and_lets_mixers_mix(vicinal: Call, tmp_path: Path) -> None:
    data = coco(tmp_path, [note(1, [5, 5, 30, 20]), note(2, [50, 5, 30, 20], image=2)])
    refused(vicinal("show", data, "--policy", "Mosaic(size=64)"), "annotation 2", "--skip-bad")
    refused(vicinal("compare", data), "expected labelled images, one class each, got annotated pictures")
    answer = vicinal("show", data, "--policy", "Mosaic(size=64)", "--skip-bad")
    assert "mix    Mosaic" in answer.out
    assert Path("vicinal-out/sheet.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("command", ["list", "show", "compare", "export"])
def test_help_has_an_example_that_runs(vicinal: Call, command: str) -> None:
    lines = vicinal(command, "--help").out.splitlines()
    example = lines[lines.index("  Example:") + 1]
    words = shlex.split(example)
    assert words[:2] == ["vicinal", command]
    if command == "export":
        vicinal("compare", "digits", *QUICK)
    assert vicinal(*words[1:], *(QUICK if command == "compare" else ())).code == 0


def test_the_version_is_told(vicinal: Call) -> None:
    assert vicinal("--version") == Answer(0, f"vicinal {__version__}\n", "")


def test_a_fault_in_a_process_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-m", "vicinal.cli", "show", "digits", "--policy", "Rotat()"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: policy: expected the name of a transform, got 'Rotat'; write Rotate\n"


def test_two_comparisons_into_one_folder_leave_one_whole_result(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vicinal.cli", "compare", "digits", *QUICK, "--out", str(tmp_path / "out"), "--arm"]
    both = [subprocess.Popen([*command, f"{name}=Invert()"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for name in ("one", "two")]
    faults = [process.communicate()[1].decode() for process in both]
    assert [process.returncode for process in both] == [0, 0], faults
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    page = html.unescape((tmp_path / "out" / "report.html").read_text("utf-8"))
    assert result["command"] in page
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"result.json", "report.html", "trials.db"}


def test_check_says_the_worst_first_and_writes_a_page(vicinal: Call) -> None:
    quick = ("--size", 40, "--seeds", 1, "--steps", 30, "--out", "out")
    answer = vicinal("check", "digits", "--arm", "turn=Rotate(angle={choice: [0, 180]})", *quick, "--test-policy", "Invert(p=0.5)")
    assert answer.code == 0
    assert answer.out.startswith("What can be said about digits before training?")
    assert answer.out.index("Test data would be augmented") < answer.out.index("No copy and no sibling")
    told = json.loads(Path("out/check.json").read_text("utf-8"))
    assert told["command"].startswith("vicinal check digits --arm")
    assert Path("out/check.html").read_text("utf-8").startswith("<!doctype html>")
    assert json.loads(vicinal("check", "digits", "--policy", "Invert()", *quick, "--json").out)["arms"][0]["name"] == "policy"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere",), "nowhere: expected a file or folder that exists"),
        (("digits", "--policy", "Rotate(angle=900)"), "Rotate.angle: expected degrees in [-360, 360], got 900"),
        (("digits", "--arm", "turn"), "expected NAME=POLICY"),
        (("digits", "--test-policy", "Rotat()"), "write Rotate"),
        (("digits", "--practice", "Rotat()"), "write Rotate"),
        (("digits", "--size", 3), "expected a size of at least 20"),
    ],
)
def test_check_refuses_with_a_sentence(vicinal: Call, words: tuple[object, ...], sentence: str) -> None:
    refused(vicinal("check", *words), sentence)
