"""A small web app. The first line of its answer is what the tests change."""

from pathlib import Path

from flask import Flask, request

GREETING = "Hello from a test"
app = Flask(__name__)


@app.get("/")
def hello() -> str:
    print(f"someone looks: {request.query_string.decode()}", flush=True)
    file = Path("greeting.txt")
    return f"{GREETING}\n{file.read_text() if file.exists() else ''}"
