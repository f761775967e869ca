<?php
// Plugins that a grain cannot use: they install from the network or sign in by
// other means.
$plugins['authsandstorm'] = 1;
foreach (['authad', 'authldap', 'authpdo', 'extension', 'popularity', 'testing'] as $name) {
    $plugins[$name] = 0;
}
