"""The other countries of a test: robots that read their mailboxes and answer by a script."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from infra.testkit.clock import span
from infra.testkit.country import Country, Outcome
from shared.contracts import Event, source_of


@dataclass(frozen=True)
class Answer:
    """What a robot reports when it reads something: which type, after how long (plan time), with what fields."""

    name: str
    after: str | timedelta = timedelta()
    fields: Mapping[str, Any] = field(default_factory=dict)


Script: TypeAlias = Mapping[str, "str | Answer | Callable[[Event[Any]], Answer | None]"]
"""What is read, by name ("victims.referral.offered"; `*`: anything else) -> what is answered."""


@dataclass
class Robot:
    """A country that answers by itself, when the system has settled."""

    country: Country
    script: Script
    outcomes: list[Outcome] = field(default_factory=list)
    """What became of its answers."""
    _read: int = 0
    _later: list[tuple[datetime, Event[Any], Answer]] = field(default_factory=list)

    @property
    def next_due(self) -> datetime | None:
        """When it will answer next; None: it has read nothing that it has still to answer."""
        return min((at for at, _, _ in self._later), default=None)

    async def act(self, now: datetime) -> bool:
        """Read what has come and answer what is to be answered by now; return whether there was anything."""
        read = await self.country.mailbox()
        new, self._read = read[self._read :], len(read)
        for mail in new:
            if answer := self._answer(mail):
                self._later.append((now + span(answer.after), mail, answer))
        ripe = [one for one in self._later if one[0] <= now]
        self._later = [one for one in self._later if one[0] > now]
        for _, mail, answer in ripe:
            self.outcomes.append(await self.country.answer(mail, answer.name, **answer.fields))
        return bool(new or ripe)

    def _answer(self, mail: Event[Any]) -> Answer | None:
        if mail.source.startswith(source_of(self.country.name, "")):
            return None  # its own report comes back as it is recorded
        found = self.script.get(mail.name, self.script.get("*"))
        if callable(found):
            return found(mail)
        return Answer(found) if isinstance(found, str) else found
