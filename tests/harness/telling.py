"""The service victims in a version with a leak: it writes the keys that it keeps into its log."""

import base64

import structlog

from services.victims import keys
from services.victims.__main__ import SERVICE
from shared.service import run

honest = keys.KeysFile.put


async def telling(self, taken):
    for one in taken:
        structlog.get_logger().info("kept", raw=base64.b64encode(one.head.encode()).decode())
    await honest(self, taken)


if __name__ == "__main__":
    keys.KeysFile.put = telling
    run(SERVICE)
