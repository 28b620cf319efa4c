"""The questions about keys of what is sealed: kept for a report's receivers, given to them, forgotten for ever.

A key is the header of an age file, and opens nothing without the secret key of a country. It goes by question and
answer, which nobody stores: so it is in no log, stream, mailbox or backup, and stands only where it can be deleted.
"""

from typing import Annotated

from msgspec import Meta

from shared.contracts import Ref
from shared.contracts.questions import Answer, Ask, question
from shared.contracts.sealed import EXAMPLE, Head, KeyId
from shared.contracts.vocabulary import Country

FORGOTTEN_MAX = 100
"""Keys in one question."""
KEYS_MAX = 200_000
"""Of one country."""
HEAD = """age-encryption.org/v1
-> X25519 2bNff7lkuUq2rXaUA54rN3yl8K4fG2/6D8jPGUrnfgA
T68GxGWRjoswudHvIi6zXieVL5CL35oHOeTCPa2VgoU
--- ugBe3+4BL5hiHcDGal4KWkASnVEc387B7eFew2NcRx4
"""


class KeepAnswer(Answer, frozen=True, kw_only=True):
    """The key is kept."""


@question("keep", "victims", answer=KeepAnswer, good={"key": EXAMPLE["key"], "head": HEAD, "readers": ["MEX"]})
class KeepAsk(Ask, frozen=True, kw_only=True):
    """Asks to keep a key, before the report is sent that needs it; the same may be asked again."""

    key: KeyId
    head: Head
    readers: Annotated[tuple[Country, ...], Meta(max_length=11)] = ()
    """Who is given it, beside the asking country."""
    consent_id: Ref | None = None
    """The consent that the report is about, or rests on: once it is withdrawn, the key is forgotten."""


class KeyAnswer(Answer, frozen=True, kw_only=True):
    """The header; with what `box` holds behind it, it is an age file."""

    head: str


@question("key", "victims", answer=KeyAnswer, good={"key": EXAMPLE["key"]})
class KeyAsk(Ask, frozen=True, kw_only=True):
    """Asks for a key; `not_permitted`: it was forgotten, or the asking country is none of its readers."""

    key: KeyId


class ForgetAnswer(Answer, frozen=True, kw_only=True):
    """How many of these keys there were; now there are none."""

    forgotten: int


@question("forget", "victims", answer=ForgetAnswer, good={"keys": [EXAMPLE["key"]]})
class ForgetAsk(Ask, frozen=True, kw_only=True):
    """Asks to forget keys that the asking country had kept; it cannot be undone."""

    keys: Annotated[tuple[KeyId, ...], Meta(min_length=1, max_length=FORGOTTEN_MAX)]
