"""The clocks of the victims service: settings (`CRM_VICTIMS_…`, ISO 8601 durations), with the defaults of the Plan."""

from datetime import timedelta

from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.run.settings import Waiting, policy


class Policy(BaseSettings):
    """How long is waited for what; read once, at start."""

    model_config = SettingsConfigDict(env_prefix="CRM_VICTIMS_", extra="ignore", frozen=True)

    answered_within_urgent: Waiting = timedelta(hours=8)
    """A referral of a child or of a person in danger of life (urgent tier of Directive (EU) 2023/977)."""
    answered_within: Waiting = timedelta(hours=72)
    """Any other referral (second tier of Directive (EU) 2023/977)."""
    second_level_after: Waiting = timedelta(hours=24)
    """From the answer's due time to telling both contact points (choreography 5)."""
    third_level_after: Waiting = timedelta(hours=72)
    """From the answer's due time to the presidency, and the agenda of the next meeting."""
    lapsed_after: Waiting = timedelta(days=30)
    """From the answer's due time to no longer waiting."""
    enrolled_within: Waiting = timedelta(days=30)
    """From a victim's return to a programme there (choreography 6)."""
    evaluated_within: Waiting = timedelta(days=90)
    """From a victim's return to its evaluation (Plan VA 5.1 leaves the time open)."""
    uncared_tolerated: Waiting = timedelta(days=7)
    """How long a victim may be without any service before it is a gap in care (Plan VA 4.1 gives no time): a change
    from one provider to the next, and the first days after the identification, are none."""
    erased_within: Waiting = timedelta(days=30)
    """From a withdrawn consent to every holder's word that the data are erased (choreography 12)."""


POLICY = policy(Policy)
