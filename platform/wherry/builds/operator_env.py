"""What this machine hands to builds: proxies, package indexes and the certificates it trusts. Never in a layer.

Paths of this machine mean nothing in a build's container, so values that are paths stay here, but for the bundle of
certificates, which is mounted.
"""

from __future__ import annotations

import configparser
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from wherry.builds.env import Action, Change

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
BUNDLES = (
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
)
_PASSED = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT"),
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST", "UV_HTTP_TIMEOUT"),
    *("UV_INDEX_STRATEGY", "UV_NATIVE_TLS", "UV_PYTHON_INSTALL_MIRROR", "UV_PYTHON_DOWNLOADS_JSON_URL"),
    *("NPM_CONFIG_REGISTRY", "NPM_CONFIG_PROXY", "NPM_CONFIG_HTTPS_PROXY", "NPM_CONFIG_NOPROXY"),
    *("NPM_CONFIG_STRICT_SSL", "NPM_CONFIG_FETCH_RETRIES", "NPM_CONFIG_FETCH_TIMEOUT", "NPM_CONFIG_MAXSOCKETS"),
    *("npm_config_registry", "npm_config_proxy", "npm_config_https_proxy", "npm_config_noproxy"),
    *("YARN_REGISTRY", "YARN_NPM_REGISTRY_SERVER", "YARN_UNSAFE_HTTP_WHITELIST", "YARN_HTTP_PROXY", "YARN_HTTPS_PROXY"),
    *("YARN_HTTP_TIMEOUT", "YARN_HTTP_RETRY", "BUN_CONFIG_REGISTRY"),
    *("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GONOPROXY", "GOINSECURE", "GOVCS"),
    *("BP_RUST_CRATES_MIRROR", "CARGO_HTTP_PROXY", "CARGO_HTTP_TIMEOUT", "CARGO_HTTP_MULTIPLEXING", "CARGO_NET_RETRY"),
    *("CARGO_NET_GIT_FETCH_WITH_CLI", "CARGO_HTTP_CHECK_REVOKE"),
    *("BUNDLE_MIRROR__ALL", "BUNDLE_MIRROR__ALL__FALLBACK_TIMEOUT", "BUNDLE_TIMEOUT", "BUNDLE_RETRY"),
    *("COMPOSER_IPRESOLVE", "COMPOSER_MAX_PARALLEL_HTTP"),
    *("MAVEN_MIRROR_URL", "MVNW_REPOURL"),
)
OPERATOR = (*PROXIES, *BUNDLES, *_PASSED)
"""All variables of this machine that say how it reaches the internet."""

_PIP = {"index-url": "PIP_INDEX_URL", "extra-index-url": "PIP_EXTRA_INDEX_URL", "trusted-host": "PIP_TRUSTED_HOST"}
_NPM = {
    "registry": "NPM_CONFIG_REGISTRY",
    "proxy": "NPM_CONFIG_PROXY",
    "https-proxy": "NPM_CONFIG_HTTPS_PROXY",
    "noproxy": "NPM_CONFIG_NOPROXY",
    "strict-ssl": "NPM_CONFIG_STRICT_SSL",
}
_PLACES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


def proxies(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: environ[name] for name in PROXIES if environ.get(name)}


def operator_changes(
    environ: Mapping[str, str], pip_files: Sequence[str], bundle: str, npm_files: Sequence[str] = ()
) -> tuple[Change, ...]:
    """`pip_files`, `npm_files`: texts of pip's and npm's configuration, the weakest first. `bundle`: where the container
    has it, "" for nowhere. An app's own variable of the same name counts more (platform.md "Operator-Defined Variables").
    """
    values = _pip_settings(pip_files) | _npm_settings(npm_files)
    values |= {name: environ[name] for name in _PASSED if environ.get(name)}
    values = {name: value for name, value in values.items() if not _local(value)}
    if bundle:
        values |= dict.fromkeys(BUNDLES, bundle)
    return tuple(Change(name, Action.DEFAULT, values[name]) for name in sorted(values))


def pip_files(environ: Mapping[str, str]) -> list[str]:
    """pip's configuration files of this machine (pip's documentation, "Configuration"), the weakest first."""
    home = Path(environ.get("HOME", "/nonexistent"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    paths = [Path("/etc/xdg/pip/pip.conf"), Path("/etc/pip.conf"), home / ".pip/pip.conf", config / "pip/pip.conf"]
    paths += [Path(sys.prefix, "pip.conf"), Path(environ.get("PIP_CONFIG_FILE") or os.devnull)]
    return [path.read_text("utf-8", "replace") for path in paths if path.is_file() and os.access(path, os.R_OK)]


def npm_files(environ: Mapping[str, str]) -> list[str]:
    """npm's configuration files of this machine (npm's documentation, "npmrc"), the weakest first."""
    named = {name.lower(): value for name, value in environ.items()}
    home = Path(environ.get("HOME", "/nonexistent"))
    paths = [Path("/etc/npmrc"), Path("/usr/etc/npmrc"), Path("/usr/local/etc/npmrc")]
    paths += [Path(named.get("npm_config_globalconfig") or os.devnull)]
    paths += [Path(named.get("npm_config_userconfig") or home / ".npmrc")]
    return [path.read_text("utf-8", "replace") for path in paths if path.is_file() and os.access(path, os.R_OK)]


def bundle_of_host(environ: Mapping[str, str]) -> Path | None:
    """The file of certificates that this machine trusts; None when it has none that we know of."""
    named = [environ[name] for name in BUNDLES if environ.get(name)]
    default = ssl.get_default_verify_paths().cafile
    for place in (*named, *_PLACES, *([default] if default else [])):
        if Path(place).is_file() and os.access(place, os.R_OK):
            return Path(place)
    return None


def _pip_settings(texts: Sequence[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for text in texts:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue  # pip itself refuses such a file; what it would have said is not known
        for section in ("global", "install"):
            for key, value in parser.items(section) if parser.has_section(section) else ():
                if name := _PIP.get(key.replace("_", "-")):
                    values[name] = " ".join(value.split())
    return values


def _npm_settings(texts: Sequence[str]) -> dict[str, str]:
    """Lines `key = value`. What names another variable is left: it means nothing in a build. Logins stay here."""
    values: dict[str, str] = {}
    for line in "\n".join(texts).splitlines():
        key, sign, value = line.partition("=")
        value = value.strip().strip("\"'")
        if sign and value and "${" not in value and (name := _NPM.get(key.strip().replace("_", "-"))):
            values[name] = value
    return values


def _local(value: str) -> bool:
    return any(word.startswith(("/", "file:", "~", ".")) for word in value.split()) or any(
        proxy in value for proxy in (",file:", "|file:")
    )
