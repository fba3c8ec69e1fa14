"""What composer.json and composer.lock say: the PHP, its extensions, and what Composer does besides installing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talk import BAD_SOURCE, Refusal

_EVENTS = (
    *("pre-install-cmd", "post-install-cmd", "pre-autoload-dump", "post-autoload-dump", "post-root-package-install"),
    *("pre-package-install", "post-package-install", "pre-operations-exec", "command", "init", "pre-command-run"),
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`php`: the constraint on PHP, "" for any, which stands in the file `asked`. `requires`: any packages at all."""

    php: str = ""
    asked: str = "composer.json"
    extensions: tuple[str, ...] = ()
    scripts: Mapping[str, Any] = field(default_factory=dict)
    autoload: Mapping[str, Any] = field(default_factory=dict)
    plugins: bool = False
    locked: bool = False
    requires: bool = False

    @property
    def runs_at_install(self) -> bool:
        """Whether installing does more than to fill the vendor folder, so that it cannot be left out."""
        return self.plugins or any(self.scripts.get(event) for event in _EVENTS)


def read(app: Path) -> Manifest:
    """Nothing without a composer.json. Raises Refusal."""
    content = _json(app, "composer.json")
    lock = _json(app, "composer.lock")
    require = _table(content, "require")
    packages = [each for each in lock.get("packages", []) if isinstance(each, dict)]
    names = {name for each in (require, _table(lock, "platform")) for name in each}
    names |= {name for package in packages for name in _table(package, "require")}
    replaced = {name for package in packages for name in (*_table(package, "replace"), *_table(package, "provide"))}
    extensions = {_extension(name) for name in names - (replaced - set(require)) if name.startswith("ext-")}
    php = require.get("php") or _table(lock, "platform").get("php") or ""
    return Manifest(
        php=str(php),
        asked="composer.json" if "php" in require else "composer.lock",
        extensions=tuple(sorted(extensions)),
        scripts=_table(content, "scripts"),
        autoload=_table(content, "autoload"),
        plugins=any(package.get("type") in ("composer-plugin", "composer-installer") for package in packages),
        locked=(app / "composer.lock").is_file(),
        requires=any("/" in name for name in require),
    )


def _extension(name: str) -> str:
    return name.removeprefix("ext-").lower().replace(" ", "-")


def _json(app: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((app / name).read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise Refusal(BAD_SOURCE, f"{name} is not JSON: {where}", "", "Try: composer validate") from error
    except (ValueError, RecursionError, OSError) as error:
        raise Refusal(BAD_SOURCE, f"{name} cannot be read: {error}", "", "Try: composer validate") from error
    if not isinstance(content, dict):
        raise Refusal(BAD_SOURCE, f"{name} is no JSON object", "", "Try: composer validate")
    return content


def _table(content: dict[str, Any], name: str) -> dict[str, Any]:
    """PHP writes an empty table as an empty list."""
    value = content.get(name) or {}
    return value if isinstance(value, dict) else {}
