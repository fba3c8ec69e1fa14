"""How programs are run inside a container of a build, whoever made it: one agent in there, spoken to through FIFOs in a
folder that both sides see. Used by the runtimes; knows no engine and no cluster.
"""
