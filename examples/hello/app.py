"""Wherry's first sample: change the greeting, commit, and push again."""

import os

from flask import Flask

GREETING = "Hello from Wherry!"

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return f"{GREETING} This is {os.environ.get('WHERRY_RELEASE_VERSION', 'a release')}.\n"
