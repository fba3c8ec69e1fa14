"""Languages that no buildpack here knows: an app with a Procfile is built nevertheless, and then has nothing to start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wherry.domain.text import printable

_LANGUAGES = {
    "build.sbt": "Scala",
    "project.clj": "Clojure",
    "deps.edn": "Clojure",
    "mix.exs": "Elixir",
    "rebar.config": "Erlang",
    "stack.yaml": "Haskell",
    "Package.swift": "Swift",
    "pubspec.yaml": "Dart",
}
_ENDINGS = dict.fromkeys((".csproj", ".fsproj", ".vbproj", ".sln"), ".NET")
_OURS_ALONE = {"wherry/procfile", "wherry/apt"}


def words(buildpacks: Iterable[str], names: Iterable[str]) -> Sequence[str]:
    """What to tell whoever pushes, none when all is well. `buildpacks`: ids of those that build; `names`: what lies in the
    app's folder.
    """
    if not set(buildpacks) <= _OURS_ALONE:
        return ()
    for name in sorted(names):
        language = _LANGUAGES.get(name) or next((each for end, each in _ENDINGS.items() if name.endswith(end)), "")
        if language:
            return (
                f"No buildpack here builds {language} ({printable(name[:60])}): only what the Procfile starts is there",
                "A Dockerfile can build it, or a builder image of others: docs/containers.md, docs/buildpacks.md",
            )
    return ()
