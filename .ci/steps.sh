# Steps one after another, and one in the background. Sourced by .ci/run.
#
# Each step runs in a shell of its own with `set -e`: the first command that fails ends the step, and a step that fails
# ends the run with status 1. The names of steps that failed are the last lines of a run; before them stands what the
# background step printed, also when another one failed or the run was stopped.

failed=()
background=
background_name=
background_log=
background_status= # empty while it runs

in_own_shell() { (set -euo pipefail && "$@"); }

# step NAME COMMAND...
step() {
    local name=$1 status
    shift
    if background_has_failed; then finish; fi
    printf '\n=== %s (%d s)\n' "$name" "$SECONDS"
    set +e # and not `in_own_shell … ||`, for which bash would ignore `set -e` within the step
    in_own_shell "$@"
    status=$?
    set -e
    if [ "$status" -ne 0 ]; then
        failed+=("$name: exit status $status")
        finish
    fi
}

# in_background NAME COMMAND...: once in a run.
in_background() {
    background_name=$1
    shift
    background_log=$(mktemp)
    set -m # a process group of its own, so that all of it can be stopped
    in_own_shell "$@" >"$background_log" 2>&1 &
    set +m
    background=$!
}

background_runs() { [ -n "$background" ] && [ -z "$background_status" ] && kill -0 "$background" 2>/dev/null; }

wait_for_background() {
    if [ -n "$background" ] && [ -z "$background_status" ]; then
        wait "$background" 2>/dev/null && background_status=0 || background_status=$?
    fi
}

background_has_failed() {
    if [ -z "$background" ] || background_runs; then return 1; fi
    wait_for_background
    [ "$background_status" -ne 0 ]
}

# finish: the end of every run. Waits for the background step, or stops it where another one has failed.
finish() {
    local stopped=
    trap - EXIT
    if [ "${#failed[@]}" -gt 0 ] && background_runs; then
        stopped=", stopped because another step failed"
        kill -- "-$background" 2>/dev/null || true # it may have ended just now
    fi
    wait_for_background
    if [ -n "$background" ]; then
        printf '\n=== %s (%d s%s)\n' "$background_name" "$SECONDS" "$stopped"
        cat "$background_log"
        rm -f "$background_log"
        if [ "$background_status" -ne 0 ] && [ -z "$stopped" ]; then
            failed+=("$background_name: exit status $background_status")
        fi
    fi
    if [ "${#failed[@]}" -gt 0 ]; then
        printf '\nFAILED after %d s\n' "$SECONDS"
        printf '  %s\n' "${failed[@]}"
        exit 1
    fi
    printf '\nPASSED after %d s\n' "$SECONDS"
    exit 0
}

# What ends the run without `finish`: a signal, or a mistake in the script.
trap 'failed+=("stopped outside of a step: exit status $?"); finish' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_about_the_network() { grep -qiE 'connection|timed? ?out|retrying|temporary failure|name resolution' "$1"; }

# pip_install VENV WHAT...: says so if it was the package index that failed.
pip_install() {
    local environment=$1 log status=0
    shift
    log=$(mktemp)
    "$environment/bin/pip" install -q "$@" >"$log" 2>&1 || status=$?
    cat "$log"
    if [ "$status" -ne 0 ] && is_about_the_network "$log"; then
        echo "NETWORK: the package index did not answer, so that nothing was tested: pip install $*"
    fi
    rm -f "$log"
    return "$status"
}
