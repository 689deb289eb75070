"""The report: one self-contained HTML file that answers the question and shows why it may be believed; Markdown and figures too."""

from vicinal.lab.report.page import render_report, write_outputs, write_report
from vicinal.lab.report.pair import render_pair, write_pair
from vicinal.lab.report.paper import render_markdown, write_paper
from vicinal.lab.report.rebuilt import read_result, rebuild
from vicinal.lab.report.sheet import Sheet, SheetRow

__all__ = [
    "Sheet",
    "SheetRow",
    "read_result",
    "rebuild",
    "render_markdown",
    "render_pair",
    "render_report",
    "write_outputs",
    "write_pair",
    "write_paper",
    "write_report",
]
