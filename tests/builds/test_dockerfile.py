"""Dockerfiles, .dockerignore and starts: what is settled before the engine builds, and after."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from wherry.builds import context, dockerfile
from wherry.builds.container_starts import starts_of
from wherry.builds.heroku_yml import Run
from wherry.domain.errors import BuildFailed, InvalidInput
from wherry.domain.image import Start
from wherry.images.manifest import architecture
from wherry.images.stored import StoredImage


def faults(text: str, **args: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        dockerfile.read(text.encode(), "Dockerfile", args)
    return list(caught.value.evidence)


def test_the_bases_are_those_of_all_stages_with_arguments_put_in() -> None:
    text = """\ufeff# a comment
ARG V=12
ARG NAME=debian
from --platform=linux/%ARCH% ${NAME}:${V:-11} as Made
FROM scratch
COPY --from=made /a /a
COPY --chown=1:1 --from=0 /b /b
COPY --from=busybox:1.36 \\
  # a comment within

  /c /c
EXPOSE 80
"""
    read = dockerfile.read(text.replace("%ARCH%", architecture()).encode(), "Dockerfile", {"V": "13"})
    assert read == dockerfile.Dockerfile(("debian:13", "busybox:1.36"), True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# escape=`\n# SynTax = x/y:1\nFROM a:1", "Dockerfile:2: syntax=x/y:1"),
        ("FROM a:1\nRUN --mount=type=cache,target=/x make", "Dockerfile:2: RUN --mount is BuildKit's"),
        ("FROM a:1\nONBUILD COPY --chmod=755 a b", "COPY --chmod is BuildKit's"),
        ("FROM a:1\nRUN <<EOF\necho\nEOF", "RUN << is BuildKit's"),
        ("FROM a:1\nCOPY <<-'X' /x\nX", "COPY << is BuildKit's"),
        ("FROM --platform=linux/s390x a:1", "FROM --platform=linux/s390x: only linux/"),
        ("RUN true", "Dockerfile: has no FROM"),
        ("", "Dockerfile: has no FROM"),
    ],
)
def test_t17_what_the_engines_own_builder_does_not_read_is_refused_with_its_line(text: str, words: str) -> None:
    assert words in "\n".join(faults(text))


@pytest.mark.parametrize(
    "text",
    [
        "FROM 3f",
        "FROM sha256:" + "a" * 64,
        "FROM 12",
        "FROM a:1\nCOPY --from=cafe / /",
        "FROM a:1\nONBUILD COPY --from=cafe / /",
        "FR\\\nOM 3f",
        "ARG X=3f\nFROM $X",
        "ARG X\nFROM ${X:-3f}",
        "FROM a:1\nRUN a \\\n  # ends here, say old engines\nFROM 3f",
        "# escape=`\nFROM a:1\nRUN dir C:\\\nFROM 3f",
        "FROM a:1 AS b\nCOPY --from=$b / /",
    ],
)
def test_t16_an_image_is_named_and_never_meant_by_its_id(text: str) -> None:
    assert "is not the name of an image" in "\n".join(faults(text))


def test_a_command_may_look_like_what_it_is_not() -> None:
    text = "FROM a:1\nRUN cat <<<word && echo '<<EOF' --mount=x\nRUN psql -c 'SELECT 1 \\\n FROM table'\n"
    assert dockerfile.read(text.encode(), "Dockerfile", {}).bases == ("a:1",)


def names(tar: Path) -> list[str]:
    with tarfile.open(tar) as opened:
        assert {(each.uid, each.gid, each.uname) for each in opened} == {(0, 0, "")}
        return [each.name for each in opened]


def test_dockerignore_leaves_out_but_never_the_dockerfile_and_the_last_match_decides(tmp_path: Path) -> None:
    app = tmp_path / "app"
    for name in ("Dockerfile", "keep/me.txt", "keep/not.pyc", "src/a.py", "src/deep/b.pyc", "secret", "a/src/x"):
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).write_text("x")
    (app / ".dockerignore").write_text("# all\n*\n!src\n!/keep/\n**/*.pyc\nDockerfile\n")
    assert context.write(app, "", "Dockerfile", tmp_path / "tar", ("ca/file", app / "secret")) == 4
    kept = set(names(tmp_path / "tar"))
    assert {"Dockerfile", ".dockerignore", "keep/me.txt", "src/a.py", "ca/file"} <= kept
    assert not kept & {"secret", "keep/not.pyc", "src/deep/b.pyc", "a/src/x"}
    context.write(app, "src", "Dockerfile", tmp_path / "tar")
    assert names(tmp_path / "tar") == ["a.py", "deep", "deep/b.pyc"]


def test_b38_a_dockerignore_that_is_no_list_of_patterns_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("a" * 1000 + "\n")
    with pytest.raises(BuildFailed, match=r"\.dockerignore is not right"):
        context.write(tmp_path, "", "Dockerfile", tmp_path / "tar")


def image(digest: str = "sha256:1", **settings: object) -> StoredImage:
    return StoredImage("apps/1", digest, {"config": settings}, ())


def test_starts_are_words_a_line_for_the_shell_or_the_images_own() -> None:
    images = {"web": image(Entrypoint=["/go"], Cmd=["a b"], User="app"), "job": image("sha256:2", Cmd=["run"])}
    runs = {
        "web": Run((), "web"),
        "line": Run(("a | b",), "web"),
        "words": Run(("a", "b c"), "job"),
        "job": Run((), "job"),
    }
    said: list[str] = []
    starts, shown = starts_of(runs, images, "sha256:1", said.append)
    assert starts == {
        "web": Start(("/go", "a b")),
        "line": Start(("/bin/sh", "-c", "a | b")),
        "words": Start(("a", "b c"), "1001:1000", "sha256:2"),
        "job": Start(("run",), "1001:1000", "sha256:2"),
    }
    assert shown == {"web": "/go 'a b'", "line": "a | b", "words": "a 'b c'", "job": "run"}
    assert [line for line in said if "here as 1001:1000" in line and "job" in line]


@pytest.mark.parametrize("user", ["", "root", "0", "00:5", "0:0", "root:app"])
def test_root_or_nobody_becomes_the_apps_user(user: str) -> None:
    starts, _ = starts_of({"web": Run(("a",), "web")}, {"web": image(User=user)}, "sha256:1", lambda line: None)
    assert starts["web"].user == "1001:1000"


def test_an_image_that_says_nothing_to_run_is_refused() -> None:
    with pytest.raises(BuildFailed, match="nothing says what web runs"):
        starts_of({"web": Run((), "web")}, {"web": image()}, "sha256:1", lambda line: None)
