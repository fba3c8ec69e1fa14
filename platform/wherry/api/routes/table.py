"""Every path of the API, once: its method, its function, and who may call it.

Three kinds. APP loads the app of the path through its actor first, so no function can forget to. ACTOR asks for a
token only. OPEN asks for nothing: health, and the streams whose signed URL is the permission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from flask.typing import ResponseReturnValue

from wherry.api.routes import (
    absent,
    account,
    apps,
    buildpacks,
    builds,
    config,
    domains,
    dyno_sizes,
    dynos,
    events,
    features,
    formation,
    front,
    health,
    logs,
    rebase,
    regions,
    releases,
    sources,
    stacks,
)


class Needs(StrEnum):
    APP = "app"
    ACTOR = "actor"
    OPEN = "open"


@dataclass(frozen=True)
class Route:
    needs: Needs
    method: str
    path: str
    function: Callable[..., ResponseReturnValue]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = (
    Route(Needs.ACTOR, "GET", "/account", account.show),
    Route(Needs.ACTOR, "GET", "/account/rate-limits", account.rates),
    Route(Needs.ACTOR, "GET", "/account/features", absent.none),
    Route(Needs.ACTOR, "GET", "/regions", regions.index),
    Route(Needs.ACTOR, "GET", "/regions/<region>", regions.show),
    Route(Needs.ACTOR, "GET", "/teams", absent.none),
    Route(Needs.ACTOR, "GET", "/spaces", absent.none),
    Route(Needs.ACTOR, "GET", "/addons", absent.none),
    Route(Needs.ACTOR, "POST", "/apps", apps.create),
    Route(Needs.ACTOR, "GET", "/apps", apps.index),
    Route(Needs.ACTOR, "GET", "/users/~/apps", apps.own),
    Route(Needs.ACTOR, "GET", "/stacks", stacks.index),
    Route(Needs.ACTOR, "GET", "/stacks/<stack>", stacks.show),
    Route(Needs.APP, "GET", "/apps/<app>", apps.show),
    Route(Needs.APP, "PATCH", "/apps/<app>", apps.update),
    Route(Needs.APP, "DELETE", "/apps/<app>", apps.destroy),
    Route(Needs.APP, "GET", "/apps/<app>/config-vars", config.show),
    Route(Needs.APP, "PATCH", "/apps/<app>/config-vars", config.change),
    Route(Needs.APP, "GET", "/apps/<app>/buildpack-installations", buildpacks.index),
    Route(Needs.APP, "PUT", "/apps/<app>/buildpack-installations", buildpacks.put),
    Route(Needs.APP, "GET", "/apps/<app>/formation", formation.index),
    Route(Needs.APP, "PATCH", "/apps/<app>/formation", formation.change),
    Route(Needs.APP, "GET", "/apps/<app>/formation/<type>", formation.show),
    Route(Needs.APP, "PATCH", "/apps/<app>/formation/<type>", formation.change_one),
    Route(Needs.APP, "GET", "/apps/<app>/releases", releases.index),
    Route(Needs.APP, "POST", "/apps/<app>/releases", releases.create),
    Route(Needs.APP, "GET", "/apps/<app>/releases/<release>", releases.show),
    Route(Needs.APP, "GET", "/apps/<app>/releases/<release>/diff/<other>", releases.diff),
    Route(Needs.APP, "GET", "/apps/<app>/releases/<release>/config-vars", releases.config),
    Route(Needs.APP, "POST", "/apps/<app>/rebase", rebase.create),
    Route(Needs.APP, "GET", "/apps/<app>/builds", builds.index),
    Route(Needs.APP, "POST", "/apps/<app>/builds", builds.create),
    Route(Needs.APP, "GET", "/apps/<app>/builds/<build>", builds.show),
    Route(Needs.APP, "DELETE", "/apps/<app>/builds/<build>", builds.cancel),
    Route(Needs.APP, "GET", "/apps/<app>/builds/<build>/result", builds.result),
    Route(Needs.APP, "GET", "/apps/<app>/dynos", dynos.index),
    Route(Needs.APP, "GET", "/apps/<app>/dynos/<dyno>", dynos.show),
    Route(Needs.APP, "DELETE", "/apps/<app>/dynos", dynos.restart_all),
    Route(Needs.APP, "DELETE", "/apps/<app>/dynos/<dyno>", dynos.restart),
    Route(Needs.APP, "POST", "/apps/<app>/dynos/<dyno>/actions/stop", dynos.stop),
    Route(Needs.APP, "DELETE", "/apps/<app>/formations/<type>", dynos.restart_type),
    Route(Needs.APP, "POST", "/apps/<app>/formations/<type>/actions/stop", dynos.stop_type),
    Route(Needs.ACTOR, "GET", "/dyno-sizes", dyno_sizes.index),
    Route(Needs.ACTOR, "GET", "/dyno-sizes/<size>", dyno_sizes.show),
    Route(Needs.APP, "POST", "/apps/<app>/log-sessions", logs.create),
    Route(Needs.APP, "GET", "/apps/<app>/events", events.of_app),
    Route(Needs.ACTOR, "GET", "/events", events.index),
    Route(Needs.ACTOR, "GET", "/events/chain", events.chain),
    Route(Needs.APP, "GET", "/apps/<app>/collaborators", apps.collaborators),
    Route(Needs.APP, "GET", "/apps/<app>/domains", domains.index),
    Route(Needs.APP, "POST", "/apps/<app>/domains", domains.create),
    Route(Needs.APP, "GET", "/apps/<app>/domains/<domain>", domains.show),
    Route(Needs.APP, "DELETE", "/apps/<app>/domains/<domain>", domains.remove),
    Route(Needs.APP, "GET", "/apps/<app>/features", features.index),
    Route(Needs.APP, "GET", "/apps/<app>/features/<feature>", features.show),
    Route(Needs.APP, "PATCH", "/apps/<app>/features/<feature>", features.change),
    Route(Needs.APP, "GET", "/apps/<app>/addons", absent.none_of_app),
    Route(Needs.APP, "POST", "/apps/<app>/addons", absent.addon),
    Route(Needs.APP, "GET", "/apps/<app>/addon-attachments", absent.none_of_app),
    Route(Needs.APP, "GET", "/apps/<app>/sni-endpoints", absent.none_of_app),
    Route(Needs.APP, "POST", "/apps/<app>/sni-endpoints", absent.certificate),
    Route(Needs.ACTOR, "POST", "/sources", sources.create),
    Route(Needs.APP, "POST", "/apps/<app>/sources", sources.create_of_app),
    Route(Needs.OPEN, "PUT", "/streams/sources/<ticket>", sources.put),
    Route(Needs.OPEN, "GET", "/streams/logs/<ticket>", logs.stored),
    Route(Needs.OPEN, "GET", "/streams/sessions/<ticket>", logs.session),
    Route(Needs.OPEN, "GET", "/health/live", health.live),
    Route(Needs.OPEN, "GET", "/health/ready", health.ready),
    Route(Needs.OPEN, "GET", "/", front.home),
)
