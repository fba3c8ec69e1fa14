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

# managed_python: one that uv brings, else one of Maven's repository; it goes into the image too. That of the last build is
# taken when it fits.
managed_python() {
  export UV_PYTHON_INSTALL_DIR="$layers/python"
  if ! interpreter=$(managed) && ! fetch_python; then
    rm -rf "$layers/python"
    python_of_a_jar || no_such_python
  fi
  printf '[types]\nlaunch = true\nbuild = true\ncache = true\n' >"$layers/python.toml"
}

managed() { uv python find --managed-python --no-python-downloads --no-project "$wanted" 2>/dev/null; }

fetch_python() {
  detail "Looking for Python $wanted"
  UV_HTTP_RETRIES=1 uv python install --no-bin "$wanted" >"$layers/python.log" 2>&1 && interpreter=$(managed)
}

no_such_python() {
  have=$(python3 -c 'import platform; print(platform.python_version())')
  # Those of Maven's repository, unless it has just failed to give one.
  others=
  if [ -z "$jar" ]; then others=$(jars | sed 's/^cpython-\([0-9.]*\).*/, \1/' | tr -d '\n'); fi
  error_line "Python $wanted is not available here: have $have$others"
  # Of uv's chain of causes the first line says what, the last one why.
  grep -i '^ *\(error\|cause\|caused by\):' "$layers/python.log" | sed -n -e '1p' -e '$p' | uniq |
    cut -c 1-300 | while read -r line; do error_line "$line"; done
  error_line ""
  error_line "Ask for ${have%.*} in $asked, or remove the line. Or say where else uv can fetch it: wherry config:set UV_PYTHON_INSTALL_MIRROR=URL"
  exit $NOT_AVAILABLE
}
