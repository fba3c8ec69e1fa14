"""The answers that the router gives itself: Heroku's codes, and one small page for all of them. Pure.

Nothing of the request stands in a page but the request id, which is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1c2024; --dim: #60656c; --paper: #fcfcfd; --line: #e0e3e8 }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #edeef0; --dim: #9ba1a8; --paper: #111315; --line: #2e3236 }}
}}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }}
main {{ max-width: 32rem; padding: 2rem }}
h1 {{ margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }}
p {{ margin: 0 0 1.5rem }}
dl {{ margin: 0; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--dim); font-size: .875rem;
  display: grid; grid-template-columns: auto 1fr; gap: .25rem 1rem }}
dd {{ margin: 0; font-family: ui-monospace, monospace; overflow-wrap: anywhere }}
</style>
<main>
<h1>{title}</h1>
<p>{sentence}</p>
<dl><dt>Code</dt><dd>{code}</dd><dt>Request</dt><dd>%REQ(X-REQUEST-ID)%</dd></dl>
</main>
</html>
"""


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer of the router's own. `flags`: Envoy's response flags that mean it; `status`: what the client gets;
    `when`: only where Envoy itself would have answered with this status.

    Codes are Heroku's (devcenter.heroku.com/articles/error-codes) wherever one means the same.
    """

    code: str
    status: int
    flags: tuple[str, ...]
    title: str
    sentence: str
    when: int = 0


IN_MAINTENANCE = 599
"""The status by which the router knows its own answer for an app in maintenance, and makes it the page of H80: such an
answer has no response flag.
"""

FAULTS: tuple[Fault, ...] = (
    Fault(
        "no-such-app",
        404,
        ("NR",),
        "There is no app here",
        "No app answers at this address. Check its name for a slip of the keys.",
    ),
    Fault(
        "H14",
        503,
        ("UH",),
        "No web process is running",
        "This app exists, but it runs no web process. Its owner can deploy it: git push wherry main; or start one:"
        " wherry ps:scale web=1",
    ),
    Fault(
        "H10",
        503,
        ("UF",),
        "The app does not answer",
        "Its process refuses connections: it has crashed, or is just starting again. Its owner sees why: wherry logs",
    ),
    Fault("H11", 503, ("UO", "OM"), "Too many requests at once", "The app is at its limit. Please try again soon."),
    Fault(
        "H12",
        504,
        ("SI",),
        "The app took too long",
        "It sent nothing for 55 seconds, so the router stopped waiting. Its owner sees why: wherry logs",
        when=504,
    ),
    Fault(
        "H28",
        408,
        ("SI",),
        "The request took too long",
        "Nothing of the request arrived for 55 seconds, so the router stopped waiting.",
        when=408,
    ),
    Fault(
        "H13",
        502,
        ("UC", "UR"),
        "The app closed the connection",
        "It ended before it had answered. Its owner sees why: wherry logs",
    ),
    Fault(
        "H17",
        502,
        ("UPE",),
        "The app's answer was not HTTP",
        "The router could not read what the app sent. Its owner sees more: wherry logs",
    ),
    Fault(
        "H80",
        503,
        (),
        "Back soon",
        "This app is in maintenance. Please try again in a while. Its owner ends it: wherry maintenance:off",
        when=IN_MAINTENANCE,
    ),
    Fault("H99", 503, ("NC",), "The platform is at fault", "The route of this app is incomplete. Please try again."),
    Fault("bad-request", 400, ("DPE",), "The request was not right", "It is not valid HTTP.", when=400),
)
OTHER = Fault("%RESPONSE_CODE%", 0, (), "The request could not be answered", "The router refused it.")


def fault_of(flags: str, status: int) -> Fault | None:
    """The fault behind an access-log record's response flags ("UF,URX") and status; None where the app answered."""
    found = set(flags.split(","))
    for fault in FAULTS:
        if found.intersection(fault.flags) and status in (fault.status, fault.when):
            return fault
    return None


def page(fault: Fault) -> str:
    return _PAGE.format(title=fault.title, sentence=fault.sentence, code=fault.code)


def local_replies() -> dict[str, Any]:
    """Envoy's LocalReplyConfig: the first mapper that matches wins; any other answer of its own gets the plain page."""
    return {"mappers": [_mapper(fault) for fault in FAULTS], "body_format": _body(OTHER)}


def _mapper(fault: Fault) -> dict[str, Any]:
    return {
        "filter": _filter(fault),
        "status_code": fault.status,
        "body_format_override": _body(fault),
        "headers_to_add": [
            {"header": {"key": "cache-control", "value": "no-store"}},
            {"header": {"key": "x-wherry-code", "value": fault.code}},
            {"header": {"key": "x-request-id", "value": "%REQ(X-REQUEST-ID)%"}},
        ],
    }


def _filter(fault: Fault) -> dict[str, Any]:
    filters: list[dict[str, Any]] = []
    if fault.flags:
        filters.append({"response_flag_filter": {"flags": list(fault.flags)}})
    if fault.when:
        comparison = {"op": "EQ", "value": {"default_value": fault.when, "runtime_key": "wherry.none"}}
        filters.append({"status_code_filter": {"comparison": comparison}})
    return filters[0] if len(filters) == 1 else {"and_filter": {"filters": filters}}


def _body(fault: Fault) -> dict[str, Any]:
    return {"text_format_source": {"inline_string": page(fault)}, "content_type": "text/html; charset=utf-8"}
