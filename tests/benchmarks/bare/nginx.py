"""The limit of the gateway's hop: nginx that forwards and logs, as Debian sets it up, with one worker and connections that are kept."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from benchmarks.frame import NotHere
from benchmarks.processes import Process, free_url, running

_CONFIGURATION: Final = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log {folder}/access.log; keepalive_requests 1000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u;
  scgi_temp_path {folder}/s;
  upstream bare {{ server {upstream}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen {listen};
    location / {{ proxy_pass http://bare; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


@asynccontextmanager
async def forwarding(upstream: str, folder: Path) -> AsyncIterator[Process]:
    """nginx in front of an upstream.

    Raises:
        NotHere: it is not installed.
    """
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        raise NotHere("nginx is not installed here (Debian, Ubuntu: apt-get install nginx-light)")
    own = folder / "nginx"
    own.mkdir(exist_ok=True)
    url = free_url()
    hosts = {"upstream": upstream.removeprefix("http://"), "listen": url.removeprefix("http://")}
    (own / "nginx.conf").write_text(_CONFIGURATION.format(folder=own, **hosts))
    command = [program, "-p", str(own), "-c", str(own / "nginx.conf"), "-e", str(own / "error.log")]
    async with running(command, os.environ, url, ready="/", log=own / "log") as process:
        yield process
