# What the installed packages depend on, and whether the layer of the last build is still the right one.

# choose_source: sets $source, the file that says which packages. A lock counts more than what it was made of; of several
# the first one of this list.
choose_source() {
  source='' passed=''
  for file in uv.lock poetry.lock Pipfile.lock requirements.txt pyproject.toml; do
    if [ ! -f "$file" ] || { [ "$file" = uv.lock ] && [ ! -f pyproject.toml ]; }; then continue; fi
    if [ -z "$source" ]; then
      source=$file
    elif [ "$file" != pyproject.toml ]; then
      passed="${passed:+$passed, }$file"
    fi
  done
  if [ -f Pipfile ] && [ "$source" = requirements.txt ]; then passed="Pipfile (it has no Pipfile.lock)"; fi
  if [ -n "$passed" ]; then detail "There is a $source, so it counts. Not read: $passed"; fi
  require_lock
  if [ -f runtime.txt ]; then detail "Warning: runtime.txt is deprecated. Write the version into .python-version: 3.11"; fi
}

# require_lock: Pipenv's and Poetry's own files are wishes, which mean other packages every day.
require_lock() {
  case $source in
  poetry.lock) if [ ! -f pyproject.toml ]; then lacking "poetry.lock has no pyproject.toml beside it" "git add pyproject.toml"; fi ;;
  uv.lock | Pipfile.lock | requirements.txt) ;;
  *)
    if [ -f Pipfile ] && ! has_project; then lacking "the Pipfile has no Pipfile.lock beside it" "pipenv lock && git add Pipfile.lock"; fi
    if [ -f uv.lock ] && [ -z "$source" ]; then lacking "uv.lock has no pyproject.toml beside it" "git add pyproject.toml"; fi
    if ! has_project; then lacking "pyproject.toml is Poetry's, and has no poetry.lock beside it" "poetry lock && git add poetry.lock"; fi
    ;;
  esac
}

has_project() { [ -f pyproject.toml ] && grep -q '^\[project\]' pyproject.toml; }

# lacking CAUSE COMMAND
lacking() {
  error_line "$1"
  error_line ""
  error_line "Try: $2"
  exit $BAD_SOURCE
}

# fingerprint: sets $key, which is another one whenever other packages may have to be installed.
fingerprint() {
  files=
  for file in uv.lock poetry.lock Pipfile Pipfile.lock pyproject.toml setup.py setup.cfg .python-version runtime.txt; do
    if [ -f "$file" ]; then files="$files $file"; fi
  done
  # shellcheck disable=SC2086 # names without spaces
  key=$({
    echo "wherry/python 2 $UV_VERSION $source $(uname -m) ${CNB_STACK_ID-} ${CNB_TARGET_DISTRO_NAME-} ${CNB_TARGET_DISTRO_VERSION-} ${BP_PYTHON_VERSION-}"
    if [ "$source" = requirements.txt ]; then
      awk -f "$home/lib/requirements.awk" requirements.txt
    elif locks_folders; then
      cat /proc/sys/kernel/random/uuid
    fi
    [ -z "$files" ] || sha256sum $files
  } | sha256sum)
  key=${key%% *}
}

# locks_folders: the lock names a folder of the app that is copied when it is installed, so that any change of it counts.
locks_folders() {
  case $source in
  uv.lock) grep -q '^source = { directory = ' uv.lock ;;
  poetry.lock) grep -q '^type = "\(directory\|file\)"' poetry.lock ;;
  Pipfile.lock) grep -q '"\(path\|file\)": *"[^"]' Pipfile.lock && ! grep -q '"editable": *true' Pipfile.lock ;;
  *) return 1 ;;
  esac
}

# known NAME: what the last build noted about the packages.
known() { sed -n "s/^ *$1 = \"\(.*\)\"\$/\1/p" "$venv.toml"; }

# installed: the layer is there and was made of the same.
installed() { [ -x "$venv/bin/python" ] && [ -f "$venv.toml" ] && [ "$(known key)" = "$key" ]; }
