# Prints a requirements file and all files that it includes (-r, -c), so that their digest tells whether they changed.
# A package that is a folder of the app itself may change with any of its files: then a random word is printed, and
# nothing matches it.

function folder(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/)) : "" }

function scan(file, depth,    line, name) {
  if (depth > 20) return
  print "file " file
  while ((getline line < file) > 0) {
    print line
    sub(/\r$/, "", line)
    sub(/^[ \t]+/, "", line)
    if (line ~ /^(-r|-c|--requirement|--constraint)([ \t=]|[^ \t-])/) {
      name = line
      sub(/^(-r|-c|--requirement|--constraint)[ \t=]*/, "", name)
      sub(/[ \t]+#.*$/, "", name)
      sub(/[ \t]+$/, "", name)
      if (name !~ /^[a-z]+:\/\// && !(name in seen)) { seen[name] = 1; scan(folder(file) name, depth + 1) }
    } else if (line ~ /^(\.|\/|file:)/ || line ~ /@ *(file:|\.)/) {
      srand()
      "cat /proc/sys/kernel/random/uuid" | getline name
      print "changes with the app: " name
    }
  }
  close(file)
}

BEGIN { scan(ARGV[1], 0); exit }
