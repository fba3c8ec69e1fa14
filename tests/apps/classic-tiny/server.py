"""Answers with what it was started with."""

import http.server
import json
import os


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        names = ("GREETING", "SHOUT", "HOME", "TINY_HOME", "TINY_WORDS")
        body = json.dumps({name: os.environ.get(name, "") for name in names}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
