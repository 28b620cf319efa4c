"""The lines that docs/integrating.md gives in other languages make signatures that this system takes.

They need Debian's nodejs, default-jdk-headless and golang-go: `make test-standard` fails without.
"""

import pytest
from nacl.signing import SigningKey

from shared.contracts import Refused, signing
from tests.harness.signing import ELSEWHERE, signed_elsewhere

PAYLOAD = '{"specversion": "1.0", "id": "año-1",\n "type": "crm.intel.document.flagged.v1"}\n'.encode()


@pytest.mark.parametrize("language", ELSEWHERE)
def test_other_languages_sign(language, tmp_path):
    key = SigningKey.generate()
    found = signing.verified({"Crm-Signature": signed_elsewhere(language, tmp_path, key, PAYLOAD)}, PAYLOAD)
    assert found is not None
    assert signing.opened(found.jws) == (signing.public(key), PAYLOAD)
    with pytest.raises(Refused):
        signing.verified(
            {"Crm-Signature": signed_elsewhere(language, tmp_path, SigningKey.generate(), PAYLOAD)}, PAYLOAD + b" "
        )
