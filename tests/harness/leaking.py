"""The service legal in a version with a leak: it writes what it refuses into its log."""

import base64

import structlog

from services.legal.__main__ import SERVICE
from shared.flow import refusing
from shared.service import run

honest = refusing.rejected


def leaking(service, one, verdict, now):
    structlog.get_logger().info("refused", raw=base64.b64encode(one.payload).decode())
    return honest(service, one, verdict, now)


if __name__ == "__main__":
    refusing.rejected = leaking
    run(SERVICE)
