"""A headless Chromium, driven through a pipe by its DevTools protocol: nothing but the browser itself is needed."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import itertools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def executable() -> str | None:
    """Where a Chromium is, if there is one; MINITORCH_BROWSER names another."""
    return os.environ.get("MINITORCH_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


def axe() -> Path | None:
    """Where axe-core is, if it is: MINITORCH_AXE names its axe.min.js, else that of the package axe-core-python serves."""
    if "MINITORCH_AXE" in os.environ:
        return Path(os.environ["MINITORCH_AXE"])
    package = importlib.util.find_spec("axe_core_python")
    return Path(package.origin).with_name("axe.min.js") if package and package.origin else None


class Page:
    """A tab: it counts requests and keeps what the console said."""

    def __init__(self, send: Any, receive: Any) -> None:
        self._send, self._receive = send, receive
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict:
        """One command of the protocol, and its result."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self._send(message)
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._note(answer)

    def _note(self, event: dict) -> None:
        self.last = event.get("method")
        told = event.get("params", {})
        if self.last == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif self.last == "Runtime.exceptionThrown":
            self.errors.append(told["exceptionDetails"].get("exception", {}).get("description") or str(told))
        elif self.last == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.errors.append(told["entry"]["text"])

    def open(self, url: str | Path, width: int = 1280, height: int = 860, dark: bool = False, scale: float = 1) -> None:
        """Load a page in a window of that size."""
        url = url.resolve().as_uri() if isinstance(url, Path) else url
        mobile = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=mobile)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", media="", features=scheme)
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        while (
            self.run("document.readyState + location.href") == "completeabout:blank"
            or self.run("document.readyState") != "complete"
        ):
            pass

    def run(self, expression: str) -> Any:
        """The value of an expression in the page; raises RuntimeError with the page's own exception."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", str(result)))
        return result["result"].get("value")

    def press(self, key: str, shift: bool = False) -> None:
        """A key, pressed and released as by a keyboard."""
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        code = codes.get(key, ord(key[0].upper()))
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def picture(self, path: Path) -> None:
        """A PNG of the window."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """A fresh, headless browser and one tab, offline."""
    to_read, to_write = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"]
        flags += ["--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--proxy-server=127.0.0.1:9"]
        command = [executable(), *flags, f"--user-data-dir={profile}", "about:blank"]
        ours = {to_read[0], to_write[1]}

        def descriptors() -> None:  # the browser reads commands from 3 and writes answers to 4
            high = [os.dup(to_read[0]), os.dup(to_write[1])]
            high = [os.dup2(fd, 10 + i) for i, fd in enumerate(high)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)

        process = subprocess.Popen(
            command, preexec_fn=descriptors, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for fd in ours:
            os.close(fd)
        waiting = bytearray()

        def send(message: dict) -> None:
            os.write(to_read[1], json.dumps(message).encode() + b"\0")

        def receive() -> dict:
            while b"\0" not in waiting:
                chunk = os.read(to_write[0], 1 << 20)
                if not chunk:
                    raise RuntimeError("the browser has ended")
                waiting.extend(chunk)
            text, _, rest = bytes(waiting).partition(b"\0")
            waiting[:] = rest
            return json.loads(text)

        try:
            yield Page(send, receive)
        finally:
            with contextlib.suppress(OSError):
                send({"id": 0, "method": "Browser.close"})
            os.close(to_read[1])
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(to_write[0])
