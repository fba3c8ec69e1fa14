"""Makes a trust store of the certificates that SSL_CERT_FILE names, and tells Java of it instead of the layer's."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import trust

_DESCRIPTOR = 3  # where exec.d programs write their TOML (buildpack.md "exec.d")


def main(public: str) -> int:
    try:
        ders = trust.certificates([Path(os.environ["SSL_CERT_FILE"])])
    except ValueError as error:
        print(f"SSL_CERT_FILE: {error}", file=sys.stderr)
        return 1
    if not ders:
        print(
            f"SSL_CERT_FILE has no certificates, so Java does not read it: {os.environ['SSL_CERT_FILE']}",
            file=sys.stderr,
        )
        return 0
    descriptor, name = tempfile.mkstemp(prefix="java-trusted-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(trust.key_store(ders))
    options = os.environ["JAVA_TOOL_OPTIONS"].replace(f"trustStore={public}", f"trustStore={name}", 1)
    with os.fdopen(_DESCRIPTOR, "w") as told:
        told.write(f"JAVA_TOOL_OPTIONS = {json.dumps(options)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
