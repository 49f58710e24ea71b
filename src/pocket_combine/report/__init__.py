"""One page with the whole statistical step of a card."""

from pocket_combine.report.making import MadeReport, make_report
from pocket_combine.report.options import SECTION_NAMES, ReportOptions

__all__ = ["SECTION_NAMES", "MadeReport", "ReportOptions", "make_report"]
