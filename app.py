"""The WSGI entrance for gunicorn: ``gunicorn app:app``."""

from wherry.portal import create_portal
from wherry.settings import Settings
from wherry.wiring.web import wire

app = create_portal(wire(Settings.load()))
