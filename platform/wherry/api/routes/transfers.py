"""/account/app-transfers: apps that one offered to another owner, or was offered."""

from __future__ import annotations

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api import shapes_people as people
from wherry.api.body import flag, json_object, only, text
from wherry.api.desk import Call
from wherry.domain.errors import InvalidInput, NotFound
from wherry.domain.roles import Permission
from wherry.domain.text import printable
from wherry.domain.transfers import Transfer, TransferState


def index(call: Call) -> ResponseReturnValue:
    return jsonify([people.transfer(call.shapes, each) for each in call.world.transfer.of(call.actor)])


def show(call: Call, transfer: str) -> ResponseReturnValue:
    return jsonify(people.transfer(call.shapes, _found(call, transfer)))


def create(call: Call) -> ResponseReturnValue:
    """`app`: by name or id; `recipient`: the address or id of a collaborator. Pending, but for a platform's admin."""
    body = json_object(request)
    only(body, ("app", "recipient", "silent"))
    flag(body, "silent")
    name, who = text(body, "app"), text(body, "recipient")
    if not name or not who:
        missing = [f"{key}: must be given" for key, value in (("app", name), ("recipient", who)) if not value]
        raise InvalidInput("no app is offered to anybody", problems=missing)
    app = call.desk.app(call.actor, name, Permission.ADMIN)
    made = call.world.transfer.offer(call.actor, app, _address(call, who), call.origin)
    return jsonify(people.transfer(call.shapes, made)), 201


def change(call: Call, transfer: str) -> ResponseReturnValue:
    """`state`: accepted or declined, by the recipient."""
    body = json_object(request)
    only(body, ("state",))
    after = call.world.transfer.answer(call.actor, _found(call, transfer), body.get("state"), call.origin)
    return jsonify(people.transfer(call.shapes, after))


def remove(call: Call, transfer: str) -> ResponseReturnValue:
    """By who made it, while it waits."""
    found = _found(call, transfer)
    call.world.transfer.withdraw(call.actor, found, call.origin)
    return jsonify(people.transfer(call.shapes, found))


def _found(call: Call, text: str) -> Transfer:
    """By its id, or by its app: the one that waits, else the newest."""
    mine = call.world.transfer.of(call.actor)
    for each in mine:
        if text.lower() == call.desk.ids.of("transfer", each.id):
            return each
    of_app = [each for each in mine if text in (each.app, call.desk.ids.of("app", each.app_id))]
    for each in sorted(of_app, key=lambda one: (one.state is TransferState.PENDING, one.id), reverse=True):
        return each
    raise NotFound(f"no transfer '{printable(text, 60)}'", hint="To see yours: wherry apps:transfers")


def _address(call: Call, who: str) -> str:
    number = call.desk.ids.number("account", who)
    if number is None:
        return who
    with call.world.ledger.begin(read_only=True) as tx:
        return tx.accounts.user(number).actor.email
