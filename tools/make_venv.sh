#!/bin/sh
# Make .venv with the Python named as $1, or with the first one found that is new enough.
set -eu

new_enough() {
    # A command may be there and not run (a version manager's stand-in), so it is asked.
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

complete() {
    # Debian and Ubuntu split the module ensurepip off into a package of its own.
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

candidates=${1:-"python3.13 python3.12 python3.11 python3"}
found=
incomplete=
for candidate in $candidates; do
    new_enough "$candidate" || continue
    if complete "$candidate"; then
        found=$candidate
        break
    fi
    incomplete=${incomplete:-$candidate}
done

if [ -z "$found" ] && [ -n "$incomplete" ]; then
    version=$("$incomplete" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "$incomplete is Python $version, but its venv module is missing. Install it and try again:" >&2
    echo "    sudo apt-get install python$version-venv" >&2
    exit 1
fi
if [ -z "$found" ]; then
    echo "no Python 3.11 or newer was found among: $candidates." >&2
    echo "Install one (Debian 12, Ubuntu 24.04: sudo apt-get install python3 python3-venv), or name it:" >&2
    echo "    make lab PYTHON=/path/to/python3.12" >&2
    exit 1
fi

echo "making .venv with $("$found" --version) ($(command -v "$found"))"
exec "$found" -m venv --clear .venv
