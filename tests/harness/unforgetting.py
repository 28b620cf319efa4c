"""The service victims in a version that forgets nothing: keys stay where they are, whoever has them forgotten."""

from services.victims import keys
from services.victims.__main__ import SERVICE
from shared.service import run


async def kept(self, owner, ids=(), consents=()):
    return len(ids) + len(consents)


if __name__ == "__main__":
    keys.KeysFile.delete = kept
    run(SERVICE)
