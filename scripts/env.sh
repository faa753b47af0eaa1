# Sourced by the commands in this folder. `barie_env LOCK` makes .venv from that lock file where it is not there yet
# and puts it first on the PATH; `barie_debian PROGRAM=PACKAGE…` gets Debian packages, or says in one line what is missing.

# A library of ours reports to its vendor otherwise (edge/__init__.py).
ORT_DISABLE_TELEMETRY=1
export ORT_DISABLE_TELEMETRY

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo -n "$@"
    else
        return 1
    fi
}

apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    echo "set-up: installing $* (Debian)" >&2
    as_root env DEBIAN_FRONTEND=noninteractive sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@" >/dev/null' sh "$@" || return 1
}

barie_debian() {
    missing=""
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null 2>&1 || [ -x "/usr/sbin/${pair%%=*}" ] || missing="$missing ${pair#*=}"
    done
    [ -z "$missing" ] && return 0
    # shellcheck disable=SC2086
    apt_install $missing && return 0
    echo "set-up: missing$missing; run: apt-get install$missing (as root)" >&2
    return 1
}

# GStreamer's RTSP server, with the system's own Python: a camera for the tests.
barie_gst() {
    /usr/bin/python3 tests/vision/gst_server.py --probe >/dev/null 2>&1 && return 0
    apt_install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good &&
        /usr/bin/python3 tests/vision/gst_server.py --probe >/dev/null 2>&1 && return 0
    echo "set-up: no GStreamer RTSP server: its tests are skipped" >&2
    return 1
}

# An MQTT library of others, for the consumer in another language.
barie_node_mqtt() {
    NODE_PATH=/usr/share/nodejs node -e "require('mqtt')" >/dev/null 2>&1 && return 0
    apt_install node-mqtt && NODE_PATH=/usr/share/nodejs node -e "require('mqtt')" >/dev/null 2>&1 && return 0
    echo "set-up: no mqtt for node: the consumer in another language is skipped" >&2
    return 1
}

# The compilers and the simulator (simavr) for the open firmware of firmware_io/board/.
barie_avr() {
    { command -v gcc && command -v avr-gcc && [ -f /usr/include/simavr/sim_avr.h ] && [ -f /usr/include/libelf.h ]; } >/dev/null 2>&1 && return 0
    apt_install gcc libc6-dev gcc-avr avr-libc libsimavr-dev libelf-dev && return 0
    echo "set-up: no avr-gcc or no simavr: the firmware's tests are skipped" >&2
    return 1
}

barie_python() {
    for python in "${PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11; do
        [ -n "$python" ] && command -v "$python" >/dev/null 2>&1 || continue
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$python"
            return 0
        fi
    done
    return 1
}

barie_env() {
    lock=$1
    [ -f "$lock" ] || die "$lock is missing: run this from a whole checkout"
    want=$(cat "$lock" pyproject.toml | sha256sum | cut -d' ' -f1)
    if [ "$(cat ".venv/barie-$lock" 2>/dev/null || true)" != "$want" ]; then
        python=$(barie_python) || apt_install python3 python3-venv || true
        python=$(barie_python) || die "needs Python 3.11 or newer: apt-get install python3 python3-venv (as root)"
        "$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv ||
            die "Python's venv module is missing: apt-get install python3-venv (as root)"
        echo "set-up: making .venv from $lock (about a minute, once)" >&2
        [ -x .venv/bin/python ] || "$python" -m venv .venv
        .venv/bin/python -m pip install --disable-pip-version-check --quiet --require-hashes --no-deps -r "$lock" ||
            die "could not install $lock: is the network there? run this again to go on"
        PYTHONWARNINGS=ignore .venv/bin/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e . ||
            die "could not install barie itself into .venv"
        [ "$lock" = requirements-dev.lock ] && for less in requirements.lock requirements-demo.lock; do
            cat "$less" pyproject.toml | sha256sum | cut -d' ' -f1 >".venv/barie-$less"
        done
        printf '%s\n' "$want" >".venv/barie-$lock"
        echo "set-up: done" >&2
    fi
    PATH="$PWD/.venv/bin:$PATH"
    export PATH
}
