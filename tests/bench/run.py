"""`make bench-intake`: reports a second from the intake to the fold, beside the plain way and the floor, in one run.

Same servers, same durability (every write synced, synchronous commits), same reports, one after the other,
several rounds; the medians and their ratios are printed and written to bench-intake.json.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import floor, plain, system
from tests.bench.servers import servers

WAYS = {"floor": floor, "plain": plain, "system": system}
TITLES = {
    "system": "this system: intake, judgements, log, relay, fold (2 processes)",
    "plain": "plain way: a handler, a model and an INSERT per event (1 process)",
    "floor": "floor: fetch, COPY, atomic publish, no logic (1 process)",
}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reports", type=int, default=40_000, help="reports per round (the plain way: a tenth)")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--out", type=Path, default=Path("bench-intake.json"))
    given = options.parse_args()
    rates = asyncio.run(measured(given.reports, given.rounds))
    result = summary(rates, given.reports)
    given.out.write_text(json.dumps(result, indent=2) + "\n")
    show(result)


async def measured(reports: int, rounds: int) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        async with servers(Path(folder)) as fresh_region:
            for number in range(rounds):
                for way, module in WAYS.items():
                    count = reports // 10 if way == "plain" else reports
                    async with fresh_region() as region:
                        rate = await module.rate(region, count)
                    rates[way].append(rate)
                    print(f"round {number + 1}: {way:7} {rate:8.0f} reports/s", file=sys.stderr)
    return rates


def summary(rates: dict[str, list[float]], reports: int) -> dict[str, object]:
    middle = {way: statistics.median(found) for way, found in rates.items()}
    pairs = list(zip(rates["system"], rates["plain"], rates["floor"], strict=True))
    return {
        "reports_per_round": reports,
        "reports_per_s": {way: round(rate, 1) for way, rate in middle.items()},
        "rounds": {way: [round(rate, 1) for rate in found] for way, found in rates.items()},
        "system_over_plain": round(statistics.median(own / plain_way for own, plain_way, _ in pairs), 2),
        "system_over_floor": round(statistics.median(own / bottom for own, _, bottom in pairs), 2),
    }


def show(result: dict[str, object]) -> None:
    table = Table("way", "reports/s (median)", "rounds", title="from intake to fold, every write synced")
    medians, rounds = result["reports_per_s"], result["rounds"]
    assert isinstance(medians, dict)
    assert isinstance(rounds, dict)
    for way, title in TITLES.items():
        table.add_row(title, f"{medians[way]:,.0f}", "  ".join(f"{rate:,.0f}" for rate in rounds[way]))
    console = Console()
    console.print(table)
    console.print(f"system / plain way: {result['system_over_plain']}   (aim: 6)")
    console.print(f"system / floor:     {result['system_over_floor']}   (aim: 0.5)")


if __name__ == "__main__":
    main()
