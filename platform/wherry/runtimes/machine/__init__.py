"""Processes and build sandboxes as containers of one Docker Engine.

The only room that imports docker, with ``swarm`` beside it. State is the engine's own: everything is found again by labels
after any restart.
"""
