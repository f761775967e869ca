<?php
// What PHP's built-in server runs for each request: it fills an empty grain,
// keeps out who may not read, and gives pages readable addresses.

$permissions = explode(',', $_SERVER['HTTP_X_SANDSTORM_PERMISSIONS'] ?? '');
if (!in_array('view', $permissions, true)) {
    http_response_code(403);
    header('Content-Type: text/plain; charset=utf-8');
    echo "You may not do this here.\n";
    return true;
}

// The first request fills /var: all or nothing, whoever comes first.
if (!is_dir('/var/dokuwiki')) {
    $fresh = '/var/dokuwiki.' . getmypid();
    foreach (['attic', 'cache', 'index', 'locks', 'log', 'media', 'media_attic', 'media_meta', 'meta', 'pages', 'tmp'] as $dir) {
        @mkdir("$fresh/data/$dir", 0770, true);
    }
    @mkdir("$fresh/conf", 0770, true);
    foreach (glob('/usr/lib/sandstorm/conf/*') as $file) {
        copy($file, "$fresh/conf/" . basename($file));
    }
    if (!@rename($fresh, '/var/dokuwiki') && !is_dir('/var/dokuwiki')) {
        http_response_code(500);
        echo "The wiki cannot be stored.\n";
        return true;
    }
}

$root = '/usr/share/dokuwiki';
$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');
$script = null;

if (preg_match('#^/(_media|_detail)/(.*)$#s', $path, $m)) {
    $script = $m[1] === '_media' ? '/lib/exe/fetch.php' : '/lib/exe/detail.php';
    $_GET['media'] = $_REQUEST['media'] = $m[2];
} elseif (preg_match('#^/_export/([^/]+)/(.*)$#s', $path, $m)) {
    $script = '/doku.php';
    $_GET['do'] = $_REQUEST['do'] = 'export_' . $m[1];
    $_GET['id'] = $_REQUEST['id'] = $m[2];
} elseif (preg_match('#^/lib/exe/\w+\.php$#', $path) || in_array($path, ['/doku.php', '/feed.php'], true)) {
    $script = $path;
} elseif (preg_match('#^/lib/(images|scripts|styles|plugins|tpl)/[\w/.@-]+\.(css|gif|html|ico|jpe?g|js|png|svg|webp|woff2?)$#', $path)
    && !str_contains($path, '..')) {
    if (is_file($root . $path)) {
        return false; // the server sends the file
    }
    http_response_code(404);
    return true;
} else {
    $script = '/doku.php';
    if ($path !== '/' && $path !== '/index.php') {
        $_GET['id'] = $_REQUEST['id'] = ltrim($path, '/');
    }
}

$file = realpath($root . $script);
if ($file === false || !str_starts_with($file, $root . '/')) {
    http_response_code(404);
    return true;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $script;
$_SERVER['SCRIPT_FILENAME'] = $file;
$_SERVER['QUERY_STRING'] = http_build_query($_GET);
unset($_SERVER['PATH_INFO']);
chdir(dirname($file));
require $file;
