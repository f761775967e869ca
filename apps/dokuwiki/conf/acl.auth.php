# acl.auth.php
# <?php exit()?>
# Who may do what: the groups are the permissions that the grain was shared with.
*	@ALL	0
*	@view	1
*	@edit	16
