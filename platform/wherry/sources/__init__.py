"""Bare repositories by app id, the receive policy, git's own HTTP transport, and the export of one tree.

The only room that runs git. Does not live here: what a push means (domain/refs.py), what happens next (flow/push.py).
"""
