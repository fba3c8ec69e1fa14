"""OCI: deterministic layers, image config and manifest, and a client for any registry of the distribution spec.

Does not live here: buildpacks, Docker.
"""
