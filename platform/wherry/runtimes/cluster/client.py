"""What we ask of the API of a cluster, in plain JSON: one method a verb."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wherry.domain.errors import NotFound
from wherry.runtimes.cluster import answers
from wherry.runtimes.cluster.answers import Answer
from wherry.runtimes.cluster.kinds import Kind, Object, kind_of
from wherry.runtimes.cluster.transport import JSON, SECONDS, Call, Transport

MANAGER = "wherry"
"""Our one field manager: what it set and no longer sets, the server takes away."""
_PAGE = 500
_METADATA = "application/json;as={};g=meta.k8s.io;v=v1"
_MERGE = "application/merge-patch+json"
_APPLY = "application/apply-patch+yaml"
# What YAML, as which the server reads an applied object, does not take as it is inside quotes.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
Page = tuple[list[Object], str]


class Client(Transport):
    """Used from several threads. Every method raises PlatformFault and Refused."""

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Raises NotFound."""
        return self.json(Call("GET", kind.path(namespace, name), f"get the {kind.name} {name}"))

    def list(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", only_metadata: bool = False
    ) -> tuple[list[Object], str]:
        """All of them, and the version to watch from. `labels`, `fields`: selectors."""
        found: list[Object] = []
        version = ""
        for page, each in self.pages(kind, namespace, labels=labels, fields=fields, only_metadata=only_metadata):
            found, version = found + page, each
        return found, version

    def pages(
        self, kind: Kind, namespace: str = "", *, labels: str = "", fields: str = "", only_metadata: bool = False
    ) -> Iterator[Page]:
        """The same, some at a time: of a large cluster nobody need hold all at once."""
        path, doing = kind.path(namespace), f"list the {kind.plural}"
        accept = _METADATA.format("PartialObjectMetadataList") if only_metadata else JSON
        query = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
        rest = "first"
        while rest:
            page = self.json(Call("GET", path, doing, query, accept=accept, counted="LIST"))
            yield page["items"] or [], str(page["metadata"]["resourceVersion"])
            rest = page["metadata"].get("continue", "")
            query["continue"] = rest

    def apply(self, wanted: Object, *, dry_run: bool = False, manager: str = MANAGER) -> Object:
        """Server-side apply: makes the object, or makes it have what `wanted` has; what we set earlier and no longer
        want goes. Fields that somebody else has set differently become ours again. `dry_run`: only tried.
        `manager`: in whose name.
        """
        kind, about = kind_of(wanted), wanted["metadata"]
        path, doing = kind.path(about.get("namespace", ""), about["name"]), f"apply the {kind.name} {about['name']}"
        query = {
            "fieldManager": manager,
            "force": "true",
            "fieldValidation": "Strict",
            "dryRun": "All" if dry_run else "",
        }
        return self.json(Call("PATCH", path, doing, query, encoded(wanted), _APPLY, counted="APPLY"))

    def create(self, wanted: Object) -> Object:
        """Raises Conflict when there is one of that name."""
        kind, about = kind_of(wanted), wanted["metadata"]
        path, doing = kind.path(about.get("namespace", "")), f"create the {kind.name} {about.get('name', '')}"
        query = {"fieldManager": MANAGER, "fieldValidation": "Strict"}
        return self.json(Call("POST", path, doing, query, encoded(wanted), counted="CREATE"))

    def allowed(self, review: Object) -> bool:
        """Whether we may do what a SelfSubjectAccessReview asks about."""
        path = f"/apis/{review['apiVersion']}/selfsubjectaccessreviews"
        answer = self.json(Call("POST", path, "ask what we may do", body=encoded(review)))
        return bool(answer["status"]["allowed"])

    def merge(self, kind: Kind, namespace: str, name: str, changes: Object, part: str = "") -> Object:
        """Sets some fields of an object that is there. Raises NotFound."""
        path, doing = kind.path(namespace, name, part), f"change the {kind.name} {name}"
        return self.json(Call("PATCH", path, doing, {"fieldManager": MANAGER}, encoded(changes), _MERGE))

    def delete(
        self, kind: Kind, namespace: str, name: str, *, propagation: str = "Background", grace: int | None = None
    ) -> bool:
        """False when it is not there. `propagation`: Background, Foreground or Orphan, for what it owns; `grace`: seconds,
        else its own.
        """
        options: Object = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        doing = f"delete the {kind.name} {name}"
        try:
            self.json(Call("DELETE", kind.path(namespace, name), doing, body=encoded(options)))
        except NotFound:
            return False
        return True

    @contextmanager
    def log(
        self,
        namespace: str,
        pod: str,
        query: Mapping[str, str],
        *,
        seconds: float = SECONDS,
        opened: Callable[[Answer], None] = lambda _: None,
    ) -> Iterator[Iterator[bytes]]:
        """What a container of a pod writes, in pieces as they come. `query`: container, follow, previous, tailLines,
        timestamps, sinceTime, limitBytes, as the API has them. `seconds`: the longest silence. `opened`: as for `watch`.
        Raises NotFound, Refused (it has not begun).
        """
        path, doing = f"/api/v1/namespaces/{namespace}/pods/{pod}/log", f"read the log of {pod}"
        with self.opened(Call("GET", path, doing, query, seconds=seconds)) as answer:
            opened(answer)
            yield answers.pieces(answer, doing)

    @contextmanager
    def watch(
        self,
        kind: Kind,
        version: str,
        seconds: int,
        *,
        namespace: str = "",
        labels: str = "",
        quiet: float = 90.0,
        only_metadata: bool = False,
        opened: Callable[[Answer], None] = lambda _: None,
    ) -> Iterator[Iterator[Object]]:
        """The events of a kind after `version`, for `seconds` at most; none for `quiet` seconds, bookmarks included, is
        taken for a connection that is dead. Raises Gone when `version` is too old, also while it runs. `opened` is given
        the stream itself, for who wants to end it from another thread.
        """
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
            "labelSelector": labels,
        }
        path, doing = kind.path(namespace), f"watch the {kind.plural}"
        accept = _METADATA.format("PartialObjectMetadata") if only_metadata else JSON
        with self.opened(Call("GET", path, doing, query, accept=accept, seconds=quiet, counted="WATCH")) as answer:
            opened(answer)
            yield answers.events(answer, doing)


def encoded(value: Object) -> bytes:
    """JSON that reads the same as YAML."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode()
