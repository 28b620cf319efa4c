"""Headless Chromium, driven over its debugging pipe (DevTools protocol): a page at a width, and what is asked of it."""

import itertools
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe", "about:blank")

PATIENCE_S, AGAIN_S = 60.0, 10.0
_FOUND = """(() => {
  const one = [...document.querySelectorAll("a")].find((a) => a.checkVisibility() && a.innerText.includes(TEXT));
  one?.scrollIntoView({block: "center", behavior: "instant"});
  const box = one?.getClientRects()[0];
  return box ? {x: box.x + box.width / 2, y: box.y + box.height / 2} : null;
})()"""
"""Where the first link in sight is that has a text."""


class Browser:
    """One page of a running browser."""

    def __init__(self, to: int, heard: BinaryIO) -> None:
        self._to = to
        self._heard = heard
        self._numbers = itertools.count(1)
        self._session = ""
        targets = self.send("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.send("Page.enable")

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the answer to a command; what the browser tells meanwhile is left out."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = next(one for one in self._told() if one.get("id") == number)
        assert "result" in answer, answer
        return answer["result"]

    def open(self, address: str, width: int, *, media: str = "screen", dark: bool = False) -> None:
        """Open a page in a window of this width, in CSS pixels, and wait until it is there."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.send("Page.navigate", url=address)
        next(one for one in self._told() if one.get("method") == "Page.loadEventFired")

    def click(self, text: str) -> None:
        """Click with the mouse on the first link in sight that has the text, and wait until its page is there.

        LookupError where there is none; TimeoutError where nothing follows.
        """
        before, deadline = self.value("location.href"), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            place = self.value(_FOUND.replace("TEXT", json.dumps(text)))
            if not place:
                raise LookupError(text)
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)
            again = time.monotonic() + AGAIN_S  # what was under the mouse may have been put anew just then
            while time.monotonic() < again:
                if self._arrived(before):
                    return
                time.sleep(0.05)
        raise TimeoutError(text)

    def _arrived(self, before: str) -> bool:
        try:
            return bool(self.value(f"document.readyState === 'complete' && location.href !== {json.dumps(before)}"))
        except AssertionError:  # one page is gone, and the next not there yet
            return False

    def value(self, expression: str) -> Any:
        """Return what an expression gives on the page; a promise is waited for."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def _told(self) -> Iterator[dict[str, Any]]:
        """Yield what the browser says."""
        while True:
            text = bytearray()
            while (byte := self._heard.read(1)) != b"\0":
                assert byte, "the browser is gone"
                text += byte
            yield json.loads(text)


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Give a browser with a profile of its own; it is ended afterwards. FileNotFoundError where there is none."""
    if not CHROMIUM:
        raise FileNotFoundError("a browser is needed: Debian's package chromium")
    reads, to = os.pipe()
    heard, writes = os.pipe()
    command = f'exec "$0" "$@" 3<&{reads} 4>&{writes}'
    process = subprocess.Popen(
        ["bash", "-c", command, CHROMIUM, f"--user-data-dir={profile}", *FLAGS],
        pass_fds=(reads, writes),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(reads)
    os.close(writes)
    try:
        with os.fdopen(heard, "rb") as told:
            yield Browser(to, told)
    finally:
        process.terminate()
        process.wait(20)
        os.close(to)
