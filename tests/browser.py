"""A page in a headless Chromium."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def opened(page: str, width: int, folder: Path) -> tuple[int, str]:
    """How wide a page is that a window of some width shows, and what the browser had to say."""
    probe = "document.title=this.contentDocument.documentElement.scrollWidth"
    held = html.escape(page, quote=True)
    frame = f'<title>0</title><iframe width={width} height=900 style="border:0" onload="{probe}" srcdoc="{held}"></iframe>'
    (folder / "probe.html").write_text(frame, "utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-logging=stderr"]
    flags += ["--hide-scrollbars", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command = [str(CHROMIUM), *flags, f"file://{folder / 'probe.html'}"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search(r"<title>(\d+)</title>", ran.stdout)
    assert title is not None
    return int(title.group(1)), ran.stderr
