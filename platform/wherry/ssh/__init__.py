"""git over SSH: the process that sshd's forced command (hook/serve) talks to. sshd proves whose key it is; who may do
what is asked of the same function as at every other door, and a push meets the same hooks.
"""
