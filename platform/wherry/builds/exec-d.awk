# Turns the TOML of an exec.d program, key = "value" lines, into lines of shell that set and export them.

function fail(what) {
  print "exec.d: " what > "/dev/stderr"
  failed = 1
  exit 1
}

function blanks() {
  while (substr(text, at, 1) ~ /^[ \t]$/) at++
}

function line_end() {
  blanks()
  if (substr(text, at, 1) == "#") while (at <= size && substr(text, at, 1) != "\n") at++
  if (substr(text, at, 1) == "\r") at++
  if (at <= size && substr(text, at, 1) != "\n") fail("a value is followed by more on its line")
  at++
}

function hex(digits,    value, i) {
  if (digits !~ /^[0-9A-Fa-f]+$/) fail("not hexadecimal: " digits)
  value = 0
  for (i = 1; i <= length(digits); i++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
  return value
}

function utf8(n) {
  if (n < 128) return sprintf("%c", n)
  if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
  if (n < 65536) return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
  return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
}

# One escape, after its backslash; a backslash at the end of a line of """ takes the blanks after it along.
function escape(multi,    c, digits) {
  c = substr(text, at++, 1)
  if (c == "n") return "\n"
  if (c == "t") return "\t"
  if (c == "r") return "\r"
  if (c == "b") return "\b"
  if (c == "f") return "\f"
  if (c == "e") return "\033"
  if (c == "\"" || c == "\\") return c
  if (c == "u" || c == "U") {
    digits = substr(text, at, c == "u" ? 4 : 8)
    at += length(digits)
    digits = hex(digits)
    if (digits == 0) fail("a NUL character")
    return utf8(digits)
  }
  if (multi && c ~ /^[ \t\r\n]$/) {
    while (substr(text, at, 1) ~ /^[ \t\r\n]$/) at++
    return ""
  }
  fail("unknown escape \\" c)
}

function string(    q, multi, c, value) {
  q = substr(text, at, 1)
  if (q != "\"" && q != "'") fail("a value is not a string")
  multi = substr(text, at, 3) == q q q
  at += multi ? 3 : 1
  if (multi && substr(text, at, 2) == "\r\n") at += 2
  else if (multi && substr(text, at, 1) == "\n") at++
  value = ""
  while (at <= size) {
    c = substr(text, at, 1)
    if (c == q && !multi) { at++; return value }
    if (c == q && substr(text, at, 3) == q q q && substr(text, at + 3, 1) != q) { at += 3; return value }
    if (c == "\n" && !multi) break
    at++
    value = value (c == "\\" && q == "\"" ? escape(multi) : c)
  }
  fail("a string does not end")
}

function key(    c, name) {
  c = substr(text, at, 1)
  if (c == "\"" || c == "'") return string()
  name = ""
  while ((c = substr(text, at, 1)) ~ /^[A-Za-z0-9_-]$/) { name = name c; at++ }
  return name
}

function quoted(value,    i, c, result) {
  result = "'"
  for (i = 1; i <= length(value); i++) {
    c = substr(value, i, 1)
    result = result (c == "'" ? "'\\''" : c)
  }
  return result "'"
}

{ text = text $0 "\n" }

END {
  if (failed) exit 1
  size = length(text)
  at = 1
  while (at <= size) {
    c = substr(text, at, 1)
    if (c ~ /^[ \t\r\n]$/) { at++; continue }
    if (c == "#") { line_end(); continue }
    name = key()
    if (name !~ /^[A-Za-z_][A-Za-z0-9_]*$/) fail("not the name of a variable: " name)
    blanks()
    if (substr(text, at++, 1) != "=") fail("no = after " name)
    blanks()
    value = string()
    line_end()
    print "export " name "=" quoted(value)
  }
}
