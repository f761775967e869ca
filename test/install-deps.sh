#!/bin/sh
# Installs what the tests need from Debian packages, if it is missing: run as
# root. As another user it only says what is missing.
set -eu

missing=
need() { # need PACKAGE PATH...: the package is there if one of the paths is
	package=$1
	shift
	for path; do
		# The patterns are meant to be expanded here.
		for found in $path; do [ -e "$found" ] && return; done
	done
	missing="$missing $package"
}

need capnproto /usr/bin/capnp
need chromium /usr/bin/chromium
need fonts-dejavu-core '/usr/share/fonts/truetype/dejavu/*.ttf'
need gcc /usr/bin/gcc
need gnupg /usr/bin/gpg
need postgresql '/usr/lib/postgresql/*/bin/postgres'
need umoci /usr/bin/umoci
need util-linux /usr/bin/setpriv
need xz-utils /usr/bin/xz
need nodejs /usr/bin/node /usr/local/bin/node
[ -e /usr/bin/npm ] || [ -e /usr/local/bin/npm ] || need npm /usr/bin/npm
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
	echo "Missing Debian packages:$missing. Install them as root, then run this again." >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing
