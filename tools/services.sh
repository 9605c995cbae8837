#!/bin/sh
# Sees to the programs that tests need: `tools/services.sh [node|npm|redis|postgresql|mariadb|chromium|firefox|gettext]...`.
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
        node) any_of node && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' ;;
        npm) any_of npm ;;
        redis) any_of redis-server ;;
        mariadb) any_of mariadbd && any_of my_print_defaults ;;
        postgresql) any_of initdb /usr/lib/postgresql/*/bin/initdb ;;
        chromium) any_of chromium chromium-browser google-chrome ;;
        firefox) any_of firefox-esr firefox ;;
        gettext) any_of xgettext && any_of msgfmt ;;
    esac
}

package() {
    case $1 in
        node) echo nodejs ;;
        redis) echo redis-server ;;
        mariadb) echo mariadb-server-core mariadb-client-core ;;
        firefox) echo firefox-esr ;;
        *) echo "$1" ;;
    esac
}

missing() {
    for service in "$@"; do
        present "$service" || package "$service"
    done
}

[ $# -gt 0 ] || set -- node redis postgresql chromium
packages=$(missing "$@")
[ -n "$packages" ] || exit 0
# shellcheck disable=SC2086
install_packages "The tests run against the real things." $packages
packages=$(missing "$@")
if [ -n "$packages" ]; then
    echo "Still missing, or too old (Node has to be 18 or newer):" $packages >&2
    exit 1
fi
