"""Downloads a file from the first of several addresses that gives the right one."""

from __future__ import annotations

import http.client
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from typing import Final

from minitorch.data.idx import DatasetError

CONNECT_SECONDS: Final = 10.0  # until the answer begins (name, connection, TLS, redirects), and for every pause in it
TRANSFER_SECONDS: Final = 300.0  # for the whole answer: ten megabytes over a line of 33 kB/s
# How an address must begin, also after redirects. The tests, whose server has no certificate, add their own.
_ALLOWED_PREFIXES: tuple[str, ...] = ("https://",)
_ONLY_HTTPS = "only https is followed"
_FAILURES = (OSError, http.client.HTTPException, ValueError)  # network, time, TLS and status; protocol; addresses


class DownloadError(DatasetError):
    """No address gave the right file; the message lists every address with its reason."""


def fetch_first(addresses: Iterable[str], limit: int, check: Callable[[bytes, str], None]) -> bytes:
    """Return the first answer of at most ``limit`` bytes for which ``check(content, address)`` raises no `DatasetError`."""
    reasons = []
    for address in addresses:
        deadline, content = time.monotonic() + TRANSFER_SECONDS, bytearray()
        try:
            with _open(address) as response:
                while chunk := response.read1(1 << 16):  # read() would wait for all 65,536 bytes, however slowly they arrive
                    content += chunk
                    if len(content) > limit:
                        raise OSError(f"sends more than the {limit:,} bytes the file can have")
                    if time.monotonic() > deadline:
                        raise TimeoutError(f"sent {len(content):,} bytes in {TRANSFER_SECONDS:g} s and was not done")
            check(bytes(content), address)
            return bytes(content)
        except DatasetError as error:
            reasons.append(str(error))
        except urllib.error.HTTPError as error:
            with error:  # it holds the connection
                reasons.append(f"{address}: {error}")
        except _FAILURES as error:
            reasons.append(f"{address}: {str(error) or type(error).__name__}")
    raise DownloadError("\n".join(reasons))


def _open(address: str) -> http.client.HTTPResponse:
    """Open ``address`` in its own thread, and wait at most CONNECT_SECONDS.

    A socket's time limit does not cover the name look-up, and applies to each of a name's IP addresses separately.
    """
    if not address.startswith(_ALLOWED_PREFIXES):
        raise ValueError(_ONLY_HTTPS)
    answer: queue.SimpleQueue[http.client.HTTPResponse | Exception] = queue.SimpleQueue()

    def open_it() -> None:
        try:
            request = urllib.request.Request(address, headers={"User-Agent": "minitorch"})
            answer.put(urllib.request.build_opener(_GuardedRedirects).open(request, timeout=CONNECT_SECONDS))
        except _FAILURES as error:
            answer.put(error)

    threading.Thread(target=open_it, daemon=True).start()
    try:
        response = answer.get(timeout=CONNECT_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {CONNECT_SECONDS:g} s") from None
    if isinstance(response, Exception):
        raise response
    return response


class _GuardedRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if not newurl.startswith(_ALLOWED_PREFIXES):
            raise urllib.error.HTTPError(req.full_url, code, f"leads to {newurl}, {_ONLY_HTTPS}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
