from __future__ import annotations

from pathlib import Path

import pytest
from wherry.domain.errors import InvalidInput
from wherry.settings import Settings, root_folder


def test_every_wrong_number_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.load({"WHERRY_WEB_PORT": "x", "WHERRY_BOOT_SECONDS": "0", "WHERRY_BUILDS_AT_ONCE": "²"})
    assert [line.split(":")[0] for line in caught.value.evidence] == [
        "WHERRY_WEB_PORT",
        "WHERRY_BUILDS_AT_ONCE",
        "WHERRY_BOOT_SECONDS",
    ]


def test_settings_survive_the_way_through_an_environment(tmp_path: Path) -> None:
    settings = Settings.load({"WHERRY_HOME": str(tmp_path), "WHERRY_WEB_PORT": "1234", "DOCKER_HOST": "tcp://x:1"})
    assert settings.engine == "tcp://x:1"
    assert Settings.load(settings.environ()) == settings


def test_watching_may_be_switched_off() -> None:
    assert Settings.load({"WHERRY_WATCH_SECONDS": "0"}).number("watch_seconds") == 0


def test_a_password_is_not_shown_in_the_table() -> None:
    rows = {row["variable"]: row["value"] for row in Settings.load({"WHERRY_REGISTRY_PASSWORD": "hunter2"}).table()}
    assert rows["WHERRY_REGISTRY_PASSWORD"] == "[REDACTED]"


def test_the_root_folder_holds_what_the_platform_reads() -> None:
    assert (root_folder() / "buildpacks").is_dir()
    assert (root_folder() / "app.py").is_file()


def test_a_cluster_is_described_whole_or_refused_with_every_fault(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        Settings.load(
            {
                "WHERRY_RUNTIME": "cluster",
                "WHERRY_KUBECONFIG": "/none",
                "WHERRY_GATEWAY": "one",
                "WHERRY_APPS_PORT": "x",
            }
        )
    assert {line.split(":")[0] for line in caught.value.evidence} == {
        "WHERRY_REGISTRY_URL",
        "WHERRY_KUBECONFIG",
        "WHERRY_GATEWAY",
        "WHERRY_APPS_PORT",
    }
    with pytest.raises(InvalidInput, match="not right"):
        Settings.load({"WHERRY_RUNTIME": "moon"})


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://shop.localhost:8300"),
        ({"WHERRY_APPS_DOMAIN": "apps.example.org", "WHERRY_APPS_PORT": "80"}, "http://shop.apps.example.org"),
        ({"WHERRY_APPS_SCHEME": "https", "WHERRY_APPS_PORT": "443"}, "https://shop.localhost"),
        ({"WHERRY_APPS_SCHEME": "https", "WHERRY_APPS_PORT": "8443"}, "https://shop.localhost:8443"),
    ],
)
def test_the_urls_of_apps_are_those_that_people_open(given: dict[str, str], url: str) -> None:
    assert Settings.load(given).app_url("shop") == url


def test_where_people_reach_us_is_a_url_and_a_host() -> None:
    right = Settings.load({"WHERRY_PUBLIC_URL": "https://wherry.example.com", "WHERRY_DOORS_HOST": "doors.example.com"})
    assert right.web_url == "https://wherry.example.com"
    assert Settings.load({"WHERRY_WEB_PORT": "1234"}).web_url == "http://localhost:1234"
    with pytest.raises(InvalidInput) as caught:
        Settings.load({"WHERRY_PUBLIC_URL": "wherry.example.com", "WHERRY_DOORS_HOST": "a b"})
    assert [line.split(":")[0] for line in caught.value.evidence] == ["WHERRY_PUBLIC_URL", "WHERRY_DOORS_HOST"]
