"""A toy analysis: a generated PocketCoffea output and the analysis file that turns it into datacards."""

from pocket_combine.demo.project import ANALYSIS_NAME, OUTPUT_NAME, STYLE_NAME, write_demo

__all__ = ["ANALYSIS_NAME", "OUTPUT_NAME", "STYLE_NAME", "write_demo"]
