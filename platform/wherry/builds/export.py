"""Export: a finished build becomes an image in the registry (platform.md "exporter"; cnb.md 19 to 22).

Outside the sandbox, where the registry's login is; runs nothing of the app. Layers are packed and uploaded side by
side, and the image's config beside them; what the registry has is neither packed nor sent again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import ParamSpec

from wherry.builds import export_config, origin
from wherry.builds.additions import on_disk
from wherry.builds.earlier import Earlier
from wherry.builds.export_config import APP, LAYERS, ExportedLayers
from wherry.builds.export_sbom import sbom_files
from wherry.builds.export_slices import parts
from wherry.builds.model import Built, BuiltLayer
from wherry.builds.stacks import Stack
from wherry.domain.errors import BuildFailed, BuildFailure, InvalidInput, PlatformFault
from wherry.domain.image import Image
from wherry.domain.text import printable
from wherry.flow.ports import BuildRequest, Say
from wherry.flow.talk import detail, step
from wherry.images.entries import Tree, of_files
from wherry.images.layer_cache import LayerCache, fingerprint
from wherry.images.layers import Layer, pack
from wherry.images.manifest import Document, image_config, image_manifest
from wherry.images.registry import Registry
from wherry.images.stored import StoredImage, push_layer
from wherry.images.upload import SMALL

P = ParamSpec("P")
RECORDS = "layer-records"
"""The folder of an app's caches that is ours."""
_AT_ONCE = 4
_LONGEST_CONFIG = 2 * 1024 * 1024


def export(
    built: Built,
    stack: Stack,
    registry: Registry,
    repository: str,
    previous: StoredImage | None,
    cache: Path,
    request: BuildRequest,
    say: Say,
    present: frozenset[str] = frozenset(),
) -> Image:
    """The image, once the registry has all of it. `cache` is the folder of all apps' caches; `previous` gives the layers
    that the build reuses without having them; `present`: blobs that `repository` is known to have.

    Raises BuildFailed for what a buildpack left that no image can hold, PlatformFault.
    """
    step(say, "Exporting the image")
    records = LayerCache(cache / str(request.app_id) / RECORDS)
    with _blobs(built) as blobs, ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export") as pool:
        work = _Export(built, stack, registry, repository, previous, records, blobs, pool, _in_turn(say), present)
        try:
            return work.run(request)
        except InvalidInput as error:
            message = f"the build cannot become an image: {error.message}"
            raise BuildFailed(BuildFailure.BUILDPACK_FAILED, message, evidence=error.evidence) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _in_turn(say: Say) -> Say:
    """Layers are made in threads, and a log has one writer."""
    lock = Lock()

    def one(line: str) -> None:
        with lock:
            say(line)

    return one


@contextmanager
def _blobs(built: Built) -> Iterator[Path]:
    """Beside the build, so that whoever removes it removes what a killed export left."""
    try:
        with tempfile.TemporaryDirectory(prefix="export-", dir=built.layers_dir.parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise PlatformFault(f"the image cannot be packed: {printable(str(error), 300)}") from error


@dataclass(frozen=True, slots=True)
class _Export:
    built: Built
    stack: Stack
    registry: Registry
    repository: str
    previous: StoredImage | None
    records: LayerCache
    blobs: Path
    pool: ThreadPoolExecutor
    say: Say
    present: frozenset[str]
    sending: list[Future[None]] = field(default_factory=list)

    def run(self, request: BuildRequest) -> Image:
        app = [self._later(self._pack, tree, "app") for tree in self._app()]
        launch = {(each.buildpack.id, each.name): self._later(self._launch, each) for each in self._launched()}
        launcher = self._later(self._files, dict(self.built.launcher), "launcher")
        metadata = (export_config.metadata_toml(self.built), 0o644)
        config = self._later(self._files, {f"{LAYERS}/config/metadata.toml": metadata}, "config")
        found = sbom_files(self.built)
        sbom = self._later(self._files, found, "sbom") if found else None
        for each in self.stack.run.layers:
            self._later(self._below, each)
        layers = ExportedLayers(
            {key: each.result() for key, each in launch.items()},
            launcher.result(),
            config.result(),
            [each.result() for each in app],
            sbom.result() if sbom else None,
        )
        digest = self._publish(layers, request)
        return Image(self.repository, digest, {each.type: export_config.shown(each) for each in self.built.processes})

    def _later(self, work: Callable[P, Iterator[Layer]], *args: P.args, **kwargs: P.kwargs) -> Future[Layer]:
        """The layer, as soon as it is known what it is; until it is in the registry too takes longer (`sending`)."""
        known: Future[Layer] = Future()
        self.sending.append(self.pool.submit(_told, known, work(*args, **kwargs)))
        return known

    # -- the layers: each is yielded once it is packed where it has to be, and is in the registry afterwards

    def _below(self, layer: Layer) -> Iterator[Layer]:
        yield layer
        self._sent(layer, [self.stack.run.repository])

    def _launched(self) -> list[BuiltLayer]:
        """In the order of the group, then of names: what a build adds does not move what was there."""
        order = {each.id: number for number, each in enumerate(self.built.group)}
        launched = [each for each in self.built.layers if each.launch]
        return sorted(launched, key=lambda each: (order.get(each.buildpack.id, len(order)), each.name))

    def _launch(self, layer: BuiltLayer) -> Iterator[Layer]:
        """One that nothing has changed since it was last packed costs a look at its files, and no reading."""
        name = f"{layer.buildpack.id}:{layer.name}"
        if layer.folder is None:
            yield from self._reused(layer, name)
            return
        place = f"{layer.buildpack.escaped}/{layer.name}"
        if layer.folder.resolve() != self.built.layers_dir.resolve() / place:
            raise InvalidInput(f"the layer {printable(name)} is not where layers are")
        tree = Tree(layer.folder, f"{LAYERS}/{place}", (self.stack.uid, self.stack.gid))
        seen = fingerprint(tree)
        known = self.records.known(seen)
        if known and (known.digest in self.present or self.registry.has_blob(self.repository, known.digest)):
            detail(self.say, f"Unchanged layer {printable(name)}")
            yield replace(known, note=f"wherry: {name}")
            return
        for packed in self._pack(tree, name, seen):
            yield packed
            note = on_disk(self.built.layers_dir, place).record()  # for a build that reuses it
            self.records.note(packed.diff_id, note)

    def _reused(self, layer: BuiltLayer, name: str) -> Iterator[Layer]:
        """By the diffID that the previous image's label has for it (buildpack.md "Layer Types")."""
        previous = self.previous
        found = (Earlier(previous.labels, previous.layers) if previous else Earlier()).needed(layer)
        yield replace(found, note=f"wherry: {name}")
        self._sent(found, [previous.repository if previous else self.repository])
        detail(self.say, f"Reused layer {printable(name)}")

    def _files(self, files: Mapping[str, tuple[bytes, int]], name: str) -> Iterator[Layer]:
        layer = pack(of_files(files), self.blobs, note=f"wherry: {name}")
        yield layer
        self._push(layer, name)

    def _pack(self, tree: Tree, name: str, seen: str = "") -> Iterator[Layer]:
        layer = pack(tree.entries(lambda line: detail(self.say, line)), self.blobs, note=f"wherry: {name}")
        yield layer
        self._push(layer, name)
        self.records.remember(layer, seen)

    def _push(self, layer: Layer, name: str) -> None:
        if self._sent(layer):
            detail(self.say, f"Added layer {printable(name)} ({_size(layer.size)})")

    def _sent(self, layer: Layer, sources: Sequence[str] = ()) -> bool:
        """Whether bytes had to be sent."""
        if layer.digest in self.present:
            return False
        return push_layer(self.registry, self.repository, layer, sources, ask=self._is_worth_asking(layer.size))

    def _is_worth_asking(self, size: int) -> bool:
        """Beside a previous image, what is not of it is most likely new: then a question costs more than a few bytes."""
        return not self.present or size > SMALL

    def _app(self) -> list[Tree]:
        """Its files belong to the build's user, and their group, which the app runs as too, may write them: an app may
        use its folder as it is used to (what it writes is gone with the process).
        """
        owner = (self.stack.uid, self.stack.gid)
        found = parts(self.built.app, self.built.slices)
        return [Tree(self.built.app, APP, owner, pick, group_writes=True) for pick in (*found.slices, found.rest)]

    # -- the image

    def _publish(self, above: ExportedLayers, request: BuildRequest) -> str:
        """The manifest goes last, when the registry has all that it names."""
        layers = [*self.stack.run.layers, *above.in_order()]
        settings = export_config.settings(self.built, self.stack, request, above)
        config = image_config(layers, settings, self.stack.run.config, origin.created(request))
        if len(config.body) > _LONGEST_CONFIG:
            raise InvalidInput(f"its labels and metadata have more than {_size(_LONGEST_CONFIG)}")
        self.sending.append(self.pool.submit(self._send_config, config))
        for each in self.sending:
            each.result()
        manifest = image_manifest(config, layers, export_config.notes(self.built, self.stack, request))
        digest = self.registry.put_manifest(self.repository, manifest)
        detail(self.say, f"Image {digest[:19]} ({_size(sum(each.size for each in layers))})")
        return digest

    def _send_config(self, config: Document) -> None:
        if config.digest not in self.present:
            ask = self._is_worth_asking(len(config.body))
            self.registry.put_blob(self.repository, config.digest, config.body, ask=ask)


def _told(known: Future[Layer], steps: Iterator[Layer]) -> None:
    """Goes through the steps, and says what they yield."""
    try:
        for layer in steps:
            known.set_result(layer)
    except BaseException as error:
        if not known.done():
            known.set_exception(error)
        raise


def _size(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB" if size >= 100_000 else f"{size / 1000:.1f} kB"
