# Fills $STAGE, the root of the package. $POOL gets all files of the Debian
# packages.
spk root --from deb:debian.list --pool "$POOL" "$STAGE"
mkdir -p "$STAGE/usr/lib/sandstorm"
cp router.php "$STAGE/usr/lib/sandstorm/"
cp -r conf "$STAGE/usr/lib/sandstorm/conf"
cp php.ini opcache.blacklist "$STAGE/etc/"

# Debian keeps plugins and templates below /var, which is the grain's here.
root="$STAGE/usr/share/dokuwiki"
rm -rf "$root/lib/plugins" "$root/lib/tpl" "$STAGE/var"
cp -r "$POOL/var/lib/dokuwiki/lib/plugins" "$POOL/var/lib/dokuwiki/lib/tpl" "$root/lib/"
cp -r plugin "$root/lib/plugins/authsandstorm"
rm -rf "$root/install.php" "$root/bin" "$root/.htaccess" "$root/lib/plugins/extension" "$root/lib/plugins/popularity" "$root/lib/plugins/testing"
cp preload.php "$root/inc/preload.php"
cp sandstorm.php plugins.sandstorm.php "$STAGE/etc/dokuwiki/"
find "$STAGE" -name '_test' -prune -exec rm -rf {} +
