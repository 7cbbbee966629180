"""The operator's command as tests run it: for an installation, on a terminal, against made-up answers."""
import collections
import fcntl
import http.server
import json
import os
import pty
import re
import select
import socketserver
import struct
import subprocess
import termios
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


def canned(answer, handler=Canned):
    """The command for a made-up daemon."""
    path = os.path.join(tap.folder(), "api.sock")
    server = socketserver.ThreadingUnixStreamServer(path, handler)
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


class Terminal:
    """A program on a terminal of its own, which it controls: keys, signals and resizing are those of a real one.
    It understands what the command draws with: places, erasing, the other screen, the cursor."""

    def __init__(self, *argv, columns=100, rows=20, **env):
        self.master, slave = pty.openpty()
        self.raw, self.rows, self.row, self.other, self.cursor = "", {}, 1, False, True
        self.resize(columns, rows)
        self.mode = termios.tcgetattr(slave)

        def take_terminal():
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, env=environment(**env),  # pylint: disable=consider-using-with
                                        start_new_session=True, preexec_fn=take_terminal)
        self.slave = slave

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def modes(self):
        """Whether it echoes, and takes whole lines."""
        flags = termios.tcgetattr(self.slave)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)

    def take(self):
        """Reads what there is, and shows it."""
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                piece = os.read(self.master, 65536).decode("utf-8", "replace")
            except OSError:
                return
            self.raw += piece
            self.show(piece)

    def show(self, text):
        for escape, plain in re.findall(r"(\033\[[0-9;?]*[A-Za-z])|([^\033]+)", text):
            if escape.endswith("H"):
                self.row = int(escape[2:-1].split(";")[0])
            elif escape == "\033[2K":
                self.rows[self.row] = ""
            elif escape == "\033[2J":
                self.rows = {}
            elif escape in ("\033[?1049h", "\033[?1049l"):
                self.other = escape.endswith("h")
            elif escape in ("\033[?25h", "\033[?25l"):
                self.cursor = escape.endswith("h")
            elif plain:
                self.rows[self.row] = self.rows.get(self.row, "") + plain

    def lines(self):
        self.take()
        return [self.rows.get(number, "") for number in range(1, max(self.rows, default=0) + 1)]

    def wait_for(self, words):
        """The screen, once the words stand on it."""
        try:
            return tap.wait_until(lambda: words in "\n".join(self.lines()) and self.lines(), words)
        except AssertionError:
            raise AssertionError(f"{words!r} is not on the screen: {self.lines()}") from None

    def end(self):
        """Its exit status; negative: by that signal."""
        try:
            status = tap.wait_until(lambda: (self.take(), self.process.poll())[1] is not None, "it ends") and self.process.returncode
            self.take()
            return status
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()

    def close(self):
        os.close(self.slave)
        os.close(self.master)
