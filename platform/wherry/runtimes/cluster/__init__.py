"""Processes as plain objects of any Kubernetes.

The only room that imports kubernetes, and of that only what finds the cluster and its credentials; what is asked of the
API is plain JSON. Manifests are pure values; calls, waiting and explaining are files of their own. State is the
cluster's own: everything is found again by labels.
"""
