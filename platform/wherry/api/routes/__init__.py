"""One file a resource; `table.py` says which path leads to which function."""
