"""How questions are asked and answered: their registry, the error instead of an answer, and what is wrong with one."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from shared.contracts import Problem
from shared.contracts.door import cut, within
from shared.contracts.refusal import listed, unambiguous
from shared.contracts.suggestion import nearest

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

Code = Literal["not_permitted", "invalid", "unknown_question", "unavailable", "too_many"]
ERRORS: Mapping[Code, str] = {
    "not_permitted": "there is an answer, or may be one, that this country may not know",
    "invalid": "the question does not fit its contract; `problems` says where and why",
    "unknown_question": "the service has no such question",
    "unavailable": "the service cannot answer now; the question may be asked again",
    "too_many": "more questions than the country's quota allows; ask again after `wait_s` seconds",
}
ASK_BYTES_MAX = 8 * 1024


class Ask(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is asked."""


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is answered."""


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer."""

    code: Code
    message: str
    problems: tuple[Problem, ...] = ()
    wait_s: float | None = None
    """With `too_many`: after how many seconds it may be asked again."""


class Reply(Struct, frozen=True, omit_defaults=True):
    """What comes back: one of the two."""

    answer: Raw = Raw()
    error: Error | None = None


class Question(Struct, frozen=True, kw_only=True, eq=False):
    """What is agreed about one question."""

    name: str
    services: tuple[str, ...]
    ask: type[Ask]
    answer: type[Answer]
    doc: str
    good: Mapping[str, Any]
    """An example."""
    audited: bool = True
    """Whether its answers leave a row in `audit`: not so of what is no person's, and is asked all the time."""


Answered = Answer | Error

_registry: dict[tuple[str, str], Question] = {}
A = TypeVar("A", bound=Ask)


def question(
    name: str, *services: str, answer: type[Answer], good: Mapping[str, Any], audited: bool = True
) -> Callable[[type[A]], type[A]]:
    """Register the decorated struct as the question `name` to each of `services`."""

    def register(ask: type[A]) -> type[A]:
        agreed = Question(
            name=name,
            services=services,
            ask=ask,
            answer=answer,
            doc=(ask.__doc__ or "").strip(),
            good=good,
            audited=audited,
        )
        _registry.update({(service, name): agreed for service in services})
        return ask

    return register


def of(service: str, name: str) -> Question | Error:
    """Return what is agreed about a question, or the error that tells of the nearest one."""
    agreed = _registry.get((service, name))
    if agreed:
        return agreed
    known = [other for one, other in _registry if one == service]
    problem = Problem("", "unknown_question", f"{service} answers: {', '.join(known)}", nearest(name, known))
    return Error(code="unknown_question", message=ERRORS["unknown_question"], problems=(problem,))


def every() -> Mapping[tuple[str, str], Question]:
    """Return every question by service and name."""
    return _registry


def read(agreed: Question, payload: bytes) -> Ask | Error:
    """Return what is asked, or the error that tells all that is wrong with it, without quoting it."""
    if len(payload) > ASK_BYTES_MAX:
        return invalid(Problem("", "too_large", f"a question has at most {ASK_BYTES_MAX} bytes"))
    payload = payload or b"{}"
    try:
        value = unambiguous(payload)
    except (ValueError, RecursionError):
        return invalid(Problem("", "not_json", "a question is one JSON object, each field once"))
    try:
        asked = _decoder(agreed).decode(cut(payload, agreed.ask))
        if within(agreed.ask)(asked):
            return asked
    except (ValueError, OverflowError, RecursionError):
        pass
    return invalid(*_explained(agreed, value))


def _explained(agreed: Question, value: object) -> Sequence[Problem]:
    """Return what is wrong with a question; whatever it is, there is an answer."""
    try:
        problems = listed(_validator(agreed).iter_errors(value))
    except Exception:  # noqa: BLE001 - that nobody can say why must not end who answers
        problems = []
    return problems or (Problem("", "invalid", "the question does not fit its contract"),)


def not_permitted() -> Error:
    """Return the error of a question about what the asking country may not know."""
    return Error(code="not_permitted", message=ERRORS["not_permitted"])


def unavailable() -> Error:
    """Return the error of a question that could not be answered for a reason of ours."""
    return Error(code="unavailable", message=ERRORS["unavailable"])


def too_many(wait_s: float) -> Error:
    """Return the error of a question beyond the quota of who asks."""
    return Error(code="too_many", message=ERRORS["too_many"], wait_s=round(wait_s + 0.005, 2))


def invalid(*problems: Problem) -> Error:
    """Return the error of a question that is not a proper one."""
    return Error(code="invalid", message=ERRORS["invalid"], problems=problems)


@cache
def _decoder(agreed: Question) -> msgspec.json.Decoder[Ask]:
    return msgspec.json.Decoder(agreed.ask)


@cache
def _validator(agreed: Question) -> "Draft202012Validator":
    from shared.contracts.schema import closed_validator  # noqa: PLC0415 - it needs jsonschema, a client does not

    return closed_validator(agreed.ask)
