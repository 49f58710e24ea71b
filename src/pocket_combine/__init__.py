"""From PocketCoffea histograms to CMS Combine datacards, fits and figures."""

from pocket_combine._version import __version__

__all__ = ["__version__"]
