"""Answers with what a packaged program and a packaged library say."""

import ctypes
import os
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GREETING = "Hello from jq"


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        argv = ["jq", "-nc", "--arg", "who", GREETING, "{$who, sum: (1 + 2)}"]
        said = subprocess.run(argv, capture_output=True, check=True).stdout
        sodium = ctypes.CDLL("libsodium.so.23")
        sodium.sodium_version_string.restype = ctypes.c_char_p
        body = said + b"sodium " + sodium.sodium_version_string() + b"\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Hello)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
