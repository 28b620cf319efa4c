"""The clocks and thresholds of the intel service: settings (`CRM_INTEL_…`, durations in ISO 8601)."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.run.settings import Waiting, policy


class Policy(BaseSettings):
    """How long is waited for what, and how sure is sure enough; read once, at start."""

    model_config = SettingsConfigDict(env_prefix="CRM_INTEL_", extra="ignore", frozen=True)

    phonebook_within: Waiting = timedelta(hours=24)
    """From a trafficker's detention to the address book's being secured (Plan IE 1.2.3, choreography 7)."""
    disseminated_within: Waiting = timedelta(hours=72)
    """From the seizure of an address book to its being opened to other countries."""
    acknowledged_within: Waiting = timedelta(hours=72)
    """From a place's report to its country's acknowledgement, unless the report says when (choreography 8)."""
    answered_within: Waiting = timedelta(days=7)
    """From a request for information to its answer, unless the request says when (Directive (EU) 2023/977)."""
    answered_within_urgent: Waiting = timedelta(hours=8)
    """The same where a child or a life is in danger (its urgent tier)."""
    merged_at: Annotated[int, Field(ge=0, le=100)] = 50
    """Per cent of confidence at which two identifiers are held to be one trafficker."""


POLICY = policy(Policy)
