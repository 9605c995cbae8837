#!/bin/sh
# Sees to the programs that tests need: `tools/services.sh [node|redis|postgresql|chromium]...`.
set -eu
cd "$(dirname "$0")/.."
. tools/apt.sh

any_of() {
    for program in "$@"; do
        command -v "$program" >/dev/null 2>&1 && return
    done
    return 1
}

present() {
    case $1 in
        node) any_of node ;;
        redis) any_of redis-server ;;
        postgresql) any_of initdb /usr/lib/postgresql/*/bin/initdb ;;
        chromium) any_of chromium chromium-browser google-chrome ;;
    esac
}

package() {
    case $1 in
        node) echo nodejs ;;
        redis) echo redis-server ;;
        *) echo "$1" ;;
    esac
}

[ $# -gt 0 ] || set -- node redis postgresql chromium
packages=
for service in "$@"; do
    present "$service" || packages="$packages $(package "$service")"
done
# shellcheck disable=SC2086
[ -z "$packages" ] || install_packages "The tests run against the real things." $packages
