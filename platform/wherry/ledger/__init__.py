"""What must not be lost: tables, queries, the job table with leases and fences, sealed config, events.

The only room that imports sqlalchemy. SQLite by default, PostgreSQL by URL; the same tests on both.
"""
