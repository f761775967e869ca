# Run with sh -eu in this folder; STAGE is the package's root.

spk root --from deb:debian.list "$STAGE"
mkdir -p "$STAGE/etc" "$STAGE/usr/lib/sandstorm"
cp etc/gitconfig etc/cgitrc "$STAGE/etc/"
cp cgit/*.html "$STAGE/usr/lib/sandstorm/"
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOFLAGS= \
	go build -trimpath -buildvcs=false -ldflags='-s -w -buildid=' -o "$STAGE/usr/lib/sandstorm/git-grain" .
