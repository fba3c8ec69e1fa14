"""Every command: where its function lives, and its one line of help. Nothing else is imported until it is called."""

from __future__ import annotations

from typing import NamedTuple


class Command(NamedTuple):
    """`module` under wherry.cli.commands, `function` in it."""

    module: str
    function: str
    help: str


COMMANDS = {
    "access": Command("access", "index", "List who has access to an app."),
    "access:add": Command("access", "add", "Give somebody access to an app."),
    "access:remove": Command("access", "remove", "Take all access to an app from somebody."),
    "access:update": Command("access", "update", "Give somebody other roles on an app."),
    "apps": Command("apps", "index", "List your apps."),
    "apps:create": Command("create", "create", "Create an app, and the git remote to push to."),
    "apps:info": Command("apps", "info", "Show an app: URLs, owner, current release."),
    "apps:rename": Command("apps", "rename", "Give an app another name."),
    "apps:destroy": Command("apps", "destroy", "Remove an app for good."),
    "apps:transfer": Command("access", "transfer", "Offer an app to a collaborator, as its owner."),
    "apps:transfers": Command("access", "transfers", "List offers of apps, yours and to you."),
    "apps:transfers:accept": Command("access", "accept", "Take an app that you were offered."),
    "apps:transfers:cancel": Command("access", "cancel", "Take back an offer of yours."),
    "apps:transfers:decline": Command("access", "decline", "Do not take an app that you were offered."),
    "audit": Command("audit", "index", "List what was changed, and by whom."),
    "audit:verify": Command("audit", "verify", "Verify that the history of changes is what was written."),
    "authorizations": Command("authorizations", "index", "List your tokens."),
    "authorizations:create": Command("authorizations", "create", "Make a token: what for, what it may, until when."),
    "authorizations:info": Command("authorizations", "info", "Show one of your tokens."),
    "authorizations:revoke": Command("authorizations", "revoke", "End a token."),
    "authorizations:rotate": Command("authorizations", "rotate", "Give a token another secret."),
    "authorizations:update": Command("authorizations", "update", "Say anew what a token is for."),
    "buildpacks": Command("buildpacks", "index", "List the buildpacks that an app asks for."),
    "buildpacks:add": Command("buildpacks", "add", "Add a buildpack, at the end or at a place."),
    "buildpacks:clear": Command("buildpacks", "clear", "Leave it to detection again."),
    "buildpacks:remove": Command("buildpacks", "remove", "Remove a buildpack, by name or place."),
    "buildpacks:set": Command("buildpacks", "assign", "Set a buildpack, instead of the first or of that at a place."),
    "builds": Command("builds", "index", "List an app's builds."),
    "builds:cancel": Command("builds", "cancel", "Stop a build."),
    "builds:create": Command("uploads", "create", "Build a folder or an archive, without git."),
    "builds:info": Command("builds", "info", "Show one build."),
    "builds:output": Command("builds", "output", "Show a build's log."),
    "commands": Command("help", "every", "List every command."),
    "completion": Command("completion", "completion", "Print the shell's completion: bash, zsh or fish."),
    "config": Command("config", "index", "Show an app's config."),
    "config:edit": Command("config_edit", "edit", "Edit config vars in your editor, which makes one release."),
    "config:get": Command("config", "get", "Print the value of a config var."),
    "config:import": Command("config", "take_in", "Set all config vars of a .env file, in one release."),
    "config:set": Command("config", "assign", "Set config vars, which makes a release."),
    "config:unset": Command("config", "unset", "Remove config vars, which makes a release."),
    "container:release": Command("container", "release", "Release an image that was made elsewhere."),
    "domains": Command("domains", "index", "List the names under which an app answers."),
    "domains:add": Command("domains", "add", "Let an app answer at a domain of yours."),
    "domains:clear": Command("domains", "clear", "Remove all domains of yours."),
    "domains:info": Command("domains", "info", "Show one domain."),
    "domains:remove": Command("domains", "remove", "Remove a domain of yours."),
    "domains:wait": Command("domains", "wait", "Wait until a domain is proved to be yours."),
    "eject": Command("eject", "eject", "Write an app as plain files that run without the platform."),
    "adopt": Command("eject", "adopt", "Take an app in with its release history."),
    "deploy:plan": Command("deploy_plan", "plan", "Show what the next deploy would change."),
    "cron": Command("cron", "index", "List what an app runs on a schedule."),
    "cron:history": Command("cron", "history", "List what has run on a schedule."),
    "cron:output": Command("cron", "output", "Show what a run wrote."),
    "cron:run": Command("cron", "run", "Run a cron task now."),
    "drains": Command("drains", "index", "List where an app's log is sent on to."),
    "drains:add": Command("drains", "add", "Send an app's log on, by syslog or HTTPS."),
    "drains:remove": Command("drains", "remove", "Send it there no more."),
    "git:remote": Command("create", "remote", "Add the git remote of an app to this repository."),
    "help": Command("help", "index", "Show how a command is used, and its topic."),
    "keys": Command("keys", "index", "List your public keys, for git over SSH."),
    "keys:add": Command("keys", "add", "Add a public key."),
    "keys:clear": Command("keys", "clear", "Remove all your public keys."),
    "keys:remove": Command("keys", "remove", "Remove a public key."),
    "login": Command("login", "login", "Keep the URL and token of a platform."),
    "logout": Command("login", "logout", "Forget them."),
    "logs": Command("logs", "logs", "Show what an app's processes print."),
    "maintenance": Command("maintenance", "index", "Show whether an app is in maintenance."),
    "maintenance:off": Command("maintenance", "off", "Let visitors in again."),
    "maintenance:on": Command("maintenance", "on", "Answer visitors with a page; the processes go on."),
    "open": Command("apps", "browse", "Open an app in the browser."),
    "pipelines": Command("pipelines", "index", "List your pipelines."),
    "pipelines:add": Command("pipelines", "add", "Put an app into a pipeline."),
    "pipelines:create": Command("pipelines", "create", "Create a pipeline of an app."),
    "pipelines:destroy": Command("pipelines", "destroy", "Remove a pipeline; its apps stay."),
    "pipelines:info": Command("pipelines", "info", "Show the apps of a pipeline."),
    "pipelines:promote": Command("pipelines", "promote", "Release an app's image in the next stage."),
    "pipelines:remove": Command("pipelines", "remove", "Take an app out of its pipeline."),
    "pipelines:rename": Command("pipelines", "rename", "Give a pipeline another name."),
    "pipelines:update": Command("pipelines", "update", "Move an app to another stage."),
    "ps": Command("ps", "index", "Show an app's processes."),
    "ps:autoscale": Command("ps_autoscale", "index", "Show which process types are scaled by load."),
    "ps:autoscale:disable": Command("ps_autoscale", "disable", "Let load no longer decide how many processes run."),
    "ps:autoscale:enable": Command("ps_autoscale", "enable", "Let load decide how many processes run."),
    "ps:restart": Command("ps_life", "restart", "Restart all processes, one, or a type's."),
    "ps:scale": Command("ps", "scale", "Show or change how many processes run."),
    "ps:stop": Command("ps_life", "stop", "Stop a process, or a type's; the formation starts others."),
    "ps:type": Command("ps_type", "resize", "Show or change how large processes are."),
    "ps:wait": Command("ps_life", "wait", "Wait until every process is up on the newest release."),
    "rebase": Command("rebase", "rebase", "Put an app, or all, onto the newest base, without a build."),
    "ps:exec": Command("run", "enter", "Open a shell inside a process that runs."),
    "releases": Command("releases", "index", "List an app's releases."),
    "releases:diff": Command("releases", "diff", "Show what differs between two releases."),
    "releases:info": Command("releases", "info", "Show one release."),
    "releases:output": Command("releases", "output", "Show the log of a release's rollout."),
    "releases:retry": Command("releases", "retry", "Release an image once more, with the config of now."),
    "releases:rollback": Command("releases", "rollback", "Go back to an earlier release."),
    "run": Command("run", "run", "Run a command with the app's code and config, and talk to it."),
    "run:detached": Command("run", "detached", "Run a command without waiting; it prints to the logs."),
    "run:inside": Command("run", "inside", "Run a command inside a process that runs."),
    "sbom": Command("sbom", "sbom", "List what a release is made of."),
    "stack": Command("stack", "index", "Show what an app is built on: buildpacks or its Dockerfile."),
    "stack:set": Command("stack", "assign", "Build an app's next push on another stack."),
    "url": Command("apps", "url", "Print an app's URL."),
    "users": Command("users", "index", "List the accounts of the platform (an admin's)."),
    "users:add": Command("users", "add", "Make an account, or a new login link for one (an admin's)."),
    "users:remove": Command("users", "remove", "Remove an account (an admin's)."),
    "version": Command("version", "version", "Print the version of this command."),
    "webhooks": Command("webhooks", "index", "List who is told of what happens to an app."),
    "webhooks:add": Command("webhooks", "add", "Tell a URL of what happens to an app."),
    "webhooks:deliveries": Command("webhooks", "deliveries", "List what was sent to webhooks."),
    "webhooks:deliveries:info": Command("webhooks", "delivery", "Show one delivery, and what it says."),
    "webhooks:events": Command("webhooks", "events", "List what webhooks were told of."),
    "webhooks:events:info": Command("webhooks", "event", "Show what one of them says."),
    "webhooks:info": Command("webhooks", "info", "Show a webhook, and whether it is on."),
    "webhooks:remove": Command("webhooks", "remove", "Tell a webhook nothing more."),
    "webhooks:update": Command("webhooks", "update", "Change a webhook, or switch it on again."),
    "whoami": Command("login", "whoami", "Show whose token is in use, and where."),
}
ALIASES = {
    "create": "apps:create",
    "destroy": "apps:destroy",
    "info": "apps:info",
    "list": "apps",
    "rename": "apps:rename",
    "promote": "pipelines:promote",
    "rollback": "releases:rollback",
    "restart": "ps:restart",
    "resize": "ps:type",
    "scale": "ps:scale",
    "stop": "ps:stop",
    "kill": "ps:stop",
    "ps:kill": "ps:stop",
    "ps:resize": "ps:type",
    "dyno:kill": "ps:stop",
    "dyno:resize": "ps:type",
    "dyno:restart": "ps:restart",
    "dyno:scale": "ps:scale",
    "dyno:stop": "ps:stop",
    "dyno:type": "ps:type",
    "authorizations:destroy": "authorizations:revoke",
    "apps:delete": "apps:destroy",
    "apps:open": "open",
    "auth:login": "login",
    "auth:logout": "logout",
    "auth:whoami": "whoami",
    "config:add": "config:set",
    "config:remove": "config:unset",
}
MACHINE = {
    "up": "Start the platform on this machine.",
    "down": "Stop it. All data stays.",
    "boot:enable": "Have it start with this machine (systemd).",
    "boot:disable": "Have it start by hand only, again.",
    "status": "Show what of it runs, and where it answers.",
    "doctor": "Find what is wrong on this machine.",
    "auth:token": "Print a token of the local admin.",
    "login:link": "Print a link that logs in to the portal once.",
    "stack:update": "Make the base images again, of today's packages.",
    "env": "List the platform's settings.",
}


MACHINE_OPTIONS = {
    "up": ("--detach",),
    "down": ("--keep-apps",),
    "status": ("--json",),
    "doctor": ("--json",),
    "stack:update": ("--json",),
    "env": ("--json",),
}
START = {
    "wherry create NAME": "makes an app, and the git remote to push to",
    "git push wherry main": "builds and releases what is committed",
    "wherry logs --tail": "shows what it says",
    "wherry releases:rollback": "goes back to the release before",
    "wherry ps:scale web=2": "runs two of its web processes",
    "wherry config:set KEY=VALUE": "changes its config, which makes a release",
}


def topics() -> dict[str, str]:
    """Each topic with its own line of help. One that is a single command stands by that command's whole name."""
    found: dict[str, str] = {}
    for name, about in sorted(COMMANDS.items()):
        topic = name.partition(":")[0]
        alone = len(members(topic)) == 1 and topic not in COMMANDS
        if topic not in found:
            found[name if alone else topic] = about.help
    return found


def members(topic: str) -> dict[str, str]:
    """The commands below a topic, each with its line of help."""
    return {name: about.help for name, about in sorted(COMMANDS.items()) if name.startswith(f"{topic}:")}


def canonical(name: str) -> str:
    return ALIASES.get(name, name)


def known(name: str) -> bool:
    return name in COMMANDS or name in ALIASES or name in MACHINE


def joined(words: list[str]) -> list[str]:
    """``ps scale web=2`` as ``ps:scale web=2``; words that make no command stay as they are."""
    if len(words) > 2 and known(":".join(words[:3])):
        return [":".join(words[:3]), *words[3:]]
    if len(words) > 1 and known(f"{words[0]}:{words[1]}"):
        return [f"{words[0]}:{words[1]}", *words[2:]]
    return words
