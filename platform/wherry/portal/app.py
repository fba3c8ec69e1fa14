"""The Flask app that gunicorn serves: the API at the root, the pages under /dashboard."""

from __future__ import annotations

from flask import Flask

from wherry.api import install
from wherry.portal.routes import install_pages
from wherry.wiring.web import World


def create_portal(world: World) -> Flask:
    app = Flask("wherry", static_folder=None)
    install(app, world)
    install_pages(app, world)
    return app
