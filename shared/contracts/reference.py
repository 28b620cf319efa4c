"""The reference page of all types, for people: docs/contracts.md is what `page()` returns."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from shared.contracts import (
    AMENDED_BY_SERVICE,
    GENERIC,
    SERVICES,
    Contract,
    Report,
    Value,
    bounds,
    identity,
    privacy,
    registry,
    vocabulary,
)
from shared.contracts.prose import compact, fields_said, plain
from shared.contracts.schema import example

NO_IDS: Mapping[str, str] = {}
HEAD = """\
# Contracts

Every event type, generated from `shared/contracts/` by `python -m shared.contracts reference`; do not edit.

A country publishes a report to `report.<service>.<entity>.<verb>` as a CloudEvent (JSON, structured or binary);
the service records it under the same type, or refuses it with all its reasons. Types marked *derived* are recorded
by the service itself and arrive in a country's mailbox. Every report says in `reported_by` what kind of organisation
it comes from. Unknown fields are refused in reports, and ignored by readers of events.

Privacy: **N** nothing about a person; **P** pseudonymous; **S** sensitive: pseudonymous fields and a claim check
(`dataref`) that the owning country's vault answers. *Own* marks what only the country named in that field may send.
Each field has a class of its own too, which follows from the type's and from what can stand there; where it is not N,
the table says so. [security.md](security.md#personal-data) says where values of each class stand in the clear.

Identifiers belong to the country that gives them: two countries' equal ones never meet. Of each the table says whose it
is. A country writes its own plain, and another's, where that may stand, with its owner: `GTM:2024-001`.

A **body** of the region (`Seat` among the vocabularies) has one holder at a time. Only the holder at the report's
`time` reports in its name; any other sender is refused with `not_seated`. Every country has its own of the other
bodies (`mru`, `national_commission`, `intersectoral_commission`), and speaks for these only.

A whole report, on `report.intel.document.flagged`; below, the examples are what stands in `data`:

```json
{whole}
```
"""
AMENDED = """\
## Corrections, withdrawals, merges

Every reported entity has them: `<service>.<entity>.corrected`, `.retracted` and `.merged`, from the country that sent
the reports. The first two name the event by its id, the third the two identifiers of the entity; the indicators are
then what they would have been with the right report, without it, or with one identifier.
"""
FORMS = """\
## Forms of values

| form | what it is |
|---|---|
| `Ref` | a pseudonymous identifier made by the reporting system: letters, digits and `._:-`, at most 64; never a name, document or telephone number, see below |
| `EventId` | the `id` of an event on record, of the same form |
| `Token` | a lower-case word of a vocabulary that is not closed yet: letters, digits and `_`, at most 64, with fewer than seven digits in a row |
| `FraudType` | a token; known ones: {fraud} |
| `Industry` | a section of ISIC revision 4 as HTCDS spells it: `A_AgricultureForestryAndFishing` |
| `Time` | RFC 3339 with an offset, its year as written from {first} to {last}; fractions of a second are cut to six digits |
| `date` | `YYYY-MM-DD`, from {first}-01-01 to {last}-12-31 |
| `Count` | a whole number from 0 to 1,000,000,000, written without a decimal point |
| `Share` | a number from 0 to 1 |
| `Hash` | a keyed hash: 64 hexadecimal digits |
| `DataRef` | a claim check: `urn:crm:vault:GTM:…`, a vault of the country that sends it; what follows is no name and no telephone number; at most 200 |
| `Geohash` | at most four characters |
| `Hours`, `Months` | a `Count` of at most 10,000 and 1,800 |
| `Currency` | ISO 4217: what is or was a state's money since 2000; no funds, metals or codes for tests |
| `Listed[…]`, `OneOrMore[…]` | a list without repeats of at most 64 |

These bounds hold for reports and, where they say so, for questions. What was recorded before a bound came is still
read, so a reader holds events to the form alone.

The `time` of a report lies between {plan}-01-01 and 24 hours ahead; `expirytime` between {plan}-01-01 and {last}-12-31.
**"Never" and "no end" are said by leaving the field out**: 9999-12-31 is refused, and so is 0001-01-01.

`id`, `subject`, `causationid`, `correlationid` and every `Ref` are refused (`not_pseudonymous`) where they are
written as a name or a telephone number is: two words with capitals (`Maria.Lopez`, `MariaLopez`); two words of four
letters or more without a digit but a year of birth at the end (`maria-lopez-85`); the same in capitals with nothing
before them; eight to fifteen digits and nothing else. `2024-000123`, numbers of up to seven digits, UUIDs and hashes
stay valid. A form cannot prevent everything: a first name alone, a name behind a country's code in capitals, or a
passport's number are not told from an identifier. That remains the sender's duty. An id in lower case
with a digit in its midst is never taken for a name.

`tracestate` and `dataschema` are taken, of printable ASCII, and not kept.
"""  # noqa: E501 - rows of a table are one line


def page() -> str:
    """Return the whole page in Markdown."""
    agreed = list(registry().values())
    parts = [HEAD.format(whole=compact(example(registry()["crm.intel.document.flagged.v1"])))]
    for service in SERVICES:
        own = [one for one in agreed if one.service == service and not one.generic]
        parts += [f"## {service}\n", _overview(own), *map(_section, own)]
    known = ", ".join(f"`{one}`" for one in vocabulary.FRAUD_TYPES)
    parts += [
        AMENDED,
        *_amendments(),
        FORMS.format(fraud=known, first=bounds.FIRST_YEAR, last=bounds.LAST_YEAR, plan=bounds.PLAN_YEAR),
        "## Groups\n",
        *_groups(agreed),
        "## Vocabularies\n",
        _vocabularies(),
    ]
    return "\n".join(parts)


def _amendments() -> Iterator[str]:
    for kind in GENERIC.values():
        yield f"### {kind.__name__}\n\n{plain(kind.__doc__ or '')}\n"
        yield "\n".join(_table(kind, AMENDED_BY_SERVICE)) + "\n"


def _overview(agreed: list[Contract]) -> str:
    rows = [
        f"| [`{one.name}`](#{_anchor(one)}) | {_producer(one)} | {one.privacy} | {', '.join(one.rows)} |"
        for one in agreed
    ]
    return "\n".join(["| type | producer | privacy | Plan rows |", "|---|---|---|---|", *rows, ""])


def _anchor(agreed: Contract) -> str:
    return agreed.type.replace(".", "")


def _producer(agreed: Contract) -> str:
    if not agreed.reported:
        return "*derived*"
    own = f"*own* (`{_wire(agreed)}`)" if agreed.owner else ""
    behalf = f", or of any: {_seats(agreed.behalf)}" if agreed.behalf else ""
    operator = ", the operator" if agreed.operated else ""
    named = f"; of its own officers also as {', '.join(agreed.unseated)}" if agreed.unseated else ""
    return (own + behalf or _seats(agreed.by) + operator or "country") + named


def _seats(bodies: tuple[str, ...]) -> str:
    return ", ".join(f"**{body}**" if body in vocabulary.SEATS else body for body in bodies)


def _wire(agreed: Contract) -> str:
    return next(field.encode_name for field in fields(agreed.data) if field.name == agreed.owner)


def _section(agreed: Contract) -> str:
    code = compact(dict(agreed.good))
    return "\n".join(
        [
            f"### {agreed.type}\n",
            f"{plain(agreed.doc)}\n",
            *_figure(agreed),
            *_table(agreed.data, agreed.derived, agreed.ids, _private(agreed)),
            "",
            f"```json\n{code}\n```\n",
        ]
    )


def _figure(agreed: Contract) -> list[str]:
    """Return the line that says of what one report holds."""
    if agreed.aggregate is None:
        return []
    kept = agreed.aggregate
    when = [f"each day (`{kept.as_of}`)"] if kept.as_of else [f"each period (`{'`, `'.join(kept.period)}`)"]
    named = " and ".join(
        [*(f"`{name}`".replace("|", "` or `") for name in kept.key), *(when if kept.as_of or kept.period[0] else [])]
    )
    return [f"A figure: for {named} one report of a country holds, the latest.\n"]


def _private(agreed: Contract) -> dict[str, str]:
    """Return the class of each field, as on the wire, that is not N."""
    return {path[0]: told for path, told in sorted(privacy.classes(agreed).items()) if told != "N"}


def _table(
    kind: type[Struct],
    derived: tuple[str, ...] = (),
    ids: Mapping[str, str] = NO_IDS,
    told: Mapping[str, str] = NO_IDS,
) -> Iterator[str]:
    yield "| field | form | |"
    yield "|---|---|---|"
    said = fields_said(kind)
    for field in fields(kind):
        if field.name == "reported_by" and issubclass(kind, Report):
            continue
        form, text = said[field.name]
        filled = "Filled in by the service. " if field.name in derived else ""
        owner = f"*{_whose(kind, ids[field.name])}* " if field.name in ids else ""
        private = f"**{told[field.encode_name]}** " if field.encode_name in told else ""
        yield f"| `{field.encode_name}` | {_form(form, field)} | {private}{filled}{owner}{text} |"


def _whose(kind: type[Struct], scope: str) -> str:
    """Return in words whose an identifier is, the field that says so as on the wire."""
    _, _, named = scope.partition(":")
    wire = next((field.encode_name for field in fields(kind) if field.name == named), named)
    said = identity.meaning(scope.replace(named, wire) if named else scope)
    return f"{said[0].upper()}{said[1:]}."


def _form(form: str, field: FieldInfo) -> str:
    required = field.default is NODEFAULT and field.default_factory is NODEFAULT
    shown = form.removesuffix(" | None").replace("|", "or")
    return f"`{shown}`" if required else f"`{shown}`, optional"


def _groups(agreed: list[Contract]) -> Iterator[str]:
    """Yield the table of every struct that stands inside events."""
    found: dict[str, type[Struct]] = {}
    for one in agreed:
        for field in fields(one.data):
            found |= {kind.__name__: kind for kind in _structs(field.type)}
    for name, kind in sorted(found.items()):
        yield f"### {name}\n\n{plain(kind.__doc__ or '')}\n"
        yield "\n".join(_table(kind)) + "\n"


def _structs(annotation: Any) -> Iterator[type[Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, Value):
        yield annotation
        for field in fields(annotation):
            yield from _structs(field.type)
    for inner in get_args(annotation):
        yield from _structs(inner)


def _vocabularies() -> str:
    lists = [(name, get_args(value)) for name, value in vars(vocabulary).items() if get_origin(value) is Literal]
    rows = [f"| `{name}` | {' '.join(f'`{value}`' for value in values)} |" for name, values in lists]
    return "\n".join(["| list | values |", "|---|---|", *rows, ""])
