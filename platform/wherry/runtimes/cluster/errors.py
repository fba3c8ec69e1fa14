"""What the API's answers mean to us, said once.

PlatformFault
├── Refused        the server understood and will not: forbidden, invalid, over quota, an admission policy
├── Gone           what we watched from is too old: list again
├── Unreachable    the API is down or slow: it may be back in a moment
└── (itself)       what waiting alone does not mend: credentials, a webhook that fails, a namespace that does not go
NotFound, Conflict are the domain's own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from wherry.domain.errors import Conflict, NotFound, PlatformFault, WherryError
from wherry.domain.text import printable

HINT = "See docs/operations.md, 'On a cluster': wherry doctor tells what is wrong."
_LONGEST = 1000


class Refused(PlatformFault):
    """`reason`: the server's one word (Forbidden, Invalid, …); `status` the HTTP status; the message has its own words."""

    def __init__(self, message: str, *, reason: str, status: int) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status


class Gone(PlatformFault):
    """The resource version that we go on from is no longer kept (410)."""


class Unreachable(PlatformFault):
    """No answer, or none that makes sense."""


def of_answer(status: int, body: bytes, doing: str) -> WherryError:
    """The error for an answer that is no success. `doing`: "get the Deployment web"."""
    found = _status_object(body)
    said = printable(str(found.get("message") or body[:_LONGEST].decode(errors="replace")), _LONGEST)
    return of_status(status, str(found.get("reason", "")), f"could not {doing}: {said or status}")


def of_status(status: int, reason: str, message: str) -> WherryError:
    if status == 404:
        return NotFound(message)
    if status == 409:
        return Conflict(message)
    if status == 410 or reason == "Expired":
        return Gone(message)
    if status == 401:
        return PlatformFault(f"{message} (the cluster does not know who we are)", hint=HINT)
    if 400 <= status < 500:
        return Refused(message, reason=reason, status=status)
    if status in (502, 503, 504):
        return Unreachable(message, hint=HINT)
    return PlatformFault(message, hint=HINT)


def _status_object(body: bytes) -> Mapping[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
