"""git over SSH on one machine: OpenSSH's own sshd on a port of ours, and the door behind its forced command.

As root it lets in a system user without any rights, `wherry`, which is made for it; else only who runs the platform.
"""

from __future__ import annotations

import base64
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from wherry import hook
from wherry.domain.errors import PlatformFault
from wherry.home import Home
from wherry.settings import Settings
from wherry.sources.ssh_folder import SshAddress, SshFolder
from wherry.supervisor.service import Service

Say = Callable[[str], None]
USER = "wherry"
NAMES = ("sshd", "ssh-door")
_PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"
_SEPARATION = Path("/run/sshd")


def services(settings: Settings, home: Home, listens: Callable[[str, int], bool], say: Say) -> list[Service]:
    """[] where it is off or cannot be, which is said."""
    folder = SshFolder.of(home.folder, home.platform)
    SshAddress.forget(home.folder)
    try:
        sshd, user = _sshd(settings), _user()
        key = _host_key(home)
        folder.make(hook.FOLDER / "serve", config(settings, folder, user, key))
    except (Missing, PlatformFault, OSError) as error:
        say(f"git over SSH is off: {error}")
        return []
    address = SshAddress(user, int(settings.ssh_port), fingerprint(key))
    address.write(home.folder)
    say(f"git over SSH: {address.url('localhost', 'NAME')}, host key {address.fingerprint}")
    env = {**os.environ, **settings.environ(), "PYTHONUNBUFFERED": "1"}
    ready = home.folder / "run" / "ssh-door.ready"
    door = (sys.executable, "-m", "wherry.supervisor", "ssh-door", "--user", user)
    port = int(settings.ssh_port)
    return [
        Service("ssh-door", door, env, home.folder, lambda: _is_up(ready)),
        Service(
            "sshd",
            (sshd, "-D", "-e", "-f", str(folder.config)),
            {"PATH": os.environ.get("PATH", os.defpath)},
            home.folder,
            lambda: listens(settings.bind, port),
            grace=5.0,
        ),
    ]


def _is_up(ready: Path) -> bool:
    """Whether the door that wrote this file still lives: one that was adopted does, and an earlier one's file stays."""
    try:
        os.kill(int(ready.read_text(encoding="ascii")), 0)
    except (OSError, ValueError):
        return False
    return True


class Missing(Exception):
    """Why there is no git over SSH here."""


def config(settings: Settings, folder: SshFolder, user: str, key: Path) -> str:
    """All that sshd reads: no file of the machine's own sshd, no password, no shell, no forwarding (sshd_config(5))."""
    lines = {
        "Port": settings.ssh_port,
        "ListenAddress": settings.bind or "0.0.0.0",  # noqa: S104 - the operator's own choice
        "HostKey": str(key),
        "PidFile": "none",
        "AllowUsers": user,
        "PermitRootLogin": "forced-commands-only" if user == "root" else "no",
        "AuthenticationMethods": "publickey",
        "AuthorizedKeysFile": str(folder.keys),
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
        "HostbasedAuthentication": "no",
        "UsePAM": "no",
        # The folder is ours and may lie below one that others can write to, as /tmp.
        "StrictModes": "no",
        "DisableForwarding": "yes",
        "AllowAgentForwarding": "no",
        "AllowStreamLocalForwarding": "no",
        "AllowTcpForwarding": "no",
        "GatewayPorts": "no",
        "PermitTunnel": "no",
        "X11Forwarding": "no",
        "PermitTTY": "no",
        "PermitUserEnvironment": "no",
        "PermitUserRC": "no",
        "PrintLastLog": "no",
        "PrintMotd": "no",
        "UseDNS": "no",
        "ClientAliveInterval": "30",
        "ClientAliveCountMax": "4",
        "LoginGraceTime": "20",
        "MaxStartups": "20:30:100",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def fingerprint(key: Path) -> str:
    """Of the host key, as ssh shows it when it asks."""
    body = base64.b64decode(key.with_suffix(".pub").read_text().split()[1])
    return "SHA256:" + base64.b64encode(sha256(body).digest()).decode().rstrip("=")


def _sshd(settings: Settings) -> str:
    if int(settings.ssh_port) == 0:
        raise Missing("WHERRY_SSH_PORT is 0")
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:{_PROGRAMS}")
    if found is None:
        raise Missing("there is no sshd on this machine. On Debian: apt-get install openssh-server")
    return str(Path(found).absolute())  # sshd starts itself again by its path


def _user() -> str:
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    _SEPARATION.mkdir(mode=0o755, exist_ok=True)
    try:
        pwd.getpwnam(USER)
    except KeyError:
        # "*" is no password at all; "!", the usual, would be a locked account to sshd.
        argv = ["useradd", "--system", "--no-create-home", "--home-dir", "/", "--shell", "/bin/sh", "--password", "*"]
        done = subprocess.run([*argv, USER], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(f"the user {USER} cannot be made: {done.stderr.strip()}") from None
    return USER


def _host_key(home: Home) -> Path:
    """Made once: every client remembers it."""
    key = home.folder / "secrets" / "ssh_host_ed25519_key"
    if not key.exists():
        draft = key.with_name(f".{key.name}.{os.getpid()}")
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "wherry", "-f", str(draft)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Missing(f"no host key can be made: {done.stderr.strip()}")
        draft.with_name(draft.name + ".pub").replace(key.with_suffix(".pub"))
        draft.replace(key)
    return key
