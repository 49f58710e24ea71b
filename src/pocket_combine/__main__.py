"""`python -m pocket_combine` is the command `pocket-combine`."""

from pocket_combine.cli import main

if __name__ == "__main__":
    main(prog_name="pocket-combine")
