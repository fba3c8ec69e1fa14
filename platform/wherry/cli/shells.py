"""The scripts that shells read. Each hands over what stands before the cursor and gets a candidate a line: the value, a
tab, a few words about it; or FILES. A candidate that ends in = gets no blank behind it.
"""

from __future__ import annotations

from typing import NamedTuple

VARIABLE = "_WHERRY_COMPLETE"
"""Its value is the shell that asks; then the command completes and does nothing else."""
LINE, BREAKS = "_WHERRY_LINE", "_WHERRY_BREAKS"
"""bash only: its line up to the cursor, and the characters at which it ends words, `:` and `=` among them."""
FILES = "::files"


class Script(NamedTuple):
    """`place`: the user's file that it belongs into."""

    place: str
    text: str


_BASH = """\
_wherry_complete() {
    local value about
    COMPREPLY=()
    while IFS=$'\\t' read -r value about; do
        case $value in
            ::files) compopt -o default 2>/dev/null; return ;;
            *=) compopt -o nospace 2>/dev/null ;;
        esac
        COMPREPLY+=("$value")
    done < <(_WHERRY_COMPLETE=bash _WHERRY_BREAKS="$COMP_WORDBREAKS" _WHERRY_LINE="${COMP_LINE:0:COMP_POINT}" \\
        "$1" 2>/dev/null)
}
complete -F _wherry_complete wherry
"""

_ZSH = """\
#compdef wherry
_wherry() {
    local value about
    local -a plain open
    while IFS=$'\\t' read -r value about; do
        case $value in
            ::files) _files; return ;;
            *=) open+=("${value//:/\\\\:}:$about") ;;
            *) plain+=("${value//:/\\\\:}:$about") ;;
        esac
    done < <(_WHERRY_COMPLETE=zsh "${(Q)words[1]}" -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    (( $#open )) && _describe -V wherry open -S ''
    (( $#plain )) && _describe -V wherry plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _wherry "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
    compdef _wherry wherry
fi
"""

_FISH = """\
function __wherry_complete
    set -l before (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token --cut-at-cursor)
    for line in (env _WHERRY_COMPLETE=fish $before[1] -- $before[2..-1] $current 2>/dev/null)
        if test $line = ::files
            __fish_complete_path $current
        else
            echo $line
        end
    end
end
complete --command wherry --no-files --keep-order --arguments '(__wherry_complete)'
"""

SCRIPTS = {
    "bash": Script("~/.bashrc", _BASH),
    "zsh": Script("~/.zshrc", _ZSH),
    "fish": Script("~/.config/fish/completions/wherry.fish", _FISH),
}
