"""The Ruby samples, built for real; their gems come along, for no gem server is asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.gem_kit import lay_gems
from tests.builds.real_world import copy, failure
from tests.builds.yard import SAMPLES, Yard

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def rack(yard: Yard, sample: Path, pytestconfig: pytest.Config) -> Path:
    copy("ruby-rack", sample)
    assert pytestconfig.cache
    yard.engine.pull(yard.stack.build_ref)
    lay_gems(sample, yard.stack.build_ref, Path(pytestconfig.cache.mkdir("wherry-gems")))
    return sample


def test_ruby_rack_is_built_offline_with_native_gems_and_a_code_change_installs_nothing(yard: Yard, rack: Path) -> None:
    first = yard.build(rack)
    assert any("Installing tally 1.0.0 with native extensions" in line for line in yard.said), yard.said
    assert not any("minitest" in line for line in yard.said), yard.said
    assert first.processes["web"] == "exec bundle exec puma -b tcp://0.0.0.0:$PORT"
    with yard.running(first) as app:
        assert "Hello from Rack, Ruby 3.1." in (answer := app.ask())
        assert "42, production, assets of run 1, production" in answer
        _code, seconds = app.stop()
        assert seconds < 5
        assert "Gracefully stopping" in app.logs()

    ru = rack / "config.ru"
    ru.write_text(ru.read_text().replace("Hello from Rack", "Changed"))
    began = time.monotonic()
    second = yard.build(rack, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"puma", "rack", "ruby3.1"}
    assert "       Gemfile.lock has not changed: its gems are used again" in yard.said
    assert not any("Installing" in line or "Added layer wherry" in line for line in yard.said), yard.said
    for layer in ("apt:packages", "ruby:ruby", "ruby:gems"):
        assert any(f"Unchanged layer wherry/{layer}" in line for line in yard.said), "\n".join(yard.said)
    with yard.running(second) as app:
        assert "Changed" in (answer := app.ask())
        assert "assets of run 2" in answer


def test_ruby_hello_runs_with_a_gem_of_its_own_and_a_lock_of_a_newer_bundler(yard: Yard) -> None:
    image = yard.build(SAMPLES / "ruby-hello", RAILS_ENV="staging")
    with yard.running(image, RAILS_ENV="staging") as app:
        answer = app.ask()
        assert "Hello from a gem of the app's own, Ruby 3.1." in answer, app.logs()
        assert '"rails":"staging","arena":"2"' in answer


BROKEN = [
    ("ruby-no-such-version", BuildFailure.VERSION_NOT_AVAILABLE, ["Ruby 9.8.7 is not available here: have 3.1"]),
    (
        "ruby-lock-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["Gemfile.lock does not match the Gemfile", "sinatra", "Try: bundle install && git add Gemfile.lock"],
    ),
    ("ruby-missing-gem", BuildFailure.BAD_SOURCE, ["a folder that the Gemfile names is not there", "gems/greeter"]),
    (
        "ruby-no-gem-server",
        BuildFailure.NETWORK,
        ["the gem server cannot be reached", "gems.example", "bundle cache"],
    ),
    ("ruby-bad-gemfile", BuildFailure.BAD_SOURCE, ["the Gemfile cannot be read", "unterminated", "ruby -c Gemfile"]),
]


def test_a_broken_ruby_app_says_why(yard: Yard) -> None:
    for name, kind, words in BROKEN:
        found, said = failure(yard, SAMPLES / name)
        assert (name, found, [word for word in words if word not in said]) == (name, kind, []), said


def test_a_gem_that_vendor_cache_lacks_is_named(yard: Yard, rack: Path) -> None:
    for gem in (rack / "vendor/cache").glob("rack-*"):
        gem.unlink()
    kind, said = failure(yard, rack)
    assert kind is BuildFailure.BAD_SOURCE
    assert said.startswith("vendor/cache lacks gems of Gemfile.lock\n")
    assert "rack-2.2" in said
