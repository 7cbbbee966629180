"""The operator's command as tests run it: for an installation, on a terminal, against made-up answers."""
import collections
import http.server
import json
import os
import pty
import select
import socketserver
import subprocess
import threading
import time
import urllib.parse

import tap

Ran = collections.namedtuple("Ran", "status out err")
PLAIN = {"NO_COLOR": "", "TERM": "xterm", "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def environment(**more):
    names = {name: value for name, value in os.environ.items() if name not in ("TILLBRIDGE_SOCKET", "NO_COLOR")}
    return {**names, **{name: value for name, value in {**PLAIN, **more}.items() if value}}


def run(*words, **env):
    done = subprocess.run([tap.built("tillbridge"), *words], capture_output=True, text=True, env=environment(**env),
                          timeout=tap.PATIENCE_S * 3, check=False)
    return Ran(done.returncode, done.stdout, done.stderr)


def run_on_terminal(*words, width=100, **env):
    """All that a terminal of that width was given, and the exit status."""
    master, slave = pty.openpty()
    subprocess.run(["stty", "cols", str(width), "rows", "40", "-opost"], stdin=slave, check=True)
    with subprocess.Popen([tap.built("tillbridge"), *words], stdin=slave, stdout=slave, stderr=slave, env=environment(**env)) as process:
        os.close(slave)
        text, end = b"", time.monotonic() + tap.PATIENCE_S * 3
        while time.monotonic() < end:
            if not select.select([master], [], [], 0.1)[0]:
                continue
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other side is closed
                break
            text += piece
        status = process.wait(tap.PATIENCE_S)
    os.close(master)
    return Ran(status, text.decode(), "")


def of(house):
    """The command for that installation."""
    return lambda *words, **env: run("--config", house.path("tillbridge.conf"), *words, **env)


def ends(ran, status):
    tap.equal(ran.status, status, f"exit status (stdout {ran.out!r}, stderr {ran.err!r})")
    return ran


def objects(ran):
    """One object a line."""
    return [json.loads(line) for line in ends(ran, 0).out.splitlines()]


class Canned(http.server.BaseHTTPRequestHandler):
    """Answers with what the server's function gives: a status and bytes."""

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        status, body = self.server.answer(parts.path, dict(urllib.parse.parse_qsl(parts.query)))
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def address_string(self):
        return "socket"

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


def canned(answer):
    """The command for a made-up daemon."""
    path = os.path.join(tap.folder(), "api.sock")
    server = socketserver.ThreadingUnixStreamServer(path, Canned)
    server.daemon_threads = True
    server.answer = answer
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def tillbridge(*words, **env):
        return run("--socket", path, *words, **env)
    tillbridge.path = path
    return tillbridge


def page_of(items, query, least=1000):
    """A page of texts that are items."""
    at, size = int(query.get("cursor", 0)), min(least, int(query.get("limit", 100)))
    more = f',"next":"{at + size}"' if at + size < len(items) else ""
    return 200, ('{"items":[' + ",".join(items[at:at + size]) + "]" + more + "}").encode()
