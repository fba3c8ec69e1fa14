# The layers' files, and the web process of an app that has no Procfile and leaves no doubt.

keep_layers() {
  version=${version:-$(known python)}
  cat >"$venv.toml" <<TOML
[types]
launch = true
build = true
cache = true

[metadata]
key = "$key"
python = "$version"
TOML
  if [ ! -d "$venv/env" ]; then
    mkdir -p "$venv/env" "$venv/env.launch"
    printf %s "$venv" >"$venv/env/VIRTUAL_ENV"
    printf 1 >"$venv/env/PYTHONUNBUFFERED"
    printf 2 >"$venv/env.launch/WEB_CONCURRENCY.default"
    printf '*' >"$venv/env.launch/FORWARDED_ALLOW_IPS.default"
  fi
  if [ -d "$layers/uv" ]; then
    printf '[types]\ncache = true\n\n[metadata]\nversion = "%s"\n' "$UV_VERSION" >"$layers/uv.toml"
  fi
  if [ "$source" != poetry.lock ]; then
    rm -rf "$layers/poetry" "$layers/poetry.toml"
  elif [ -d "$layers/poetry" ]; then
    printf '[types]\ncache = true\n\n[metadata]\nversion = "%s"\n' "$(poetry_version)" >"$layers/poetry.toml"
  fi
  if [ -d "$layers/cache" ]; then printf '[types]\ncache = true\n' >"$layers/cache.toml"; fi
  if [ -d "$layers/python" ]; then
    printf '[types]\nlaunch = true\nbuild = true\ncache = true\n' >"$layers/python.toml"
  fi
  keep_bills
}

# keep_bills: a bill that is there was made with its layer, and stays.
keep_bills() {
  if [ ! -f "$venv.sbom.cdx.json" ]; then python3 -B -I "$home/lib/bill.py" "$venv"; fi
  if [ -d "$layers/python" ] && [ ! -f "$layers/python.sbom.cdx.json" ]; then
    python3 -B -I "$home/lib/bill.py" --python "$layers/python" "$version"
  fi
}

# poetry_version: of the Poetry that lies in its layer.
poetry_version() {
  for file in "$layers/poetry"/lib/python3*/site-packages/poetry-[0-9]*.dist-info; do
    file=${file##*/poetry-}
    echo "${file%.dist-info}"
  done
}

default_web() {
  if [ -e Procfile ] || [ -L Procfile ]; then return 0; fi
  find_web
  if [ -z "$web" ]; then return 0; fi
  printf '[[processes]]\ntype = "web"\ncommand = ["bash", "-c", "%s"]\ndefault = true\n' "$web" >"$layers/launch.toml"
  detail "No Procfile: the web process is $web"
}

# find_web: sets $web, "" when it is not plain what to run.
find_web() {
  web=
  for file in manage.py wsgi.py asgi.py app.py main.py; do
    if [ ! -f "$file" ]; then continue; fi
    module=${file%.py}
    name=$(sed -n 's/^\(app\|application\)[[:space:]]*[:=].*/\1/p' "$file" | head -n 1)
    if [ "$file" = manage.py ]; then
      find_django
    elif [ -z "$name" ]; then
      continue
    elif [ "$file" = asgi.py ] || grep -Eq '^(from|import) (fastapi|starlette|quart)' "$file"; then
      if has uvicorn; then
        web="uvicorn $module:$name --host 0.0.0.0 --port \$PORT"
      elif has hypercorn; then
        web="hypercorn $module:$name --bind 0.0.0.0:\$PORT"
      fi
    else
      has gunicorn && web="gunicorn $module:$name --bind 0.0.0.0:\$PORT"
    fi
    if [ -n "$web" ]; then return 0; fi
  done
}

find_django() {
  for file in */wsgi.py; do
    if [ -f "$file" ] && has gunicorn; then web="gunicorn ${file%/wsgi.py}.wsgi --bind 0.0.0.0:\$PORT"; fi
  done
}

has() { [ -x "$venv/bin/$1" ]; }
