"""Every path of the API, once: its method, its function, and who may call it.

Each names the permission that it needs (domain/roles.py). One that is of an app loads the app of the path through its
actor first, so no function can forget to. OPEN asks for nothing: health, and the streams whose signed URL is the
permission.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask.typing import ResponseReturnValue

from wherry.api.routes import (
    absent,
    account,
    apps,
    authorizations,
    buildpacks,
    builds,
    collaborators,
    config,
    cron,
    deploy_plan,
    domains,
    drains,
    dyno_sizes,
    dynos,
    events,
    features,
    formation,
    front,
    health,
    keys,
    logs,
    one_offs,
    pipelines,
    promotions,
    rebase,
    regions,
    releases,
    sources,
    stacks,
)
from wherry.domain.roles import Permission

OPEN: Final = None


@dataclass(frozen=True)
class Route:
    needs: Permission | None
    method: str
    path: str
    function: Callable[..., ResponseReturnValue]

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = (
    Route(Permission.IDENTITY, "GET", "/account", account.show),
    Route(Permission.ACCOUNT, "PATCH", "/account", account.change),
    Route(Permission.IDENTITY, "GET", "/users/~", account.show),
    Route(Permission.ACCOUNT, "PATCH", "/users/~", account.change),
    Route(Permission.PLATFORM, "GET", "/users", account.users),
    Route(Permission.PLATFORM, "POST", "/users", account.add),
    Route(Permission.PLATFORM, "GET", "/users/<user>", account.user),
    Route(Permission.PLATFORM, "DELETE", "/users/<user>", account.remove),
    Route(Permission.ACCOUNT, "GET", "/oauth/authorizations", authorizations.index),
    Route(Permission.ACCOUNT, "POST", "/oauth/authorizations", authorizations.create),
    Route(Permission.ACCOUNT, "GET", "/oauth/authorizations/<authorization>", authorizations.show),
    Route(Permission.ACCOUNT, "DELETE", "/oauth/authorizations/<authorization>", authorizations.revoke),
    Route(
        Permission.ACCOUNT,
        "POST",
        "/oauth/authorizations/<authorization>/actions/regenerate-tokens",
        authorizations.rotate,
    ),
    Route(OPEN, "POST", "/oauth/tokens", authorizations.exchange),
    Route(Permission.IDENTITY, "GET", "/account/rate-limits", account.rates),
    Route(Permission.IDENTITY, "GET", "/account/features", absent.none),
    Route(Permission.ACCOUNT, "GET", "/account/keys", keys.index),
    Route(Permission.ACCOUNT, "POST", "/account/keys", keys.create),
    Route(Permission.ACCOUNT, "GET", "/account/keys/<key>", keys.show),
    Route(Permission.ACCOUNT, "DELETE", "/account/keys/<key>", keys.remove),
    Route(Permission.LIST, "GET", "/regions", regions.index),
    Route(Permission.LIST, "GET", "/regions/<region>", regions.show),
    Route(Permission.LIST, "GET", "/teams", absent.none),
    Route(Permission.LIST, "GET", "/spaces", absent.none),
    Route(Permission.LIST, "GET", "/addons", absent.none),
    Route(Permission.LIST, "GET", "/addon-attachments", absent.none),
    Route(Permission.CREATE, "POST", "/apps", apps.create),
    Route(Permission.LIST, "GET", "/apps", apps.index),
    Route(Permission.LIST, "GET", "/users/~/apps", apps.own),
    Route(Permission.LIST, "GET", "/stacks", stacks.index),
    Route(Permission.LIST, "GET", "/stacks/<stack>", stacks.show),
    Route(Permission.VIEW, "GET", "/apps/<app>", apps.show),
    Route(Permission.CHANGE, "PATCH", "/apps/<app>", apps.update),
    Route(Permission.ADMIN, "DELETE", "/apps/<app>", apps.destroy),
    Route(Permission.CONFIG, "GET", "/apps/<app>/config-vars", config.show),
    Route(Permission.CONFIGURE, "PATCH", "/apps/<app>/config-vars", config.change),
    Route(Permission.CONFIG, "GET", "/apps/<app>/config-names", config.names),
    Route(Permission.VIEW, "GET", "/apps/<app>/buildpack-installations", buildpacks.index),
    Route(Permission.DEPLOY, "PUT", "/apps/<app>/buildpack-installations", buildpacks.put),
    Route(Permission.VIEW, "GET", "/apps/<app>/formation", formation.index),
    Route(Permission.CHANGE, "PATCH", "/apps/<app>/formation", formation.change),
    Route(Permission.VIEW, "GET", "/apps/<app>/formation/<type>", formation.show),
    Route(Permission.OPERATE, "PATCH", "/apps/<app>/formation/<type>", formation.change_one),
    Route(Permission.VIEW, "GET", "/apps/<app>/releases", releases.index),
    Route(Permission.CHANGE, "POST", "/apps/<app>/releases", releases.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/releases/<release>", releases.show),
    Route(Permission.VIEW, "GET", "/apps/<app>/releases/<release>/diff/<other>", releases.diff),
    Route(Permission.CONFIG, "GET", "/apps/<app>/releases/<release>/config-vars", releases.config),
    Route(Permission.VIEW, "POST", "/apps/<app>/deploy-plan", deploy_plan.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/releases/<release>/sbom", releases.bill),
    Route(Permission.DEPLOY, "POST", "/apps/<app>/rebase", rebase.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/builds", builds.index),
    Route(Permission.DEPLOY, "POST", "/apps/<app>/builds", builds.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/builds/<build>", builds.show),
    Route(Permission.DEPLOY, "DELETE", "/apps/<app>/builds/<build>", builds.cancel),
    Route(Permission.VIEW, "GET", "/apps/<app>/builds/<build>/result", builds.result),
    Route(Permission.VIEW, "GET", "/apps/<app>/dynos", dynos.index),
    Route(Permission.RUN, "POST", "/apps/<app>/dynos", one_offs.create),
    Route(Permission.RUN, "POST", "/apps/<app>/dynos/<dyno>", one_offs.create_inside),
    Route(Permission.VIEW, "GET", "/apps/<app>/dynos/<dyno>", dynos.show),
    Route(Permission.OPERATE, "DELETE", "/apps/<app>/dynos", dynos.restart_all),
    Route(Permission.OPERATE, "DELETE", "/apps/<app>/dynos/<dyno>", dynos.restart),
    Route(Permission.OPERATE, "POST", "/apps/<app>/dynos/<dyno>/actions/stop", dynos.stop),
    Route(Permission.OPERATE, "DELETE", "/apps/<app>/formations/<type>", dynos.restart_type),
    Route(Permission.OPERATE, "POST", "/apps/<app>/formations/<type>/actions/stop", dynos.stop_type),
    Route(Permission.VIEW, "GET", "/apps/<app>/cron-tasks", cron.tasks),
    Route(Permission.OPERATE, "POST", "/apps/<app>/cron-tasks/<task>/actions/run", cron.run),
    Route(Permission.VIEW, "GET", "/apps/<app>/cron-runs", cron.runs),
    Route(Permission.VIEW, "GET", "/apps/<app>/cron-runs/<run>", cron.show),
    Route(Permission.LIST, "GET", "/dyno-sizes", dyno_sizes.index),
    Route(Permission.LIST, "GET", "/dyno-sizes/<size>", dyno_sizes.show),
    Route(Permission.VIEW, "POST", "/apps/<app>/log-sessions", logs.create),
    Route(Permission.OPERATE, "GET", "/apps/<app>/log-drains", drains.index),
    Route(Permission.OPERATE, "POST", "/apps/<app>/log-drains", drains.create),
    Route(Permission.OPERATE, "GET", "/apps/<app>/log-drains/<path:drain>", drains.show),
    Route(Permission.OPERATE, "DELETE", "/apps/<app>/log-drains/<path:drain>", drains.remove),
    Route(Permission.VIEW, "GET", "/apps/<app>/events", events.of_app),
    Route(Permission.PLATFORM, "GET", "/events", events.index),
    Route(Permission.PLATFORM, "GET", "/events/chain", events.chain),
    Route(Permission.VIEW, "GET", "/apps/<app>/collaborators", collaborators.index),
    Route(Permission.SHARE, "POST", "/apps/<app>/collaborators", collaborators.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/collaborators/<collaborator>", collaborators.show),
    Route(Permission.SHARE, "PATCH", "/apps/<app>/collaborators/<collaborator>", collaborators.change),
    Route(Permission.SHARE, "DELETE", "/apps/<app>/collaborators/<collaborator>", collaborators.remove),
    Route(Permission.VIEW, "GET", "/apps/<app>/domains", domains.index),
    Route(Permission.OPERATE, "POST", "/apps/<app>/domains", domains.create),
    Route(Permission.VIEW, "GET", "/apps/<app>/domains/<domain>", domains.show),
    Route(Permission.OPERATE, "DELETE", "/apps/<app>/domains/<domain>", domains.remove),
    Route(Permission.VIEW, "GET", "/apps/<app>/features", features.index),
    Route(Permission.VIEW, "GET", "/apps/<app>/features/<feature>", features.show),
    Route(Permission.OPERATE, "PATCH", "/apps/<app>/features/<feature>", features.change),
    Route(Permission.VIEW, "GET", "/apps/<app>/addons", absent.none_of_app),
    Route(Permission.OPERATE, "POST", "/apps/<app>/addons", absent.addon),
    Route(Permission.VIEW, "GET", "/apps/<app>/addon-attachments", absent.none_of_app),
    Route(Permission.VIEW, "GET", "/apps/<app>/sni-endpoints", absent.none_of_app),
    Route(Permission.OPERATE, "POST", "/apps/<app>/sni-endpoints", absent.certificate),
    Route(Permission.CREATE, "POST", "/sources", sources.create),
    Route(Permission.DEPLOY, "POST", "/apps/<app>/sources", sources.create_of_app),
    Route(OPEN, "PUT", "/streams/sources/<ticket>", sources.put),
    Route(OPEN, "GET", "/streams/logs/<ticket>", logs.stored),
    Route(OPEN, "GET", "/streams/sessions/<ticket>", logs.session),
    Route(OPEN, "GET", "/health/live", health.live),
    Route(OPEN, "GET", "/health/ready", health.ready),
    Route(OPEN, "GET", "/", front.home),
    Route(Permission.LIST, "POST", "/filters/apps", apps.chosen),
    Route(Permission.LIST, "GET", "/pipelines", pipelines.index),
    Route(Permission.CREATE, "POST", "/pipelines", pipelines.create),
    Route(Permission.LIST, "GET", "/pipelines/<pipeline>", pipelines.show),
    Route(Permission.CREATE, "PATCH", "/pipelines/<pipeline>", pipelines.update),
    Route(Permission.CREATE, "DELETE", "/pipelines/<pipeline>", pipelines.remove),
    Route(Permission.LIST, "GET", "/pipelines/<pipeline>/pipeline-couplings", pipelines.couplings),
    Route(Permission.CREATE, "POST", "/pipeline-couplings", pipelines.couple),
    Route(Permission.LIST, "GET", "/pipeline-couplings/<coupling>", pipelines.coupling),
    Route(Permission.CREATE, "PATCH", "/pipeline-couplings/<coupling>", pipelines.move),
    Route(Permission.CREATE, "DELETE", "/pipeline-couplings/<coupling>", pipelines.uncouple),
    Route(Permission.CREATE, "POST", "/pipeline-promotions", promotions.create),
    Route(Permission.LIST, "GET", "/pipeline-promotions/<promotion>", promotions.show),
    Route(Permission.LIST, "GET", "/pipeline-promotions/<promotion>/promotion-targets", promotions.targets),
    Route(Permission.VIEW, "GET", "/apps/<app>/pipeline-couplings", pipelines.of_app),
)
