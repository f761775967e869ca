<?php
$conf['title'] = 'Wiki';
$conf['license'] = '';
$conf['useheading'] = '1';
