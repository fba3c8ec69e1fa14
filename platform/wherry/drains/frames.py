"""A line of a log as a syslog message (RFC 5424), framed by its length (RFC 6587, 3.4.1). Pure.

Priorities are Heroku's: local7.info for the app, local3.info for the router, syslog.notice for the rest of the platform.
"""

from __future__ import annotations

from wherry.domain.log import APP, LogLine, micro

_APP, _ROUTER, _PLATFORM = 190, 158, 45


def syslog(line: LogLine, token: str) -> bytes:
    """RFC 5424; the drain's token stands where the host name does, as receivers of Heroku's logs expect."""
    return _framed(f"{_head(line, token)} - - {line.text}")


def logplex(line: LogLine) -> bytes:
    """``application/logplex-1``: the same without structured data, each with a newline."""
    return _framed(f"{_head(line, 'host')} - {line.text}\n")


def _head(line: LogLine, host: str) -> str:
    return f"<{_priority(line)}>1 {micro(line.at)} {host} {line.source} {line.process}"


def _priority(line: LogLine) -> int:
    if line.source == APP:
        return _APP
    return _ROUTER if line.process == "router" else _PLATFORM


def _framed(message: str) -> bytes:
    raw = message.encode("utf-8", "backslashreplace")
    return b"%d %b" % (len(raw), raw)
