#!/bin/sh
# Installs the packages that the browser's tests want: those of package.json, exactly.
set -eu
cd "$(dirname "$0")/.."
sh tools/services.sh node npm

echo "Installing the packages of package.json into node_modules"
attempt=1
# None of them has to run a script of its own to be of use here.
until npm install --ignore-scripts --no-package-lock --no-audit --no-fund --loglevel=error; do
    if [ "$attempt" -ge 3 ]; then
        echo "npm failed three times; see its last words above." >&2
        exit 1
    fi
    attempt=$((attempt + 1))
    echo "npm failed; trying again"
done
