"""Pictures of each page as a real browser shows it, for people to look at."""

import base64
import tempfile
from pathlib import Path

from tests.harness.browser import browser

HEIGHT_MAX = 2400
"""Of a picture, in CSS pixels: what comes below is more of the same rows."""
QUALITY = 40
VIEWS = ((320, True), (1400, False))
"""(width in CSS pixels, in dark)"""
PAGES = {
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
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def pictures(address: str, folder: Path) -> dict[str, float]:
    """Take a picture of each page into a folder; return after how many milliseconds each was first painted."""
    painted = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as page:
        for name, path in PAGES.items():
            for width, dark in VIEWS:
                page.open(address + path, width, dark=dark)
                high = min(HEIGHT_MAX, page.value("document.documentElement.scrollHeight"))
                page.send(
                    "Emulation.setDeviceMetricsOverride", width=width, height=high, deviceScaleFactor=1, mobile=False
                )
                picture = page.send("Page.captureScreenshot", format="webp", quality=QUALITY)["data"]
                (folder / f"{name}-{width}.webp").write_bytes(base64.b64decode(picture))
                painted[f"{name}-{width}"] = page.value(PAINTED)
    return painted
