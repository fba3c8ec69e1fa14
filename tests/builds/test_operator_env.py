"""What this machine hands to builds, and what stays here."""

from __future__ import annotations

from pathlib import Path

import pytest
from wherry.builds.env import apply
from wherry.builds.operator_env import BUNDLES, bundle_of_host, npm_files, operator_changes, pip_files, proxies


def test_package_indexes_are_handed_on_and_paths_of_this_machine_are_not() -> None:
    environ = {
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://a.example https://b.example",
        "PIP_FIND_LINKS": "/opt/wheels",
        "UV_INDEX": "/opt/index",
        "UV_PYTHON_INSTALL_MIRROR": "file:///opt/python",
        "NPM_CONFIG_REGISTRY": "https://npm.example",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "UV_DEFAULT_INDEX": "",
    }
    assert apply({}, operator_changes(environ, [], "")) == {
        "PIP_INDEX_URL": "https://index.example/simple",
        "PIP_EXTRA_INDEX_URL": "https://a.example https://b.example",
        "NPM_CONFIG_REGISTRY": "https://npm.example",
    }


def test_pips_files_count_less_than_the_environment() -> None:
    weak = "[global]\nindex-url = https://weak.example\ntrusted_host = weak.example\n"
    strong = "[install]\nextra-index-url =\n    https://one.example\n    https://two.example\n[global]\ncert = /x.pem\n"
    environ = {"PIP_INDEX_URL": "https://strong.example"}
    assert apply({}, operator_changes(environ, [weak, strong, "not ini"], "")) == {
        "PIP_INDEX_URL": "https://strong.example",
        "PIP_EXTRA_INDEX_URL": "https://one.example https://two.example",
        "PIP_TRUSTED_HOST": "weak.example",
    }


def test_certificates_are_named_where_the_container_has_them() -> None:
    environ = dict.fromkeys(BUNDLES, "/only/here.pem")
    changed = apply({}, operator_changes(environ, [], "/etc/ssl/certs/ca-certificates.crt"))
    assert changed == dict.fromkeys(BUNDLES, "/etc/ssl/certs/ca-certificates.crt")


def test_an_apps_own_variable_counts_more() -> None:
    changes = operator_changes({"PIP_INDEX_URL": "https://operator.example"}, [], "")
    assert apply({"PIP_INDEX_URL": "https://app.example"}, changes)["PIP_INDEX_URL"] == "https://app.example"


def test_proxies_pass() -> None:
    assert proxies({"https_proxy": "http://p", "NO_PROXY": "x", "FTP_PROXY": "y", "HTTP_PROXY": ""}) == {
        "https_proxy": "http://p",
        "NO_PROXY": "x",
    }


def test_the_file_of_certificates_is_the_one_that_this_machine_uses(tmp_path: Path) -> None:
    (tmp_path / "mine.pem").write_text("x")
    assert bundle_of_host({"SSL_CERT_FILE": str(tmp_path / "mine.pem")}) == tmp_path / "mine.pem"
    assert bundle_of_host({"SSL_CERT_FILE": "/nowhere"}) != Path("/nowhere")


def test_pips_files_of_the_user_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\n")
    (tmp_path / "named.conf").write_text("[named]\n")
    found = pip_files({"HOME": str(tmp_path), "PIP_CONFIG_FILE": str(tmp_path / "named.conf")})
    assert found[-2:] == ["[global]\n", "[named]\n"] or found[-1] == "[named]\n"
    assert "[global]\n" in found


def test_npms_registry_and_proxies_are_handed_on_and_its_logins_are_not() -> None:
    weak = "registry=https://weak.example/\nproxy = http://proxy.example:8080\n; a remark\nstrict-ssl = false\n"
    strong = 'registry = "https://strong.example/npm/"\n//strong.example/npm/:_authToken=secret\ncafile=/x.pem\n'
    strong += "https-proxy=${PROXY}\n@scope:registry=https://scope.example\nnoproxy\n"
    environ = {"NPM_CONFIG_PROXY": "http://other.example", "NPM_CONFIG_CAFILE": "/x.pem", "YARN_HTTP_RETRY": "5"}
    assert apply({}, operator_changes(environ, [], "", [weak, strong])) == {
        "NPM_CONFIG_REGISTRY": "https://strong.example/npm/",
        "NPM_CONFIG_PROXY": "http://other.example",
        "NPM_CONFIG_STRICT_SSL": "false",
        "YARN_HTTP_RETRY": "5",
    }


def test_npms_files_of_the_user_are_found(tmp_path: Path) -> None:
    (tmp_path / ".npmrc").write_text("registry=https://mine.example\n")
    (tmp_path / "named").write_text("registry=https://named.example\n")
    assert npm_files({"HOME": str(tmp_path)})[-1] == "registry=https://mine.example\n"
    named = npm_files({"HOME": str(tmp_path), "npm_config_userconfig": str(tmp_path / "named")})
    assert named[-1] == "registry=https://named.example\n"


def test_mirrors_of_gems_are_handed_on_and_credentials_are_not() -> None:
    passed = {"BUNDLE_MIRROR__ALL": "https://gems.example", "BUNDLE_RETRY": "5", "COMPOSER_MAX_PARALLEL_HTTP": "4"}
    environ = {**passed, "BUNDLE_PATH": "/opt/gems", "BUNDLE_GEMS__EXAMPLE": "user:secret", "COMPOSER_AUTH": "{}"}
    assert apply({}, operator_changes(environ, [], "")) == passed


def test_mirrors_of_mavens_repository_are_handed_on_and_its_options_and_credentials_are_not() -> None:
    passed = {"MAVEN_MIRROR_URL": "https://maven.example/repository", "MVNW_REPOURL": "https://maven.example"}
    environ = {**passed, "MVNW_PASSWORD": "secret", "MAVEN_OPTS": "-Xmx1g", "JAVA_TOOL_OPTIONS": "-Dx=y"}
    assert apply({}, operator_changes(environ, [], "")) == passed
