"""What is to be served, as values. Made by settings.py and netlify.py, turned into nginx's words by conf.py."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Header:
    """`pattern`: of decoded paths."""

    pattern: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of redirects. `raw` matches paths as they are asked for, `pattern` decoded ones; both name the parts of
    the path `p_<name>`, which stand in `target` as ${p_<name>}. `status` 200 serves another file, 404 serves it as an
    error page, others lead elsewhere. `force`: even where there is a file.
    """

    raw: str
    pattern: str
    target: str
    status: int
    force: bool


@dataclass(slots=True)
class Site:
    """`root`: a folder of the app; `error_page`: a path below it, "" for none."""

    root: str = ""
    spa: bool = False
    clean_urls: bool = False
    error_page: str = ""
    https_only: bool = False
    headers: list[Header] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
