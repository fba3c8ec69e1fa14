# What an app's own code does in a build: hooks as Heroku's buildpack has them, and Django's static files.

# run_hook NAME: bin/NAME of the app, when it has one.
run_hook() {
  if [ ! -f "bin/$1" ]; then return 0; fi
  step "Running bin/$1"
  head=$(head -c 2 "bin/$1")
  status=0
  if [ "$head" = '#!' ]; then
    chmod u+x "bin/$1"
    "./bin/$1" </dev/null 2>&1 || status=$?
  else
    bash "bin/$1" </dev/null 2>&1 || status=$?
  fi
  if [ "$status" -ne 0 ]; then
    error_line "bin/$1 failed with exit code $status"
    error_line ""
    error_line "Its own words stand above. It runs from the app's folder: bash bin/$1"
    exit 1
  fi
}

# collect_static: as Heroku does for Django; an app without STATIC_ROOT or the staticfiles app has nothing to collect.
collect_static() {
  if [ ! -f manage.py ] || ! "$venv/bin/python" -c 'import importlib.util as u, sys; sys.exit(not u.find_spec("django"))'; then
    return 0
  fi
  case ${DISABLE_COLLECTSTATIC-} in
  '' | 0) ;;
  *)
    detail "DISABLE_COLLECTSTATIC is set: static files are not collected"
    return 0
    ;;
  esac
  if "$venv/bin/python" manage.py collectstatic --noinput --traceback >"$layers/static.log" 2>&1 </dev/null; then
    step "Collecting static files: python manage.py collectstatic"
    tail -n 1 "$layers/static.log" | sed 's/^/       /'
  elif grep -q "Unknown command: 'collectstatic'" "$layers/static.log"; then
    detail "django.contrib.staticfiles is not among the INSTALLED_APPS: no static files"
  elif grep -q 'without having set the STATIC_ROOT setting' "$layers/static.log"; then
    detail "STATIC_ROOT is not set: static files are not collected"
  else
    error_line "static files could not be collected: $(grep -v '^ *$' "$layers/static.log" | tail -n 1 | cut -c 1-300)"
    grep -v '^ *$' "$layers/static.log" | tail -n 8 | while IFS= read -r line; do error_line "$line"; done
    error_line ""
    wants=$(wanted_variable)
    if [ -n "$wants" ]; then
      error_line "Set it: wherry config:set $wants=VALUE. Or build without: wherry config:set DISABLE_COLLECTSTATIC=1"
    else
      error_line "Try: python manage.py collectstatic --noinput. Or build without: wherry config:set DISABLE_COLLECTSTATIC=1"
    fi
    exit $BAD_SOURCE
  fi
  rm -f "$layers/static.log"
}

# wanted_variable: the config var without which the settings end, in the words of os.environ, django-environ and decouple.
wanted_variable() {
  grep -v '^ *$' "$layers/static.log" | tail -n 1 |
    sed -n -e "s/^KeyError: '\([A-Z][A-Z0-9_]*\)'$/\1/p" -e 's/.*ImproperlyConfigured: Set the \([A-Z][A-Z0-9_]*\) environment variable$/\1/p' \
      -e 's/.*UndefinedValueError: \([A-Z][A-Z0-9_]*\) not found.*/\1/p'
}
