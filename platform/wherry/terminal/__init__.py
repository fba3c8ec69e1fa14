"""The terminal door: where somebody talks to a one-off. A process of its own, since each session holds a connection for
hours, and none may end because the web process is restarted.

A session is opened by a word that POST /apps/APP/dynos gave, once, within a minute. Two dialects follow it: Heroku's
(raw bytes, for its own client) and ours (frames.py). No account, no app and no rule is known here: flow/run.py has them.
"""
