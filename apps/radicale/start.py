"""Starts Radicale's own server in a grain.

Whoever opened the grain shares one principal, "shared"; what they may do is
said by the bridge in X-Sandstorm-Permissions.
"""

import radicale.server
from radicale import config, log
from radicale.app import Application

READING = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"}


class GuardedApplication(Application):
    """Radicale behind the bridge."""

    def __call__(self, environ, start_response):
        permissions = environ.get("HTTP_X_SANDSTORM_PERMISSIONS", "").split(",")
        method = environ["REQUEST_METHOD"].upper()
        if "view" not in permissions or method not in READING and "edit" not in permissions:
            body = b"You may not do this here.\n"
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
            return [body]
        environ["REMOTE_USER"] = "shared"
        return super().__call__(environ, start_response)


radicale.server.Application = GuardedApplication
log.setup()
configuration = config.load()
configuration.update({
    "server": {"hosts": "127.0.0.1:8000", "max_connections": "20", "timeout": "120"},
    "auth": {"type": "remote_user"},
    "rights": {"type": "owner_only"},
    "storage": {"filesystem_folder": "/var/collections"},
    "logging": {"level": "warning"},
}, "grain")
log.set_level(configuration.get("logging", "level"))
radicale.server.serve(configuration)
