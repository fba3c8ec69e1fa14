"""The Ruby buildpack's own decisions, its scripts really run. (Bundler is in tests/builds/test_real_ruby.)"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from wherry.settings import root_folder

HOME = root_folder() / "buildpacks/ruby"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    return folder


def lay(app: Path, **files: str) -> Path:
    for name, content in files.items():
        path = app / name.replace("__", "/").replace("_rb", ".rb").replace("_ru", ".ru").replace("_lock", ".lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return app


def detect(app: Path, **env: str) -> tuple[int, str, list[dict[str, object]]]:
    plan = app.parent / "plan.toml"
    argv = [str(HOME / "bin/detect"), "/platform", str(plan)]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    requires = tomllib.loads(plan.read_text())["requires"] if plan.exists() else []
    return done.returncode, done.stdout + done.stderr, requires


def python(app: Path, script: str, **env: str) -> str:
    """A script with the buildpack's modules at hand; its output, or the refusal that it meets."""
    start = f"import sys; sys.path.insert(0, {str(HOME / 'lib')!r})\nimport lock, talk, versions, web, failures\n"
    start += "from pathlib import Path\napp = Path.cwd()\n"
    argv = [sys.executable, "-B", "-c", start + script]
    given = {"PATH": os.environ["PATH"], **env}
    done = subprocess.run(argv, cwd=app, env=given, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def locked(*gems: str) -> str:
    lines = "".join(f"    {gem}\n" for gem in gems)
    return f"GEM\n  remote: https://gems.example/\n  specs:\n{lines}\nDEPENDENCIES\n  x\n"


def test_detect_looks_for_a_gemfile_and_asks_for_the_distributions_ruby(app: Path) -> None:
    assert detect(app) == (100, "looks for a Gemfile\n", [])
    lay(app, Gemfile='gem "rack"\n')
    packages = {"packages": ["ruby", "ruby-dev"], "launch": True}
    assert detect(app) == (0, "", [{"name": "ruby"}, {"name": "apt", "metadata": packages}])


def test_detect_asks_for_a_named_ruby_and_for_what_gems_are_compiled_against(app: Path) -> None:
    lay(app, Gemfile='ruby "~> 3.3.1"\n', Gemfile_lock=locked("mysql2 (0.5.6)", "psych (5.1.0)", "  x (1)"))
    hint = 'Ask for ruby "~> {have}.0" in the Gemfile, or remove it. A Dockerfile may bring any Ruby.'
    words = {"have": "ruby([0-9]+[.][0-9]+)", "asked": "Gemfile", "hint": hint}
    asked = [require.get("metadata") for require in detect(app)[2]]
    assert asked == [
        None,
        {"packages": ["ruby3.3", "ruby3.3-dev"], "launch": True, "what": "Ruby ~> 3.3.1", **words},
        {"packages": ["libyaml-dev"]},
        {"packages": ["default-libmysqlclient-dev"]},
        {"packages": ["libmariadb3"], "launch": True},
    ]


@pytest.mark.parametrize(
    ("files", "env", "expected"),
    [
        ({"Gemfile": ""}, {}, "- - -"),
        ({"Gemfile": 'ruby "3.1.2"\n'}, {}, "Gemfile 3.1.2 3.1"),
        ({"Gemfile": "  ruby('>= 3.0', '< 3.4')\n"}, {}, "Gemfile >= 3.0, < 3.4 -"),
        ({"Gemfile": 'ruby "~> 3.1"\n'}, {}, "Gemfile ~> 3.1 -"),
        ({"Gemfile": '# ruby "2.7"\nruby_version = "9"\n'}, {}, "- - -"),
        ({"Gemfile": 'ruby file: ".ruby-version"\n', ".ruby-version": "ruby-3.2.1\n"}, {}, ".ruby-version 3.2.1 3.2"),
        (
            {"Gemfile": 'ruby file: ".tool-versions"\n', ".tool-versions": "node 1\nruby 3.2.1\n"},
            {},
            ".tool-versions 3.2.1 3.2",
        ),
        ({"Gemfile": 'ruby File.read(".ruby-version").strip\n', ".ruby-version": "3.3\n"}, {}, ".ruby-version 3.3 3.3"),
        ({"Gemfile": 'ruby "3.1.2"\n', ".ruby-version": "3.3.0"}, {}, "Gemfile 3.1.2 3.1"),
        (
            {"Gemfile": 'ruby ENV["RUBY"]\n', "Gemfile_lock": "RUBY VERSION\n   ruby 3.1.4p223\n"},
            {},
            "Gemfile.lock 3.1 3.1",
        ),
        ({"Gemfile": 'ruby "3.1.2"\n'}, {"BP_RUBY_VERSION": "3.2"}, "BP_RUBY_VERSION 3.2 3.2"),
    ],
)
def test_the_version_is_the_one_that_the_app_asks_for(
    app: Path, files: dict[str, str], env: dict[str, str], expected: str
) -> None:
    found = python(
        lay(app, **files), "w = versions.wanted(app); print(w.asked or '-', w.words or '-', w.series or '-')", **env
    )
    assert found == expected


@pytest.mark.parametrize(
    ("asked", "have", "met"),
    [
        ('ruby "3.1.2"', "3.1.2", True),
        ('ruby "3.1"', "3.1.2", False),
        ('ruby "~> 3.1"', "3.4.0", True),
        ('ruby "~> 3.1.3"', "3.1.2", False),
        ('ruby "~> 3.1.0"', "3.2.0", False),
        ('ruby ">= 2.7", "!= 3.1.2"', "3.1.2", False),
        ('ruby ">= 3.1.2"', "3.1.2", True),
        ('ruby "> 3.1", "<= 3.1.2"', "3.1.2", True),
        ('ruby "3.1.2", engine: "ruby"', "3.1.2", True),
    ],
)
def test_a_ruby_is_compared_as_bundler_compares_it(app: Path, asked: str, have: str, met: bool) -> None:
    assert python(lay(app, Gemfile=f"{asked}\n"), f"print(versions.wanted(app).met_by('{have}'))") == str(met)


def test_a_ruby_that_is_not_there_is_told_with_what_is(app: Path) -> None:
    script = "r = versions.refusal(versions.wanted(app), '3.1.2'); print(r.code, r.lines)"
    lay(app, Gemfile='ruby "3.1.4"\n')
    assert python(app, script) == (
        "69 ('Ruby 3.1.4 is not available here: have 3.1.2', '', "
        "'Ask for ruby \"~> 3.1.0\" in the Gemfile, or remove it. A Dockerfile may bring any Ruby.')"
    )
    lay(app, Gemfile='ruby "3.1.4", engine: "jruby", engine_version: "9.4"\n')
    assert python(app, script).startswith("69 ('the Ruby engine jruby is not available here: have ruby 3.1.2'")


@pytest.mark.parametrize("text", ["$(id)", "3.1;id", "a/b", "-x", "~>"])
def test_b15_a_version_that_is_none_is_refused(app: Path, text: str) -> None:
    lay(app, Gemfile="", **{".ruby-version": text})
    script = "try: versions.wanted(app)\nexcept talk.Refusal as refusal: print(refusal.code, refusal.lines[0])"
    assert python(app, script).startswith("65 .ruby-version does not name a version of Ruby: ")
    assert detect(app)[0] == 0


def test_code_does_not_change_the_gems_and_all_that_bundler_reads_does(app: Path) -> None:
    own = "PATH\n  remote: gems/own\n  specs:\n    own (1)\n\n"
    lay(app, Gemfile="a", Gemfile_lock=own + locked("rack (2.2.1)"), gems__own__own_gemspec="")
    (app / "gems/own/own.gemspec").write_text("1")
    first = python(app, "print(lock.digest(app))")
    lay(app, app_rb="changed", gems__own__lib_rb="changed")
    assert python(app, "print(lock.digest(app))") == first
    seen = {first}
    for name in ("Gemfile", "gems/own/own.gemspec", "vendor/cache/rack-2.2.1.gem", "Gemfile.lock"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text("changed")
        seen.add(python(app, "print(lock.digest(app))"))
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("files", "gems", "web"),
    [
        ({"config_ru": ""}, {"puma": "6", "rack": "3"}, "bundle exec puma -b tcp://0.0.0.0:$PORT"),
        ({"config_ru": ""}, {"rack": "2.2.1"}, "bundle exec rackup -p $PORT -o 0.0.0.0"),
        ({"config_ru": ""}, {"rack": "3.0.1"}, ""),
        ({"config_ru": ""}, {"rack": "3.0.1", "rackup": "2"}, "bundle exec rackup -p $PORT -o 0.0.0.0"),
        ({"app_rb": ""}, {"sinatra": "3"}, "bundle exec ruby app.rb -p $PORT -o 0.0.0.0"),
        ({"app_rb": ""}, {}, ""),
        (
            {"config_ru": "", "config__application_rb": ""},
            {"railties": "7", "puma": "6"},
            "bundle exec rails server -b 0.0.0.0 -p $PORT -P /tmp/rails.pid",
        ),
    ],
)
def test_without_a_procfile_the_web_process_is_the_obvious_one(
    app: Path, files: dict[str, str], gems: dict[str, str], web: str
) -> None:
    assert python(lay(app, **files), f"print(web.default_process({gems!r}))") == web


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Your Ruby version is 3.1.2, but your Gemfile specified 3.3.0", 69),
        ("[!] There was an error parsing `Gemfile`: syntax error", 65),
        ("Could not reach host gems.example. Check your network connection and try again.", 75),
        ("Retrying fetcher due to error (2/3): Bundler::HTTPError Network error while fetching", 75),
        ("You are trying to install in deployment mode after changing", 65),
        ('Your bundle only supports platforms ["arm64-darwin-23"] but your local platform is x86_64-linux.', 65),
        ("Gem::Ext::BuildError: ERROR: Failed to build gem native extension.", 1),
        ("Could not find gem 'x' in locally installed gems.", 65),
        ("Something else", 1),
    ],
)
def test_bundlers_words_tell_the_cause(app: Path, line: str, code: int) -> None:
    script = f"r = failures.refusal(['Fetching x', {line!r}], False); print(r.code, {line!r} in r.lines)"
    assert python(app, script) == f"{code} True"
