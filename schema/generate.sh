#!/bin/sh
# Makes the Go code next to this file from sandstorm/*.capnp. Needs capnp, the
# Cap'n Proto compiler (Debian package capnproto). Running it twice changes
# nothing; with --check it only tells whether the committed code is up to date.
#
# The Go annotations are added to copies here, so that the schemas themselves,
# which packagers import too, depend on nothing outside their directory.
set -eu
cd "$(dirname "$0")"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$tmp/src/sandstorm" "$tmp/out"

std=$(go list -m -f '{{.Dir}}' capnproto.org/go/capnp/v3)/std
go build -o "$tmp/capnpc-go" capnproto.org/go/capnp/v3/capnpc-go

for file in sandstorm/*.capnp; do
	{
		cat "$file"
		echo 'using Go = import "/go.capnp";'
		echo '$Go.package("schema");'
		echo '$Go.import("github.com/sandstorm-go/sandstorm/schema");'
	} >"$tmp/src/$file"
done
capnp compile --no-standard-import -I"$std" -o- --src-prefix="$tmp/src/sandstorm" \
	"$tmp"/src/sandstorm/*.capnp | (cd "$tmp/out" && "$tmp/capnpc-go")
gofmt -w "$tmp/out"

status=0
for file in "$tmp"/out/*.go; do
	name=$(basename "$file")
	if cmp -s "$file" "$name"; then
		continue
	elif [ "${1-}" = --check ]; then
		echo "schema/$name is out of date: run schema/generate.sh" >&2
		status=1
	else
		cp "$file" "$name"
	fi
done
exit $status
