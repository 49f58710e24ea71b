"""Mutates the cards of the corpus and looks for anything but a card or a `CardError`.

Run with `python tests/fuzz_cards.py [SECONDS] [SEED]`. A card that is read must also be written and read back the
same, in reasonable time. The first text that breaks a rule is written to the current folder.
"""

from __future__ import annotations

import random
import sys
import time
import traceback
from pathlib import Path

from pocket_combine.card.parser import CardOptions, parse_card
from pocket_combine.card.writer import write_card
from pocket_combine.errors import CardError

CORPUS = Path(__file__).resolve().parent / "data" / "cards"
SLOW = 5.0
POOL = 2000
LONGEST = 10_000

VOCABULARY = """
- -- * ? / 0 1 -1 1.0 1e308 1e-320 nan inf 1_0 0/0 1/1 0.9/1.1 1/2/3 [0,5] [5,0] [const] [ ] [, @0 @99 (@0 ( )
lnN lnU gmN gmM trG unif dFD dFD2 shape shapeN shapeU shape? shapeN2 param flatParam extArg rateParam constr group
= += autoMCStats nuisance edit add drop rename changepdf split merge flip freeze ifexists addq overwrite p2n n2p
imax jmax kmax shapes observation bin process rate FAKE data_obs $MASS $CHANNEL a.root:w a.root # \\ .* (a|b)* (.+)+
[nofloat] x[nofloat] discrete 99999999999999999999
"""
WORDS = [*VOCABULARY.split(), "\ufeff", "\x1c", "\u2028", "\u0663", "\xe9"]


def mutate(text: str, chance: random.Random) -> str:
    """Return the text with a few random changes to its lines, words or characters."""
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        kind = chance.randrange(8)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, chance.choice(lines))
        elif kind == 2:
            lines[at], lines[-1 - at] = lines[-1 - at], lines[at]
        elif kind == 3:
            position = chance.randrange(len(text) + 1)
            return (
                text[:position]
                + chr(chance.choice((0, 9, 10, 13, 35, 47, 0xD800, chance.randrange(0x250))))
                + text[position:]
            )
        else:
            words = lines[at].split(" ")
            place = chance.randrange(len(words))
            change = chance.randrange(4)
            if change == 0:
                words[place] = chance.choice(WORDS)
            elif change == 1:
                words.insert(place, chance.choice(WORDS))
            elif change == 2:
                del words[place]
            else:
                words[place] = chance.choice(text.split() or [""])
            lines[at] = " ".join(words)
        text = "\n".join(lines) or "\n"
    return text


def check(text: str) -> bool:
    """Return whether a text is a card, after reading it, writing it and reading it back.

    Raises:
        AssertionError: If what is read back differs, or something takes long.
    """
    start = time.process_time()
    try:
        card = parse_card(text, options=CardOptions(allow_no_signal=True, allow_no_background=True))
        is_card = True
    except CardError:
        is_card = False
    if is_card:
        again = parse_card(write_card(card), options=CardOptions(allow_no_signal=True, allow_no_background=True))
        if again != card:
            raise AssertionError("the card does not read back the same")
    if time.process_time() - start > SLOW:
        raise AssertionError(f"took more than {SLOW} s")
    return is_card


def main() -> None:
    """Fuzz until the time is over or something is found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    chance = random.Random(seed)  # noqa: S311 # no secrets
    good = [path.read_text() for path in sorted(CORPUS.glob("valid/*.txt"))]
    bad = [path.read_text() for path in sorted(CORPUS.glob("invalid/*.txt")) if not path.name.endswith(".error.txt")]
    end = time.monotonic() + seconds
    texts = cards = 0
    while time.monotonic() < end:
        text = mutate(chance.choice(good if chance.random() < 0.8 else bad), chance)
        try:
            is_card = check(text)
        except Exception:  # noqa: BLE001 # whatever it is, it is what we look for
            traceback.print_exc()
            found = Path(f"fuzz-card-{seed}-{texts}.txt")
            found.write_bytes(text.encode("utf-8", "surrogatepass"))
            sys.exit(f"found something after {texts} texts, see {found}")
        texts += 1
        cards += is_card
        if is_card and len(text) < LONGEST:
            # What is still a card is changed further; the pool keeps its size.
            good.append(text)
            if len(good) > POOL:
                del good[chance.randrange(POOL)]
    sys.stdout.write(f"{texts} texts, {cards} of them cards, nothing found\n")


if __name__ == "__main__":
    main()
