"""A page in a headless Chromium."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass(frozen=True)
class Seen:
    """How wide a page is in a window, the red of its background (0 to 255), and what the browser had to say."""

    width: int
    paper: int
    said: str


def opened(page: str, width: int, folder: Path, dark: bool = False) -> Seen:
    """A page in a window of some width, of somebody who likes dark pages or light ones."""
    paper = "getComputedStyle(this.contentDocument.body).backgroundColor"
    probe = f"document.title=this.contentDocument.documentElement.scrollWidth+' '+{paper}"
    held = html.escape(page, quote=True)
    frame = f'<title>0</title><iframe width={width} height=900 style="border:0" onload="{probe}" srcdoc="{held}"></iframe>'
    (folder / "probe.html").write_text(frame, "utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr"]
    flags += ["--hide-scrollbars", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command = [str(CHROMIUM), *flags, f"--blink-settings=preferredColorScheme={int(not dark)}", f"file://{folder / 'probe.html'}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(\d+) rgb\((\d+),", ran.stdout)
    assert title is not None
    return Seen(int(title[1]), int(title[2]), ran.stderr)
