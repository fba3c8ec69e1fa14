"""A build's pod, followed through a cluster that breaks off, forgets, refuses and loses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from wherry.domain.errors import BuildFailed, BuildFailure, Cancelled, NotFound, PlatformFault, WherryError
from wherry.flow.pod_ports import Away, Caps, Ears
from wherry.flow.ports import Cancel
from wherry.runtimes.cluster import build_follow
from wherry.runtimes.cluster.build_follow import Follow
from wherry.runtimes.cluster.build_verdict import Want
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Gone
from wherry.runtimes.cluster.kinds import EVENT, Kind, Object

CAPS = Caps(memory=64)
AWAY = PlatformFault("the cluster does not answer")
Step = Object | Exception | None


def pod(fetch: str, export: str, phase: str = "Running", **more: object) -> Object:
    """With the states of two of its containers."""

    def status(name: str, state: str) -> Object:
        return {"name": name, "state": {state: {"reason": "", "exitCode": 0}}}

    return {
        "metadata": {"name": "build-3-1-x", "resourceVersion": "7"},
        "status": {
            "phase": phase,
            "initContainerStatuses": [status("fetch", fetch)],
            "containerStatuses": [status("export", export)],
            **more,
        },
    }


FETCHING, BUILDING = pod("running", "waiting", "Pending"), pod("terminated", "running")
OVER = pod("terminated", "terminated", "Succeeded")
OOM = pod(
    "terminated",
    "terminated",
    "Failed",
    containerStatuses=[
        {"name": "build", "state": {"terminated": {"reason": "OOMKilled"}}},
        {"name": "export", "state": {"terminated": {"reason": "Error"}}},
    ],
)
WORDS = [b"one", b"two", b"last"]


@dataclass
class Script:
    """A client whose watches tell `states` one by one (an exception is raised, None is the pod's end) and whose logs give
    `logs` one by one, an exception at the end of one included.
    """

    states: list[Step]
    logs: list[Sequence[bytes | Exception]]
    warnings: list[str] = field(default_factory=list)
    now: Object = field(default_factory=lambda: OVER)
    lists: int = 0

    def list(self, kind: Kind, namespace: str, *, labels: str = "", fields: str = "") -> tuple[list[Object], str]:
        if kind is EVENT:
            return [{"message": each, "lastTimestamp": str(number)} for number, each in enumerate(self.warnings)], "1"
        self.lists += 1
        if isinstance(self.states[0], Exception):
            raise self.states.pop(0)  # type: ignore[misc]
        first = self.states.pop(0)
        return ([first], "7") if first else ([], "7")

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        return self.now

    @contextmanager
    def watch(
        self, kind: Kind, version: str, seconds: int, *, namespace: str, labels: str, opened: object
    ) -> Iterator[Iterator[Object]]:
        yield self._events()

    def _events(self) -> Iterator[Object]:
        while self.states:
            step = self.states.pop(0)
            if isinstance(step, Exception):
                raise step
            yield {"type": "MODIFIED", "object": step} if step else {"type": "DELETED", "object": OVER}

    @contextmanager
    def log(
        self, namespace: str, pod: str, query: Mapping[str, str], *, seconds: float, opened: object
    ) -> Iterator[Iterator[bytes]]:
        yield self._pieces(self.logs.pop(0))

    def _pieces(self, told: Sequence[bytes | Exception]) -> Iterator[bytes]:
        for each in told:
            if isinstance(each, Exception):
                raise each
            yield each + b"\n"


@dataclass
class Heard:
    lines: list[bytes] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def line(self, line: bytes) -> bool:
        self.lines.append(line)
        return line == b"last"


def follow(
    script: Script,
    heard: Heard,
    cancel: Cancel | None = None,
    patience: float = 60.0,
    leave: Cancel | None = None,
) -> WherryError | None:
    client = cast(Client, cast(Any, script))
    ears = Ears(heard.line, heard.said.append, cancel or Cancel(), leave or Cancel())
    return Follow(client, "ns", "build-3-1", CAPS, ears, patience).run()


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_follow, "_AGAIN", 0.0)


def test_a_build_is_heard_from_its_first_word_to_its_last() -> None:
    heard = Heard()
    script = Script([None, FETCHING, BUILDING], [[b"fetched", b"last"], WORDS])
    assert follow(script, heard) is None
    assert heard.lines == [b"fetched", b"last", *WORDS]
    assert script.lists == 1


def test_a26_a_cluster_that_is_away_for_a_while_costs_the_build_nothing() -> None:
    heard = Heard()
    script = Script(
        [AWAY, None, Gone("too old"), FETCHING, BUILDING, OVER],
        [[b"last"], [b"one", AWAY], [AWAY], WORDS],
    )
    assert follow(script, heard) is None
    assert heard.lines == [b"last", b"one", *WORDS]


def test_a26_a_cluster_that_stays_away_is_told() -> None:
    with pytest.raises(Away, match="does not answer"):
        follow(Script([AWAY, AWAY, AWAY], []), Heard(), patience=-1.0)


def test_a_log_that_ends_before_its_last_word_is_read_again_and_the_cluster_asked() -> None:
    heard = Heard()
    found = follow(Script([FETCHING, BUILDING, OOM], [[b"last"], [b"one"], [b"one", b"two"]]), heard)
    assert isinstance(found, BuildFailed)
    assert found.kind is BuildFailure.OUT_OF_MEMORY
    assert heard.lines[-2:] == [b"one", b"two"]


def test_a47_a_pod_that_is_taken_away_is_the_platforms_fault() -> None:
    found = follow(Script([FETCHING, BUILDING, None], [[b"last"], [NotFound("no pod")]]), Heard())
    assert isinstance(found, PlatformFault)
    assert "taken away" in found.message


def test_a30_what_keeps_a_pod_from_being_made_is_told_in_the_clusters_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build_follow, "_NO_POD", -1.0)
    with pytest.raises(PlatformFault, match="does not make") as caught:
        follow(Script([None], [], warnings=["older", "exceeded quota: builds"]), Heard())
    assert caught.value.evidence == ("exceeded quota: builds",)


def waiting(reason: str, message: str) -> Object:
    found = pod("waiting", "waiting", "Pending")
    found["status"]["initContainerStatuses"][0]["state"]["waiting"] = {"reason": reason, "message": message}
    return found


@pytest.mark.parametrize(
    ("found", "want", "word"),
    [
        (waiting("ImagePullBackOff", "no such image"), Want.IMAGE, "no such image"),
        (waiting("PodInitializing", ""), Want.NODE, "no sandbox"),
    ],
)
def test_a13_a_pod_that_does_not_begin_says_why(
    monkeypatch: pytest.MonkeyPatch, found: Object, want: Want, word: str
) -> None:
    monkeypatch.setattr(build_follow, "_SLOW", -1.0)
    monkeypatch.setitem(build_follow._MOST, want, -1.0)
    heard = Heard()
    with pytest.raises(PlatformFault) as caught:
        follow(Script([found], [], warnings=["no sandbox"]), heard)
    assert word in "\n".join([*caught.value.evidence])
    assert any(word in line for line in heard.said)


def test_a_cancel_asks_nothing_more() -> None:
    cancel = Cancel()
    cancel.cancel()
    script = Script([FETCHING], [])
    assert follow(script, Heard(), cancel) is None
    assert script.lists == 0


def test_a09_whoever_leaves_a_build_reads_no_further() -> None:
    leave = Cancel()

    class Leaves(Heard):
        def line(self, line: bytes) -> bool:
            leave.cancel()
            return super().line(line)

    heard = Leaves()
    with pytest.raises(Cancelled, match="left running"):
        follow(Script([FETCHING, BUILDING], [[b"one"], WORDS]), heard, leave=leave)
    assert heard.lines == [b"one"]
