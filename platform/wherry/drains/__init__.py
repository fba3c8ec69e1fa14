"""Sends the logs of apps on to where their drains say (syslog over TCP or TLS, or HTTPS), and what happens to webhooks.

``frames.py`` is how a line is written (pure), ``dial.py`` the one way out, which leads to no private network,
``syslog.py`` and ``https.py`` speak to one receiver, ``follower.py`` is the thread that follows one log, ``sender.py`` sends
what it reads, ``keeper.py`` keeps a sender a drain. The log on disk is the buffer. ``posts.py`` is one POST to a webhook,
``couriers.py`` the threads that make them; ``states.py`` follows logs for what webhooks are told of processes. Does not live
here: which drains and webhooks there are, and what is due.
"""
