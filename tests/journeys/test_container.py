"""An app with a Dockerfile, pushed as a user does: no buildpack, and Heroku's words for it."""

from __future__ import annotations

import json

from tests.journeys.harness import Platform


def test_an_app_with_a_dockerfile_is_pushed_serves_and_outlives_a_broken_one(platform: Platform) -> None:
    digest = json.loads((platform.home / "stacks/stack.json").read_text())["run"]
    base = f"127.0.0.1:{platform.settings['WHERRY_REGISTRY_PORT']}/stack/run@{digest}"
    app = platform.create("boxed", "dockerfile-hello")
    (app.folder / "heroku.yml").unlink()
    file = app.folder / "Dockerfile"
    file.write_text(
        f"FROM {base}\nUSER root\nWORKDIR /srv/app\nRUN echo Ahoy >greeting\nCOPY server.pl ./\nENV WORD=image\n"
        'CMD ["perl", "server.pl"]\n'
    )
    app.wherry("stack:set", "container")
    assert "* container" in app.wherry("stack").out
    app.commit("A Dockerfile")
    said = app.push().all
    assert "Building by Dockerfile: The stack of the app is container." in said
    assert "Released v1" in said
    assert app.get() == (200, "Ahoy\nuid 1001 of web.1, image\n")

    file.write_text(file.read_text() + "RUN echo the cause; exit 3\n")
    app.commit("Broken")
    refused = app.push(check=False)
    assert refused.code != 0
    assert "Step 8/8 (RUN echo the cause; exit 3) ended with exit code 3" in refused.all
    assert app.get()[0] == 200

    first = app.releases()[0]["image"]
    assert isinstance(first, dict)
    app.wherry("container:release", "web", "worker", "--image", str(first["digest"]))
    assert app.releases()[0]["description"].startswith("Deployed web (")  # type: ignore[attr-defined]
    assert app.get() == (200, "Ahoy\nuid 1001 of web.1, image\n")
    app.wherry("releases:rollback")
    assert app.get()[0] == 200
