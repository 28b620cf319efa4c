"""Pictures of the pages as a real browser shows them: a few for the documents, or all for people to look at.

`make screens` plays the Plan up to a day on which countries report, goes on slowly, and takes those of the documents.
`python -m tests.harness.screens <folder> http://127.0.0.1:8080` takes them of a running region; with `--every`, of each
page on a telephone and on a desk.
"""

import base64
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from PIL import Image

from tests.harness.browser import browser

BYTES_MAX = 150_000
"""Of a picture in the documents."""
COLOURS = (256, 128, 64, 32)
"""A picture that is too large has fewer."""
DAY, FAST = "2004-10-06", 5 * 86_400
"""Up to which day of the Plan it is played, and how many seconds of it in one."""
PATIENCE_S = 900.0
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"

LOADED = """new Promise((then) => {
  const seen = (one) => one.getBoundingClientRect().top < innerHeight;
  const look = (left) => left && [...document.images].some((one) => seen(one) && !one.complete)
    ? setTimeout(() => look(left - 1), 50) : then(true);
  look(200);
})"""
"""Waits until the pictures in sight are there; not for ever."""


class Shot(Struct, frozen=True):
    """One picture: of which page, how wide and at most how high in CSS pixels."""

    path: str
    width: int = 1400
    high_max: int = 1250
    dark: bool = False
    at: str = "0"
    """From where on, as an expression on the page."""


ROWS = "document.getElementById('part-timeline').offsetTop - 20"
"""Where the scoreboard's second half begins."""
SHOWN: Mapping[str, Shot] = {
    "board": Shot("/?lang=en", high_max=1120),
    "board-es": Shot("/?lang=es", high_max=1120),
    "rows": Shot("/?lang=en", high_max=1000, at=ROWS),
    "rows-es": Shot("/?lang=es", high_max=1000, at=ROWS),
    "telephone": Shot("/?lang=es", width=320, high_max=1300),
    "dark": Shot("/?lang=fr", dark=True, high_max=1120),
    "country": Shot("/countries/HND?lang=en"),
    "country-es": Shot("/countries/HND?lang=es"),
    "indicator": Shot("/indicators/IE-3.1ii?lang=en&by=quarter&figure=period", high_max=1720),
    "indicator-es": Shot("/indicators/IE-3.1ii?lang=es&by=quarter&figure=period", high_max=1720),
    "desk": Shot("/desk?lang=en", high_max=1500),
    "desk-es": Shot("/desk?lang=es", high_max=1500),
    "report": Shot("/reports/2004-Q2?lang=en", high_max=1320),
    "status": Shot("/status?lang=en", width=800, high_max=700),
}
"""Name of a file in the documents -> its picture."""
EVERY = {
    "board": "/?lang=es",
    "country": "/countries/HND?lang=es",
    "indicator": "/indicators/IE-3.1ii?lang=es&by=quarter&figure=period",
    "persons": "/indicators/VA-2.1?lang=en",
    "behind": "/indicators/IE-3.1ii/behind?lang=es",
    "objectives": "/objectives?lang=es",
    "desk": "/desk?lang=es",
    "agenda": "/desk/agenda?lang=es",
    "reports": "/reports?lang=en",
    "report": "/reports/2004-Q2?lang=fr",
    "status": "/status?lang=es",
    "contracts": "/contracts?lang=en",
    "docs": "/docs?lang=es",
    "guide": "/docs/watching?lang=es",
    "wall": "/wall?lang=es",
    "nothing": "/nothing?lang=fr",
}


def every() -> Iterator[tuple[str, Shot]]:
    """Yield a picture of each page, on a telephone in dark and on a desk."""
    for name, path in EVERY.items():
        yield f"{name}-320", Shot(path, width=320, high_max=2400, dark=True)
        yield f"{name}-1400", Shot(path, high_max=2400)


def pictures(address: str, folder: Path, shots: Mapping[str, Shot] = SHOWN) -> dict[str, float]:
    """Take pictures into a folder; return after how many milliseconds each page was first painted."""
    painted = {}
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as page:
        for name, shot in shots.items():
            page.open(address + shot.path, shot.width, dark=shot.dark)
            high, top = page.value("document.documentElement.scrollHeight"), page.value(shot.at)
            # What is loaded when it comes into sight is loaded in a window that has it.
            page.send(
                "Emulation.setDeviceMetricsOverride",
                width=shot.width,
                height=int(min(high, top + shot.high_max)),
                deviceScaleFactor=1,
                mobile=False,
            )
            page.value(LOADED)
            clip = {"x": 0, "y": top, "width": shot.width, "height": min(shot.high_max, high - top), "scale": 1}
            taken = page.send("Page.captureScreenshot", format="png", clip=clip)["data"]
            (folder / f"{name}.png").write_bytes(small(base64.b64decode(taken)))
            painted[name] = page.value(PAINTED)  # there is surely one after a picture
    return painted


def small(png: bytes) -> bytes:
    """Return a picture with as few colours as it needs to be small enough."""
    whole = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in COLOURS:
        into = io.BytesIO()
        reduced = whole.quantize(colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        reduced.save(into, "PNG", optimize=True)
        if into.tell() <= BYTES_MAX:
            break
    return into.getvalue()


@contextmanager
def running(state: Path, **how: str) -> Iterator[str]:
    """Run the system in a folder; yield where its board is."""
    ports = {f"CRM_{name}_PORT": "0" for name in ("HTTP", "NATS")}
    crm = [sys.executable, "-m", "infra.cli", "up", "--state-dir", str(state)]
    (state / "run.json").unlink(missing_ok=True)
    process = subprocess.Popen(crm, env=os.environ | ports | how, stdout=subprocess.DEVNULL)
    try:
        _until((state / "run.json").exists)
        yield json.loads((state / "run.json").read_text())["http"]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "the day of the pictures never came"
        time.sleep(0.5)


def _day(address: str) -> str:
    """Return the plan's day, as the board has it; empty while it does not answer."""
    try:
        with urllib.request.urlopen(f"{address}/?lang=en", timeout=60) as answer:
            found = re.search(r'datetime="([\d-]+)T', answer.read().decode())
    except OSError:
        return ""
    return found[1] if found else ""


def _played(folder: Path, shots: Mapping[str, Shot]) -> dict[str, float]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        state = Path(made, "crm")
        with running(state, SPEED=str(FAST), RATE="60") as address:
            _until(lambda: _day(address) >= DAY)
        with running(state, SPEED="1", RATE="1") as address:
            _until(lambda: _day(address))
            return pictures(address, folder, shots)


if __name__ == "__main__":
    into, *more = sys.argv[1:]
    chosen = dict(every()) if "--every" in more else SHOWN
    given = [one for one in more if one != "--every"]
    told = pictures(given[0], Path(into), chosen) if given else _played(Path(into), chosen)
    print("first painted after, in ms:", {name: round(ms) for name, ms in told.items()})
