from tests.cluster.fixtures import cluster, cluster_platform_id, cluster_registry, gateway, namespace
from tests.runtimes.cluster_world import cluster_client, cluster_ground, cluster_image, cluster_runtime
from tests.runtimes.machine_world import app_logs, machine_runtime
from tests.runtimes.registry import pushed_image, registry
from tests.runtimes.tiny import busybox, engine_api, other_platform_id, platform_id, tiny_image

__all__ = [
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
    "gateway",
    "machine_runtime",
    "namespace",
    "other_platform_id",
    "platform_id",
    "pushed_image",
    "registry",
    "tiny_image",
]
