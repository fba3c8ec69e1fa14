from dataclasses import replace

from wherry.domain.image import Image, Start
from wherry.domain.secret import Secret
from wherry.runtimes.machine import naming, spec
from wherry.runtimes.machine.addresses import Place
from wherry.runtimes.machine.naming import Identity

from tests.runtimes.machine_world import SMALL, workload

IMAGE = Image("apps/1", "sha256:" + "a" * 64)
WHO = Identity("p1", 1, 12, "web", 2)
PLACE = Place("apps-0", "10.213.0.7")


def test_a_process_as_a_container_is_exactly_this() -> None:
    asked = workload(IMAGE, release=12, env={"WORD": "hello", "HOME": "/tmp"})
    assert spec.container(WHO, asked, "127.0.0.1:8302/apps/1@sha256:aa", PLACE) == {
        "Image": "127.0.0.1:8302/apps/1@sha256:aa",
        "Entrypoint": ["/cnb/process/web"],
        "Cmd": [],
        "Env": ["HOME=/tmp", "WORD=hello", "DYNO=web.2", "WHERRY_PROCESS=web.2", "PORT=8080"],
        "Labels": {
            "wherry.platform": "p1",
            "wherry.app": "1",
            "wherry.app-name": "hello",
            "wherry.release": "12",
            "wherry.type": "web",
            "wherry.index": "2",
            "wherry.network": "apps-0",
            "wherry.address": "10.213.0.7",
            "wherry.fingerprint": naming.fingerprint("p1", asked),
            "wherry.stop-grace": "5.0",
            "wherry.command": "",
            "wherry.turn": "0",
        },
        "StopSignal": "SIGTERM",
        "HostConfig": {
            "NetworkMode": "wherry-p1-apps-0",
            "Memory": 33554432,
            "MemorySwap": 33554432,
            "CpuPeriod": 100000,
            "CpuQuota": 50000,
            "PidsLimit": 64,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "Init": True,
            "RestartPolicy": {"Name": "no"},
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
        },
        "NetworkingConfig": {"EndpointsConfig": {"wherry-p1-apps-0": {"IPAMConfig": {"IPv4Address": "10.213.0.7"}}}},
    }


def test_only_web_gets_a_port_and_config_cannot_rename_a_process() -> None:
    asked = workload(IMAGE, "worker", env={"DYNO": "mine", "A": "1"})
    assert spec.environment(replace(WHO, type="worker", index=1), asked) == {
        "HOME": "/workspace",
        "DYNO": "worker.1",
        "A": "1",
        "WHERRY_PROCESS": "worker.1",
    }


def test_an_image_that_buildpacks_did_not_make_starts_by_its_own_words_as_the_user_that_it_may() -> None:
    asked = replace(workload(IMAGE), start=Start(("/bin/sh", "-c", "serve"), "1001:1000"))
    made = spec.container(WHO, asked, "127.0.0.1:8302/apps/1@sha256:aa", PLACE)
    assert (made["Entrypoint"], made["Cmd"], made["User"]) == (["/bin/sh", "-c", "serve"], [], "1001:1000")
    assert made["Env"] == ["DYNO=web.2", "WHERRY_PROCESS=web.2", "PORT=8080"]
    own = replace(workload(IMAGE), start=Start(("/serve",)))
    assert "User" not in spec.container(WHO, own, "127.0.0.1:8302/apps/1@sha256:aa", PLACE)
    assert len({naming.fingerprint("p1", each) for each in (asked, own, workload(IMAGE))}) == 3


def test_names_are_unique_for_each_release_and_process() -> None:
    kinds = ["web", "web-1", "1"]
    names = {
        Identity("p1", app, release, kind, index).name
        for app in (1, 11)
        for release in (1, 2, 11)
        for kind in kinds
        for index in (1, 11)
    }
    assert len(names) == 2 * 3 * len(kinds) * 2
    assert WHO.name == "wherry-p1-1-v12-web-2"


def test_an_identity_comes_back_from_its_labels_and_nothing_else_makes_one() -> None:
    labels = naming.labels(WHO, workload(IMAGE, release=12), "apps-0", "10.213.0.7")
    assert Identity.of(labels) == WHO
    assert Identity.of({**labels, "wherry.app": "one"}) is None
    assert Identity.of({"wherry.platform": "p1", "wherry.build": "7"}) is None


def test_the_fingerprint_changes_with_image_config_and_size_only_and_shows_no_value() -> None:
    asked = workload(IMAGE, env={"TOKEN": "s3cret"})
    base = naming.fingerprint("p1", asked)
    assert "s3cret" not in base
    same = [replace(asked, quantity=5), replace(asked, stop_grace=1.0), replace(asked, app_name="renamed")]
    assert {naming.fingerprint("p1", each) for each in same} == {base}
    other = [
        replace(asked, image=replace(IMAGE, digest="sha256:" + "b" * 64)),
        replace(asked, env={"TOKEN": Secret("other")}),
        replace(asked, env={}),
        replace(asked, size=replace(SMALL, memory=64)),
    ]
    assert base not in {naming.fingerprint("p1", each) for each in other}
    assert naming.fingerprint("p2", asked) != base
