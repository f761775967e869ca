# Two commands matter: `make run` starts a server with example apps, and
# `make test` runs everything that must hold. The rest are their parts.

GO      ?= go
PORT    ?= 6080
DATA    ?= var
# Binaries are static; only the race detector needs cgo.
CGO_ENABLED ?= 0
export CGO_ENABLED

GOFUMPT     = $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
# Tests of the real binaries live below test/, and those below apps/ pack and run
# whole apps. Those of the commands run without the race detector, whose cgo
# keeps a process from giving up its rights.
UNIT        = $(shell $(GO) list ./... | grep -v -e /test/ -e /cmd/ -e /apps/)

.PHONY: build run apps example-apps test test-deps check test-unit test-browser test-apps test-e2e generate clean
.PHONY: bench bench-deps bench-gateway bench-start bench-idle bench-unpack bench-pack bench-pkgdef bench-apps

# Not -buildvcs: it fails where git distrusts the owner of the checkout.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo development)

# The bridge first, as the others carry it. It has no release in it, and equal
# sources give equal bytes on every machine, or packages would differ.
BRIDGE   = sandstorm-http-bridge
PROGRAMS = $(shell $(GO) list ./cmd/... | grep -v /$(BRIDGE)$$)

build:
	GOAMD64=v1 GOFLAGS= $(GO) build -buildvcs=false -trimpath -ldflags="-s -w -buildid=" -o bin/ ./cmd/$(BRIDGE)
	$(GO) run internal/bridgeprogram/compress.go bin/$(BRIDGE) internal/bridgeprogram/$(BRIDGE).gz
	$(GO) build -tags bridge -buildvcs=false -trimpath -ldflags="-s -w -X main.release=$(VERSION)" -o bin/ $(PROGRAMS)

# Our own example apps need nothing but Go; `make apps` builds the recipes too.
example-apps: build
	$(GO) run -buildvcs=false ./apps/build --out build/apps notes filedrop

apps:
	sh apps/install-deps.sh
	$(GO) run -buildvcs=false ./apps/build --out build/apps

run: example-apps
	bin/sandstorm dev --data "$(DATA)" --port $(PORT) --install build/apps/notes.spk --install build/apps/filedrop.spk

test: test-deps check test-unit test-browser test-apps test-e2e

test-deps:
	sh test/install-deps.sh

# What is true of the source itself.
check:
	@out="$$($(GOFUMPT) -l .)"; if [ -n "$$out" ]; then echo "not formatted by gofumpt:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags browser ./test/browser/...
	$(STATICCHECK) ./...
	sh schema/generate.sh --check

test-unit:
	$(GO) test -timeout 5m ./cmd/...
	CGO_ENABLED=1 $(GO) test -race -timeout 10m $(UNIT)

# The shell's pages in Chromium over invented data, and the types of its scripts.
test-browser: test/browser/node_modules
	cd test/browser && npm run --silent check
	$(GO) test -tags browser -timeout 10m -count=1 ./test/browser/...

test/browser/node_modules: test/browser/package-lock.json
	cd test/browser && npm ci --silent --no-audit --no-fund
	touch $@

# Each app in the real sandbox, driven by a browser or its own protocol.
test-apps: apps
	$(GO) test -timeout 15m -count=1 ./apps/...

test-e2e: build apps
	$(GO) test -timeout 20m -count=1 ./test/...

generate:
	sh schema/generate.sh

bench: bench-gateway bench-start bench-idle bench-unpack bench-pack bench-pkgdef bench-apps

bench-deps:
	sh bench/install-deps.sh

# These measure the packages of apps/ as well.
bench-unpack bench-pkgdef bench-apps: build apps

bench-gateway bench-start bench-idle bench-unpack bench-pack bench-pkgdef bench-apps: bench-%: bench-deps
	$(GO) run -buildvcs=false ./bench/$*

clean:
	rm -rf bin build
