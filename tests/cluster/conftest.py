from tests.cluster.fixtures import (
    cluster,
    cluster_platform_id,
    cluster_registry,
    gateway,
    helm,
    helm4,
    metrics,
    namespace,
    open_cluster_registry,
)
from tests.runtimes.tiny import busybox

__all__ = [
    "busybox",
    "cluster",
    "cluster_platform_id",
    "cluster_registry",
    "gateway",
    "helm",
    "helm4",
    "metrics",
    "namespace",
    "open_cluster_registry",
]
