"""`wherry boot:enable` and `boot:disable`: a unit of systemd that starts the platform with its machine, or does no longer.

Everybody may read a unit, and ask for its `Environment=` (systemd.exec(5)); so what the platform was set to, passwords among
it, lies in the data folder's `secrets/`, which is its owner's.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from wherry.builds.operator_env import OPERATOR
from wherry.domain.errors import PlatformFault
from wherry.home import Home
from wherry.settings import Settings
from wherry.whole import write_whole

Say = Callable[[str], None]
UNITS = Path("/etc/systemd/system")
RUNS = Path("/run/systemd/system")
"""There where systemd is what starts the machine's services (sd_booted(3))."""

_KEPT = ("HOME", "LANG", "DOCKER_HOST", "DOCKER_CONFIG", *OPERATOR)
_SECONDS = 60
# The router and what keeps the apps' logs outlive the supervisor: only it is told to stop. It takes its time over requests.
_UNIT = """\
[Unit]
Description=Wherry in {folder}
Wants=network-online.target docker.service
After=network-online.target docker.service

[Service]
Type=exec
EnvironmentFile={environment}
ExecStart={python} -m wherry.supervisor up
KillMode=process
TimeoutStopSec=90
Restart=on-failure
RestartSec=10

[Install]
WantedBy=multi-user.target
"""


def enable(settings: Settings, environ: Mapping[str, str], say: Say) -> None:
    """From the next start of the machine on, with these settings and this way to the internet. What runs goes on.

    Raises PlatformFault where there is no systemd, for all but root, and when systemd refuses.
    """
    _check()
    Home(settings.folder).prepare()
    kept = {name: environ[name] for name in _KEPT if environ.get(name)} | settings.environ()
    environment = _environment(settings)
    write_whole(environment, "".join(_assigned(name, value) for name, value in sorted(kept.items())).encode(), 0o600)
    unit = _UNIT.format(folder=_plain(settings.folder), environment=_plain(environment), python=_quoted(sys.executable))
    write_whole(UNITS / unit_name(settings), unit.encode(), 0o644)
    _systemctl("daemon-reload")
    _systemctl("enable", unit_name(settings))
    say(f"{unit_name(settings)}: the platform in {settings.folder} starts with this machine, set as it is now.")


def disable(settings: Settings, say: Say) -> None:
    """What runs goes on. Raises PlatformFault as `enable` does."""
    _check()
    name = unit_name(settings)
    if (UNITS / name).exists():
        _systemctl("disable", name)
        (UNITS / name).unlink()
        _systemctl("daemon-reload")
    _environment(settings).unlink(missing_ok=True)
    say(f"{name}: the platform in {settings.folder} does not start with this machine.")


def unit_name(settings: Settings) -> str:
    """Of its own for each data folder: a machine may have several platforms."""
    words = re.sub("[^A-Za-z0-9]+", "-", str(settings.folder)).strip("-")
    return "wherry.service" if words == "var-lib-wherry" else f"wherry-{words}.service"


def _environment(settings: Settings) -> Path:
    return settings.folder / "secrets" / "boot.env"


def _check() -> None:
    if not RUNS.is_dir():
        raise PlatformFault(
            "no systemd starts the services of this machine",
            hint="Have what does start them run, as root: wherry up --detach",
        )
    if os.geteuid() != 0:
        raise PlatformFault("only root says what starts with this machine", hint="Type it once more with: sudo")


def _assigned(name: str, value: str) -> str:
    """A line of an EnvironmentFile (systemd.exec(5)). Raises PlatformFault for a value of several lines."""
    if not value.isprintable():
        raise PlatformFault(f"{name} has characters that cannot be printed", hint=f"unset {name}, or set it anew")
    quoted = re.sub(r'([\\"$`])', r"\\\1", value)
    return f'{name}="{quoted}"\n'


def _plain(path: Path) -> str:
    """A unit reads % as the begin of a specifier (systemd.unit(5))."""
    return str(path).replace("%", "%%")


def _quoted(program: str) -> str:
    """As a command line of a unit has it (systemd.service(5))."""
    escaped = re.sub(r'([\\"])', r"\\\1", program).replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _systemctl(*argv: str) -> None:
    done = subprocess.run(["systemctl", *argv], capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode != 0:
        raise PlatformFault(
            f"systemctl {' '.join(argv)} ended with exit code {done.returncode}", evidence=done.stderr.splitlines()[-5:]
        )
