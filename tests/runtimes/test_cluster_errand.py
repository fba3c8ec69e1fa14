"""What runs once on a cluster, as values: Jobs and pods, their lines, and what is told of them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from wherry.domain.image import Image, Start
from wherry.domain.log import Kept
from wherry.domain.one_off import Task
from wherry.domain.states import Lives
from wherry.runtimes.cluster import ends, errand, log_lines, naming, words
from wherry.runtimes.cluster.ground import Ground, Pulls

from tests.runtimes.machine_world import workload

GROUND = Ground("p1", Pulls("registry.example.com/team"))
IMAGE = Image("apps/1", "sha256:" + "a" * 64, {"web": "serve it"})
HOSTILE = "a: b\n---\n{{ .Values.x }}\n$(HOME) \x7f\u2028"


def one_off(**changes: Any) -> Task:
    asked = workload(IMAGE, "web", env={"WORD": HOSTILE}, start=Start(("/bin/sh", "-c", "echo hi"), "1001:1000"))
    return Task(7, 4711, asked, **{"attach": True, "tty": True, **changes})


def test_a_release_phase_is_a_job_that_the_cluster_begins_once() -> None:
    made = errand.job(GROUND, workload(IMAGE, "release", release=12, boot_limit=90.5), 1)
    spec = made["spec"]
    assert (made["kind"], made["metadata"]["name"], made["metadata"]["namespace"]) == (
        "Job",
        "release-v12-1",
        "wherry-p1-1",
    )
    assert (spec["backoffLimit"], spec["completions"], spec["parallelism"]) == (0, 1, 1)
    assert spec["activeDeadlineSeconds"] == 91 + 60  # ours comes first, while we are there
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert {"name": "DYNO", "value": "release.1"} in spec["template"]["spec"]["containers"][0]["env"]


def test_no_errand_is_taken_for_a_process_though_it_has_its_type() -> None:
    pod = errand.pod(GROUND, one_off(), "mark")
    job = errand.job(GROUND, workload(IMAGE, "web"), 1001)
    for labels in (pod["metadata"]["labels"], job["metadata"]["labels"], job["spec"]["template"]["metadata"]["labels"]):
        assert naming.PROCESS not in labels
        assert labels["app.kubernetes.io/component"] == "web"
    assert errand.process_of(pod["metadata"]["labels"]) == "web.4711"


def test_t21_its_environment_comes_byte_by_byte_from_a_secret_of_its_own() -> None:
    asked = one_off()
    pod = errand.pod(GROUND, asked, "mark")
    secret = errand.secret(GROUND, asked.workload, pod["metadata"]["name"], {})
    (container,) = pod["spec"]["containers"]
    assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    assert base64.b64decode(secret["data"]["WORD"]).decode() == HOSTILE
    assert HOSTILE not in str(pod)
    assert naming.RELEASE not in secret["metadata"]["labels"]  # it goes with the one-off, not with old configs


def test_one_that_somebody_talks_to_waits_for_them() -> None:
    (talked,) = errand.pod(GROUND, one_off(), "mark")["spec"]["containers"]
    (alone,) = errand.pod(GROUND, one_off(attach=False, tty=False))["spec"]["containers"]
    assert talked["command"][-4:] == ["mark", "/bin/sh", "-c", "echo hi"]
    assert (talked["stdin"], talked["stdinOnce"], talked["tty"]) == (True, True, True)
    assert alone["command"] == ["/bin/sh", "-c", "echo hi"]
    assert "stdin" not in alone


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2026-11-21T15:04:05.123456789Z", "2026-11-21T15:04:05.123456789Z"),
        ("2026-11-21T15:04:05Z", "2026-11-21T15:04:05.000000000Z"),
        ("2026-11-21T17:04:05.1+02:00", "2026-11-21T15:04:05.100000000Z"),
        ("2026-11-21T10:34:05.25-04:30", "2026-11-21T15:04:05.250000000Z"),
    ],
)
def test_times_of_all_nodes_can_be_compared_as_text(stamp: str, at: str) -> None:
    assert log_lines.normal(stamp) == at


def test_lines_are_whole_whatever_pieces_they_come_in_and_one_that_will_not_end_is_cut() -> None:
    stamp = b"2026-11-21T15:04:05.5Z "
    raw = stamp + b"one\n" + stamp + b"\n" + stamp + b"x" * 70_000 + b"y\n" + stamp + b"last"
    chunks = [raw[start : start + 7000] for start in range(0, len(raw), 7000)]
    found = [text for _, text in log_lines.records(chunks)]
    assert found[:2] == [b"one", b""]
    assert b"".join(found[2:-1]) == b"x" * 70_000 + b"y"
    assert found[-1] == b"last"
    assert {at for at, _ in log_lines.records(chunks)} == {"2026-11-21T15:04:05.500000000Z"}


def pod(state: dict[str, Any], restarts: int = 0, **rest: Any) -> dict[str, Any]:
    status = {"name": "app", "state": state, "restartCount": restarts, "lastState": rest.pop("last", {})}
    conditions = [{"type": "Ready", "status": rest.pop("ready", "False"), "lastTransitionTime": "2026-11-21T15:00:02Z"}]
    about = {"uid": "u", "creationTimestamp": "2026-11-21T15:00:00Z", "labels": {}, **rest}
    return {"metadata": about, "status": {"containerStatuses": [status], "conditions": conditions}}


ENDED = {"terminated": {"exitCode": 3, "startedAt": "2026-11-21T15:00:01Z", "finishedAt": "2026-11-21T15:00:09Z"}}
RUNNING = {"running": {"startedAt": "2026-11-21T15:00:11Z"}}


def told(found: list[words.Entry]) -> list[str]:
    return [each.line.text for each in found]


def test_a_crash_and_the_start_after_it_are_told_in_herokus_words() -> None:
    found = pod(RUNNING, 1, last=ENDED, ready="True")
    first, second = words.lives(found)
    assert (first.number, first.is_previous, second.number, second.ended) == (0, True, 1, None)
    assert told(words.ended(found, "web.1", "u", first, once=False)) == [
        "Process exited with status 3",
        "State changed from up to crashed",
    ]
    assert told(words.up(found, "web.1", "u")) == [
        "State changed from crashed to starting",
        "Starting process",
        "State changed from starting to up",
    ]
    assert len({each.key for each in words.up(found, "web.1", "u")}) == 1
    said = [*words.ended(found, "web.1", "u", first, once=False), *words.up(found, "web.1", "u")]
    lives = Lives()
    turns = [lives.turn(Kept(number, each.line)) for number, each in enumerate(said)]
    assert [(turn.before, turn.state, turn.code) for turn in turns if turn] == [
        ("up", "crashed", 3),
        ("crashed", "starting", None),
        ("starting", "up", None),
    ]


def test_the_end_of_one_that_was_stopped_is_no_crash() -> None:
    leaves = pod(ENDED, deletionTimestamp="2026-11-21T15:00:30Z", deletionGracePeriodSeconds=25)
    (asked,) = words.stopping(leaves, "web.1", "u")
    assert (asked.line.at[:19], asked.line.text) == ("2026-11-21T15:00:05", "Stopping all processes with SIGTERM")
    (life,) = words.lives(leaves)
    assert told(words.ended(leaves, "web.1", "u", life, once=False))[-1] == "State changed from up to down"
    assert told(words.ended(pod(ENDED), "run.1", "u", life, once=True))[-1] == "State changed from up to complete"


def test_how_a_pod_ended_is_told_also_when_its_node_took_it_away() -> None:
    oom = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    assert (how := ends.how_it_ended(pod(oom), 512))
    assert (how.code, how.detail) == (137, "it needs more than its 512 MiB of memory")
    evicted = {
        "metadata": {},
        "status": {"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory."},
    }
    assert (how := ends.how_it_ended(evicted))
    assert how.detail == "the cluster ended it: Evicted: The node was low on memory."
    assert ends.how_it_ended(pod(RUNNING)) is None
