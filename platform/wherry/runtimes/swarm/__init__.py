"""Processes as services of a Docker swarm, one service a process, by the same SDK as ``machine``.

What lives here is what a swarm does otherwise: start, stop, look. One-offs, release phases, builds and their networks are
those of ``machine``, on the engine that we speak to, which must be a manager of the swarm.
"""
