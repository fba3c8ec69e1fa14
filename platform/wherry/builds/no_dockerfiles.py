"""What a pusher reads where Dockerfiles are not built: on a cluster, which has no engine for them."""

from __future__ import annotations

from wherry.domain.errors import BuildFailed, BuildFailure

_NOT_HERE = "this platform builds on its cluster, and builds no Dockerfiles there"
_HINT = (
    "To build by buildpacks whatever files there are: wherry stack:set wherry-12. "
    "Or build the image yourself: docker push, then wherry container:release (docs/containers.md)"
)


def refused(why: str) -> BuildFailed:
    """For an app that asks for its Dockerfile. `why`: where it does, as a sentence."""
    return BuildFailed(BuildFailure.BAD_SOURCE, _NOT_HERE, evidence=[why], hint=_HINT)


def nothing_else(error: BuildFailed) -> BuildFailed:
    """For an app that has a Dockerfile, and that no buildpack knows."""
    evidence = [*error.evidence, f"There is a Dockerfile, but {_NOT_HERE}."]
    return BuildFailed(error.kind, error.message, evidence=evidence, hint=_HINT)
