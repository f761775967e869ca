<?php
// In place of Debian's file: what comes with the package is in /etc/dokuwiki,
// what people change is in the grain.
if (!defined('DOKU_MAIN_CONF')) define('DOKU_MAIN_CONF', '/etc/dokuwiki/');
if (!defined('DOKU_CONF')) define('DOKU_CONF', '/var/dokuwiki/conf/');
if (!defined('DOKU_FARM')) define('DOKU_FARM', false);

$config_cascade = [];
foreach (['acronyms', 'entities', 'interwiki', 'mime', 'scheme', 'smileys', 'wordblock'] as $name) {
    $config_cascade[$name] = ['default' => [DOKU_MAIN_CONF . "$name.conf"], 'local' => [DOKU_CONF . "$name.local.conf"]];
}
foreach (['license', 'mediameta'] as $name) {
    $config_cascade[$name] = ['default' => [DOKU_MAIN_CONF . "$name.php"], 'local' => [DOKU_CONF . "$name.local.php"]];
}
$config_cascade += [
    'main' => [
        'default' => [DOKU_MAIN_CONF . 'dokuwiki.php'],
        'local' => [DOKU_CONF . 'local.php'],
        'protected' => [DOKU_MAIN_CONF . 'sandstorm.php'],
    ],
    'plugins' => [
        'default' => [DOKU_MAIN_CONF . 'plugins.php'],
        'local' => [DOKU_CONF . 'plugins.local.php'],
        'protected' => [DOKU_MAIN_CONF . 'plugins.required.php', DOKU_MAIN_CONF . 'plugins.sandstorm.php'],
    ],
    'acl' => ['default' => DOKU_CONF . 'acl.auth.php'],
    'plainauth.users' => ['default' => DOKU_CONF . 'users.auth.php'],
    'userstyle' => [
        'screen' => [DOKU_CONF . 'userstyle.css'], 'print' => [DOKU_CONF . 'userprint.css'],
        'feed' => [DOKU_CONF . 'userfeed.css'], 'all' => [DOKU_CONF . 'userall.css'],
    ],
    'userscript' => ['default' => [DOKU_CONF . 'userscript.js']],
];
