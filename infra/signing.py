"""The keys that sign the reports of a copy's countries: synthetic, made once, and told by events as any country's are.

`<country>.root.pem` is the country's root key, `<country>.pem` the key of its systems, `<country>.json` the report
that says so, with its signature; `signing.toml` what the region knows beforehand. A real country makes its own
(docs/integrating.md), and no operator ever has them.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from nacl.signing import SigningKey

from infra.keys.files import write
from shared.contracts import signing, source_of
from shared.contracts.vocabulary import MEMBERS, Country

if TYPE_CHECKING:
    from shared.client import CountryClient

BEGUN = "2003-05-08"
"""The first day of the Plan, and so of every played region."""


class Told(msgspec.Struct, frozen=True):
    """A report that was signed beforehand."""

    payload: str
    signature: str


def make(folder: Path) -> None:
    """Make what is missing in the folder; nothing is replaced."""
    tables = []
    for country in MEMBERS:
        root, own = _key(folder / f"{country}.root.pem"), _key(key_file(folder, country))
        told = _told_file(folder, country)
        if not told.exists():
            write(told, msgspec.json.encode(_told(country, root, own)).decode())
        tables.append(
            f'[{country}]\nreports = "optional"\n\n[[{country}.root]]\nkey = "{signing.public(root)}"\nfrom = {BEGUN}\n'
        )
    if not region_file(folder).exists():
        write(region_file(folder), "\n".join(tables))


def region_file(folder: Path) -> Path:
    """Return where it stands who signs, with which root key."""
    return folder / "signing.toml"


def files(folder: Path, country: str) -> list[Path]:
    """Return what a country's systems need: their key, and the report that says so; the root key stays where it is."""
    return [key_file(folder, country), _told_file(folder, country)]


def key_file(folder: Path, country: str) -> Path:
    """Return where the key of a country's systems lies: beside its seed, where the client looks for it."""
    return folder / f"{country}.pem"


async def tell(client: "CountryClient", folder: Path) -> None:
    """Have a country say which key its systems sign with, if it has one; said again it is the same report.

    Raises ClientError.
    """
    file = _told_file(folder, client.country)
    if file.exists():
        told = msgspec.json.decode(file.read_bytes(), type=Told)
        await client.publish_signed(told.payload.encode(), told.signature)


def _told(country: Country, root: SigningKey, own: SigningKey) -> Told:
    key = signing.public(own)
    report = {
        "specversion": "1.0",
        "id": f"key-{country}",
        "source": source_of(country, "keys"),
        "type": "crm.indicators.key.added.v1",
        "time": f"{BEGUN}T00:00:00Z",
        "datacontenttype": "application/json",
        "data": {"key": key, "valid_from": f"{BEGUN}T00:00:00Z", "reported_by": "foreign_ministry"},
    }
    payload = msgspec.json.encode(report)
    return Told(payload.decode(), signing.signed(payload, root))


def _told_file(folder: Path, country: str) -> Path:
    return folder / f"{country}.json"


def _key(file: Path) -> SigningKey:
    if not file.exists():
        write(file, signing.written(SigningKey.generate()))
    return signing.secret(file)
