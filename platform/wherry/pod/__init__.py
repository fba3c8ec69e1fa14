"""The programs of a build's pod in a cluster: ``python -m wherry.pod fetch`` and ``… export``. Between them, and beside
the second, runs the container in which the app is built.

They wire the same builder as a machine's worker does, and know nothing of the cluster: what they are told stands in
one file, what they tell goes to stdout, a line of JSON at a time. The only programs of a build that have the
registry's login.
"""
