"""Which PHP and which packages of the distribution an app wants."""

from __future__ import annotations

import os
import re
from pathlib import Path

import manifest
import versions
from manifest import Manifest

_OWN = (
    "calendar core ctype date exif ffi fileinfo filter ftp gettext hash iconv json libxml openssl pcntl pcre pdo phar "
    "posix random reflection session shmop sockets sodium spl standard sysvmsg sysvsem sysvshm tokenizer zend-opcache "
    "opcache zlib"
)
BUILT_IN = frozenset(_OWN.split())
"""What Debian's own php-cli and php-common have."""
_PACKAGES = {
    **dict.fromkeys(("dom", "simplexml", "xmlreader", "xmlwriter", "xsl"), "xml"),
    **dict.fromkeys(("mysqli", "pdo_mysql", "mysqlnd"), "mysql"),
    **dict.fromkeys(("pdo_pgsql",), "pgsql"),
    **dict.fromkeys(("pdo_sqlite",), "sqlite3"),
    **dict.fromkeys(("pdo_odbc",), "odbc"),
    **dict.fromkeys(("pdo_dblib",), "sybase"),
    **dict.fromkeys(("pdo_firebird",), "interbase"),
}
ALWAYS = ("curl", "mbstring", "xml")
HEROKU = ("heroku-php-apache2", "heroku-php-nginx")
_CALLED = re.compile(r"(?<![^\s\"';&|(=])((?:[A-Za-z0-9._-]+/)*)(" + "|".join(HEROKU) + r")(?![^\s\"';&|)])")


def servers_called(app: Path) -> list[tuple[str, str]]:
    """Heroku's programs that the Procfile starts: each by the folder before its name ("vendor/bin/") and its name."""
    file = app / "Procfile"
    text = file.read_text("utf-8", "replace") if file.is_file() else ""
    return list(dict.fromkeys((match[1], match[2]) for match in _CALLED.finditer(text)))


def constraint(content: Manifest) -> tuple[str, str]:
    """The constraint on PHP, "" for any, and what says so."""
    if given := os.environ.get("BP_PHP_VERSION", "").strip():
        return (f"{given}.*" if re.fullmatch(r"[0-9]+(\.[0-9]+)?", given) else given), "BP_PHP_VERSION"
    return content.php, content.asked


def package_of(extension: str) -> str:
    """The last part of the package's name; "" for what PHP always has. Raises ValueError."""
    if extension in BUILT_IN:
        return ""
    name = _PACKAGES.get(extension, extension)
    if not re.fullmatch("[a-z0-9][a-z0-9_-]*", name):
        raise ValueError(extension)
    return name.replace("_", "-")


def set_by_hand(app: Path) -> list[str]:
    """Extensions that files of .php.ini.d load, which on other platforms came with PHP."""
    found = []
    for file in sorted((app / ".php.ini.d").glob("*.ini")):
        text = file.read_text("utf-8", "replace")
        found += re.findall(
            r"^[ \t]*(?:zend_)?extension[ \t]*=[ \t]*\"?([a-z0-9_]+)(?:\.so)?\"?[ \t]*\r?$", text, re.MULTILINE
        )
    return found


def requirements(app: Path) -> list[dict[str, object]]:
    """Metadata of requirements for wherry/apt."""
    content = manifest.read(app)
    wanted, asked_by = constraint(content)
    series = versions.series(wanted) if wanted else ""
    php = f"php{series}"
    base = [f"{php}-cli", f"{php}-fpm", *(f"{php}-{name}" for name in ALWAYS)]
    known: dict[str, object] = {"what": f"PHP {wanted}", "have": "php([0-9]+[.][0-9]+)-fpm"} if series else {}
    known |= {"asked": asked_by, "hint": versions.hint("{have}", asked_by)} if series else {}
    servers = ["nginx"]
    if os.environ.get("CNB_TARGET_DISTRO_NAME") == "debian":
        # Spares php-fpm the whole of systemd, which it otherwise depends on.
        servers.append("systemd-standalone-tmpfiles")
    if any(name == "heroku-php-apache2" for _, name in servers_called(app)):
        servers += ["apache2-bin", "media-types"]
    asked: list[dict[str, object]] = [{"packages": base, "launch": True, **known}]
    asked.append({"packages": servers, "launch": True})
    for extension in dict.fromkeys([*content.extensions, *set_by_hand(app)]):
        package = package_of(extension)
        if package and package not in ALWAYS:
            what = f"the PHP extension {extension}"
            asked.append({"packages": [f"{php}-{package}"], "launch": True, "what": what})
    if content.locked or content.requires:
        asked.append({"packages": ["composer", f"{php}-intl"]})  # without intl it cannot tell of its errors
    return asked
