"""What Maven and Gradle are run with: the JDK, the certificates that the operator trusts, the operator's proxies."""

from __future__ import annotations

import os
from pathlib import Path

import proxies
import trust
from runtimes import Java
from talk import FAILED, Refusal

_HEAP = 50
"""Percent of the memory that a build may have: compilers run beside Maven, some in processes of their own."""


def environment(java: Java, work: Path) -> dict[str, str]:
    """`work`: a folder outside of all layers, for what the operator trusts must not stay in one. Raises Refusal."""
    store = work / "trusted"
    try:
        store.write_bytes(trust.key_store(trust.bundle(os.environ)))
    except ValueError as error:
        raise Refusal(FAILED, str(error)) from error
    options = [
        f"-XX:MaxRAMPercentage={_HEAP}",
        f"-Djavax.net.ssl.trustStore={store}",
        *proxies.java_options(os.environ),
    ]
    given = os.environ.get("JAVA_TOOL_OPTIONS", "")
    return {
        **{name: value for name, value in os.environ.items() if name not in ("M2_HOME", "MAVEN_HOME", "GRADLE_HOME")},
        "JAVA_HOME": str(java.home),
        "PATH": f"{java.home}/bin:{os.environ['PATH']}",
        "JAVA_TOOL_OPTIONS": " ".join([*options, *([given] if given else [])]),
    }
