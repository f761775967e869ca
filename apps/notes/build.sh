# Fills $STAGE, the root of the package.
CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOFLAGS= \
	go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o "$STAGE/app" .
