"""One route as the description has it: what it takes and answers."""

from __future__ import annotations

from dataclasses import dataclass

from wherry.api.openapi.notation import Schema, many, named

NO_BODY: Schema | None = None


@dataclass(frozen=True)
class Operation:
    """`answers`: status to the schema of the body; None for no JSON."""

    takes: Schema | None
    answers: dict[int, Schema | None]


def gets(schema: Schema) -> Operation:
    return Operation(NO_BODY, {200: schema})


def lists(name: str) -> Operation:
    """A page of a list: 206 while there is more."""
    return Operation(NO_BODY, {200: many(named(name)), 206: many(named(name))})
