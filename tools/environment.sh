#!/bin/sh
# Makes the virtual environment with the project in it: `tools/environment.sh DIRECTORY EXTRA [REQUIREMENT...]`.
set -eu
cd "$(dirname "$0")/.."
. tools/apt.sh
venv=$1
extra=$2
shift 2

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10 python}; do
        if new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    echo "Python 3.10 or newer is needed; ${PYTHON:-python3} is $("${PYTHON:-python3}" --version 2>&1)." \
        "Name another one with PYTHON=/path/to/python." >&2
    return 1
}

create() {
    python=$(find_python)
    # Debian ships Python without the part that puts pip into a virtual environment.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        install_packages "$python cannot create virtual environments." "$version"
    fi
    "$python" -m venv --clear "$venv"
}

# One that was interrupted, moved or left behind by a removed Python is made anew.
if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    echo "Creating the virtual environment in $venv"
    create
fi

echo "Installing the project with its '$extra' extra into $venv"
attempt=1
until "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --retries 5 --timeout 60 --editable ".[$extra]" "$@"; do
    if [ "$attempt" -ge 3 ]; then
        echo "pip failed three times; see its last words above." >&2
        exit 1
    fi
    attempt=$((attempt + 1))
    echo "pip failed; trying again"
done
