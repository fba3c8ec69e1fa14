# What the installed packages depend on, and whether the layer of the last build is still the right one.

# choose_source: sets $source, the file that says which packages.
choose_source() {
  if [ -f uv.lock ] && [ -f pyproject.toml ]; then
    source=uv.lock
    if [ -f requirements.txt ]; then detail "There is a uv.lock, so requirements.txt is not read"; fi
  elif [ -f requirements.txt ]; then
    source=requirements.txt
  else
    source=pyproject.toml
  fi
}

# fingerprint: sets $key, which is another one whenever other packages may have to be installed.
fingerprint() {
  files=
  for file in uv.lock pyproject.toml setup.py setup.cfg .python-version runtime.txt; do
    if [ -f "$file" ]; then files="$files $file"; fi
  done
  # shellcheck disable=SC2086 # names without spaces
  key=$({
    echo "wherry/python 1 $UV_VERSION $source $(uname -m) ${CNB_STACK_ID-} ${CNB_TARGET_DISTRO_NAME-} ${CNB_TARGET_DISTRO_VERSION-}"
    if [ "$source" = requirements.txt ]; then
      awk -f "$home/lib/requirements.awk" requirements.txt
    fi
    [ -z "$files" ] || sha256sum $files
  } | sha256sum)
  key=${key%% *}
}

# known NAME: what the last build noted about the packages.
known() { sed -n "s/^ *$1 = \"\(.*\)\"\$/\1/p" "$venv.toml"; }

# installed: the layer is there and was made of the same.
installed() { [ -x "$venv/bin/python" ] && [ -f "$venv.toml" ] && [ "$(known key)" = "$key" ]; }
