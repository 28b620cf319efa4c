"""What Python's collector of garbage looks through, and how often: each look stops all else in the process."""

import gc

YOUNG = 10_000
"""New objects before it looks which of them nobody needs: a batch makes many, all needed until it is written."""


def settle() -> None:
    """Leave what there is by now out of all further looks: it stays as long as the process does."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
