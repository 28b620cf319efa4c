"""Ask the process of this container how it is, with its own certificate: `python -m shared.alive readyz` (0: well)."""

import os
import sys
import urllib.request
from pathlib import Path

from shared.tls import Files, calls

WAIT_S = 4


def main() -> None:
    """Ask /readyz, or what the argument names; raises OSError when the answer is none, or a bad one."""
    cert = os.environ.get("CRM_TLS_CERT")
    if cert:
        calls(Files(Path(os.environ["CRM_TLS_CA"]), Path(cert), Path(os.environ["CRM_TLS_KEY"])))
    address = f"{'https' if cert else 'http'}://127.0.0.1:{os.environ['CRM_OPS_PORT']}/{sys.argv[1]}"
    with urllib.request.urlopen(address, timeout=WAIT_S):  # noqa: S310 - our own address
        pass


if __name__ == "__main__":
    main()
