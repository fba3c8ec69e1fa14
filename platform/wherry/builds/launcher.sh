#!/bin/sh
# Starts a process of this image: the one whose name it is called by (/cnb/process/<type>), or, called as launcher, any
# command. It ends by exec, so the process gets every signal itself.

# The processes' own names lead here; a program that asks for one by name means another.
CNB_START=
while :; do
  case ":$PATH:" in
  *:/cnb/process:*)
    CNB_START=:$PATH:
    CNB_START=${CNB_START%%:/cnb/process:*}:${CNB_START#*:/cnb/process:}
    CNB_START=${CNB_START#:}
    PATH=${CNB_START%:}
    ;;
  *) break ;;
  esac
done

# launch_exec_d PROGRAM: its TOML on descriptor 3 becomes variables.
launch_exec_d() {
  { CNB_TOML=$("$1" 3>&1 >&4 4>&-); } 4>&1 || { echo "launcher: $1 failed" >&2; exit 82; }
  CNB_SET=$(printf '%s\n' "$CNB_TOML" | LC_ALL=C awk -f /cnb/lifecycle/exec-d.awk) || {
    echo "launcher: the output of $1 cannot be read" >&2
    exit 82
  }
  eval "$CNB_SET"
}

case $0 in
*/lifecycle/launcher | launcher) CNB_START=/cnb/lifecycle/command.sh ;;
*) CNB_START=/cnb/lifecycle/processes/${0##*/}.sh ;;
esac
if [ ! -r "$CNB_START" ]; then
  echo "launcher: this image has no process ${0##*/}" >&2
  exit 82
fi
. "$CNB_START"
