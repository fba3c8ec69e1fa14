"""What happens: push, build, release, rollout, rollback, scale, configure, create, rename, destroy, reconcile.

One story a file, its public method readable as a list of steps; ``ports.py``, ``image_ports.py`` and
``ledger_ports.py`` hold the Protocols that the stories need. Does not live here: git, Docker, SQL, HTTP, or any import
but the domain. Called by the doors and the worker with adapters that wiring built.
"""
