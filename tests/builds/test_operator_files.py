"""What Go and cargo keep in files of their own reaches builds; paths of this machine and logins do not."""

from __future__ import annotations

from pathlib import Path

from wherry.builds.env import apply
from wherry.builds.operator_env import operator_changes
from wherry.builds.operator_files import with_files

CARGO = """
[source.crates-io]
replace-with = "company"
[source.company]
registry = "sparse+https://crates.example/index/"
[http]
proxy = "http://proxy.example:3128"
cainfo = "/etc/mine.pem"
multiplexing = false
[net]
retry = 5
[registry]
token = "secret"
"""


def changed(home: Path, **environ: str) -> dict[str, str]:
    return apply({}, operator_changes(with_files({"HOME": str(home), **environ}), [], ""))


def test_go_and_cargo_are_handed_on_by_their_files(tmp_path: Path) -> None:
    (tmp_path / ".config/go").mkdir(parents=True)
    (tmp_path / ".config/go/env").write_text("GOPROXY=https://go.example,direct\nGOSUMDB=off\nGOBIN=/opt/bin\n")
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config.toml").write_text(CARGO)
    assert changed(tmp_path, GOSUMDB="sum.example", GOPRIVATE="*.example") == {
        "GOPROXY": "https://go.example,direct",
        "GOSUMDB": "sum.example",
        "GOPRIVATE": "*.example",
        "BP_RUST_CRATES_MIRROR": "sparse+https://crates.example/index/",
        "CARGO_HTTP_PROXY": "http://proxy.example:3128",
        "CARGO_HTTP_MULTIPLEXING": "false",
        "CARGO_NET_RETRY": "5",
    }


def test_files_elsewhere_count_and_broken_or_local_ones_say_nothing(tmp_path: Path) -> None:
    named, cargo = tmp_path / "named", tmp_path / "cargo"
    named.write_text("# ours\nGOPROXY=https://go.example,file:///opt/proxy\nGOINSECURE=*.example\n")
    cargo.mkdir()
    (cargo / "config").write_text('source.crates-io.replace-with = "here"\nsource.here.directory = "/opt/crates"\n')
    (cargo / "config.toml").write_text("not toml")
    given = {"GOENV": str(named), "CARGO_HOME": str(cargo)}
    assert changed(tmp_path, **given) == {"GOINSECURE": "*.example"}
    assert changed(tmp_path, **{**given, "GOENV": "off"}) == {}


def test_replacements_that_go_round_end(tmp_path: Path) -> None:
    (tmp_path / ".cargo").mkdir()
    (tmp_path / ".cargo/config.toml").write_text(
        'source.crates-io.replace-with = "a"\nsource.a.replace-with = "crates-io"\nhttp = 5\n'
    )
    assert changed(tmp_path) == {}
