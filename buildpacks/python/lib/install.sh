# Installing: into a fresh environment, so that nothing of an older one stays. The older one comes back on failure.

# MiB of packages kept for the next installation.
MOST_CACHED=2048

install_packages() {
  rm -rf "$venv.before"
  if [ -e "$venv" ]; then mv "$venv" "$venv.before"; fi
  trap 'status=$?; if [ $status -ne 0 ]; then bring_back; fi; exit $status' EXIT
  run uv venv --quiet --no-project --python "$interpreter" "$venv"
  case $source in
  uv.lock)
    # A lock names its own index; with another one it cannot be compared, only used.
    checked=--locked
    if [ -n "${UV_DEFAULT_INDEX-}${UV_INDEX_URL-}" ]; then checked=--frozen; fi
    export UV_PROJECT_ENVIRONMENT="$venv"
    run uv sync "$checked" --no-dev --python "$interpreter"
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
  trap - EXIT
  rm -rf "$venv.before"
  if [ "$(du -sm "$UV_CACHE_DIR" | cut -f 1)" -gt $MOST_CACHED ]; then uv cache clean --quiet; fi
}

bring_back() {
  if [ -e "$venv.before" ]; then
    rm -rf "$venv"
    mv "$venv.before" "$venv"
  fi
}

# run COMMAND...: its output as details, but from its first error on as the error of this build.
run() {
  rm -f "$layers/failed" "$layers/errors"
  { "$@" 2>&1 || echo $? >"$layers/failed"; } |
    sed -u -e '/^Using Python /d' -e '/^error:\|^ *×/,$ {' -e "w $layers/errors" -e 'd' -e '}' -e 's/^/       /'
  if [ -e "$layers/failed" ]; then
    error_line "$source could not be installed"
    while IFS= read -r line; do error_line "$line"; done <"$layers/errors"
    error_line ""
    error_line "Does it install on your machine? Try: uv pip install -r $source"
    exit $BAD_SOURCE
  fi
}
