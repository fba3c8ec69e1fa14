"""/apps/APP/deploy-plan: what the next deploy would change."""

from __future__ import annotations

import re

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from wherry.api.body import json_object, only, text
from wherry.api.desk import Call
from wherry.domain.errors import InvalidInput
from wherry.domain.model import App
from wherry.flow.deploy_plan import Head

_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_BUILD_FILES = ("heroku.yml",)


def create(call: Call, app: App) -> ResponseReturnValue:
    """`commit` with `procfile` (its text) and `build_file` (heroku.yml, if it has one): of what would be pushed. Without
    any, of the deploy branch as it is. Changes nothing.
    """
    body = json_object(request)
    only(body, ("commit", "procfile", "build_file"))
    plan = call.world.plan_deploy.run(app, _head(body))
    return jsonify(
        {
            "changes": [call.shapes.change(each) for each in plan.changes],
            "commit": plan.commit,
            "deploys": plan.deploys,
            "notes": list(plan.notes),
            "running": call.shapes.release_reference(plan.running) if plan.running else None,
        }
    )


def _head(body: dict[str, object]) -> Head | None:
    commit, procfile, build_file = text(body, "commit"), text(body, "procfile"), text(body, "build_file") or ""
    problems = []
    if commit is None and (procfile is not None or build_file):
        problems.append("commit: missing beside procfile and build_file")
    if commit is not None and not _COMMIT.fullmatch(commit):
        problems.append("commit: must be a whole commit id, 40 or 64 hex digits")
    if build_file and build_file not in _BUILD_FILES:
        problems.append(f"build_file: must be one of {', '.join(_BUILD_FILES)}")
    if problems:
        raise InvalidInput("no plan", problems=problems)
    return None if commit is None else Head(commit, procfile, build_file)
