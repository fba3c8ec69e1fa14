"""The command line, ``wherry``: speaks HTTP to the API, imports the domain only, starts in under 150 ms."""
