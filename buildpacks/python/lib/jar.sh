# Pythons that Maven's repository has (pythons.json), for machines that cannot reach what uv fetches from.

# Seconds that fetching one may take.
LONGEST=300

# python_of_a_jar: sets $interpreter, when there is one that the app takes. What went wrong stands in $layers/python.log.
python_of_a_jar() {
  jar=$(jars "$wanted" | head -n 1)
  if [ -z "$jar" ]; then return 1; fi
  version=${jar#cpython-} version=${version%%-*}
  step "Getting Python $version"
  detail "It is the newest of its kind in Maven's repository; what uv fetches from cannot be reached"
  if ! fetch_jar "$jar" "$layers/python/$jar" >>"$layers/python.log" 2>&1; then
    rm -rf "$layers/python"
    return 1
  fi
  interpreter=$layers/python/$jar/bin/python3
  # Its OpenSSL looks for certificates on the machine that it was made on.
  mkdir -p "$layers/python/env"
  printf /etc/ssl/certs/ca-certificates.crt >"$layers/python/env/SSL_CERT_FILE.default"
}

# jars WANTED: the keys of those that fit, newest first. A mirror is for uv's own list only.
jars() {
  env -u UV_PYTHON_INSTALL_MIRROR UV_PYTHON_DOWNLOADS_JSON_URL="$home/lib/pythons.json" \
    uv python list --offline --only-downloads --all-versions "$@" 2>/dev/null | cut -d ' ' -f 1
}

# fetch_jar KEY FOLDER
fetch_jar() {
  status=0
  uv venv --quiet --no-project --python "$(command -v python3)" "$layers/.maven" &&
    uv pip install --quiet --python "$layers/.maven/bin/python" --require-hashes --only-binary :all: -r "$home/lib/maven.txt" &&
    timeout "$LONGEST" "$layers/.maven/bin/python" -B -I "$home/lib/jar.py" "$1" "$2" &&
    "$2/bin/python3" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$2/lib" || status=1
  rm -rf "$layers/.maven"
  return $status
}
