"""Real proxies before the gateway, with the very files that docs/proxies.md shows."""

import getpass
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.folder.home import Home
from tests.claimed import free_port
from tests.house import come_up, end, listens

GUIDE = Path(__file__).resolve().parents[2] / "docs/proxies.md"
NGINX_AS_INSTALLED = """
server {
    listen 443 ssl;
    ssl_certificate /etc/ssl/home.example.org.pem;
    ssl_certificate_key /etc/ssl/private/home.example.org.key;
    location / {
        proxy_pass https://127.0.0.1:8443;
    }
}
"""
"""What most people write who have read nothing."""


def shown(language: str) -> str:
    """The file that the guide shows in that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def program(name: str) -> str:
    """Where it is; skips, by name, where it is not installed."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


class Proxy:
    """One of them as a process of the test's own. `more` are further pieces of its file to be put otherwise."""

    def __init__(
        self, name: str, home: Home, folder: Path, *, text: str | None = None, more: Mapping[str, str]
    ) -> None:
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self._name = name
        self._folder = folder
        self._log = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        pki, hub = home.pki, f"127.0.0.1:{home.settings.https_port}"
        (folder / "pair.pem").write_bytes((pki / "web.crt").read_bytes() + (pki / "web.key").read_bytes())
        common = {"127.0.0.1:8443": hub}
        if text is None:
            common |= {"/etc/ssl/homesystem-web-ca.crt": f"{pki}/web-ca.crt", "hub.local": "localhost"}
        own = {
            "nginx": {
                "/etc/ssl/home.example.org.pem": f"{pki}/web.crt",
                "/etc/ssl/private/home.example.org.key": f"{pki}/web.key",
                "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            },
            "haproxy": {
                "/etc/haproxy/home.example.org.pem": f"{folder}/pair.pem",
                "bind :::443 v4v6": f"bind 127.0.0.1:{self.port}",
            },
            "caddy": {
                "/etc/ssl/home.example.org.pem": f"{pki}/web.crt",
                "/etc/ssl/private/home.example.org.key": f"{pki}/web.key",
                "home.example.org {": f"{self.url} {{",
            },
        }[name]
        if name == "nginx" and text is None:
            own |= {"    listen [::]:443 ssl;\n": "", "server_name home.example.org": "server_name localhost"}
        made = text if text is not None else shown("caddyfile" if name == "caddy" else name)
        for old, new in {**common, **own, **more}.items():
            assert old in made, f"{name}: the guide's file says nothing of {old!r}"
            made = made.replace(old, new)
        self._config = folder / f"{name}.conf"
        self._config.write_text(_around(name, made, folder))

    def start(self) -> None:
        """Start it, and wait until it listens."""
        path = program(self._name)
        command = {
            "nginx": [path, "-c", str(self._config), "-p", str(self._folder)],
            "haproxy": [path, "-db", "-f", str(self._config)],
            "caddy": [path, "run", "--adapter", "caddyfile", "--config", str(self._config)],
        }[self._name]
        places = {"HOME": str(self._folder), "XDG_DATA_HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder)}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | places)
        come_up(self._process, lambda: listens(self.port), f"{self._name} listens", said=self._log.read_text)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            end([self._process])


def _around(name: str, text: str, folder: Path) -> str:
    """What a distribution's main file says around the guide's part, as far as a test needs it."""
    if name == "nginx":
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{place}_temp_path {folder}/{place};" for place in places)
        return (
            f"user {getpass.getuser()};\ndaemon off;\npid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{temporary}\n{text}\n}}\n"
        )
    if name == "caddy":
        return f"{{\nadmin off\ndefault_bind 127.0.0.1\nauto_https disable_redirects\n}}\n{text}"
    return f"global\n    maxconn 200\n{text}"
