<?php
/**
 * Signs in whoever opened the grain. The bridge says who that is and what they
 * may do; permissions are groups.
 */
class auth_plugin_authsandstorm extends DokuWiki_Auth_Plugin
{
    private const NAMES = '/var/dokuwiki/conf/names.json';

    public function __construct()
    {
        parent::__construct();
        $this->cando['external'] = true;
        $this->cando['logout'] = false;
        $this->success = true;
    }

    public function trustExternal($user, $pass, $sticky = false)
    {
        global $USERINFO;
        $id = $_SERVER['HTTP_X_SANDSTORM_USER_ID'] ?? '';
        $name = rawurldecode($_SERVER['HTTP_X_SANDSTORM_USERNAME'] ?? '');
        $name = trim(preg_replace('/[\p{C}]/u', '', $name) ?? '') ?: 'Anonymous';
        $login = preg_match('/^[0-9a-f]{32}$/', $id) ? "u$id" : 'guest';
        $groups = array_values(array_filter(array_map('trim', explode(',', $_SERVER['HTTP_X_SANDSTORM_PERMISSIONS'] ?? ''))));
        if (!$groups) {
            return false;
        }
        $USERINFO = ['name' => $name, 'mail' => '', 'grps' => $groups];
        $_SERVER['REMOTE_USER'] = $login;
        $_SESSION[DOKU_COOKIE]['auth'] = ['user' => $login, 'info' => $USERINFO];
        if ($login !== 'guest') {
            $this->remember($login, $name);
        }
        return true;
    }

    /** The names of people who were here, for lists of changes. */
    public function getUserData($user, $requireGroups = true)
    {
        if ($user === 'guest') {
            return ['name' => 'Anonymous', 'mail' => '', 'grps' => []];
        }
        $names = $this->names();
        return isset($names[$user]) ? ['name' => $names[$user], 'mail' => '', 'grps' => []] : false;
    }

    public function isCaseSensitive()
    {
        return true;
    }

    private function names(): array
    {
        return json_decode((string)@file_get_contents(self::NAMES), true) ?: [];
    }

    private function remember(string $login, string $name): void
    {
        $names = $this->names();
        if (($names[$login] ?? null) === $name) {
            return;
        }
        $lock = fopen(self::NAMES . '.lock', 'c');
        flock($lock, LOCK_EX);
        $names = [$login => $name] + $this->names();
        $new = self::NAMES . '.new';
        if (file_put_contents($new, json_encode($names)) !== false) {
            rename($new, self::NAMES);
        }
        fclose($lock);
    }
}
