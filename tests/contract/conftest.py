"""What the contracts are held against: one engine, one swarm and one cluster for all, and a database a test."""

from tests.cluster.fixtures import cluster, cluster_platform_id, cluster_registry
from tests.contract.ledger_world import actor, app, ledger
from tests.contract.runtime_world import world
from tests.runtimes.cluster_world import cluster_client, cluster_ground, cluster_image, cluster_runtime
from tests.runtimes.machine_world import app_logs, machine_runtime
from tests.runtimes.registry import pushed_image, registry
from tests.runtimes.swarm_world import swarm, swarm_runtime
from tests.runtimes.tiny import busybox, engine_api, platform_id, tiny_image

__all__ = [
    "actor",
    "app",
    "app_logs",
    "busybox",
    "cluster",
    "cluster_client",
    "cluster_ground",
    "cluster_image",
    "cluster_platform_id",
    "cluster_registry",
    "cluster_runtime",
    "engine_api",
    "ledger",
    "machine_runtime",
    "platform_id",
    "pushed_image",
    "registry",
    "swarm",
    "swarm_runtime",
    "tiny_image",
    "world",
]
