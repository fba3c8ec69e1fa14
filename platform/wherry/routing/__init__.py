"""The table host → processes, its translation to Envoy's config (pure), and the files that feed Envoy.

Python stays off the request path: Envoy serves, and goes on serving when all else is down.
"""
