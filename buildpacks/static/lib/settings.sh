# What the app says about its files: BP_STATIC_* variables, else project.toml, else static.json.

# read_settings: sets $root (a folder of the app), $spa and $clean_urls (true or ""), $error_page.
read_settings() {
  root='' spa='' clean_urls='' error_page=''
  if [ -f static.json ] || { [ -f project.toml ] && grep -q '^\[io\.wherry\.static\]' project.toml; }; then
    if ! settings=$(python3 -IS "$home/lib/settings.py"); then
      printf '%s\n' "$settings"
      exit 65
    fi
    eval "$settings"
  fi
  root=${BP_STATIC_ROOT:-$root} spa=${BP_STATIC_SPA:-$spa}
  root=${root%/}
  if [ -z "$root" ]; then
    for root in . public dist; do
      if [ -f "$root/index.html" ]; then break; fi
    done
  fi
  case /$root/ in
  */../* | //*)
    printf ' !     the root %s is not a folder of the app\n' "$root"
    exit 65
    ;;
  esac
}
