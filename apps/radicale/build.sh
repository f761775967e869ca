# Fills $STAGE, the root of the package. $POOL gets all files of the Debian
# packages.
spk root --from deb:debian.list --pool "$POOL" "$STAGE"
mkdir -p "$STAGE/usr/lib/sandstorm"
cp start.py "$STAGE/usr/lib/sandstorm/"

# The page signs in by itself and shows the way in for programs.
data="$STAGE/usr/lib/python3/dist-packages/radicale/web/internal_data"
cp sandstorm.js sandstorm.css "$data/"
sed -i 's|<script src="fn.js"></script>|&\n<script src="sandstorm.js"></script>\n<link href="sandstorm.css" rel="stylesheet">|' "$data/index.html"
grep -q sandstorm.js "$data/index.html"

# Compiled modules: the root is read-only, so each start would compile again.
lib="$POOL/usr/lib/x86_64-linux-gnu"
PYTHONHOME="$POOL/usr" PYTHONHASHSEED=0 "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$POOL/usr/bin/python3.11" -S -m compileall \
	-q -j 0 --invalidation-mode unchecked-hash -s "$STAGE" -p / "$STAGE/usr/lib"
