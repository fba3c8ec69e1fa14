# Installing: into a fresh environment, so that nothing of an older one stays. The older one comes back on failure.

# MiB of packages kept for the next installation.
MOST_CACHED=2048

install_packages() {
  rm -rf "$venv.before" "$venv.sbom.cdx.json" "$layers/python.sbom.cdx.json"
  if [ -e "$venv" ]; then mv "$venv" "$venv.before"; fi
  trap 'status=$?; if [ $status -ne 0 ]; then bring_back; fi; exit $status' EXIT
  run uv venv --quiet --no-project --python "$interpreter" "$venv"
  case $source in
  uv.lock) install_uv_lock ;;
  poetry.lock)
    export_poetry_lock
    run uv pip install --python "$venv/bin/python" -r "$layers/poetry.lock.txt"
    if is_package; then run uv pip install --python "$venv/bin/python" --no-deps -e .; fi
    ;;
  Pipfile.lock)
    python3 -B -I "$home/lib/pipfile.py" "$(pwd)" "${UV_DEFAULT_INDEX-}${UV_INDEX_URL-}" >"$layers/pipfile.lock.txt" || refused "$layers/pipfile.lock.txt" $?
    run uv pip install --python "$venv/bin/python" -r "$layers/pipfile.lock.txt"
    ;;
  requirements.txt) run uv pip install --python "$venv/bin/python" -r requirements.txt ;;
  pyproject.toml)
    if grep -q '^\[build-system\]' pyproject.toml; then
      run uv pip install --python "$venv/bin/python" -e .
    else
      run uv pip install --python "$venv/bin/python" -r pyproject.toml
    fi
    ;;
  esac
  keep_pkg_resources
  trap - EXIT
  rm -rf "$venv.before" "$layers/poetry.lock.txt" "$layers/pipfile.lock.txt" "$layers/errors"
  if [ "$(du -sm "$UV_CACHE_DIR" | cut -f 1)" -gt $MOST_CACHED ]; then uv cache clean --quiet; fi
}

install_uv_lock() {
  # A lock names its own index; with another one uv cannot compare it, only use it.
  checked=--locked
  if [ -n "${UV_DEFAULT_INDEX-}${UV_INDEX_URL-}" ]; then
    checked=--frozen
    said=$(python3 -B -I "$home/lib/uvlock.py") || { printf '%s\n' "$said"; exit $BAD_SOURCE; }
  fi
  export UV_PROJECT_ENVIRONMENT="$venv"
  run uv sync "$checked" --no-dev --python "$interpreter"
}

# keep_pkg_resources: packages of earlier years import it, and setuptools has none any more since 82. A lock that counts
# setuptools among its packages, and requirements that name it, have the last word.
keep_pkg_resources() {
  case $source in uv.lock | poetry.lock) return 0 ;; esac
  for site in "$venv"/lib/python3*/site-packages; do break; done
  if [ -d "$site/pkg_resources" ] || grep -qi '^setuptools\|^ *"setuptools' "$source"; then return 0; fi
  user=$(grep -rlE --include='*.py' '^(import|from) pkg_resources\b' "$site" | head -n 1)
  if [ -z "$user" ]; then return 0; fi
  user=${user#"$site/"}
  detail "${user%%/*} imports pkg_resources, which the newest setuptools has no more: an earlier one is installed"
  run uv pip install --quiet --python "$venv/bin/python" 'setuptools<82'
}

bring_back() {
  # A build that fails keeps its downloads.
  if [ -d "$layers/cache" ]; then printf '[types]\ncache = true\n' >"$layers/cache.toml"; fi
  rm -rf "$venv"
  if [ -e "$venv.before" ]; then mv "$venv.before" "$venv"; fi
}

# refused FILE CODE: shows the error that a helper wrote in place of its result.
refused() {
  cat "$1"
  exit "$2"
}

# run COMMAND...: its output as details, but from its first error on as the error of this build.
run() {
  rm -f "$layers/failed"
  : >"$layers/errors"
  { "$@" 2>&1 || echo $? >"$layers/failed"; } |
    sed -u -e '/^Using Python /d' -e '/^error:\|^ *×/,$ {' -e "w $layers/errors" -e 'd' -e '}' -e 's/^/       /'
  if [ -e "$layers/failed" ]; then
    status=0
    python3 -B -I "$home/lib/failures.py" "$source" "$layers/errors" || status=$?
    exit "$status"
  fi
}
