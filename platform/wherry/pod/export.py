"""The last container: drives the one beside it through the build, and puts the image into the registry."""

from __future__ import annotations

from dataclasses import replace

from wherry.builds.builder import LifecycleBuilder
from wherry.builds.pod_words import Speaker
from wherry.flow.ports import Cancel
from wherry.pod.bench import CHANNEL, SOURCE, Bench
from wherry.runtimes.agent.sibling import SiblingSandbox
from wherry.sources.fetch import Trees


def export(bench: Bench, speaker: Speaker, cancel: Cancel) -> None:
    """Raises BuildFailed, Cancelled, PlatformFault."""
    builder = LifecycleBuilder(
        SiblingSandbox(CHANNEL), bench.stack, bench.registry, bench.settings, trees=Trees(), yards=bench.yard
    )
    request = bench.told.request
    # Whatever the worker tries for the how-manieth time is here the first.
    here = replace(request, attempt=1, source=replace(request.source, archive=str(SOURCE)))
    try:
        image = builder.build(here, speaker.say, cancel)
    finally:
        if not cancel.cancelled:
            bench.cache.keep(bench.stack.known(), speaker.say)
    speaker.image(image)
