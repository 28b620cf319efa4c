"""Clocks and thresholds of the training service: settings (`CRM_TRAINING_…`, ISO 8601 durations), with defaults."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.run.settings import Waiting, policy


class Policy(BaseSettings):
    """How much of what, and how long is waited; read once, at start. The Plan leaves all of it open."""

    model_config = SettingsConfigDict(env_prefix="CRM_TRAINING_", extra="ignore", frozen=True)

    confirmations: Annotated[int, Field(ge=1, le=1000)] = 3
    """So many confirmations of one forgery at one border post ..."""
    confirmed_within: Waiting = timedelta(days=30)
    """... within this time raise a training need (choreography 1)."""
    trained_within: Waiting = timedelta(days=90)
    """From a need to its being overdue."""
    entry_rule_notice: Waiting = timedelta(days=30)
    """An entry rule that takes effect sooner than this after it was told raises a need (choreography 16)."""
    entry_rule_trained_within: Waiting = timedelta(days=7)
    """The least time for training officers in an entry rule that takes effect at once."""
    grace: Waiting = timedelta(days=90)
    """How long a stale certificate still serves, so that officers can be retrained (choreographies 2 and 3)."""
    resolved_within: Waiting = timedelta(days=30)
    """From a complaint's arrival at the Migration Responsibility Unit to its decision (Plan IP 4.1.1)."""


POLICY = policy(Policy)
