"""Signed notes against the specification's own examples, and what must not pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.record import note

# C2SP signed-note, "Example".
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "\N{EM DASH} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72"
    "IneyaQM=\n"
)
# Go's golang.org/x/mod/sumdb/note, "ExampleSign".
SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "\N{EM DASH} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJ"
    "nAM=\n"
)
POINT = note.Checkpoint("example.com/behind-the-sofa", 20852163, bytes(range(32)))
LOG = note.Signer("example.com/behind-the-sofa", note.SIGNS, bytes(32))
WITNESS = note.Signer("witness.example.com/w1", note.COSIGNS, bytes(range(32)))


def test_the_examples_of_the_specification_and_of_go():
    verifier = note.read_verifier(VKEY)
    assert verifier.vkey == VKEY
    assert note.opened(EXAMPLE, [verifier]) == ("This is an example message.\n", [verifier])
    signer = note.read_signer(SKEY)
    assert signer.line == SKEY
    assert signer.verifier == note.read_verifier(PETER)
    text = note.opened(QUOTE, [signer.verifier])[0]
    assert f"{text}\n{signer.sign(text)}" == QUOTE


def test_a_checkpoint_and_its_cosignature():
    line = WITNESS.sign(POINT.text, 1679315147)
    said = note.signed(POINT, [LOG.sign(POINT.text), line])
    assert note.opened(said, [LOG.verifier, WITNESS.verifier]) == (POINT.text, [LOG.verifier, WITNESS.verifier])
    assert note.checkpoint(POINT.text) == POINT
    (_, key, signature), *_ = note.signatures(line)
    assert (key, int.from_bytes(signature[:8])) == (WITNESS.verifier.id, 1679315147)
    later = signature[:7] + bytes([signature[7] + 1]) + signature[8:]
    assert not WITNESS.verifier.holds(POINT.text, later), "the time is signed as well"
    as_log = note.Verifier(WITNESS.name, note.SIGNS, WITNESS.verifier.key)
    assert not as_log.holds(POINT.text, signature[8:]), "no cosignature is a signature of the log"


@pytest.mark.parametrize(
    "text",
    [
        "a\n01\n" + note.encoded(bytes(32)) + "\n",
        "a\n-1\n" + note.encoded(bytes(32)) + "\n",
        f"a\n{2**63}\n" + note.encoded(bytes(32)) + "\n",
        "a\n1\n" + note.encoded(bytes(31)) + "\n",
        "a\n1\n\n",
        "\n1\n" + note.encoded(bytes(32)) + "\n",
        "a\n1\n" + note.encoded(bytes(32)),
    ],
)
def test_what_is_no_checkpoint(text):
    with pytest.raises(note.NoteError):
        note.checkpoint(text)


def test_a_known_key_whose_signature_fails_spoils_the_note():
    good = note.signed(POINT, [LOG.sign(POINT.text)])
    other = note.Checkpoint(POINT.origin, POINT.size + 1, POINT.root)
    for bad in (
        note.signed(other, [LOG.sign(POINT.text)]),
        note.signed(POINT, [WITNESS.sign(POINT.text, 1)]),
        good.replace("\n\n", "\n"),
        good + "x",
    ):
        with pytest.raises(note.NoteError):
            note.opened(bad, [LOG.verifier])


@given(st.text())
def test_anything_is_opened_or_refused(text):
    with pytest.raises(note.NoteError):
        note.opened(text, [LOG.verifier])
    with pytest.raises(note.NoteError):
        note.read_signer(text)
    with pytest.raises(note.NoteError):
        note.read_verifier(text)
