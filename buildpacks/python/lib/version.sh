# Which Python: the one that the app asks for, or a clear error. Never another one in silence.

# choose_python: sets $interpreter and $version.
choose_python() {
  wanted_python
  if ! interpreter=$(uv python find --system --no-python-downloads --no-project ${wanted:+"$wanted"} 2>/dev/null); then
    managed_python
  else
    rm -rf "$layers/python"
  fi
  version=$("$interpreter" -c 'import platform; print(platform.python_version())')
}

# wanted_python: sets $wanted ("" for any) and $asked, the file that says so.
wanted_python() {
  wanted='' asked=''
  if [ -n "${BP_PYTHON_VERSION-}" ]; then
    wanted=$BP_PYTHON_VERSION asked=BP_PYTHON_VERSION
  elif [ -f .python-version ]; then
    wanted=$(sed -n -e 's/#.*//' -e 's/[[:space:]]//g' -e '/./{p;q;}' .python-version) asked=.python-version
  elif [ -f runtime.txt ]; then
    wanted=$(sed -n -e 's/[[:space:]]//g' -e '/./{p;q;}' runtime.txt) asked=runtime.txt
    wanted=${wanted#python-}
  else
    found=$(python3 -B -I "$home/lib/wanted.py")
    wanted=${found% *} asked=${found##* }
  fi
  case $wanted in
  *[!A-Za-z0-9.,\<\>=!~*+-]* | -*)
    error_line "$asked does not name a version of Python: $wanted"
    error_line ""
    error_line "Write a version like 3.11 into it."
    exit $BAD_SOURCE
    ;;
  esac
}

# managed_python: one that uv brings, where it can be reached; it goes into the image too.
managed_python() {
  detail "Looking for Python $wanted"
  export UV_PYTHON_INSTALL_DIR="$layers/python"
  if UV_HTTP_RETRIES=1 uv python install --no-bin "$wanted" >"$layers/python.log" 2>&1; then
    interpreter=$(uv python find --managed-python --no-python-downloads --no-project "$wanted")
    printf '[types]\nlaunch = true\nbuild = true\ncache = true\n' >"$layers/python.toml"
    return
  fi
  rm -rf "$layers/python"
  have=$(python3 -c 'import platform; print(platform.python_version())')
  error_line "Python $wanted is not available here: have $have"
  grep -i '^ *error\|caused by' "$layers/python.log" | head -n 3 | while IFS= read -r line; do error_line "$line"; done
  error_line ""
  error_line "Ask for ${have%.*} in $asked, or remove the line."
  exit $NOT_AVAILABLE
}
