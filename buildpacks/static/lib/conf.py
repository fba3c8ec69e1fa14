"""The site in nginx's words. Pure.

Headers: one variable for each name, filled by a map of the path that was asked for; an empty one is not sent. The first
line of the server reads $asked, which keeps its value when nginx leads the request to another file inside.
Redirects match the path as it came ($raw): what a decoded path holds must never get into a header.
"""

from __future__ import annotations

import re

from netlify import REDIRECTS
from website import Rule, Site

FINGERPRINTS = (
    r"[.-](?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?:\.[A-Za-z0-9]+)+$",
    r"/(?:assets|static|build|chunks|js|css|_astro|_nuxt)/(?:[^/]+/)*[^/]*[-.](?=[^/.]*[0-9])(?=[^/.]*[a-z])(?=[^/.]*[A-Z])"
    r"[A-Za-z0-9_-]{8}\.(?:m?js|css|woff2?|wasm|svg|png|jpe?g|webp|avif|gif|ico|json)(?:\.map)?$",
    r"^/(?:_next/static|_app/immutable)/",
)
"""Names that change with what is in the file: of bundlers' hexadecimal digests, Vite's, and folders of Next.js and
SvelteKit. A name that only looks a little like it is left out: keeping a changed file for a year is worse.
"""
IMMUTABLE = "public, max-age=31536000, immutable"
_HIDDEN = r"^/(?:Procfile|project\.toml|static\.json|app\.json|_headers|_redirects)(?:\.gz|\.br)?$"


def http_part(site: Site) -> str:
    lines = ['geo $dollar { default "$"; }']
    lines += ["map $request_uri $raw {", '  default "/";', f'  {_q("~^(?<raw_path>[^?#]*)")} "$raw_path";', "}"]
    lines += ["map $uri $asked { default $uri; }"]
    lines += [
        "map $uri $immutable {",
        '  default "";',
        *(f"  {_q('~' + each)} {_q(IMMUTABLE)};" for each in FINGERPRINTS),
        "}",
    ]
    for variable, name in _variables(site).items():
        lines += [f"map $asked {variable} {{", f"  default {'$immutable' if name == 'cache-control' else _q('')};"]
        rules = [each for each in site.headers if each.name.lower() == name]
        for pattern in dict.fromkeys(rule.pattern for rule in reversed(rules)):  # of several the last one counts
            value = ", ".join(rule.value for rule in rules if rule.pattern == pattern)
            lines.append(f"  {_q('~' + pattern)} {_q(value.replace('$', '${dollar}'))};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def server_part(site: Site, etag: str) -> str:
    """`etag`: a word that changes with any file or setting."""
    lines = ["set $kept $asked;", 'add_header Last-Modified "";', f"add_header ETag 'W/\"{etag}\"';"]
    if site.https_only:
        lines.append('if ($http_x_forwarded_proto = "http") { return 301 https://$host$request_uri; }')
    lines.append(f'if ($http_if_none_match ~ "{etag}") {{ return 304; }}')
    shown = {header.name.lower(): header.name for header in site.headers} | {"cache-control": "Cache-Control"}
    for variable, name in _variables(site).items():
        lines.append(f"add_header {_q(shown[name])} {variable}{'' if name == 'cache-control' else ' always'};")
    if site.error_page:
        lines.append(f"error_page 404 {_q('/' + site.error_page.lstrip('/').replace('$', '${dollar}'))};")
    lines += ["location ~ /\\.(?!well-known/) { return 404; }", f"location ~ {_q(_HIDDEN)} {{ return 404; }}"]
    files = _files(site)
    types = {each.pattern: each.value for each in site.headers if each.name.lower() == "content-type"}
    for pattern, value in reversed(types.items()):
        lines.append(f"location ~ {_q(pattern)} {{ types {{}} default_type {_q(value)};\n{files}}}")
    lines += [f"location / {{\n{files}}}", "location @rules {"]
    lines += [_rule(rule) for rule in site.rules if not rule.force]
    if site.spa:
        lines += [f"  if ($uri ~ {_q(each)}) {{ return 404; }}" for each in FINGERPRINTS]
        lines.append("  rewrite ^ /index.html break;")
    else:
        lines.append("  return 404;")
    return "\n".join([*lines, "}", ""])


def _files(site: Site) -> str:
    pages = "$uri.html " if site.clean_urls else ""
    forced = "".join(_rule(rule) + "\n" for rule in site.rules if rule.force)
    return f"{forced}  error_page 403 = @rules;\n  try_files $uri {pages}$uri/ @rules;\n"


def _rule(rule: Rule) -> str:
    if rule.status in REDIRECTS:
        more = "" if re.search(r"[?#]", rule.target) else "$is_args$args"
        return f"  if ($raw ~ {_q(rule.raw)}) {{ return {rule.status} {_q(rule.target + more)}; }}"
    if rule.status == 200:
        return f"  rewrite {_q(rule.pattern)} {_q(rule.target)} break;"
    return f"  if ($raw ~ {_q(rule.raw)}) {{ error_page 404 {_q(rule.target)}; return 404; }}"


def _variables(site: Site) -> dict[str, str]:
    """By variable, the header's name in small letters."""
    names = dict.fromkeys(each.name.lower() for each in site.headers)
    names = {name: None for name in names if name != "content-type"} | {"cache-control": None}
    return {f"$header_{number}": name for number, name in enumerate(names)}


def _q(text: str) -> str:
    """Between double quotes as nginx reads them: it takes a backslash away before a quote or another backslash."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
