"""What can be looked at without any server: settings, disks, files of keys, certificates, when it was kept up."""

import os
import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from infra import audit
from infra.doctor.finding import Told, found, note, ok
from shared.run import settings, upkeep
from shared.run.certificates import next_update

FREE_SHARE, FREE_BYTES = 0.1, 2 * 2**30
"""Below either of both a disk is as good as full: NATS then stops without a word."""
SOON = timedelta(days=30)
LONG_AGO = timedelta(days=2)
CURES = {
    "verify": "crm verify, daily, with CRM_UPKEEP naming the folder that indicators reads",
    "backup": "pg_dump … | crm backup seal --to age1…, daily (docs/operations.md, Backup and restore)",
}


def environment(given: Mapping[str, str] = os.environ) -> Iterator[Told]:
    """Tell of settings that nothing of ours knows."""
    wrong = [*settings.unknown(given)]
    cure = "unset {}, or correct its name (docs/operations.md, Settings)"
    yield from (found("settings", one, cure.format(one.partition(":")[0])) for one in wrong)
    if not wrong:
        yield ok("settings", "every CRM_ name that is set is known")


def disk(folder: Path) -> Iterator[Told]:
    """Tell how much is free where the data of a copy on this machine lie."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    use = shutil.disk_usage(there)
    said = f"{use.free / 2**30:,.1f} GiB of {use.total / 2**30:,.1f} GiB are free under {folder}"
    if use.free < FREE_BYTES or use.free < FREE_SHARE * use.total:
        yield found("disk", said, "make room, or move the folder: full, NATS stops without a word")
    else:
        yield ok("disk", said)


def keys(creds: Path) -> Iterator[Told]:
    """Tell of secrets that others may read."""
    if not creds.is_dir():
        yield found("keys", f"there is no folder {creds}", "name the folder of keys (crm context add --creds)")
        return
    secret = [
        file for file in creds.iterdir() if file.suffix in {".nk", ".age", ".key", ".token", ".pw", ".pgpass", ".log"}
    ]
    open_ = sorted(file.name for file in secret if file.stat().st_mode & 0o077)
    if open_:
        listed = ", ".join(open_[:5]) + (" …" if len(open_) > 5 else "")  # noqa: PLR2004 - as many as a line holds
        yield found("keys", f"{len(open_)} secrets may be read by others: {listed}", f"chmod go-rwx {creds}/*")
    else:
        yield ok("keys", f"{len(secret)} secrets in {creds}, for their owner only")


def images(root: Path = audit.ROOT) -> Iterator[Told]:
    """Tell which images of others the checkout at hand would start by their tag, which a registry may change."""
    tagged = audit.images(root)
    if tagged:
        said = f"{len(tagged)} in compose.yaml and infra/Dockerfile are named by tag: {', '.join(tagged)}"
        yield note("images", said, "put each one's digest behind its tag (docs/security.md, Containers)")
    elif tagged is not None:
        yield ok("images", "all of others are named by digest")


def certificates(creds: Path, now: datetime) -> Iterator[Told]:
    """Tell which certificates end soon, the authority and the list of revoked ones included."""
    ends: list[tuple[datetime, str, str]] = []
    for file in sorted(creds.glob("*.crt")):
        cure = "make a new authority (docs/keys.md)" if file.stem == "ca" else f"crm keys rotate {file.stem}"
        try:
            ends.append((x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc, file.name, cure))
        except ValueError:
            yield found("certificates", f"{file.name} is no certificate", cure)
    renewed = "crm keys revoke, or rotate, of any: the list is made anew"
    ends += [(until, file.name, renewed) for file in creds.glob("crl.pem") if (until := next_update(file))]
    for until, name, cure in sorted(ends):
        if until - now < SOON:
            yield found("certificates", f"{name} {'has ended' if until < now else 'ends'} on {until:%Y-%m-%d}", cure)
    if ends and min(ends)[0] - now >= SOON:
        yield ok("certificates", f"{len(ends)}, the first of them ends on {min(ends)[0]:%Y-%m-%d}")
    if not ends:
        yield note("certificates", f"none in {creds}: all parts speak without TLS, as only loopback may")


def kept_up(folder: Path | None, now: datetime, *, local: bool) -> Iterator[Told]:
    """Tell when the logs were last verified and backed up; of a copy for trying out, nothing is wrong with never."""
    for what in upkeep.WHAT:
        done = upkeep.last(folder, what) if folder else None
        if done and done.findings:
            yield found(
                what,
                f"{done.findings} things were found wrong at {done.at:%Y-%m-%d %H:%M}",
                "crm verify: each line says what to do",
            )
        elif done and now - done.at <= LONG_AGO:
            yield ok(what, f"done at {done.at:%Y-%m-%d %H:%M}")
        else:
            said = (
                f"done last at {done.at:%Y-%m-%d %H:%M}"
                if done
                else "never noted" + ("" if folder else " (CRM_UPKEEP is not set)")
            )
            yield note(what, said, CURES[what]) if local else found(what, said, CURES[what])


def present() -> datetime:
    """Return the present of this machine."""
    return datetime.now(UTC)
