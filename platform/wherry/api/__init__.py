"""The HTTP API in the shape of Heroku's Platform API v3, git over HTTP, and the answers to git's hooks. Flask.

Parses, calls the flow, and shapes the answer; decides nothing.
"""
