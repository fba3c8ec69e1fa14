# One request to the API, in bash alone: the start of curl costs 9 ms, twice a push.
#
# WHERRY_HOOK_URL, WHERRY_TICKET and WHERRY_MARKER come from the door that started git. The request is HTTP/1.0, so
# the answer is plain text until the connection ends. A line "MARKER 0" or "MARKER 1" is the verdict, and the proof
# that the answer is whole; the marker is random, so nothing that an app prints can be it. A line "MARKER" alone only
# keeps the connection busy.

LC_ALL=C
patience=600 # seconds until the first word
trap '' PIPE

give_up() {
    printf ' !     %s\n' "$@"
    exit 1
}

ask() {
    local url=${WHERRY_HOOK_URL-} marker=${WHERRY_MARKER-} updates request api line
    if [[ -z $marker || -z ${WHERRY_TICKET-} || ! $url =~ ^http://([0-9a-z.-]+):([0-9]+)(/[a-z/-]*)$ ]]; then
        give_up 'This repository takes pushes through the platform only: git push wherry main'
    fi
    updates=$(</dev/stdin)
    { exec {api}<>"/dev/tcp/${BASH_REMATCH[1]}/${BASH_REMATCH[2]}"; } 2>/dev/null ||
        give_up 'The platform does not answer.' "$no_answer"
    request=(
        "POST ${BASH_REMATCH[3]}/$1 HTTP/1.0"
        "Host: ${BASH_REMATCH[1]}:${BASH_REMATCH[2]}"
        "Authorization: Bearer $WHERRY_TICKET"
        "X-Wherry-Quarantine: ${GIT_QUARANTINE_PATH-}"
        'Content-Type: text/plain'
        "Content-Length: $((${#updates} + 1))"
    )
    # One printf, so one packet: a second would wait for the receipt of the first.
    printf '%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n%s\r\n\r\n%s\n' "${request[@]}" "$updates" >&"$api" 2>/dev/null ||
        give_up 'The platform did not take the question.' "$no_answer"
    IFS= read -r -t "$patience" -u "$api" line 2>/dev/null
    [[ $line == 'HTTP/1.'[01]' 200 '* ]] ||
        give_up "The platform gave no answer to this push: ${line//[^[:print:]]/}" "$no_answer"
    # From here on without -t, which makes reading four times dearer: a platform that dies closes the connection.
    while IFS= read -r -u "$api" line && [[ $line != $'\r' ]]; do :; done 2>/dev/null
    while IFS= read -r -u "$api" line; do
        case $line in
        "$marker "[01]) exit "${line##* }" ;;
        "$marker") ;;
        *) printf '%s\n' "$line" || exit 1 ;;
        esac
    done 2>/dev/null
    give_up 'The platform stopped in the middle of its answer.' "$no_answer"
}
