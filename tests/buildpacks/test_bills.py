"""The bills of materials that our buildpacks write, each made of small files as its tools leave them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from wherry.settings import root_folder

from tests.cyclonedx import licences, valid, versions

BUILDPACKS = root_folder() / "buildpacks"
WRITERS = ("apt", "go", "java", "nodejs", "php", "python", "ruby", "rust")


def lay(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def bill(buildpack: str, script: str, file: Path, cwd: Path, **env: str) -> Any:
    """What the script of the buildpack's modules wrote, valid."""
    start = f"import sys; sys.path.insert(0, {str(BUILDPACKS / buildpack / 'lib')!r})\nimport bill\n"
    start += "from pathlib import Path\n"
    argv = [sys.executable, "-B", "-W", "error", "-c", start + script]
    done = subprocess.run(argv, cwd=cwd, env={"PATH": os.environ["PATH"], **env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return valid(file.read_bytes())


def purls(document: Any) -> set[str]:
    return {each["purl"] for each in document["components"] if "purl" in each}


def test_every_buildpack_that_writes_bills_writes_them_the_same_way() -> None:
    texts = {(BUILDPACKS / name / "lib/cyclonedx.py").read_text() for name in WRITERS}
    assert len(texts) == 1
    for folder in BUILDPACKS.iterdir():
        if (folder / "buildpack.toml").is_file():
            declares = "application/vnd.cyclonedx+json" in (folder / "buildpack.toml").read_text()
            assert declares == (folder.name in WRITERS), folder


def test_python_packages_come_with_their_licences_and_without_the_app_itself(tmp_path: Path) -> None:
    site = "venv/lib/python3.11/site-packages"
    text = "Metadata-Version: 2.4\nName: {}\nVersion: 1.0\n{}\n\nLicense: in the text\n"
    lay(
        tmp_path,
        {
            f"{site}/Flask_Login-1.0.dist-info/METADATA": text.format("Flask_Login", "License-Expression: MIT OR ISC"),
            f"{site}/old-1.0.dist-info/METADATA": text.format(
                "old",
                "License: Permission is granted\n        to everyone\n"
                "Classifier: License :: OSI Approved :: BSD License",
            ),
            f"{site}/bare-1.0.dist-info/METADATA": text.format("bare", "License: UNKNOWN"),
            f"{site}/mine-1.0.dist-info/METADATA": text.format("mine", "License: MIT"),
            f"{site}/mine-1.0.dist-info/direct_url.json": '{"url": "file:///workspace", "dir_info": {}}',
            f"{site}/broken-1.0.dist-info/RECORD": "",
        },
    )
    script = "import sys; sys.exit(bill.main(['venv']))"
    found = bill("python", script, tmp_path / "venv.sbom.cdx.json", tmp_path)
    assert licences(found) == {"flask-login": "MIT OR ISC", "old": "BSD License", "bare": ""}
    assert "pkg:pypi/flask-login@1.0" in purls(found)
    script = "bill.main(['--python', 'python', '3.12.1'])"
    assert versions(bill("python", script, tmp_path / "python.sbom.cdx.json", tmp_path)) == {"python": "3.12.1"}


def test_node_packages_are_found_in_scopes_in_each_other_and_in_pnpms_store(tmp_path: Path) -> None:
    def package(name: str, version: str, **more: object) -> str:
        return json.dumps({"name": name, "version": version, **more})

    modules = "modules/node_modules"
    lay(
        tmp_path,
        {
            f"{modules}/express/package.json": package("express", "4.0.0", license="MIT"),
            f"{modules}/express/node_modules/ms/package.json": package("ms", "2.0.0", licenses=[{"type": "MIT"}]),
            f"{modules}/express/lib/package.json": package("inner", "1.0.0"),
            f"{modules}/@types/node/package.json": package("@types/node", "20.0.0"),
            f"{modules}/.pnpm/ms@2.1.0/node_modules/ms/package.json": package("ms", "2.1.0"),
            f"{modules}/.cache/x/package.json": package("cached", "1.0.0"),
            f"{modules}/broken/package.json": "{",
            "modules/packages/web/node_modules/debug/package.json": package("debug", "3.0.0"),
            "npm/npm/package.json": package("npm", "10.0.0", license="Artistic-2.0"),
            "npm/npm/node_modules/abbrev/package.json": package("abbrev", "2.0.0"),
        },
    )
    (tmp_path / modules / "linked").symlink_to(tmp_path / modules / "express")
    (tmp_path / "node").mkdir()
    script = "from store import Layers\nlayers = Layers(Path.cwd())\nbill.write(layers, '22.1.0', True)\nlayers.close()"
    found = bill("nodejs", script, tmp_path / "modules.sbom.cdx.json", tmp_path)
    assert purls(found) == {
        "pkg:npm/express@4.0.0",
        "pkg:npm/ms@2.0.0",
        "pkg:npm/ms@2.1.0",
        "pkg:npm/%40types/node@20.0.0",
        "pkg:npm/debug@3.0.0",
    }
    assert versions(valid((tmp_path / "node.sbom.cdx.json").read_bytes())) == {"node": "22.1.0"}
    assert versions(valid((tmp_path / "npm.sbom.cdx.json").read_bytes())) == {"npm": "10.0.0", "abbrev": "2.0.0"}
    before = (tmp_path / "modules.sbom.cdx.json").stat().st_mtime_ns
    shutil.rmtree(tmp_path / modules)
    again = script.replace("True", "False")
    bill("nodejs", again, tmp_path / "modules.sbom.cdx.json", tmp_path)
    assert (tmp_path / "modules.sbom.cdx.json").stat().st_mtime_ns == before


def test_modules_of_go_programs_are_those_compiled_in_also_where_others_replace_them(tmp_path: Path) -> None:
    shown = (
        "programs/bin/web: go1.26.1\n\tpath\texample.com/web\n\tmod\texample.com/web\t(devel)\t\n"
        "\tdep\tgithub.com/go-chi/chi/v5\tv5.2.1\th1:x=\n"
        "\tdep\texample.com/old\tv1.0.0\n\t=>\texample.com/new\tv1.1.0\th1:y=\n"
        "\tdep\texample.com/local\tv0.0.0\n\t=>\t./local\t(devel)\n\tbuild\tCGO_ENABLED=0\n"
    )
    script = f"bill.write(Path('programs'), {shown!r})"
    found = bill("go", script, tmp_path / "programs.sbom.cdx.json", tmp_path)
    assert purls(found) == {
        "pkg:golang/stdlib@1.26.1",
        "pkg:golang/github.com/go-chi/chi/v5@v5.2.1",
        "pkg:golang/example.com/new@v1.1.0",
    }


def test_crates_have_their_licence_and_the_lock_files_checksum(tmp_path: Path) -> None:
    crate = '[package]\nedition = "2021"\nname = "serde"\nversion = "1.0.1"\nlicense = "MIT/Apache-2.0"\n\n[lib]\nname = "x"'
    lock = f'version = 3\n\n[[package]]\nname = "serde"\nversion = "1.0.1"\nchecksum = "{"a" * 64}"\n'
    lay(tmp_path, {"crate/Cargo.toml": crate, "Cargo.lock": lock})
    script = "bill.write(Path('programs'), ['crate/Cargo.toml', 'gone/Cargo.toml'], Path.cwd(), '1.80.0')"
    found = bill("rust", script, tmp_path / "programs.sbom.cdx.json", tmp_path)
    assert versions(found) == {"rust-std": "1.80.0", "serde": "1.0.1"}
    assert licences(found)["serde"] == "MIT OR Apache-2.0"
    assert found["components"][0]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]


def test_gems_are_known_by_their_specifications(tmp_path: Path) -> None:
    spec = (
        "Gem::Specification.new do |s|\n"
        '  s.name = "nokogiri".freeze\n  s.version = "1.16.0"\n  s.platform = "x86_64-linux".freeze\n'
        '  s.licenses = ["MIT".freeze, "Ruby".freeze]\nend\n'
    )
    lay(tmp_path, {"gems/ruby/3.1.0/specifications/nokogiri-1.16.0.gemspec": spec})
    (tmp_path / "gems/ruby/3.1.0/bundler/gems/my-gem-0123456789ab").mkdir(parents=True)
    script = "bill.write(Path('gems'), Path('gems/ruby/3.1.0'))"
    found = bill("ruby", script, tmp_path / "gems.sbom.cdx.json", tmp_path)
    assert versions(found) == {"nokogiri": "1.16.0", "my-gem": "0123456789ab"}
    assert licences(found)["nokogiri"] == "MIT, Ruby"
    assert purls(found) == {"pkg:gem/nokogiri@1.16.0?platform=x86_64-linux"}


@pytest.mark.parametrize("wrapped", [True, False])
def test_composers_own_list_says_what_php_packages_there_are(tmp_path: Path, wrapped: bool) -> None:
    packages = [{"name": "monolog/monolog", "version": "3.5.0", "license": ["MIT"]}, {"version": "1"}, None]
    lay(tmp_path, {"vendor/composer/installed.json": json.dumps({"packages": packages} if wrapped else packages)})
    found = bill("php", "bill.write(Path('vendor'))", tmp_path / "vendor.sbom.cdx.json", tmp_path)
    assert purls(found) == {"pkg:composer/monolog/monolog@3.5.0"}
    assert licences(found) == {"monolog": "MIT"}


def test_jars_are_known_by_where_they_were_fetched_to_and_by_what_they_hold(tmp_path: Path) -> None:
    pom = "<project><licenses><license>\n<name>Apache-2.0</name></license></licenses></project>"
    gradle = "layers/gradle-home/caches/modules-2/files-2.1/com.example/tool/1.0"
    lay(
        tmp_path,
        {
            "layers/repository/org/slf4j/slf4j-api/2.0.9/slf4j-api-2.0.9.jar": "",
            "layers/repository/org/slf4j/slf4j-api/2.0.9/slf4j-api-2.0.9.pom": pom,
            f"{gradle}/aa/tool-1.0.jar": "",
            f"{gradle}/bb/tool-1.0.pom": pom,
            "app/target/lib/tool-1.0.jar": "",
            "app/target/broken.jar": "no zip",
        },
    )
    with zipfile.ZipFile(tmp_path / "app/target/shop-1.0.jar", "w") as jar:
        jar.writestr("BOOT-INF/lib/slf4j-api-2.0.9.jar", "")
        jar.writestr("META-INF/maven/com.example/shaded/pom.properties", "#x\nversion=3.1\n")
    script = "bill.write(Path('layers'), Path('app'))\nbill.runtime(Path('layers/java'), '25.0.2')"
    found = bill("java", script, tmp_path / "layers/launch.sbom.cdx.json", tmp_path)
    assert purls(found) == {
        "pkg:maven/org.slf4j/slf4j-api@2.0.9",
        "pkg:maven/com.example/tool@1.0",
        "pkg:maven/com.example/shaded@3.1",
    }
    assert licences(found)["slf4j-api"] == licences(found)["tool"] == "Apache-2.0"
    assert versions(valid((tmp_path / "layers/java.sbom.cdx.json").read_bytes())) == {"openjdk": "25.0.2"}


def test_packages_of_an_aptfile_are_named_as_the_distribution_does(tmp_path: Path) -> None:
    control = "Package: tool\nVersion: 1:2.0-1\nArchitecture: all\nMaintainer: x\nSource: tools (2.0)\nDescription: x\n"
    root = lay(tmp_path / "root", {"DEBIAN/control": control})
    (tmp_path / "debs").mkdir()
    subprocess.run(["dpkg-deb", "-b", root, tmp_path / "debs/tool.deb"], check=True, capture_output=True)
    copyright = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: Expat\n"
    lay(tmp_path / "packages", {"usr/share/doc/tool/copyright": copyright})
    script = "import cyclonedx\nlayer = Path('packages')\ncyclonedx.write(layer, bill.components(Path('debs'), layer))"
    env = {"CNB_TARGET_DISTRO_NAME": "debian", "CNB_TARGET_DISTRO_VERSION": "12"}
    found = bill("apt", script, tmp_path / "packages.sbom.cdx.json", tmp_path, **env)
    assert purls(found) == {"pkg:deb/debian/tool@1%3A2.0-1?arch=all&distro=debian-12&upstream=tools%402.0"}
    assert licences(found) == {"tool": "Expat"}
