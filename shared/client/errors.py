"""What can go wrong for a country's system, one class for each kind of action that it may take."""

from collections.abc import Sequence

from nats.js.errors import APIError

from shared import contracts
from shared.contracts import questions


class ClientError(Exception):
    """What a country's system may have to act on; one subclass for each kind of action."""


class Invalid(ClientError):  # noqa: N818 - names what the report is
    """Report or question does not fit its contract; `problems` says where and why. Sending it again will not help."""

    def __init__(self, problems: Sequence[contracts.Problem]) -> None:
        lines = (f"{p.pointer or '/'}: {p.message} [{p.code}]{_hint(p)}" for p in problems)
        super().__init__("; ".join(lines))
        self.problems = tuple(problems)


class Denied(ClientError):  # noqa: N818
    """This account may not publish or ask this. Speak with the operators."""


class Unreachable(ClientError):  # noqa: N818
    """No answer from the region. The same report, with the same id, may be sent again at any time."""


class NotPermitted(ClientError):  # noqa: N818
    """The question is about what this country may not know."""


class TooMany(ClientError):  # noqa: N818
    """More than the country's quota allows; it may be tried again after `wait_s` seconds."""

    def __init__(self, what: str, wait_s: float) -> None:
        super().__init__(f"too many {what} at once: try again after {wait_s:g} s")
        self.wait_s = wait_s


class Unstored(ClientError):  # noqa: N818
    """The region answered that it cannot store the report (`code` is JetStream's); nothing was recorded."""

    def __init__(self, error: APIError) -> None:
        super().__init__(f"not stored: {error.description} [{error.err_code}]")
        self.code = error.err_code


class Full(Unstored):
    """The country's own intake is full: it keeps seven days, whatever was recorded of them. Nobody else is concerned.

    The question `quota` tells limits and use; the operators can make room.
    """


FULL = "maximum "
"""How the description begins with which JetStream (10077) says that a stream holds all it may: messages, or bytes."""
TOO_MANY = {10210: "open batches", 10167: "reports"}
"""JetStream error codes that pass by themselves: batches begun and not ended, reports waiting to be stored."""


def unstored(error: APIError) -> ClientError:
    """Return what to raise for a report that JetStream refused."""
    if error.err_code in TOO_MANY:
        return TooMany(TOO_MANY[error.err_code], 1.0)
    return Full(error) if (error.description or "").startswith(FULL) else Unstored(error)


def _hint(problem: contracts.Problem) -> str:
    return f" (did you mean {problem.suggestion}?)" if problem.suggestion else ""


def refusal(error: questions.Error) -> ClientError:
    """Return what to raise for a question without an answer."""
    if error.code == "unavailable":
        return Unreachable("the service cannot answer now")
    if error.code == "not_permitted":
        return NotPermitted(error.message)
    if error.code == "too_many":
        return TooMany("questions", error.wait_s or 1.0)
    return Invalid(error.problems)
