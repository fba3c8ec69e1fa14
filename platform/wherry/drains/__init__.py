"""Sends the logs of apps on to where their drains say: syslog over TCP or TLS, or HTTPS.

``frames.py`` is how a line is written (pure), ``dial.py`` the one way out, which leads to no private network,
``syslog.py`` and ``https.py`` speak to one receiver, ``sender.py`` follows one log, ``keeper.py`` keeps a sender a drain.
The log on disk is the buffer. Does not live here: which drains there are.
"""
