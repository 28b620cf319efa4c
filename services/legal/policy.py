"""The clock of the legal service: a setting (`CRM_LEGAL_…`, an ISO 8601 duration), with its default."""

from datetime import timedelta

from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.run.settings import Waiting, policy


class Policy(BaseSettings):
    """How long is waited for what; read once, at start."""

    model_config = SettingsConfigDict(env_prefix="CRM_LEGAL_", extra="ignore", frozen=True)

    witness_review_within: Waiting = timedelta(days=30)
    """From a resolved case to the review of its witnesses' protection (Plan VA 6.1; choreography 9)."""


POLICY = policy(Policy)
