"""Column types that keep a value the same on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# SQLite counts ids up without reuse only in a column of exactly this type.
ID = BigInteger().with_variant(Integer(), "sqlite")


def sought(number: int, bits: int = 63) -> int:
    """`number`, to look a row up by; 0, which no row has, for one that the database could not even hold."""
    return number if 0 < number < 2**bits else 0


class Instant(TypeDecorator[datetime]):
    """A time with its zone, as whole microseconds since 1970 UTC: it sorts, and no database's zone can change it."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def storable(text: str) -> str:
    """As FreeText keeps it."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


class FreeText(TypeDecorator[str]):
    """People's and programs' words. NUL and halves of surrogate pairs, which a database may refuse, are escaped, so
    that a strange message never keeps a result from being written.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class Json(TypeDecorator[object]):
    """A JSON value as ASCII text, keys in their order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> object:
        return None if value is None else json.loads(value)
