"""An app of a language that nothing here builds."""

from __future__ import annotations

import pytest
from wherry.builds.unbuilt import words


@pytest.mark.parametrize(
    ("buildpacks", "names", "told"),
    [
        (["wherry/procfile"], ["Procfile", "build.sbt"], "Scala (build.sbt)"),
        (["wherry/apt", "wherry/procfile"], ["Aptfile", "Procfile", "shop.csproj"], ".NET (shop.csproj)"),
        (["wherry/nodejs", "wherry/procfile"], ["mix.exs", "package.json"], ""),
        (["other/clojure", "wherry/procfile"], ["project.clj"], ""),
        (["wherry/procfile"], ["Procfile", "run.sh"], ""),
    ],
)
def test_an_app_that_nothing_builds_but_its_procfile_is_told_so(
    buildpacks: list[str], names: list[str], told: str
) -> None:
    said = words(buildpacks, names)
    assert (told in said[0], "Dockerfile" in said[1]) == (True, True) if told else said == ()
