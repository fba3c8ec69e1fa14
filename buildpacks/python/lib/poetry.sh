# Poetry reads its own lock: pinned by version and hash, kept in a layer for builds only. uv installs what it says.

POETRY_VERSION=$(sed -n 's/^poetry==\([0-9.]*\).*/\1/p' "$home/lib/poetry.txt")

need_poetry() {
  if [ "$(poetry_version)" = "$POETRY_VERSION" ]; then return 0; fi
  step "Getting Poetry $POETRY_VERSION"
  rm -rf "$layers/poetry"
  run uv venv --quiet --no-project --python "$(command -v python3)" "$layers/poetry"
  run uv pip install --quiet --python "$layers/poetry/bin/python" --require-hashes --only-binary :all: -r "$home/lib/poetry.txt"
}

# export_poetry_lock: writes requirements with hashes, all but those of other groups than main.
export_poetry_lock() {
  need_poetry
  exported=$layers/poetry.lock.txt
  rm -f "$exported"
  if ! POETRY_CONFIG_DIR="$layers/.poetry" POETRY_CACHE_DIR="$layers/.poetry" POETRY_DATA_DIR="$layers/.poetry" \
    POETRY_VIRTUALENVS_CREATE=false POETRY_NO_INTERACTION=1 NO_COLOR=1 PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring \
    "$layers/poetry/bin/poetry" export --only main --format requirements.txt --output "$exported" >"$layers/errors" 2>&1 ||
    grep -q 'is not up to date\|changed significantly' "$layers/errors"; then
    sed -i '/^Warning: /d' "$layers/errors"
    status=0
    python3 -B -I "$home/lib/failures.py" "$source" "$layers/errors" || status=$?
    exit "$status"
  fi
  rm -rf "$layers/.poetry"
  # An index that the operator or the app set stands in for the lock's.
  if [ -n "${UV_DEFAULT_INDEX-}${UV_INDEX_URL-}" ]; then sed -i '/^--index-url/d' "$exported"; fi
}

# is_package: the project itself is one of the packages, as for "poetry install".
is_package() {
  python3 -B -I -c '
import sys, tomllib
with open("pyproject.toml", "rb") as file:
    values = tomllib.load(file)
sys.exit(0 if "build-system" in values and values.get("tool", {}).get("poetry", {}).get("package-mode", True) else 1)
'
}
