"""A push over SSH, and one-offs, through a whole platform: what survives whose death."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.journeys.harness import App, Platform, eventually

pytestmark = [pytest.mark.journey, pytest.mark.engine]


def containers(app: App) -> str:
    """Of its one-offs, in any state."""
    return app.platform.run(
        "docker", "ps", "-aq", "--filter", f"label=wherry.app-name={app.name}", "--filter", "label=wherry.one-off"
    ).out


def talking(app: App, command: str) -> subprocess.Popen[str]:
    """`wherry run` that has said "on"."""
    argv = [sys.executable, "-m", "wherry.cli", "run", "-a", app.name, f"echo on; {command}"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    client = subprocess.Popen(argv, env=app.platform.environ, text=True, **pipes)
    assert client.stdout
    assert client.stdout.readline() == "on\n"
    return client


def test_a_push_over_ssh_and_one_offs_that_outlive_nobody_they_should_not(platform: Platform) -> None:
    if not shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin"):
        pytest.skip("there is no sshd here (Debian: openssh-server)")
    app = platform.create("by-ssh", "procfile-only")
    keys = platform.user / ".ssh"
    keys.mkdir(mode=0o700)
    platform.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / "id_ed25519"))
    platform.wherry("keys:add", str(keys / "id_ed25519"))
    app.wherry("git:remote", "-a", app.name, "--ssh")
    options = f"-i {keys}/id_ed25519 -o UserKnownHostsFile={keys}/known -o StrictHostKeyChecking=accept-new"
    app.git("config", "core.sshCommand", f"ssh -F none {options}")
    assert "deployed to Wherry" in app.push().all
    assert app.get()[0] == 200

    assert app.wherry("run", "echo $DYNO; exit 3", check=False).code == 3
    eventually(lambda: containers(app) == "")

    with talking(app, "sleep 600") as client:
        client.kill()
    eventually(lambda: containers(app) == "")

    for service in ("web", "worker"):
        with talking(app, "read line; echo $line") as client:
            platform.kill(service)
            out, _ = client.communicate(f"after {service}\n", timeout=60)
        assert (client.returncode, out) == (0, f"after {service}\n")
        eventually(lambda: containers(app) == "")
        eventually(lambda: platform.status()["web"]["pid"] is not None and app.wherry("ps", check=False).code == 0)

    with talking(app, "sleep 600") as client:
        platform.kill("terminal")
        assert client.wait(60) == 13
    eventually(lambda: containers(app) == "")

    app.wherry("run:detached", "--seconds", "20", "sleep 600")
    assert containers(app) != ""
    platform.kill("worker")
    eventually(lambda: containers(app) == "", 120)
    assert app.get()[0] == 200
