"""What every engine does with a job, wherever it does it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from vicinal.core.errors import StoreError
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Say, sentence
from vicinal.lab.group import run_group
from vicinal.lab.trial import Trial

PROGRESS = 0.5  # seconds between two signs of progress


def work(bench: Bench, trials: Sequence[Trial], say: Say) -> None:
    """Run trials side by side, and say what comes of it as it comes; a fault of theirs is said and not raised.

    Raises:
        StoreError: whoever listens cannot write it down, which is no fault of the trials.
    """
    steps = max(1, *(trial.steps for trial in trials))
    try:
        run_group(bench, trials, lambda found: say("found", found), lambda done: say("progress", done / steps))
    except StoreError:
        raise
    except Exception as fault:  # whatever a trainer raises is the trial's affair, not the study's
        say("end", sentence(fault))
    else:
        say("end", None)


def sparing(say: Say) -> Say:
    """The same, but signs of progress are no more than one in ``PROGRESS`` seconds."""
    last = time.monotonic()

    def said(what: str, content: Any) -> None:
        nonlocal last
        if what != "progress" or time.monotonic() - last > PROGRESS:
            last = time.monotonic()
            say(what, content)

    return said
