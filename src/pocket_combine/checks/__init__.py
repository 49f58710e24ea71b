"""Checks of a card with its templates: what looks wrong, where, by how much, and what to do about it."""

from pocket_combine.checks.file_contents import FileContents, read_file_contents
from pocket_combine.checks.finding import CheckFinding, Where
from pocket_combine.checks.mc_stats import BinTreatment, ChannelTreatment, mc_stats_treatment
from pocket_combine.checks.naming import NAMING_CODES, check_nuisance_names, description_template
from pocket_combine.checks.naming_dictionary import NamingDictionary, NamingEntry, load_naming_dictionary
from pocket_combine.checks.runner import CODES, TEXT_CODES, findings_to_dict, run_checks
from pocket_combine.checks.thresholds import Thresholds
from pocket_combine.checks.validation_json import validation_json

__all__ = [
    "CODES",
    "TEXT_CODES",
    "NAMING_CODES",
    "BinTreatment",
    "ChannelTreatment",
    "CheckFinding",
    "FileContents",
    "NamingDictionary",
    "NamingEntry",
    "Thresholds",
    "Where",
    "check_nuisance_names",
    "description_template",
    "findings_to_dict",
    "load_naming_dictionary",
    "mc_stats_treatment",
    "read_file_contents",
    "run_checks",
    "validation_json",
]
