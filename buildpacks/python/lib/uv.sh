# uv itself: pinned by version and hash, kept in a layer for builds only.

need_uv() {
  tool=$layers/uv
  if ! { [ -x "$tool/bin/uv" ] && grep -q "version = \"$UV_VERSION\"" "$tool.toml" 2>/dev/null; }; then
    step "Getting uv $UV_VERSION"
    rm -rf "$tool"
    get_uv
  fi
  PATH=$tool/bin:$PATH
  uv_settings
}

get_uv() {
  pip=python3
  if ! python3 -c 'import pip' 2>/dev/null; then
    python3 -m venv "$tool.pip" || { error_line "This build image has no pip and no venv to get uv with"; exit 1; }
    pip=$tool.pip/bin/python
  fi
  if ! "$pip" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --no-compile \
    --target "$tool" -r "$home/lib/uv.txt" >"$layers/uv.log" 2>&1; then
    error_line "uv $UV_VERSION could not be fetched from the package index"
    tail -n 5 "$layers/uv.log" | while IFS= read -r line; do error_line "$line"; done
    exit 1
  fi
  rm -rf "$tool.pip"
}

# uv_settings: pip's settings of the operator and the app count for uv too, unless uv has its own.
uv_settings() {
  if [ -z "${UV_INDEX_URL-}${UV_DEFAULT_INDEX-}" ] && [ -n "${PIP_INDEX_URL-}" ]; then export UV_DEFAULT_INDEX="$PIP_INDEX_URL"; fi
  if [ -z "${UV_EXTRA_INDEX_URL-}${UV_INDEX-}" ] && [ -n "${PIP_EXTRA_INDEX_URL-}" ]; then export UV_INDEX="$PIP_EXTRA_INDEX_URL"; fi
  if [ -z "${UV_INSECURE_HOST-}" ] && [ -n "${PIP_TRUSTED_HOST-}" ]; then export UV_INSECURE_HOST="$PIP_TRUSTED_HOST"; fi
  export UV_CACHE_DIR="$layers/cache" UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=manual
  # Files get another time in the image, so caches of compiled code must not go by it.
  export UV_COMPILE_BYTECODE=1 PYC_INVALIDATION_MODE=UNCHECKED_HASH
}
