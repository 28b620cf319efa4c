"""What a server that is away raises, whichever it is: wait, and try again."""

from shared.flow import bus
from shared.run import database

LOST = (*database.LOST, *bus.LOST)
