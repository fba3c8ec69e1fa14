import importlib.util
import sys

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    tests = importlib.util.find_spec("iniconfig") is not None
    return f"Hello from Poetry, Python {sys.version_info.major}, packages of development: {tests}\n"
