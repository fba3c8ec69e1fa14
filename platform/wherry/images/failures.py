"""What becomes of a request to a registry that failed. The one place that translates requests' exceptions."""

from __future__ import annotations

import email.utils
from contextlib import suppress
from datetime import UTC, datetime

import requests

from wherry.domain.errors import PlatformFault
from wherry.domain.text import printable
from wherry.images.address import shown
from wherry.images.patience import Interrupted

HINT = "Is the registry up, and is its login right? wherry doctor"
_TRANSIENT = {408, 425, 429, 500, 502, 503, 504}


def broken(method: str, url: str, error: Exception) -> Interrupted:
    """A connection that failed. Only the kind of the error is told: requests quotes URLs, with what is in them."""
    reason = type(error).__name__
    interrupted = Interrupted(
        PlatformFault(f"the registry does not answer: {method} {shown(url)}", evidence=[reason], hint=HINT)
    )
    interrupted.__cause__ = error
    return interrupted


def refused(method: str, url: str, response: requests.Response) -> PlatformFault | Interrupted:
    """An answer that was not asked for: worth another try, or not."""
    fault = _refusal(method, url, response)
    return Interrupted(fault, _retry_after(response)) if response.status_code in _TRANSIENT else fault


def _refusal(method: str, url: str, response: requests.Response) -> PlatformFault:
    first = ""
    with suppress(requests.RequestException):
        first = next(response.iter_content(2048), b"").split(b"\n")[0].decode("utf-8", "replace").strip()
    return PlatformFault(
        f"the registry answered {response.status_code} to {method} {shown(url)}",
        evidence=[printable(first, 300)] if first else [],
        hint=HINT,
    )


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text)
    with suppress(ValueError, TypeError, OverflowError):
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    return None
