#!/bin/sh
# The tests that versions matter to, on each of some Pythons: `tools/matrix.sh 3.10 3.12`.
# One that is not on this machine is passed over, and so is what VENV, the environment of `make test`, has already.
set -eu
cd "$(dirname "$0")/.."

# In a browser, and in what is built and told, the versions make no difference.
tests="tests/concurrency tests/django_messages tests/inbox tests/inbox_ui tests/isolation tests/realtime
    tests/redis tests/rest_schema tests/third_party tests/upgrade"

django() {
    case $1 in
        3.10) echo "Django~=4.2" ;;
        3.11 | 3.12) echo "Django~=5.2" ;;
        *) echo "Django~=6.0" ;;
    esac
}

# With the oldest Django goes the oldest of everything that setup.cfg allows.
others() {
    case $1 in
        3.10) echo "channels~=4.2.0 channels_redis~=4.2.0 daphne~=4.1.0 djangorestframework~=3.15.0 redis~=5.0.0" ;;
    esac
}

find_python() {
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if is_python "$candidate" "$1"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

is_python() {
    "$1" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$2')" 2>/dev/null
}

tested_already() {
    major=$(django "$1" | sed 's/.*=\([0-9]*\).*/\1/')
    python=${VENV:-.venv}/bin/python
    is_python "$python" "$1" && "$python" -c "import django, sys; sys.exit(django.VERSION[0] != $major)"
}

install() {
    for source in setup.cfg pyproject.toml tools/environment.sh tools/matrix.sh; do
        if ! [ "$2/.installed" -nt "$source" ]; then
            # shellcheck disable=SC2046
            PYTHON=$(find_python "$1") sh tools/environment.sh "$2" dev "$(django "$1")" $(others "$1")
            touch "$2/.installed"
            return
        fi
    done
}

check() {
    # Old packages have no types, or others.
    [ -n "$(others "$1")" ] || "$2/bin/python" -m mypy --python-version "$1" || return
    # shellcheck disable=SC2086
    "$2/bin/python" -m pytest -n "${WORKERS:-2}" --dist loadgroup $tests
}

said=
failed=0
for version in "$@"; do
    pair="Python $version with $(django "$version")"
    if tested_already "$version"; then
        result="not again: make test has it"
    elif ! find_python "$version" >/dev/null; then
        result="not tested: there is no python$version on the PATH, and none of pyenv's"
    else
        echo "$pair"
        install "$version" ".venv-$version"
        if check "$version" ".venv-$version"; then result=passed; else result=FAILED failed=1; fi
    fi
    said="$said
    $pair: $result"
done
echo "$said"
exit "$failed"
