"""What is accepted in a card beyond what its text says."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CardOptions"]


@dataclass(frozen=True)
class CardOptions:
    """What is accepted while a card is read.

    Attributes:
        pois: Names of parameters that the physics model defines and that formulas may use.
        allow_no_signal: Whether the card may have no signal, as with `--X-allow-no-signal`.
        allow_no_background: Whether a channel may have no background, as with `--X-allow-no-background`.
        allow_unknown_arguments: Whether formulas may use parameters that the card does not define, because another
            card of a combination does.
    """

    pois: tuple[str, ...] = ("r",)
    allow_no_signal: bool = False
    allow_no_background: bool = False
    allow_unknown_arguments: bool = False
