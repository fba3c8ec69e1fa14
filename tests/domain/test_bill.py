"""Bills of materials as one: valid by the schema, whatever the parts say."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wherry.domain.bill import Bill, Part, Subject, whole

from tests.cyclonedx import licences, valid, versions

SUBJECT = Subject("shop", "v3", {"image": "sha256:1"})
FLASK = {
    "type": "library",
    "bom-ref": "f",
    "name": "flask",
    "version": "3.0",
    "purl": "pkg:pypi/flask@3.0",
    "licenses": [{"license": {"id": "BSD-3-Clause"}}],
    "hashes": [{"alg": "SHA-256", "content": "a" * 64}],
}
CLICK = {"type": "library", "bom-ref": "c", "name": "click", "licenses": [{"expression": "MIT OR Apache-2.0"}]}


def test_parts_become_one_valid_document_whose_components_say_where_they_are_from() -> None:
    document = {"components": [FLASK, CLICK], "dependencies": [{"ref": "f", "dependsOn": ["c", "gone"]}]}
    base = {"components": [{"type": "library", "bom-ref": "c", "name": "libc6", "version": "2.36"}]}
    tools = {"components": [{"type": "application", "name": "uv", "version": "1"}, FLASK]}
    parts = (
        Part("base", base),
        Part("wherry/python dependencies", document),
        Part("wherry/python uv", tools, runs=False),
    )
    found = valid(whole(SUBJECT, Bill(parts, ("/layers/x.spdx.json",)), "1.0"))
    assert versions(found) == {"libc6": "2.36", "flask": "3.0", "click": "", "uv": "1"}
    assert licences(found)["flask"] == "BSD-3-Clause"
    shown = {each["name"]: (each["scope"], each["properties"][0]["value"]) for each in found["components"]}
    assert shown["uv"] == ("excluded", "wherry/python uv")
    assert shown["flask"] == ("required", "wherry/python dependencies")
    assert {"ref": "pkg:pypi/flask@3.0", "dependsOn": ["1:c"]} in found["dependencies"]
    assert {"name": "wherry:unread", "value": "/layers/x.spdx.json"} in found["metadata"]["component"]["properties"]
    assert whole(SUBJECT, Bill(parts), "1.0") == whole(SUBJECT, Bill(parts), "1.0")


def test_nested_components_are_listed_and_a_base_without_a_bill_is_told_of() -> None:
    nested = {"components": [{"type": "application", "name": "outer", "components": [CLICK]}]}
    found = valid(whole(SUBJECT, Bill((Part("x", nested),), base=False), "1"))
    assert set(versions(found)) == {"outer", "click"}
    assert {"name": "wherry:base", "value": "has no bill of materials"} in found["metadata"]["component"]["properties"]


_KEYS = st.sampled_from(
    ["type", "name", "version", "bom-ref", "purl", "licenses", "license", "id", "expression", "hashes", "alg", "content",
     "components", "cpe", "ref", "dependsOn"]
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["MIT", "app:shop", "MD5"])
_HOSTILE = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=20
)


@settings(deadline=None)
@given(_HOSTILE, _HOSTILE)
def test_whatever_a_part_says_the_whole_is_valid(components: Any, dependencies: Any) -> None:
    document = {"components": [CLICK, components, *([components] * 2)], "dependencies": dependencies}
    valid(whole(SUBJECT, Bill((Part("x", document), Part("y", {"components": components}))), "1"))
