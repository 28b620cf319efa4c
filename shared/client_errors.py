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


class Unstored(ClientError):  # noqa: N818
    """The region answered that it cannot store the report (`code` is JetStream's); nothing was recorded."""

    def __init__(self, error: APIError) -> None:
        super().__init__(f"not stored: {error.description} [{error.err_code}]")
        self.code = error.err_code


def _hint(problem: contracts.Problem) -> str:
    return f" (did you mean {problem.suggestion}?)" if problem.suggestion else ""


def refusal(error: questions.Error) -> ClientError:
    """Return what to raise for a question without an answer."""
    if error.code == "unavailable":
        return Unreachable("the service cannot answer now")
    if error.code == "not_permitted":
        return NotPermitted(error.message)
    return Invalid(error.problems)
