"""The PHP samples, built for real; their packages are folders of their own, for no package server is asked."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from wherry.domain.errors import BuildFailure

from tests.builds.real_world import copy, failure
from tests.builds.yard import SAMPLES, Yard
from tests.runtimes.machine_world import eventually

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


def test_a_page_is_served_by_nginx_and_php_and_nothing_else_of_the_app_is(yard: Yard, sample: Path) -> None:
    copy("php-hello", sample)
    (sample / ".env").write_text("SECRET=1\n")
    (sample / "project.toml").write_text('[_]\nschema-version = "0.2"\n')
    (sample / ".php.ini.d").mkdir()
    (sample / ".php.ini.d/more.ini").write_text("date.timezone = Europe/Paris\nextension=bz2.so\n")
    (sample / "zone.php").write_text(
        "<?php echo bzdecompress(bzcompress(ini_get('date.timezone'))), ini_get('memory_limit');\n"
    )
    image = yard.build(sample)
    with yard.running(image, PHP_MEMORY_LIMIT="64M") as app:
        page = app.ask("/", "-H", "X-Forwarded-For: 192.0.2.7", "-H", "X-Forwarded-Proto: https")
        assert "Hello from a page, PHP 8." in page, app.logs()
        assert 'mb: 1, json: {"https":"on","who":"192.0.2.7"}' in page
        assert "X-Powered-By" not in page
        assert "GET /any/route?x=1" in app.ask("/any/route?x=1")
        assert "POST /" in app.ask("/", "-d", "a=b")
        assert "color: red" in app.ask("/style.css")
        assert app.ask("/zone.php").endswith("Europe/Paris64M")
        for hidden in ("/.env", "/project.toml", "/nothing.php", "/style.css/x.php"):
            assert "404" in app.ask(hidden).split("\n")[0], hidden
        app.ask("/warn")
        code, seconds = app.stop()
        assert (code, seconds < 5) == (0, True), app.logs()
        assert "a line for the logs" in app.logs()
        assert '"GET /style.css HTTP/1.1" 200' in app.logs()
        assert "alert" not in app.logs()

    # When either server ends, the process ends.
    with yard.running(image) as app:
        app.ask()
        kill = 'for each in /proc/[0-9]*; do if grep -q "php-fpm: master" "$each/cmdline"; then kill -9 "${each#/proc/}"; fi; done'
        made = app.engine.exec_create(app.id, ["bash", "-c", kill])
        app.engine.exec_start(made["Id"])
        assert app.engine.wait(app.id, timeout=20)["StatusCode"] == 1
        assert "serve-php: php-fpm ended" in app.logs()


def test_herokus_programs_serve_as_they_do_there(yard: Yard, sample: Path) -> None:
    copy("php-hello", sample)
    (sample / "Procfile").write_text(
        'web: [ -z "$OTHER" ] || exec $OTHER; exec vendor/bin/heroku-php-apache2 -l /tmp/own/more.log .\n'
    )
    (sample / ".htaccess").write_text("RewriteEngine On\nRewriteRule ^page/ index.php [L]\nHeader set X-Own yes\n")
    (sample / ".user.ini").write_text("upload_max_filesize = 77M\n")
    (sample / "own.php").write_text(
        "<?php file_put_contents('/tmp/own/more.log', 'told beside');"
        "echo ini_get('upload_max_filesize'), ini_get('date.timezone'), $_SERVER['HTTP_AUTHORIZATION'] ?? '-';\n"
    )
    (sample / "nginx.conf").write_text("location /page/ { rewrite ^ /own.php last; }\n")
    (sample / "fpm.conf.php").write_text(
        "request_slowlog_timeout = 1\nphp_value[date.timezone] = <?php echo 'Europe/Paris'; ?>\n"
    )
    image = yard.build(sample)
    assert "       The Procfile's heroku-php-apache2 is Apache and php-fpm" in yard.said, yard.said
    with yard.running(image) as app:
        answer = app.ask("/page/1", "-H", "X-Forwarded-For: 192.0.2.7", "-H", "X-Forwarded-Proto: https")
        assert '{"https":"on","who":"192.0.2.7"}' in answer, app.logs()
        assert "X-Own: yes" in answer
        assert "GET /page/1" in answer
        assert app.ask("/own.php", "-u", "a:b").endswith("77MUTCBasic YTpi")
        for hidden in ("/.htaccess", "/Procfile", "/vendor/bin/heroku-php-apache2", "/nothing", "/nothing.php"):
            assert app.ask(hidden).split()[1] in ("403", "404"), hidden
        eventually(lambda: "told beside" in app.logs())
        assert app.stop()[0] == 0, app.logs()
        assert '192.0.2.7 "GET /page/1 HTTP/1.1" 200' in app.logs()
    with yard.running(image, OTHER="heroku-php-nginx -C nginx.conf -F fpm.conf.php .") as app:
        assert app.ask("/page/1").endswith("77MEurope/Paris-"), app.logs()
        assert app.ask("/nothing").split()[1] == "404"
    with yard.running(image, OTHER="heroku-php-apache2 -C nginx.conf") as app:
        assert app.engine.wait(app.id, timeout=20)["StatusCode"] == 1
        assert "Invalid command 'location'" in app.logs()
        assert app.logs().endswith("heroku-php-apache2: Apache ended\n")


def test_php_composer_is_built_and_a_code_change_installs_nothing(yard: Yard, sample: Path) -> None:
    copy("php-composer", sample)
    first = yard.build(sample)
    assert any("Installing sample/greeter" in line for line in yard.said), yard.said
    assert "       Serving public with nginx and php-fpm" in yard.said
    with yard.running(first) as app:
        answer = app.ask("/some/route")
        assert "Hello from a package, reader: 42.00, sqlite says 3." in answer, app.logs()
        assert "without packages for tests" in answer
        assert "/some/route" in answer

    index = sample / "public/index.php"
    index.write_text(index.read_text().replace("'reader'", "'changed'"))
    began = time.monotonic()
    second = yard.build(sample, previous=first)
    print("code-only rebuild", time.monotonic() - began)
    assert yard.bill(second).keys() >= {"greeter", "php8.2-fpm"}
    assert "       composer.lock has not changed: its packages are used again" in yard.said
    for layer in ("apt:packages", "php:php", "php:vendor"):
        assert any(f"Unchanged layer wherry/{layer}" in line for line in yard.said), "\n".join(yard.said)
    with yard.running(second) as app:
        assert "Hello from a package, changed" in app.ask()

    (sample / "src/Sum.php").rename(sample / "src/Total.php")
    total = sample / "src/Total.php"
    total.write_text(total.read_text().replace("class Sum", "class Total"))
    index.write_text(index.read_text().replace("App\\Sum", "App\\Total"))
    third = yard.build(sample, previous=second)
    assert "-----> Classes have changed: writing the autoloader anew" in yard.said
    with yard.running(third) as app:
        assert "42.00" in app.ask()


BROKEN = [
    ("php-no-such-version", BuildFailure.VERSION_NOT_AVAILABLE, ["PHP 9.8.* is not available here: have 8."]),
    (
        "php-missing-extension",
        BuildFailure.VERSION_NOT_AVAILABLE,
        ["the PHP extension teleport is not available here"],
    ),
    ("php-bad-composer", BuildFailure.BAD_SOURCE, ["composer.json is not JSON: line 4, column 3", "composer validate"]),
    (
        "php-lock-out-of-step",
        BuildFailure.BAD_SOURCE,
        ["composer.lock does not match composer.json", "example/greeter", "composer update --lock"],
    ),
    (
        "php-no-package-server",
        BuildFailure.NETWORK,
        ["the package server cannot be reached", "packages.example"],
    ),
]


def test_a_broken_php_app_says_why(yard: Yard) -> None:
    for name, kind, words in BROKEN:
        found, said = failure(yard, SAMPLES / name)
        assert (name, found, [word for word in words if word not in said]) == (name, kind, []), said


def test_a_php_that_is_not_there_is_an_error_and_never_another_one(yard: Yard) -> None:
    kind, said = failure(yard, SAMPLES / "php-hello", BP_PHP_VERSION="^8.9")
    assert kind is BuildFailure.VERSION_NOT_AVAILABLE
    assert said.startswith("PHP ^8.9 is not available here: have 8.")
