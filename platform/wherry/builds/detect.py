"""Detect: asks the buildpacks, group by group, who works on this app (platform.md "detector")."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wherry.builds import beneath, plan, toml_files
from wherry.builds.descriptor import Descriptor
from wherry.builds.ground import APP, PLANS, PLATFORM, Ground
from wherry.builds.order import Candidate
from wherry.builds.plan import Alternative, Passed, Plan, Unresolved
from wherry.builds.surroundings import Surroundings
from wherry.builds.target import works_on
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput
from wherry.domain.text import log_line
from wherry.flow.ports import SandboxSession

PASS, FAIL = 0, 100
_MOST_BYTES = 1024 * 1024
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one buildpack said. `error` is empty when it passed or failed as the contract has it."""

    code: int
    output: tuple[str, ...]
    alternatives: tuple[Alternative, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The buildpacks that build this app, in order, and what they are to provide to each other."""

    buildpacks: tuple[Descriptor, ...]
    plan: Plan


class Detector:
    def __init__(self, session: SandboxSession, ground: Ground, surroundings: Surroundings) -> None:
        self._session = session
        self._ground = ground
        self._surroundings = surroundings
        self._verdicts: dict[str, Verdict] = {}  # by home: id and version

    def detect(self, candidates: Iterable[Sequence[Candidate]]) -> Group:
        """The first group that works. Raises BuildFailed: NOTHING_DETECTED, or BUILDPACK_FAILED when none works and one
        broke.
        """
        asked: dict[str, Descriptor] = {}
        reasons: list[str] = []
        for group in candidates:
            asked |= {each.descriptor.home: each.descriptor for each in group}
            outcome = self._try(group)
            if isinstance(outcome, Group):
                return outcome
            reasons += outcome
        raise self._nothing(asked, reasons)

    def _try(self, group: Sequence[Candidate]) -> Group | list[str]:
        """The group's outcome, or why its plan did not hold."""
        verdicts = [(each, self._ask(each.descriptor)) for each in group]
        if any(verdict.code != PASS and not each.optional for each, verdict in verdicts):
            return []
        passed = [(each, verdict) for each, verdict in verdicts if verdict.code == PASS]
        outcome = plan.resolve([Passed(each.descriptor.id, each.optional, said.alternatives) for each, said in passed])
        if isinstance(outcome, Unresolved):
            return list(outcome.reasons) if passed else []
        chosen = [each.descriptor for each, _ in passed if each.descriptor.id in outcome.group]
        return Group(tuple(chosen), outcome)

    def _ask(self, descriptor: Descriptor) -> Verdict:
        """Each buildpack is asked once, in however many groups it stands."""
        if descriptor.home not in self._verdicts:
            self._verdicts[descriptor.home] = self._run(descriptor)
        return self._verdicts[descriptor.home]

    def _run(self, descriptor: Descriptor) -> Verdict:
        base = self._surroundings.target
        if not works_on(base, descriptor.targets, descriptor.stacks):
            distro = f"{base.distro.name} {base.distro.version}".strip()
            return Verdict(FAIL, (f"does not work on {base.os}/{base.arch} {distro}".rstrip(),))
        file = f"{descriptor.buildpack.escaped}.toml"
        self._ground.write(self._ground.plans / file, b"")
        env = self._surroundings.of(descriptor, {"CNB_BUILD_PLAN_PATH": f"{PLANS}/{file}"})
        lines: list[bytes] = []
        argv = [f"{descriptor.home}/bin/detect", PLATFORM, f"{PLANS}/{file}"]
        code = self._session.execute(argv, env, APP, lines.append)
        output = tuple(log_line(line) for line in lines if line.strip())
        if code not in (PASS, FAIL):
            return Verdict(code, output, error=f"its detect ended with exit code {code}")
        if code == FAIL:
            return Verdict(code, output)
        return self._passed(file, output)

    def _passed(self, file: str, output: tuple[str, ...]) -> Verdict:
        try:
            content = beneath.read(self._ground.plans, file, _MOST_BYTES) or b""
            return Verdict(PASS, output, plan.read_alternatives(toml_files.parse(content, "its build plan")))
        except InvalidInput as error:
            return Verdict(-1, output, error=error.message)

    def _nothing(self, asked: dict[str, Descriptor], reasons: Sequence[str]) -> BuildFailed:
        for each in asked.values():
            said = self._ask(each)
            if said.error:
                message = f"the buildpack {each.id} broke: {said.error}"
                return BuildFailed(BuildFailure.BUILDPACK_FAILED, message, evidence=said.output[-_SHOWN:])
        evidence = [f"{each.id}: {self._wish(each)}" for each in asked.values()]
        return BuildFailed(
            BuildFailure.NOTHING_DETECTED,
            "no buildpack knows how to build this app",
            evidence=[*evidence, *dict.fromkeys(reasons)],
            hint="Add one of these files, a Dockerfile, or a Procfile that says what to run: web: COMMAND",
        )

    def _wish(self, descriptor: Descriptor) -> str:
        """What it looks for: in its own words, else in its description's."""
        verdict = self._ask(descriptor)
        if verdict.code == PASS:
            return "would take part"
        said = verdict.output[-1].strip() if verdict.output else ""
        return said or descriptor.description or "does not say what it looks for"
