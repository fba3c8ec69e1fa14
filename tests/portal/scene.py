"""A full harbour: what a few weeks of use leave behind, and what a hostile user would write into every field."""

from __future__ import annotations

from urllib.parse import quote

from wherry.domain.cron import CronRun, CronTask, Due, RunStatus
from wherry.domain.model import Actor, App, BuildStatus, ReleaseStatus
from wherry.domain.roles import Role
from wherry.domain.secret import Secret
from wherry.domain.webhooks import ENTITIES, Level, News, Outcome, Wanted

from tests.portal.harbour import Harbour

KEY = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43
HOSTILE = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">'\"\u202e}{{7*7}}"

BUILD_LOG = (
    "-----> Building on the Wherry stack",
    "-----> Detecting",
    "       wherry/python 1.2.0",
    "       wherry/procfile 1.0.1",
    "-----> Python 3.12.4 from requirements",
    "       Installing 41 packages",
    "\x1b[32m       Successfully installed flask-3.0.3 gunicorn-22.0.0 sqlalchemy-2.0.31\x1b[0m",
    "-----> Exporting",
    "       2 of 5 layers changed, 1.4 MiB",
    "       sha256:9b1de1a1c70a3c2f4ed5b44a7eea5d4d5c7f3be1b1c1fb6bc1f6f1a3f5c9d021",
)
FAILED_LOG = (
    *BUILD_LOG[:5],
    "       ERROR: Could not find a version that satisfies the requirement flsk==3.0.3 (from versions: none)",
    " !     pip could not install the packages of requirements.txt",
    " !     flsk==3.0.3: no such package",
    " !     Correct requirements.txt, commit, and push again: git push wherry main",
)


def fill(harbour: Harbour) -> tuple[Actor, App]:
    """Three apps of Ada's: one in use, one without a release, one written by an enemy."""
    ada = harbour.user("ada.lovelace@example.org")
    with harbour.at(days=21):
        shop = harbour.app(ada, "lighthouse-shop")
        harbour.release(shop, build=harbour.build(shop, log=BUILD_LOG))
    with harbour.at(days=6, hours=3):
        harbour.release(shop, description="Set DATABASE_URL, SECRET_KEY config vars", config=_config())
    with harbour.at(days=2):
        harbour.release(shop, build=harbour.build(shop, log=BUILD_LOG), config=_config())
    with harbour.at(hours=5):
        harbour.build(
            shop,
            BuildStatus.FAILED,
            log=FAILED_LOG,
            failure="buildpack-failed",
            message="pip could not install the packages of requirements.txt",
        )
    with harbour.at(minutes=50):
        harbour.release(
            shop,
            ReleaseStatus.FAILED,
            build=harbour.build(shop, log=BUILD_LOG),
            config=_config(),
            failure="not-listening",
            message="web.1 did not listen on $PORT within 60 seconds",
            log=("-----> Launching...", " !     web.1 did not listen on $PORT within 60 seconds"),
        )
    with harbour.at(minutes=12):
        current = harbour.release(
            shop,
            build=harbour.build(shop, log=BUILD_LOG),
            config=_config(),
            log=("-----> Launching...", "       web.1 is up", "       worker.1 is up", "       Released v5"),
        )
    harbour.world.scale.run(ada, shop, {"web": (2, None), "worker": (1, "standard")}, "api 127.0.0.1")
    harbour.run(shop, current, web=2, worker=1)
    harbour.runtime.crash(shop.id, "worker.1")
    _chatter(harbour, shop)
    with harbour.at(days=1):
        harbour.app(ada, "quiet-cove-48213")
    _enemy(harbour, ada)
    _round_about(harbour, ada, shop)
    _told(harbour, shop)
    _offers(harbour, ada, shop)
    return ada, shop


def _round_about(harbour: Harbour, ada: Actor, shop: App) -> None:
    """People, domains, drains, cron, a pipeline, a key and tokens; some of them an enemy's words."""
    world, now = harbour.world, harbour.clock.now()
    grace, line = harbour.user("grace.hopper@navy.example.org"), world.pipelines.create(ada, "lighthouse")
    live = harbour.app(ada, "lighthouse-live")
    for app, stage in ((shop, "staging"), (live, "production")):
        world.pipelines.couple(ada, line, app, stage)
    world.domains.add(ada, shop, "shop.a-rather-long-name-of-a-domain.lighthouse-company.example.org")
    world.tokens.create(ada, "laptop", None, None)
    world.tokens.create(ada, "nightly report " * 6, ["read", "read-protected"], 90 * 24 * 3600)
    world.keys.add(ada, f"ssh-ed25519 {KEY} ada@laptop <b>")
    tasks = (CronTask("python -m shop.tidy", "0 3 * * *"), CronTask(f"echo '{HOSTILE}'", "*/10 * * * *", paused=True))
    with harbour.ledger.begin() as tx:
        tx.domains.add(shop.id, ada.id, "www.lighthouse.example.org", now, now)
        tx.drains.add(
            shop.id, "d.9f2c1c9e-6b1f-4a55-8f3d-1f6d4bb2f0aa", Secret("https://u:pass@logs.example.org/in"), now
        )
        tx.collaborators.put(shop.id, grace, frozenset({Role.VIEW, Role.DEPLOY}), now)
        tx.collaborators.put(shop.id, tx.accounts.ensure(f"{HOSTILE}@example.org", False), frozenset({Role.VIEW}), now)
        tx.crons.put(shop.id, [Due(shop.id, place, task, now) for place, task in enumerate(tasks, 1)])
        draft = CronRun(0, shop.id, 1, tasks[0].command, RunStatus.PENDING, now, 3)
        done, skipped = tx.crons.add_run(draft), tx.crons.add_run(draft)
        tx.crons.finish(done.id, RunStatus.FAILED, now, 137, HOSTILE)
        tx.crons.finish(skipped.id, RunStatus.SKIPPED, now, message="cron.1001 still runs")


def _told(harbour: Harbour, shop: App) -> None:
    """Two webhooks, one of them off and an enemy's, and deliveries of every outcome."""
    now, deep = harbour.clock.now(), f"https://hooks.example.org/{'in-' * 120}?x={quote(HOSTILE)}"
    with harbour.ledger.begin() as tx:
        good, bad = (
            tx.webhooks.add(shop.id, Wanted(Secret(url), entities, level, Secret("s")), now)
            for url, entities, level in (
                ("https://chat.example.org/hooks/T024/B7", ("api:release",), Level.NOTIFY),
                (deep, ENTITIES, Level.SYNC),
            )
        )
        event = tx.events.of_app(shop.name)[0]
        payload = {"action": HOSTILE, "data": {"name": HOSTILE, "line": "x" * 400}, "resource": "release"}
        news = [(News(event, number, "api:release", "create"), "api:release", payload) for number in range(1, 5)]
        for hook in (good, bad):
            tx.webhooks.enqueue(hook, event.id, news)
        for hook, outcome, code, error in (
            (good, Outcome.SUCCEEDED, 200, ""),
            (good, Outcome.FAILED, 500, ""),
            (bad, Outcome.FAILED, None, HOSTILE),
            (bad, Outcome.RETRYING, None, "TimeoutError"),
        ):
            waiting = tx.webhooks.next(hook.id)
            assert waiting is not None
            tx.webhooks.attempted(waiting, outcome, now, code, error)
        tx.webhooks.rest(good.id, 3, now)
        tx.webhooks.switch_off(bad.id, now, f"20 attempts in a row failed: {HOSTILE}")


def _offers(harbour: Harbour, ada: Actor, shop: App) -> None:
    """Ada offers one app, and is offered one."""
    grace = harbour.user("grace.hopper@navy.example.org")
    gift = harbour.app(grace, "gift-of-a-rather-long-name-300"[:30])
    with harbour.ledger.begin() as tx:
        tx.collaborators.put(gift.id, ada, frozenset({Role.VIEW}), harbour.clock.now())
    world = harbour.world
    declined = world.transfer.offer(grace, gift, ada.email)
    world.transfer.answer(ada, declined, "declined")
    world.transfer.offer(grace, gift, ada.email)
    world.transfer.offer(ada, shop, grace.email)


def _config() -> dict[str, str]:
    return {"DATABASE_URL": "postgres://…", "SECRET_KEY": "…", "SENTRY_DSN": "…", "WEB_CONCURRENCY": "2"}


def _chatter(harbour: Harbour, app: App) -> None:
    for number in range(60):
        line = f'10.213.0.{number % 4 + 2} "GET /lamps/{number} HTTP/1.1" 200 {number * 37 % 900 + 120} {number % 9}ms'
        harbour.write(app.id, f"web.{number % 2 + 1}", line.encode())
        if number % 11 == 0:
            harbour.write(app.id, "worker.1", b"\x1b[33mWARN\x1b[0m queue 'mail' is slow: 412 ms a job")
    trace = b'Traceback (most recent call last):\n  File "/workspace/shop/jobs.py", line 40, in run\nKeyError: 17'
    for part in trace.split(b"\n"):
        harbour.write(app.id, "worker.1", part)


def _enemy(harbour: Harbour, ada: Actor) -> None:
    """The payload in every field that somebody else's text can reach."""
    mallory = harbour.user(f"{HOSTILE}@example.org")
    app = harbour.app(ada, "trojan-horse")
    image = harbour.image({"web": HOSTILE, HOSTILE: "x" * 300})
    failed = {"failure": HOSTILE, "message": HOSTILE}
    harbour.build(app, BuildStatus.FAILED, actor=mallory, branch=HOSTILE, log=(HOSTILE, "x" * 900), **failed)
    config = {HOSTILE: "1", "A" * 128: "2"}
    harbour.release(app, description=HOSTILE, image=image, config=config, log=(HOSTILE,))
    harbour.release(app, ReleaseStatus.FAILED, description="y" * 250, image=image, config=config, **failed)
    current = harbour.release(app, description=HOSTILE, image=image, config={})
    with harbour.ledger.begin() as tx:
        after = {"key": HOSTILE, HOSTILE: 1}
        tx.events.add(harbour.clock.now(), mallory, app.name, HOSTILE, {}, after, HOSTILE)
        tx.apps.set_deploy_branch(app.id, HOSTILE)
    harbour.run(app, current, **{"web": 1, HOSTILE: 1})
    for line in (HOSTILE, "\x1b]0;title\x07\x1b[2Jgone", "z" * 900, "\u2028 released v99"):
        harbour.write(app.id, "web.1", line.encode())
