"""The board's metrics as the operator of the tests' systems has them: exact, and with where the fold is."""

import urllib.request

from infra.testkit.servers import TOKEN


def scraped(board: str | int, *, timeout: float = 20, token: str = TOKEN) -> str:
    """The text at the operator's address of a board, by its address or its port here."""
    address = board if isinstance(board, str) else f"http://127.0.0.1:{board}"
    asked = urllib.request.Request(f"{address}/metrics/operator", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=timeout) as answer:
        return answer.read().decode()
