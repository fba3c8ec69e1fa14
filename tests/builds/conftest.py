"""One cluster for all tests of builds on one."""

from tests.cluster.fixtures import cluster, cluster_platform_id, cluster_registry

__all__ = ["cluster", "cluster_platform_id", "cluster_registry"]
