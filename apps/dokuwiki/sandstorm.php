<?php
// Settings that the grain needs; nobody can change them in the wiki.
$conf['savedir'] = '/var/dokuwiki/data';
$conf['useacl'] = 1;
$conf['authtype'] = 'authsandstorm';
$conf['superuser'] = '@admin';
$conf['manager'] = '@admin';
$conf['defaultgroup'] = 'view';
$conf['disableactions'] = 'register,resendpwd,profile,profile_delete,login,logout,subscribe';
$conf['userewrite'] = 1;
$conf['useslash'] = 1;
$conf['updatecheck'] = 0;
$conf['rememberme'] = 0;
$conf['showuseras'] = 'username';
$conf['dmode'] = 0770;
$conf['fmode'] = 0660;
$conf['im_convert'] = '';
