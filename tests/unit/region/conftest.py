from datetime import UTC, datetime

import msgspec
import pytest
from nats.aio.client import Client

from infra.region.sending import envelope
from shared.client import CountryClient
from shared.contracts.report import accepted


@pytest.fixture
def received():
    """What intake makes of a step: the event, or Refused."""

    def receive(step, now=None):
        report = envelope(CountryClient(Client(), step.country, "synthetic"), step)
        subject = f"crm.in.{step.country}.{step.name}"
        return accepted(subject, None, msgspec.json.encode(report), now or datetime(2009, 1, 1, tzinfo=UTC))

    return receive
