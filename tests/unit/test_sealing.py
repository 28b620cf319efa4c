"""Who can open what is kept sealed; the keys are made once, and a key of before still opens."""

import stat

import pytest
from pyrage import x25519

from infra.keyfiles import env, identity_file, make, own_file, recipients_file
from shared.flow.sealing import Sealing, SealingError, Unopened, opened
from shared.run.settings import Settings

WORDS = b"Maria Canary"


@pytest.fixture
def folder(tmp_path):
    make(tmp_path)
    return tmp_path


def sealing(folder):
    named = {name.removeprefix("CRM_").lower(): value for name, value in env(folder, "intel").items()}
    return Sealing.of(Settings(**named))


def test_the_sender_and_the_operator_on_call_open_a_refused_report_and_nobody_else(folder):
    sealed = sealing(folder).for_sender("GTM", WORDS)
    assert sealed.startswith(b"age-encryption.org/v1\n"), "which every age tool opens"
    assert WORDS not in sealed
    for name in ("GTM", "operator"):
        assert opened(sealed, identity_file(folder, name)) == WORDS
    for name in ("MEX", "ST"):
        with pytest.raises(Unopened):
            opened(sealed, identity_file(folder, name))


def test_of_a_sender_without_a_key_the_operator_alone_opens_it(folder):
    sealed = sealing(folder).for_sender("OPERATOR", WORDS)
    assert opened(sealed, identity_file(folder, "operator")) == WORDS


def test_keys_are_made_once_and_secret_ones_are_for_their_owner_only(folder):
    before = {file.name: file.read_text() for file in folder.iterdir()}
    make(folder)
    assert {file.name: file.read_text() for file in folder.iterdir()} == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_country_that_made_its_own_key_gives_the_public_one_only(folder):
    own = x25519.Identity.generate()
    identity_file(folder, "GTM").unlink()
    public = recipients_file(folder).read_text()
    before = next(line for line in public.splitlines() if "GTM" in line)
    recipients_file(folder).write_text(public.replace(before, f' "GTM": "{own.to_public()}",'))
    make(folder)
    assert not identity_file(folder, "GTM").exists()
    (folder / "theirs").write_text(str(own))
    assert opened(sealing(folder).for_sender("GTM", WORDS), folder / "theirs") == WORDS


def test_a_new_key_is_put_before_the_old_one_which_still_opens(folder):
    sealed, kept = sealing(folder).for_sender("GTM", WORDS), sealing(folder).kept(WORDS, "here")
    for file, fresh in (
        (identity_file(folder, "GTM"), x25519.Identity.generate()),
        (own_file(folder, "intel"), "5f" * 32),
    ):
        file.write_text(f"{fresh}\n{file.read_text()}")
    assert opened(sealed, identity_file(folder, "GTM")) == WORDS
    assert sealing(folder).opened(kept, "here") == WORDS
    own_file(folder, "intel").write_text("5f" * 32)
    with pytest.raises(Unopened):
        sealing(folder).opened(kept, "here")


@pytest.mark.parametrize("kept", [b"", b"x", b"{}", b"x" * 200])
def test_what_is_damaged_is_not_opened(folder, kept):
    with pytest.raises(Unopened):
        sealing(folder).opened(kept, "here")
    with pytest.raises(Unopened):
        opened(kept, identity_file(folder, "GTM"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("recipients", None),
        ("recipients", "x"),
        ("recipients", "[]"),
        ("recipients", '{"GTM": "age1x"}'),
        ("recipients", '{"GTM": 1}'),
        ("recipients", "{}"),
        ("sealing_key", None),
        ("sealing_key", ""),
        ("sealing_key", "SECRET"),
        ("sealing_key", "5f"),
    ],
)
def test_a_service_without_keys_says_so_and_tells_nothing_of_them(folder, name, content):
    named = {"recipients": recipients_file(folder), "sealing_key": own_file(folder, "intel"), name: None}
    if content is not None:
        (folder / "wrong").write_text(content)
        named[name] = folder / "wrong"
    with pytest.raises(SealingError, match=f"CRM_{name.upper()}") as raised:
        Sealing.of(Settings(**named))
    assert "SECRET" not in str(raised.value)
