from datetime import UTC, datetime

import msgspec
import pytest
from nats.aio.client import Client

from infra.region.sending import envelope
from shared import contracts
from shared.client import CountryClient
from shared.contracts import Refused
from shared.contracts.report import accepted, authority
from shared.record import seats


@pytest.fixture
def received():
    """What intake makes of a step: the event, or Refused."""

    def receive(step, now=None):
        report = envelope(CountryClient(Client(), step.country, "synthetic"), step)
        subject = f"crm.in.{step.country}.{step.name}"
        event = accepted(subject, None, msgspec.json.encode(report), now or datetime(2009, 1, 1, tzinfo=UTC))
        held = seats.in_force(event.time)
        if problems := authority(contracts.registry()[event.type], event.source, event.data, step.country, held):
            raise Refused(*problems)
        return event

    return receive
