"""What tests say and hear: examples, a clock, mailboxes read until they hold what is awaited."""

from datetime import UTC, datetime

from infra.testkit.clock import START
from infra.testkit.country import example, fits, of_own

__all__ = ["NOW", "example", "fits", "of_own"]
NOW = START
HOUR, DAY = 3600, 86_400


def clock(speed=1.0, now=NOW):
    return {
        "CRM_CLOCK_START": now.isoformat(),
        "CRM_CLOCK_EPOCH": datetime.now(UTC).isoformat(),
        "CRM_SPEED": str(speed),
    }


def say(country, name, /, time=NOW, **changes):
    return country.report(name, of_own(example(name, **changes), country.country), time=time)


async def tell(country, name, times=1, **changes):
    """Publish the same report so many times; return its id."""
    report = say(country, name, **changes)
    for _ in range(times):
        await country.publish(report)
    return report["id"]


class Mailbox:
    """All that a country has received, read on until what is awaited is there."""

    def __init__(self, country):
        self.country, self.events = country, []

    async def awaited(self, name, number=1, **fields):
        """The first `number` events of this type whose data have these fields."""
        found = self.found(name, **fields)
        if len(found) >= number:
            return found
        async for event in self.country.mailbox(idle_s=20):
            self.events.append(event)
            found = self.found(name, **fields)
            if len(found) >= number:
                return found
        raise AssertionError(f"{self.country.country}: {len(found)} of {number} {name} {fields} in {self.told()}")

    async def one(self, name, **fields):
        return (await self.awaited(name, **fields))[0]

    def found(self, name, **fields):
        return [event for event in self.events if fits(event, name, fields)]

    def told(self):
        return [(event.name, getattr(event.data, "kind", "")) for event in self.events]


async def countries(system, *names):
    """Each country's client and mailbox."""
    clients = [await system.country(name) for name in names]
    return [part for client in clients for part in (client, Mailbox(client))]
