"""Keys to seal with, made for a test."""

from nacl.secret import Aead
from nacl.utils import random
from pyrage import x25519

from shared.flow.sealing import ON_CALL, Sealing


def fresh() -> Sealing:
    return Sealing({ON_CALL: x25519.Identity.generate().to_public()}, [Aead(random(32))])
