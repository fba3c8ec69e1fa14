"""JSON Schema (2020-12) in few words."""

from __future__ import annotations

Schema = dict[str, object]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
URL: Schema = {"type": "string", "format": "uri"}
NOTHING: Schema = {"type": "null"}
ANYTHING: Schema = {}


def word(*words: str) -> Schema:
    return {"type": "string", "enum": list(words)}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, NOTHING]}


def many(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def by_name(schema: Schema) -> Schema:
    """An object whose keys are names."""
    return {"type": "object", "additionalProperties": schema}


def answer(**properties: Schema) -> Schema:
    """Exactly these keys, all of them there."""
    return {
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": sorted(properties),
        "additionalProperties": False,
    }


def body(*required: str, **properties: Schema) -> Schema:
    """These keys, of which the `required` ones must be there, and no other."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


def named(name: str) -> Schema:
    """One of `objects`."""
    return {"$ref": f"#/components/schemas/{name}"}
