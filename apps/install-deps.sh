#!/bin/sh
# What `make apps` needs beside the Go toolchain: Debian's package lists and
# tools, and npm. As root it installs what is missing; otherwise it says so.
set -eu

missing=
command -v apt-get >/dev/null || { echo "The recipes are made of Debian 12's packages: build them there." >&2; exit 1; }
command -v dpkg-deb >/dev/null || missing="$missing dpkg"
command -v npm >/dev/null || missing="$missing npm"

root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else echo "Please run as root: $*" >&2; return 1; fi
}

# A package that only the recipes use tells whether the lists are there.
if ! apt-cache show dokuwiki >/dev/null 2>&1; then
    root apt-get update -q
fi
if [ -n "$missing" ]; then
    # shellcheck disable=SC2086
    root apt-get install -q -y --no-install-recommends $missing
fi
