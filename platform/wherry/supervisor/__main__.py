"""The machine's own commands: ``python -m wherry.supervisor COMMAND``; the CLI execs this.

Most of the platform takes seconds to import. Each command imports what it needs, so that a look at it takes none of them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from wherry.domain.errors import WherryError
from wherry.home import Home
from wherry.settings import Settings
from wherry.supervisor import ssh
from wherry.supervisor import status as status_story
from wherry.supervisor.detach import UP_MARK, detach
from wherry.supervisor.service import Records, this_process
from wherry.supervisor.services import SERVICES


def talk(line: str) -> None:
    click.echo(line, err=True)


@click.group()
@click.pass_context
def commands(context: click.Context) -> None:
    """Start, stop and look at the platform on this machine."""
    context.obj = Settings.load()


@commands.command()
@click.option("-d", "--detach", "in_background", is_flag=True, help="Return once the platform is up.")
@click.option("--progress-to", type=int, hidden=True)
@click.pass_obj
def up(settings: Settings, in_background: bool, progress_to: int | None) -> None:
    """Start the platform: portal, API, git, worker, router, registry, and the Docker Engine where nobody else does."""
    if in_background:
        detach(settings, talk)
        _say_where(settings)
        return
    from wherry.supervisor.up import Up

    home = Home(settings.folder)
    home.prepare()
    progress = os.fdopen(progress_to, "w", buffering=1, encoding="utf-8") if progress_to else None

    def say(line: str) -> None:
        print(line, flush=True)
        if progress and not progress.closed:
            print(line, file=progress)

    def announce() -> None:
        Records(settings.folder).record("supervisor", this_process())
        if progress:
            progress.write(UP_MARK)
            progress.close()
        else:
            _say_where(settings)

    try:
        Up(settings, home, say).run(announce)
    except WherryError as error:
        for line in error.lines():
            say(line)
        sys.exit(1)


def _say_where(settings: Settings) -> None:
    talk(f"Wherry is up. Portal: {settings.web_url}/dashboard (to log in: wherry login:link)")


@commands.command()
@click.option("--keep-apps", is_flag=True, help="Leave the router, the apps and the engine running.")
@click.pass_obj
def down(settings: Settings, keep_apps: bool) -> None:
    """Stop the platform and the apps. All data stays; `up` brings everything back."""
    from wherry.supervisor import down as down_story

    down_story.down(settings, talk, keep_apps)
    talk("Wherry is down.")


@commands.command("boot:enable")
@click.pass_obj
def boot_enable(settings: Settings) -> None:
    """Have systemd start the platform with this machine, as it is set now."""
    from wherry.supervisor import boot

    boot.enable(settings, os.environ, talk)


@commands.command("boot:disable")
@click.pass_obj
def boot_disable(settings: Settings) -> None:
    """Have it start by hand only, again."""
    from wherry.supervisor import boot

    boot.disable(settings, talk)


@commands.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Every endpoint, the data folder, and each process. Exit code 1 unless all is up."""
    found = status_story.status(settings)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(status_story.table(found)))
    sys.exit(0 if found["state"] == "up" else 1)


@commands.command("doctor")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def doctor_command(settings: Settings, as_json: bool) -> None:
    """What is wrong on this machine, and the command that mends it. Exit code 1 when something is."""
    from wherry.supervisor import doctor

    findings = doctor.examine(settings)
    if as_json:
        click.echo(json.dumps([finding.as_json() for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(finding.text())
    sys.exit(0 if all(finding.good for finding in findings) else 1)


@commands.command("auth:token")
@click.pass_obj
def auth_token(settings: Settings) -> None:
    """Print a token of the local admin."""
    from wherry.supervisor import account

    click.echo(account.open_account(settings, Home(settings.folder)).reveal())


@commands.command("login:link")
@click.pass_obj
def login_link(settings: Settings) -> None:
    """Print a link that logs the local admin in to the portal, once, within 15 minutes."""
    from wherry.supervisor import account

    click.echo(account.login_link(settings))


@commands.command("stack:update")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def stack_update(settings: Settings, as_json: bool) -> None:
    """Make the images that apps are built and run on again, of today's packages. Apps stay on theirs until a rebase."""
    from wherry.supervisor import stack as stack_story

    found = stack_story.update(settings, talk)
    if as_json:
        click.echo(json.dumps(found, indent=2))


@commands.command("worker", hidden=True)
@click.pass_obj
def worker_command(settings: Settings) -> None:
    from wherry.supervisor import worker

    sys.exit(worker.main(settings))


@commands.command("terminal", hidden=True)
@click.pass_obj
def terminal_command(settings: Settings) -> None:
    from wherry.terminal import main as terminal

    sys.exit(terminal.main(settings))


@commands.command("logs", hidden=True)
@click.pass_obj
def logs_command(settings: Settings) -> None:
    from wherry.supervisor import scribe

    sys.exit(scribe.main(settings))


@commands.command("image", hidden=True)
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def image_command(settings: Settings, as_json: bool) -> None:
    """Build the platform's own image of this checkout, and publish it with the stack images."""
    from wherry.supervisor import image as image_story

    made = image_story.publish(settings, talk).values()
    if as_json:
        click.echo(json.dumps(made))
        return
    for name, values in made.items():
        click.echo("\n".join([f"{name}:", *(f"  {key}: {value}" for key, value in values.items())]))


_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_SECRETS = click.option("--secrets", envvar="WHERRY_SECRETS", type=_FOLDER, help="A mounted Secret.")


@commands.command("serve", hidden=True)
@click.argument("process", type=click.Choice((*SERVICES, *ssh.NAMES)))
@_SECRETS
@click.pass_obj
def serve_command(settings: Settings, process: str, secrets: Path | None) -> None:
    """Run one of the platform's processes here, and nothing else: for containers."""
    from wherry.supervisor.serve import serve

    serve(settings, Home(settings.folder), process, secrets, talk)


@commands.command("prepare", hidden=True)
@_SECRETS
@click.option("--own", envvar="WHERRY_OWN", type=_FOLDER, help="A folder of this machine alone.")
@click.pass_obj
def prepare_command(settings: Settings, secrets: Path | None, own: Path | None) -> None:
    """Lay out the data folder and bring the database to this version: before `serve`."""
    from wherry.supervisor.serve import prepare

    prepare(settings, Home(settings.folder), secrets, own)


@commands.command("migrate", hidden=True)
@click.pass_obj
def migrate_command(settings: Settings) -> None:
    """Bring the database to this version, and nothing else."""
    from wherry.fittings.stores import migrate

    Home(settings.folder).prepare()
    migrate(settings)


@commands.command("ssh-door", hidden=True)
@click.option("--user", required=True)
@click.pass_obj
def ssh_door_command(settings: Settings, user: str) -> None:
    from wherry.ssh import main as ssh_door

    sys.exit(ssh_door.main(settings, user))


@commands.command("env")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def env(settings: Settings, as_json: bool) -> None:
    """Every setting: its variable, its value here, what it is for."""
    rows = settings.table()
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        click.echo(f"{row['variable']:<26} {row['value'] or '-':<32} {row['doc']}")


def main(argv: list[str] | None = None) -> Any:
    """One catch: a domain error becomes its lines and exit code 1."""
    try:
        return commands.main(argv, prog_name="wherry", standalone_mode=True)
    except WherryError as error:
        for line in error.lines():
            talk(f" !     {line}")
        sys.exit(1)


if __name__ == "__main__":
    main()
