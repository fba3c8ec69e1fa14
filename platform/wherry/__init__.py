"""Wherry: git push, and the app runs.

The rooms, from the bottom up: ``domain`` (what is true), ``flow`` (what happens), the adapters (``sources``,
``builds``, ``images``, ``runtimes``, ``routing``, ``ledger``, ``logs``), ``wiring`` (builds the adapters and hands
them to the flow), the doors (``api``, ``portal``, ``hook``) and ``supervisor`` (the processes of one machine).
``cli`` stands apart: it speaks HTTP to the API. Imports go down only; docs/architecture.md is the map.
"""

__version__ = "0.1.0"
