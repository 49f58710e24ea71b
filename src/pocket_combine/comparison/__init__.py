"""Compare two cards with their templates by what they mean; order and formatting do not count."""

from pocket_combine.comparison.changes import Change, Comparison
from pocket_combine.comparison.compare import CardAndTemplates, diff

__all__ = ["CardAndTemplates", "Change", "Comparison", "diff"]
