"""The processes of one machine: web, worker, router, registry. Starts, watches, restarts and stops them.

The router and the apps outlive it. Run as ``python -m wherry.supervisor``; the CLI's up, down, status and doctor
exec it.
"""
