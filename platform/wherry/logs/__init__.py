"""Lines on disk, followed without polling: those of builds and rollouts, each one stream with an end, and the log of each
app, which has none.

``records.py`` is what a build's file holds (pure), ``files.py`` the adapter of the port Logs. ``entries.py`` is what the
files of an app's log hold (pure), ``app_files.py`` where they lie, ``app_logs.py`` the adapter of the port AppLogs.
``watch.py`` is how readers wake. Does not live here: where lines come from, or what they mean.
"""
