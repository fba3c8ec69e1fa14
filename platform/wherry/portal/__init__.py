"""The pages under /dashboard, server-rendered, readable without JavaScript. Flask.

Reads through the actor who asks, calls one story of the flow for each form, and decides nothing. Its front is
`create_portal`, which gunicorn serves: the pages, with the API beside them.
"""

from wherry.portal.app import create_portal
from wherry.portal.routes import install_pages

__all__ = ["create_portal", "install_pages"]
