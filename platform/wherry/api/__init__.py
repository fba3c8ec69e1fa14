"""The HTTP API in the shape of Heroku's Platform API v3, git over HTTP, and the answers to git's hooks. Flask.

Parses, calls the flow, and shapes the answer; decides nothing. Its front is `install`, which the portal's app calls.
"""

from wherry.api.doors import create_api, install

__all__ = ["create_api", "install"]
