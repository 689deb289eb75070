"""What can be said before training: labels that survive, copies across parts, parts that were not made alike."""

from vicinal.lab.preflight.check import Check, check
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.preflight.judge import PRACTICE, Jury

__all__ = ["PRACTICE", "Check", "Finding", "Jury", "check"]
