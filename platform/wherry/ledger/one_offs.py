"""One-offs: what was asked for, sealed, until it has ended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from wherry.domain.errors import Conflict, NotFound, PlatformFault
from wherry.domain.one_off import NUMBERS, PROCESS, OneOff
from wherry.domain.secret import Secret
from wherry.ledger.accounts import actor_columns, actor_of
from wherry.ledger.sealing import AppSeal, Sealing
from wherry.ledger.statements import Statements
from wherry.ledger.tables import apps, one_offs, users

_QUERY = (
    select(one_offs, apps.c.data_key, *actor_columns())
    .join(users, users.c.id == one_offs.c.actor_id)
    .join(apps, apps.c.id == one_offs.c.app_id)
    .where(apps.c.removed_at.is_(None))
    .order_by(one_offs.c.id)
)
_PURPOSE = "one-off"
_COMMAND = ""  # beside the environment's names, none of which is empty


class SqlOneOffs:
    def __init__(self, statements: Statements, sealing: Sealing) -> None:
        self._sql = statements
        self._sealing = sealing

    def add(self, one_off: OneOff, digest: str | None) -> OneOff:
        asked = {_COMMAND: Secret(one_off.command), **one_off.env}
        number = self._free_number(one_off.app_id, one_off.number)
        values = {
            "app_id": one_off.app_id,
            "actor_id": one_off.actor.id,
            "release": one_off.release,
            "type": one_off.type,
            "number": number,
            "size": one_off.size,
            "asked": self._seal(one_off.app_id).seal(_PURPOSE, asked),
            "attach": one_off.attach,
            "tty": one_off.tty,
            "inside": one_off.inside,
            "digest": digest,
            "created_at": one_off.created_at,
            "until": one_off.until,
        }
        row = self._sql.row(insert(one_offs).values(values).returning(one_offs.c.id))
        if row is None:
            raise PlatformFault("the database did not return the one-off that was just written")
        return replace(one_off, id=row.id, number=number)

    def by_name(self, app_id: int, name: str) -> OneOff:
        match = PROCESS.fullmatch(name)
        kind, number = match.groups() if match else ("", "0")
        found = self._many(
            one_offs.c.app_id == app_id, one_offs.c.type == kind, one_offs.c.number == min(int(number), 2**31 - 1)
        )
        if not found:
            raise NotFound("no such one-off")
        return found[0]

    def take(self, digest: str) -> OneOff | None:
        found = self._many(one_offs.c.digest == digest)
        used = update(one_offs).where(one_offs.c.digest == digest).values(digest=None)
        return found[0] if found and self._sql.write(used) else None

    def all(self, app_id: int | None = None) -> list[OneOff]:
        return self._many(*(() if app_id is None else (one_offs.c.app_id == app_id,)))

    def remove(self, one_off_id: int) -> bool:
        return self._sql.write(delete(one_offs).where(one_offs.c.id == one_off_id)) == 1

    def _free_number(self, app_id: int, wanted: int) -> int:
        rows = self._sql.rows(select(one_offs.c.number).where(one_offs.c.app_id == app_id))
        taken = {int(row.number) for row in rows}
        after: list[int] = [number for number in (*range(wanted, NUMBERS.stop), *NUMBERS) if number not in taken]
        if not after:
            raise Conflict("there are too many one-offs of this app")
        return after[0]

    def _many(self, *where: ColumnElement[bool]) -> list[OneOff]:
        return [self._one_off(row) for row in self._sql.rows(_QUERY.where(*where))]

    def _one_off(self, row: Row[Any]) -> OneOff:
        env = self._sealing.of_app(row.app_id, row.data_key).open(_PURPOSE, row.asked)
        command = env.pop(_COMMAND).reveal()
        return OneOff(
            id=row.id,
            app_id=row.app_id,
            actor=actor_of(row),
            release=row.release,
            type=row.type,
            number=row.number,
            size=row.size,
            command=command,
            env=env,
            attach=row.attach,
            tty=row.tty,
            created_at=row.created_at,
            until=row.until,
            inside=row.inside,
        )

    def _seal(self, app_id: int) -> AppSeal:
        row = self._sql.row(select(apps.c.data_key).where(apps.c.id == app_id, apps.c.removed_at.is_(None)))
        if row is None:
            raise NotFound("no such app", hint="To see yours: wherry apps")
        return self._sealing.of_app(app_id, row.data_key)
