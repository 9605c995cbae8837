# To be sourced: `install_packages WHY PACKAGE...` installs what is missing on Debian and its kin,
# or says what to install elsewhere. dpkg wants the administrator's programs on the path.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

install_packages() {
    why=$1
    shift
    if [ "$(id -u)" = 0 ]; then
        as_root=env
    elif command -v sudo >/dev/null 2>&1 && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root="sudo env"
    else
        as_root=
    fi
    if ! command -v apt-get >/dev/null 2>&1 || [ -z "$as_root" ]; then
        echo "$why Please install (names as on Debian): $*" >&2
        return 1
    fi
    echo "$why Installing: $*"
    apt="$as_root DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=5"
    $apt update && $apt install --no-install-recommends "$@"
}
