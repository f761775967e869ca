package scaffold

import "path"

// phpRouter is for PHP's own server: files are served, but none whose name
// begins with a dot, and everything else is the front page's, as web servers
// are usually set up for PHP.
const phpRouter = `cat > /tmp/router.php <<'END'
<?php
$path = urldecode(explode('?', $_SERVER['REQUEST_URI'], 2)[0]);
if (str_contains($path, '/.')) {
    http_response_code(404);
    return true;
}
$file = realpath($_SERVER['DOCUMENT_ROOT'] . $path);
if ($file !== false && (is_file($file) || is_file($file . '/index.php') || is_file($file . '/index.html'))) {
    return false;
}
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = '/index.php';
$_SERVER['SCRIPT_FILENAME'] = $_SERVER['DOCUMENT_ROOT'] . '/index.php';
chdir($_SERVER['DOCUMENT_ROOT']);
require $_SERVER['SCRIPT_FILENAME'];
END`

func lookPHP(s *source, find finder) *Found {
	index := s.first("public/index.php", "web/index.php", "htdocs/index.php", "www/index.php", "index.php")
	text := s.read("composer.json")
	if index == "" && (text == "" || s.has("package.json")) {
		return nil
	}
	f := &Found{Kind: PHP, Environ: [][2]string{{"PHP_CLI_SERVER_WORKERS", "4"}}}
	if p, ok := parsePackage(text); ok {
		f.Title, f.Version, f.Website, f.License = p.Name, p.Version, p.Homepage, oneOf(p.License)
		if !s.has("vendor/autoload.php") {
			f.note("There is no vendor directory. Run 'composer install --no-dev' before packing.")
		}
	}
	if index == "" {
		index = "public/index.php"
		f.note("There is no index.php. Change the directory of the pages in %s.", LauncherName)
	}
	root := inApp(path.Dir(index))
	php := f.interpreter(find, "php", "php8.4", "php8.2")
	f.launch([]string{phpRouter}, php, "-d", "session.save_path=/tmp", "-d", "upload_tmp_dir=/tmp", "-d", "sys_temp_dir=/tmp", "-S", "127.0.0.1:@PORT@", "-t", root, "/tmp/router.php")
	f.note("There is no database server in a grain: use SQLite, with its file below %s.", dataDir)
	return f
}
