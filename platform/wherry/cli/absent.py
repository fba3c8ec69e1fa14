"""Commands of Heroku's that are not here: a word why, and what to type instead. docs/coming-from-heroku.md has them all."""

from __future__ import annotations

ABSENT = {
    "addons": (
        "there are no add-ons here",
        "Run the service elsewhere and give its address: wherry config:set DATABASE_URL=...",
    ),
    **dict.fromkeys(
        ("pg", "psql", "data"),
        ("there is no database service here", "Your database's own tools, with: wherry config:get DATABASE_URL"),
    ),
    "redis": ("there is no Redis service here", "Its own tools, with: wherry config:get REDIS_URL"),
    **dict.fromkeys(
        ("certs", "domains:update"),
        ("the platform keeps no certificates", "TLS ends in front of the router: docs/operations.md"),
    ),
    "reviewapps": (
        "there are no review apps here",
        "Make an app for the branch: wherry create; wherry pipelines:add PIPELINE -s review -a APP",
    ),
    "ci": ("tests are not run here", "Run them where you push from, and push when they pass: git push wherry main"),
    **dict.fromkeys(
        ("teams", "members", "orgs"), ("there are no teams here", "To share an app: wherry access:add EMAIL")
    ),
    **dict.fromkeys(
        ("join", "apps:join"), ("there are no teams here", "Its owner lets you in: wherry access:add EMAIL")
    ),
    **dict.fromkeys(
        ("leave", "apps:leave"),
        ("there are no teams here", "To leave an app: wherry access:remove EMAIL, by its owner"),
    ),
    "spaces": ("there are no private spaces here", "Every app has a network of its own: docs/security.md"),
    "drains:get": ("there are no private spaces here", "Those of an app: wherry drains"),
    "drains:set": ("there are no private spaces here", "For an app: wherry drains:add URL"),
    "regions": ("there is one region, this platform", "To see what an app runs on: wherry apps:info"),
    **dict.fromkeys(
        ("labs", "features"),
        (
            "there are no features to switch here",
            "A new release always starts beside the old one: wherry ps:restart",
        ),
    ),
    "local": (
        "apps are not run on your machine by this",
        "A Procfile's line, typed into a shell; or: wherry run COMMAND",
    ),
    "ps:copy": ("files are not copied out of processes", "To print one: wherry run 'cat FILE' > FILE"),
    "ps:forward": ("ports are not forwarded", "To go inside a process: wherry ps:exec"),
    "ps:socks": ("there is no proxy into an app", "To go inside a process: wherry ps:exec"),
    "container:login": (
        "docker itself logs in here",
        "For example: wherry auth:token | docker login HOST:PORT -u _ --password-stdin",
    ),
    "container:push": (
        "docker itself pushes here",
        "For example: docker build -t HOST/APP/web .; docker push HOST/APP/web; wherry container:release web",
    ),
    "container:logout": ("docker itself logs out here", "For example: docker logout HOST:PORT"),
    "container:pull": ("docker itself pulls here", "For example: docker pull HOST/APP/web"),
    "container:rm": ("a process type goes with the image that has it", "To run none of it: wherry ps:scale TYPE=0"),
    "container:run": ("docker itself runs images on your machine", "On the platform: wherry run COMMAND"),
    **dict.fromkeys(
        ("buildpacks:search", "buildpacks:info", "buildpacks:versions"),
        ("there is no list of others' buildpacks here", "Those that are built in: docs/buildpacks.md"),
    ),
    "git:clone": ("git itself clones", "For example: git clone $(wherry apps:info --json | jq -r .git_url)"),
    "telemetry": ("telemetry is not sent on", "To send logs on: wherry drains:add URL"),
    "clients": (
        "there are no OAuth clients of others here",
        "A token of your own: wherry authorizations:create -s read",
    ),
    "sessions": ("there are no OAuth sessions here", "Your tokens: wherry authorizations"),
    "accounts": (
        "one account is logged in at a time",
        "To be another for one command: WHERRY_API_KEY=TOKEN wherry apps",
    ),
    "notifications": ("there are no notifications here", "What was changed, and by whom: wherry audit"),
    "usage": ("nothing is metered here", "What runs: wherry ps"),
    "pipelines:connect": (
        "pipelines are not connected to GitHub",
        "CI may push: wherry authorizations:create -s write",
    ),
    "pipelines:setup": (
        "pipelines are not connected to GitHub",
        "To make one: wherry pipelines:create NAME -s staging",
    ),
    "pipelines:diff": ("commits are not compared here", "What serves in each stage: wherry pipelines:info PIPELINE"),
    "pipelines:open": ("the portal shows each app by itself", "To open an app: wherry open"),
    "pipelines:transfer": (
        "pipelines stay with who made them",
        "An app goes to somebody else by: wherry apps:transfer",
    ),
    "apps:errors": ("there are no metrics here", "What went wrong stands in the log: wherry logs --tail"),
    "apps:favorites": ("there are no favourites here", "All yours: wherry apps"),
    **dict.fromkeys(
        ("apps:lock", "apps:unlock", "lock", "unlock"), ("apps are not locked here", "Who may what: wherry access")
    ),
    "apps:stacks": ("stacks have a command of their own", "Type: wherry stack"),
    "apps:diff": ("apps are not compared with each other", "Two releases are: wherry releases:diff v1 v2"),
    **dict.fromkeys(
        ("2fa", "auth:2fa", "twofactor"),
        ("there are no passwords, and so no second factor", "You log in with a link or a token: wherry login"),
    ),
    "autocomplete": ("completion has a command of its own", "Type: wherry completion bash"),
    "mcp": ("there is no server for models here", "What it could do: wherry commands"),
    "repl": ("there is no shell of its own", "Every command and what it does: wherry commands"),
    "search": ("commands are not searched", "Every command and what it does: wherry commands"),
    **dict.fromkeys(("which", "plugins"), ("this command takes no plugins", "What it does: wherry commands")),
    "update": ("this command does not update itself", "With pip: pip install --upgrade wherry"),
}


def why(name: str) -> tuple[str, str] | None:
    """The reason and the hint for a command, by its longest known beginning."""
    parts = name.split(":")
    beginnings = (":".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((ABSENT[each] for each in beginnings if each in ABSENT), None)
