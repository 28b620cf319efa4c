"""What a server that is away raises, whichever it is: wait, and try again."""

from shared import bus, database

LOST = (*database.LOST, *bus.LOST)
