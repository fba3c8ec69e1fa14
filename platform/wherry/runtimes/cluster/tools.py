"""What errands share: the client, the ground, and making an errand with the Secret that it takes its environment from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wherry.domain.errors import Conflict, RolloutFailed
from wherry.domain.workload import Workload
from wherry.runtimes.cluster import errand, naming
from wherry.runtimes.cluster.client import Client
from wherry.runtimes.cluster.errors import Refused
from wherry.runtimes.cluster.explain import Explainer, refused
from wherry.runtimes.cluster.ground import Ground
from wherry.runtimes.cluster.kinds import SECRET, Object, kind_of
from wherry.runtimes.cluster.talk import Talk
from wherry.runtimes.cluster.world import World


@dataclass(frozen=True)
class Tools:
    """`furnish` makes the app's namespace and all that guards it. Used from several threads."""

    client: Client
    world: World
    ground: Ground
    talk: Talk
    furnish: Callable[[Workload], None]

    def namespace(self, app_id: int) -> str:
        return naming.namespace(self.ground.platform, app_id)

    def make(self, workload: Workload, wanted: Object) -> None:
        """The errand and its Secret. Raises Conflict where it is there already, RolloutFailed where the cluster will not
        have it, PlatformFault.
        """
        self.furnish(workload)
        about = wanted["metadata"]
        marks = {key: about["labels"][key] for key in (errand.ONCE, errand.ONE_OFF) if key in about["labels"]}
        secret = errand.secret(self.ground, workload, about["name"], marks)
        try:
            self.client.create(secret)
        except Conflict:  # an earlier try left it, perhaps with an older environment
            self.client.delete(SECRET, about["namespace"], about["name"])
            self.client.create(secret)
        try:
            self.world.put(self.client.create(wanted))
        except Refused as error:
            self.take_away(wanted)
            raise refused(workload, error.message) from error
        except BaseException:
            self.take_away(wanted)
            raise

    def explain(self, workload: Workload, process: str, pod: Object) -> RolloutFailed:
        return Explainer(self.client).failure(workload, process, pod, late=False)

    def take_away(self, made: Object, grace: int | None = None) -> None:
        about = made["metadata"]
        self.client.delete(kind_of(made), about["namespace"], about["name"], grace=grace)
        self.client.delete(SECRET, about["namespace"], about["name"])
