"""A drain's URL: what it may be."""

from __future__ import annotations

import pytest
from wherry.domain.drains import Target, target
from wherry.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("syslog://logs.example.org:514", Target("syslog", "logs.example.org", 514, "/", "")),
        ("syslog+tls://logs.example.org", Target("syslog+tls", "logs.example.org", 6514, "/", "")),
        ("https://u:p%40@x.example.org/in?a=b", Target("https", "x.example.org", 443, "/in?a=b", "u:p@")),
        ("https://[2606:4700::1]:8443", Target("https", "2606:4700::1", 8443, "/", "")),
    ],
)
def test_a_drain_is_syslog_or_https(url: str, found: Target) -> None:
    assert target(url) == found


BAD = [
    None,
    7,
    "",
    "x" * 2001,
    "http://logs.example.org/",
    "file:///etc/passwd",
    "https://",
    "https:///in",
    "https://a b/",
    "https://a\r\nHost: b/",
    "https://logs.example.org:0/",
    "https://logs.example.org:99999/",
    "https://logs.example.org/#x",
    "https://[::1/",
    "https://-a.example.org/",
    "https://ä.example.org/",
    "syslog://u:p@logs.example.org:514",
    "syslog://logs.example.org:514/path",
]


@pytest.mark.parametrize("url", BAD)
def test_anything_else_is_refused_without_repeating_it(url: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        target(url)
    assert "u:p" not in " ".join(caught.value.lines())


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        target("ftp://:0/#a")
    assert len(caught.value.evidence) == 4
