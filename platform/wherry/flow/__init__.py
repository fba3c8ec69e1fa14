"""What happens: push, build, release, rollout, rollback, scale, configure, create, rename, destroy, reconcile.

One story a file, its public method readable as a list of steps; the files named ``*ports.py`` hold the Protocols that
the stories need: of the world (``ports.py``), and of what must not be lost (``ledger_ports.py``). Does not live here: git,
Docker, SQL, HTTP, or any import but the domain. Called by the doors and the worker with adapters that wiring built.
"""
