# nginx in a layer of its own: the program, its libraries for run images that lack them, and serve-static.

# need_nginx: sets $version. A month-old nginx is fetched anew, for security updates; without a mirror it stays.
need_nginx() {
  key="1 $(uname -m) ${CNB_STACK_ID-} ${CNB_TARGET_DISTRO_NAME-} ${CNB_TARGET_DISTRO_VERSION-} $(date -u +%Y-%m) $(cksum <"$home/lib/serve-static")"
  if [ -x "$layer/sbin/nginx" ] && [ "$(known key)" = "$key" ]; then
    version=$(known version)
    return 0
  fi
  rm -rf "$layer.new" "$layers/apt"
  if fetch_nginx >"$layers/apt.log" 2>&1; then
    rm -rf "$layer"
    mv "$layer.new" "$layer"
    version=$("$layer/bin/nginx-version")
  elif [ -x "$layer/sbin/nginx" ]; then
    printf ' !     nginx could not be looked for on the mirror: the one of the last build is used again\n'
    version=$(known version) key=$(known key)
  else
    printf ' !     nginx could not be fetched from the mirror of this distribution\n'
    grep '^[EW]: ' "$layers/apt.log" | tail -n 3 | while IFS= read -r line; do printf ' !     %s\n' "$line"; done
    exit 1
  fi
}

known() { sed -n "s/^ *$1 = \"\(.*\)\"\$/\1/p" "$layer.toml" 2>/dev/null; }

# fetch_nginx: apt as a plain user, in folders of its own; nothing is installed and no script of a package runs.
fetch_nginx() {
  mkdir -p "$layers/apt/state/lists/partial" "$layers/apt/cache/archives/partial" "$layers/apt/debs" "$layer.new"
  aptly update &&
    (cd "$layers/apt/debs" && aptly download nginx nginx-common) || return 1
  libraries=$(dpkg-deb -f "$layers/apt/debs"/nginx_*.deb Depends | tr ',|' '\n\n' |
    sed -n 's/^ *\(lib[a-z0-9.+-]*\).*/\1/p' | grep -v '^libc6$' | sort -u)
  # shellcheck disable=SC2086 # names of packages
  (cd "$layers/apt/debs" && aptly download $libraries) || return 1
  for deb in "$layers/apt/debs"/*.deb; do dpkg-deb -x "$deb" "$layers/apt/files" || return 1; done
  lay_out
  rm -rf "$layers/apt"
}

aptly() {
  apt-get -q -o "Dir::State=$layers/apt/state" -o "Dir::State::status=/var/lib/dpkg/status" \
    -o "Dir::Cache=$layers/apt/cache" -o Debug::NoLocking=1 -o Acquire::Languages=none \
    -o Acquire::Retries=3 "$@"
}

lay_out() {
  files=$layers/apt/files
  mkdir -p "$layer.new/sbin" "$layer.new/bin" "$layer.new/libraries"
  cp "$files/usr/sbin/nginx" "$layer.new/sbin/"
  cp "$files/etc/nginx/mime.types" "$layer.new/"
  find "$files/lib" "$files/usr/lib" -name 'lib*.so.*' -exec cp -P {} "$layer.new/libraries/" \; 2>/dev/null || true
  cp "$home/lib/serve-static" "$layer.new/bin/serve-static"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s %s -v 2>&1 | sed "s|.*/||"\n' "$layer/libraries" "$layer/sbin/nginx" \
    >"$layer.new/bin/nginx-version"
  chmod 755 "$layer.new/bin/"*
}

keep_layer() {
  cat >"$layer.toml" <<TOML
[types]
launch = true
cache = true

[metadata]
key = "$key"
version = "$version"
TOML
}

write_process() {
  {
    printf '[[processes]]\ntype = "web"\ndefault = true\ncommand = ["serve-static", %s' "$(quoted "$root")"
    if [ -n "$spa" ]; then printf ', "--spa"'; fi
    if [ -n "$clean_urls" ]; then printf ', "--clean-urls"'; fi
    if [ -n "$error_page" ]; then printf ', "--error-page", %s' "$(quoted "$error_page")"; fi
    printf ', "--etag", "%s"]\n' "$(site_digest)"
  } >"$layers/launch.toml"
}

# site_digest: another one whenever a file changes. In an image all files have the same time, so nginx's own validators
# (time and size) would call a changed file of the same size unchanged.
site_digest() {
  (cd "$root" && find . -type f -exec sha256sum {} + | LC_ALL=C sort | sha256sum | cut -c -16)
}

# quoted TEXT: as a TOML string.
quoted() { printf '"%s"' "$(printf %s "$1" | sed -e 's/[\\"]/\\&/g')"; }
