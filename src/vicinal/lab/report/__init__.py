"""The report: one self-contained HTML file that answers the question and shows why it may be believed."""

from vicinal.lab.report.page import render_report, write_outputs, write_report
from vicinal.lab.report.sheet import Sheet, SheetRow

__all__ = ["Sheet", "SheetRow", "render_report", "write_outputs", "write_report"]
