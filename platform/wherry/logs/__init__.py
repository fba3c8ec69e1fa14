"""Lines of builds and rollouts on disk: one writer, any number of readers that follow without polling.

``records.py`` is what a file holds (pure), ``files.py`` the port's adapter, ``watch.py`` how readers wake. Does not
live here: what the lines mean, or the output of apps, which their runtime keeps.
"""
