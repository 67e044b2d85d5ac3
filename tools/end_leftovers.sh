#!/bin/bash
# End every process whose environment has an entry that begins with $1, and fail if there was one.
# This script and those who called it inherited it too: they are left alone.
set -u

callers=" "
pid=$$
while [ "${pid:-0}" -gt 1 ]; do
    callers+="$pid "
    pid=$(awk '/^PPid:/ {print $2}' "/proc/$pid/status" 2>/dev/null)
done

left=()
for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    case $callers in *" $pid "*) continue ;; esac
    # A subshell of this script has its environment too, and is gone in the next moment.
    if tr '\0' '\n' 2>/dev/null <"$folder/environ" | awk -v mark="$1" 'index($0, mark) == 1 {found = 1} END {exit !found}'; then
        left+=("$pid")
    fi
done
status=0
for pid in "${left[@]}"; do
    command=$(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") || continue
    [ -n "$command" ] || continue
    echo "left behind and ended now: $pid $command" >&2
    kill -KILL "$pid" 2>/dev/null
    status=1
done
exit $status
