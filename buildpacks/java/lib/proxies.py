"""The operator's proxies and mirror in the words of Java, Maven and Gradle. What has a password goes into no log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """`scheme`: of the addresses that it is for."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def of(env: Mapping[str, str]) -> list[Proxy]:
    found = []
    for scheme in ("http", "https"):
        value = env.get(f"{scheme}_proxy") or env.get(f"{scheme.upper()}_PROXY") or ""
        parts = urlsplit(value if "://" in value else f"http://{value}")
        if value and parts.hostname:
            port = parts.port or _PORTS.get(parts.scheme, 80)
            user, password = unquote(parts.username or ""), unquote(parts.password or "")
            found.append(Proxy(scheme, parts.hostname, port, user, password))
    return found


def direct(env: Mapping[str, str]) -> str:
    """Hosts that are asked without a proxy, as Java writes them. Networks (10.0.0.0/8) have no words there."""
    hosts = []
    for name in (env.get("no_proxy") or env.get("NO_PROXY") or "").split(","):
        host = name.strip().removeprefix("*").partition(":")[0]
        if host.startswith("."):
            hosts.append(f"*{host}")
        elif host and "/" not in host:
            hosts += [host, f"*.{host}"]
    return "|".join(hosts)


def java_options(env: Mapping[str, str], *, logins: bool = False) -> list[str]:
    """Without logins unless told: a JVM prints what JAVA_TOOL_OPTIONS has."""
    options = []
    for each in of(env):
        options += [f"-D{each.scheme}.proxyHost={each.host}", f"-D{each.scheme}.proxyPort={each.port}"]
        if logins and each.user:
            options += [f"-D{each.scheme}.proxyUser={each.user}", f"-D{each.scheme}.proxyPassword={each.password}"]
    hosts = direct(env)
    return [*options, f"-Dhttp.nonProxyHosts={hosts}"] if options and hosts else options


def maven_settings(env: Mapping[str, str]) -> str:
    """Maven's global settings; "" when there is nothing to say. They take the place of Maven's own, whose one rule (no
    plain http from elsewhere) is kept.
    """
    mirror, found = env.get("MAVEN_MIRROR_URL", ""), of(env)
    if not mirror and not found:
        return ""
    lines = ["<settings>", "<mirrors>"]
    if mirror:
        lines.append(f"<mirror><id>operator</id><mirrorOf>central</mirrorOf><url>{escape(mirror)}</url></mirror>")
    lines.append(
        "<mirror><id>maven-default-http-blocker</id><mirrorOf>external:http:*</mirrorOf>"
        "<url>http://0.0.0.0/</url><blocked>true</blocked></mirror>"
    )
    lines += ["</mirrors>", "<proxies>"]
    for each in found:
        values = {"id": each.scheme, "active": "true", "protocol": each.scheme, "host": each.host, "port": each.port}
        if each.user:
            values |= {"username": each.user, "password": each.password}
        values["nonProxyHosts"] = direct(env)
        lines.append("<proxy>" + "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in values.items()) + "</proxy>")
    return "\n".join([*lines, "</proxies>", "</settings>", ""])
