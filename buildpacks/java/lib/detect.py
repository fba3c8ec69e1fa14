"""The build plan: a JDK for the build and a JRE for processes, from the distribution; Maven where no wrapper names one."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import newer
import project
import versions
from project import Kind
from talk import Refusal


def main(plan: Path) -> int:
    app = Path.cwd()
    kind = project.kind_of(app)
    if kind is None:
        print(project.LOOKS_FOR)
        if any((app / name).is_file() for name in project.GRADLE_FILES):
            print("there is a Gradle build without a wrapper; make one with: gradle wrapper")
        return 100
    requires: list[tuple[str, dict[str, object]]] = [("java", {})]
    with suppress(Refusal):  # the build says it, with the cause, before anything is fetched
        requires += [("apt", ask) for ask in asks(app, kind)]
    lines = ['[[provides]]\nname = "java"\n']
    for name, metadata in requires:
        lines.append(f'\n[[requires]]\nname = "{name}"')
        lines.append("[requires.metadata]" if metadata else "")
        lines += [f"{key} = {json.dumps(value)}" for key, value in metadata.items()]
    plan.write_text("\n".join(lines) + "\n")
    return 0


def asks(app: Path, kind: Kind) -> list[dict[str, object]]:
    """Raises Refusal for a version that is none."""
    wanted = versions.wanted(app, kind)
    if kind is Kind.JAR and newer.serves(wanted):
        return []
    found = [_ask("jre", wanted, launch=True)]
    if kind is not Kind.JAR:
        found.append(_ask("jdk", wanted, launch=False))
    if kind is Kind.MAVEN and not (app / project.MAVEN_WRAPPER).is_file():
        found.append({"packages": ["maven"]})
    return found


def _ask(what: str, wanted: versions.Wanted, *, launch: bool) -> dict[str, object]:
    ask: dict[str, object] = {"launch": True} if launch else {}
    if not wanted.named:
        return {"packages": [f"default-{what}-headless"], **ask}
    have = {"what": f"Java {wanted.version}", "have": f"openjdk-([0-9]+)-{what}-headless"}
    have |= {"asked": wanted.asked, "hint": versions.hint("{have}")}
    return {"packages": [f"openjdk-{wanted.named}-{what}-headless"], **have, **ask}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
