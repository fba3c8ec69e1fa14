"""One cluster, one stack and one engine for all tests of builds."""

from tests.builds.pod_world import pods
from tests.builds.real_world import home, sample, stack_registry, yard
from tests.cluster.fixtures import cluster, cluster_platform_id, cluster_registry
from tests.runtimes.tiny import engine_api, platform_id

__all__ = [
    "cluster",
    "cluster_platform_id",
    "cluster_registry",
    "engine_api",
    "home",
    "platform_id",
    "pods",
    "sample",
    "stack_registry",
    "yard",
]
