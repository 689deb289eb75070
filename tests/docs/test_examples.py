"""The pages: every example runs, every output is what comes, what is generated is up to date, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in [ROOT / "README.md", *DOCS.glob("*.md")])
EXAMPLE = re.compile(r"^```(python|console)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
PICTURE_LIMIT, REPORT_LIMIT = 40_000, 300_000


def script(name: str) -> ModuleType:
    """A generator script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def outputs() -> ModuleType:
    return script("make_outputs")


@pytest.fixture(scope="module")
def transforms(outputs: ModuleType) -> ModuleType:
    script("make_pictures")
    return script("make_transforms")


@pytest.mark.parametrize("page", [page for page in PAGES if EXAMPLE.search((ROOT / page).read_text("utf-8"))])
def test_every_example_runs_and_prints_what_the_page_says(page: str) -> None:
    # A process of its own for each page: examples register transforms, which other tests must not see.
    done = subprocess.run([sys.executable, DOCS / "make_outputs.py", ROOT / page], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_examples_are_found_and_few_are_skipped(outputs: ModuleType) -> None:
    found = [example for page in PAGES for example in outputs.examples((ROOT / page).read_text("utf-8"))]
    fences = sum((ROOT / page).read_text("utf-8").count(f"```{language}\n") for page in PAGES for language in ("python", "console"))
    assert len(found) == fences
    assert sum(example.language == "console" for example in found) >= 8
    assert not [example for example in found if example.note.startswith("skip")]


def test_a_wrong_output_and_a_fault_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for code, output, seen in (("print(1 + 1)", "3", "-3"), ("import vicinal as v\nv.Rotate(angle=900)", "", "ParameterError")):
        page.write_text(f"```python\n{code}\n```\n\n```text\n{output}\n```\n", "utf-8")
        done = subprocess.run([sys.executable, DOCS / "make_outputs.py", page], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert seen in done.stdout + done.stderr


def test_every_vicinal_command_line_is_an_example(outputs: ModuleType) -> None:
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        inside = "\n".join(example.code for example in outputs.examples(text) if example.language == "console")
        assert len(re.findall(r"^\$ vicinal ", text, re.MULTILINE)) == len(re.findall(r"^\$ vicinal ", inside, re.MULTILINE)), page
        bash = "\n".join(re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        assert not re.search(r"^(\$ )?vicinal ", bash, re.MULTILINE), f"{page}: a command that is not in a block of console is not run"


def test_the_page_of_transforms_is_up_to_date(transforms: ModuleType) -> None:
    assert transforms.PAGE.read_text("utf-8") == transforms.page(), "run python docs/make_transforms.py"


def test_every_transform_has_a_section_and_a_small_picture_that_is_up_to_date(transforms: ModuleType) -> None:
    page = transforms.PAGE.read_text("utf-8")
    for name, cls in transforms.entries():
        path = transforms.PICTURES / f"{name}.{transforms.suffix(cls)}"
        assert f"\n### {name}\n" in page
        assert f"(images/transforms/{path.name})" in page
        assert 0 < path.stat().st_size < PICTURE_LIMIT, name
        fresh, kept = pixels(transforms.picture(transforms.shown(name, cls), transforms.suffix(cls))), pixels(path.read_bytes())
        assert fresh.shape == kept.shape, f"{name}: run python docs/make_transforms.py"
        assert np.abs(fresh - kept).mean() < 2, f"{name}: run python docs/make_transforms.py"  # encoders and fonts differ a little


def test_there_is_no_picture_too_many(transforms: ModuleType) -> None:
    expected = {f"{name}.{transforms.suffix(cls)}" for name, cls in transforms.entries()}
    assert {path.name for path in transforms.PICTURES.iterdir()} == expected


def test_the_picture_of_the_report_is_there_and_not_large() -> None:
    path = DOCS / "images" / "report.png"
    assert path.stat().st_size < REPORT_LIMIT
    assert pixels(path.read_bytes()).std() > 10


def pixels(data: bytes) -> np.ndarray:
    """An encoded picture as (H, W, 3) floats."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_within_the_project_leads_somewhere(page: str) -> None:
    path = ROOT / page
    for target in links(path.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        file = path if not name else (path.parent / name).resolve()
        assert file.exists(), f"{page}: {target}"
        assert ROOT in file.parents
        if anchor:
            assert anchor in anchors(file.read_text("utf-8")), f"{page}: {target}"


def links(text: str) -> Iterator[str]:
    """Link targets outside code, without those of other hosts."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from (target for target in LINK.findall(prose) if not target.startswith(("http://", "https://")))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings."""
    titles = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def test_the_tree_of_the_architecture_is_that_of_the_code() -> None:
    """Where a package's files are listed, all of them are."""
    tree = re.search(r"```tree\n(core/.*?)```", (DOCS / "architecture.md").read_text("utf-8"), re.DOTALL)
    assert tree is not None
    named: dict[Path, set[str]] = {}
    above = [ROOT / "src" / "vicinal"]
    for spaces, name, slash in re.findall(r"^( *)(\w+)(/?)", tree[1], re.MULTILINE):
        above = above[: len(spaces) // 2 + 1]
        named.setdefault(above[-1], set()).add(name + slash)
        above += [above[-1] / name] * bool(slash)
    for folder, names in named.items():
        assert names == modules(folder), folder


def modules(folder: Path) -> set[str]:
    """The modules of a package by name, and its packages with a slash."""
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__"}
    return files | {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed; make docs installs it")
def test_the_site_builds_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", tmp_path / "site"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    for page in (tmp_path / "site").rglob("*.html"):
        tags = re.findall(r"<(?:script|img|iframe|link)[^>]*>", page.read_text("utf-8"))
        assert not [tag for tag in tags if re.search(r"(src|href)=[\"']?https?:", tag)], page
    for sheet in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"(url\(['\"]?|@import ['\"]?)https?:", sheet.read_text("utf-8")), sheet
    assert not list((tmp_path / "site").rglob("*.py"))
