"""Who asks: the operator by its token, a country by one made of that, everybody else as the public.

A country's token is `<country>.<HMAC-SHA-256 of its name by the operator's token, in hex>`: nothing is stored, whoever
has the operator's token can make it (`crm token HND`), and a new operator's token makes all of them void.
"""

import hmac
from hashlib import sha256

from shared.contracts.vocabulary import MEMBERS

OPERATOR, PUBLIC = "*", ""
"""Who asks, if it is no country."""


def country_token(operators: str, country: str) -> str:
    """Return a country's token."""
    return f"{country}.{hmac.new(operators.encode(), f'crm country {country}'.encode(), sha256).hexdigest()}"


def bearer(given: str) -> str:
    """Return the token in an `Authorization` header; empty: there is none. The scheme may be written in any case."""
    scheme, _, token = given.partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else ""


def who(given: str, operators: str) -> str:
    """Return whose token this is; without the operator's (empty) nobody is known."""
    if not operators:
        return PUBLIC
    known = {OPERATOR: operators} | {country: country_token(operators, country) for country in MEMBERS}
    found = [name for name, token in known.items() if hmac.compare_digest(given.encode(), token.encode())]
    return found[0] if found else PUBLIC
