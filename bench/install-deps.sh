#!/bin/sh
# Installs the peers that the benchmarks compare with, from Debian packages.
set -eu

missing=
need() {
	command -v "$2" >/dev/null || [ -e "/usr/sbin/$2" ] || missing="$missing $1"
}

need bubblewrap bwrap
need caddy caddy
need capnproto capnp
need crun crun
need haproxy haproxy
need nginx-light nginx
need runc runc
need util-linux taskset
need wrk wrk
need xz-utils xz
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
	echo "Missing Debian packages:$missing. Install them as root, then run this again." >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# The daemons must not start by themselves: the benchmarks run their own.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d.bench && chmod +x /usr/sbin/policy-rc.d.bench
[ -e /usr/sbin/policy-rc.d ] || ln -s policy-rc.d.bench /usr/sbin/policy-rc.d
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing
[ "$(readlink /usr/sbin/policy-rc.d || true)" != policy-rc.d.bench ] || rm /usr/sbin/policy-rc.d
rm -f /usr/sbin/policy-rc.d.bench
