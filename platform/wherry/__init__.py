"""Wherry: git push, and the app runs.

The rooms, from the bottom up: ``domain`` (what is true), ``flow`` (what happens), the adapters (``sources``,
``builds``, ``images``, ``runtimes``, ``routing``, ``ledger``, ``logs``, ``drains``), ``fittings`` (each adapter as the
settings ask for it), ``wiring`` (hands them to the flow), the doors (``api``, ``portal``, ``terminal``, ``ssh``, ``hook``)
and ``supervisor`` (the processes of one machine). ``pod`` is what runs in a build's pod in a cluster.
``cli`` stands apart: it speaks HTTP to the API. Imports go down only; docs/architecture.md is the map.
"""

__version__ = "0.1.0"
