"""Real gems without a gem server: made of the distribution's packages, and one of our own that is compiled."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from wherry.settings import root_folder

PACKAGES = ("puma", "ruby-nio4r", "ruby-rack", "ruby-minitest", "rake")
_RUBY = ("ruby3.1", "ruby3.1-dev")

_MAKE = """
require "fileutils"
require "rubygems/package"

def package(spec, folder)
  Dir.chdir(folder) do
    spec.files = Dir["**/*"].select { |each| File.file?(each) }
    spec.bindir = "bin"
    spec.executables = Dir["bin/*"].map { |each| File.basename(each) }
    Gem::Package.build(spec, true)
    FileUtils.mv(Dir["*.gem"], "/out")
  end
end

# A package of the distribution has its library in vendor_ruby, or as a whole gem.
Dir["/work/debs/*"].each do |folder|
  found = Dir["#{folder}/usr/**/specifications/*.gemspec"].first or next
  spec = Gem::Specification.load(found)
  stage = "#{folder}/stage"
  FileUtils.mkdir_p("#{stage}/lib")
  whole = Dir["#{folder}/usr/**/gems/#{spec.full_name}"].first
  FileUtils.cp_r("#{whole}/.", stage) if whole
  Dir["#{folder}/usr/lib/{,*/}ruby/vendor_ruby/{,3.1.0/}*"].each do |each|
    FileUtils.cp_r(each, "#{stage}/lib") unless each.end_with?("/3.1.0")
  end
  Dir["#{folder}/usr/**/extensions/*/*/#{spec.full_name}/*"].each do |each|
    FileUtils.cp_r(each, "#{stage}/lib") if File.directory?(each) || each.end_with?(".so")
  end
  # The distribution's programs only look for those of the gem, which it leaves out.
  FileUtils.mkdir_p("#{stage}/bin")
  File.write("#{stage}/bin/puma", "require 'puma/cli'; Puma::CLI.new(ARGV).run\n") if spec.name == "puma"
  File.write("#{stage}/bin/rackup", "require 'rack'; Rack::Server.start\n") if spec.name == "rack"
  File.write("#{stage}/bin/rake", "require 'rake'; Rake.application.run") if spec.name == "rake"
  spec.extensions = []
  package(spec, stage)
end

FileUtils.mkdir_p(["/work/tally/ext/tally", "/work/tally/lib"])
File.write("/work/tally/ext/tally/extconf.rb", 'require "mkmf"; create_makefile("tally/native")')
File.write("/work/tally/ext/tally/native.c", <<~C)
  #include <ruby.h>
  #include <openssl/crypto.h>
  static VALUE add(VALUE self, VALUE a, VALUE b) { return LONG2NUM(NUM2LONG(a) + NUM2LONG(b)); }
  void Init_native(void) { rb_define_module_function(rb_define_module("Tally"), "add", add, 2); }
C
File.write("/work/tally/lib/tally.rb", 'require "tally/native"')
tally = Gem::Specification.new("tally", "1.0.0") do |spec|
  spec.summary = spec.author = "tally"
  spec.extensions = ["ext/tally/extconf.rb"]
end
package(tally, "/work/tally")
"""

_SCRIPT = """
set -eu
mkdir -p /work/layers /work/debs /work/bundle
cat >/work/plan.toml <<TOML
[[entries]]
name = "apt"
[entries.metadata]
launch = true
packages = ["{ruby}"]
TOML
/buildpacks/apt/bin/build /work/layers /platform /work/plan.toml
packages=/work/layers/packages
export PATH="$packages/usr/bin:$PATH" LD_LIBRARY_PATH="$(cat $packages/env/LD_LIBRARY_PATH.prepend)"
python3 -B -c 'import pathlib, sys
sys.path.insert(0, "/buildpacks/ruby/lib")
import interpreter
interpreter.find("3.1", pathlib.Path("/work/ruby"), {{}})'
export PATH="/work/ruby/bin:$PATH" RUBYLIB="$(cat /work/ruby/env/RUBYLIB.prepend)"
mkdir -p /work/apt/state/lists/partial /work/apt/cache/archives/partial
apt="apt-get -q -o Dir::State=/work/apt/state -o Dir::State::status=/var/lib/dpkg/status"
apt="$apt -o Dir::Cache=/work/apt/cache -o Debug::NoLocking=1"
$apt update
cd /work
$apt download {packages}
for deb in *.deb; do dpkg-deb -x $deb debs/$deb; done
ruby /kit/make.rb
mkdir -p app/vendor
cp -r /out app/vendor/cache
cp /kit/Gemfile app/
cd app
BUNDLE_PATH=/work/bundle BUNDLE_APP_CONFIG=/work/bundle bundle install --local
cp Gemfile.lock /out/
"""


def lay_gems(app: Path, image: str, kept: Path) -> None:
    """Puts vendor/cache and Gemfile.lock into an app; they are made once, in `kept`, with the stack's build image."""
    script = _SCRIPT.format(ruby='", "'.join(_RUBY), packages=" ".join(PACKAGES))
    made_of = f"{_MAKE}{script}{(app / 'Gemfile').read_text()}"
    if not (kept / "made-of").is_file() or (kept / "made-of").read_text() != made_of:
        shutil.rmtree(kept, ignore_errors=True)
        (kept / "out").mkdir(parents=True)
        (kept / "out").chmod(0o777)
        (kept / "make.rb").write_text(_MAKE, "utf-8")
        (kept / "make.sh").write_text(script)
        shutil.copyfile(app / "Gemfile", kept / "Gemfile")
        mounts = [f"{root_folder()}/buildpacks:/buildpacks:ro", f"{kept}:/kit:ro", f"{kept}/out:/out"]
        argv = ["docker", "run", "--rm", "--network", "host", "--tmpfs", "/work:exec,mode=1777"]
        argv += [word for mount in mounts for word in ("--volume", mount)]
        done = subprocess.run([*argv, image, "sh", "/kit/make.sh"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        (kept / "made-of").write_text(made_of)
    (app / "vendor/cache").mkdir(parents=True)
    for gem in (kept / "out").glob("*.gem"):
        shutil.copyfile(gem, app / "vendor/cache" / gem.name)
    shutil.copyfile(kept / "out/Gemfile.lock", app / "Gemfile.lock")
