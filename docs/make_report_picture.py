"""Write docs/images/report.png: the top of a real report, as a browser shows it.

    python docs/make_report_picture.py OUT/report.html

OUT is what the first ``vicinal compare`` command of README.md wrote. Needs Chromium; what stands behind the forest plot is cut off.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PICTURE = Path(__file__).resolve().parent / "images" / "report.png"
WIDTH, HEIGHT, MARGIN = 1040, 2400, 40
COLOURS = 128


def main() -> int:
    """Photograph a report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path)
    report = parser.parse_args().report
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder, "report.html"), Path(folder, "report.png")
        page.write_text(top(report.read_text("utf-8")), "utf-8")
        photograph(page, shot, Path(folder, "profile"))
        cut(shot).save(PICTURE, optimize=True)
    return 0


def top(html: str) -> str:
    """The page up to its second section: question, answer, verdicts, forest plot."""
    sections = [match.start() for match in re.finditer(r"<section\b", html)]
    return html[: sections[2]] + "</main></body></html>"


def photograph(page: Path, shot: Path, profile: Path) -> None:
    """Let a browser draw the page."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no Chromium found")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
    where = [f"--user-data-dir={profile}", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}"]
    subprocess.run([browser, *flags, *where, page.as_uri()], check=True, capture_output=True)


def cut(shot: Path) -> Image.Image:
    """Without the empty rest of the window, in few colours."""
    image = Image.open(shot).convert("RGB")
    pixels = np.asarray(image)
    drawn = np.flatnonzero((pixels != pixels[-1, -1]).any((1, 2)))
    return image.crop((0, 0, image.width, int(drawn[-1]) + MARGIN)).quantize(COLOURS, dither=Image.Dither.NONE)


if __name__ == "__main__":
    sys.exit(main())
