"""What processes tell their operator: the board's metrics, exact and with where the fold is; why one is not ready."""

import json
import urllib.error
import urllib.request

from infra.testkit.servers import TOKEN


def scraped(board: str | int, *, timeout: float = 20, token: str = TOKEN) -> str:
    """The text at the operator's address of a board, by its address or its port here."""
    address = board if isinstance(board, str) else f"http://127.0.0.1:{board}"
    asked = urllib.request.Request(f"{address}/metrics/operator", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked, timeout=timeout) as answer:
        return answer.read().decode()


def faults(port: int) -> list[str] | None:
    """Why the process at a port is not ready; empty: it is; None: nobody answers there yet."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=20) as answer:
            return json.load(answer)["faults"]
    except urllib.error.HTTPError as error:
        return json.load(error)["faults"]
    except OSError:
        return None
