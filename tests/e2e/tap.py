"""End-to-end tests in plain Python that speak TAP, for automake's tap-driver.

    import tap

    def test_a_page_after_the_last_is_empty():
        sandbox = tap.start_sandbox("treez", "--size", "10")
        answer = tap.request("GET", sandbox.vendor("treez")["url"] + "/...")
        tap.equal(answer.status, 200)

    tap.run(globals())

A test is a function named test_...; its name with blanks is what TAP shows. It fails by raising (AssertionError or any
other), is skipped by tap.skip(). Every program started by a test is ended with it, by pid, and must exit with 0:
so a leak that the sanitizers find at exit fails the test that caused it.
"""
import collections
import http.client
import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

PATIENCE_S = float(os.environ.get("TB_PATIENCE_S", "20"))  # how long a condition may take on a busy machine

PROXY = os.environ.get("TB_PROXY", "")  # holds answers of the API against its description (tests/openapi)
UPSTREAM, TARGET = "X-Upstream", "X-Target"  # tell it whom to ask for what

_programs = []
_apis = set()
_folders = []


class Skip(Exception):
    """Raised by skip()."""


def skip(why):
    raise Skip(why)


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what or 'value'}: expected {expected!r}, found {found!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def wait_until(condition, what, timeout_s=PATIENCE_S):
    """Calls condition until it gives something true, and returns that. Never a bare sleep in a test: this."""
    end = time.monotonic() + timeout_s
    pause = 0.005
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:g} s: {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def free_port():
    """A port of 127.0.0.1 that was free a moment ago. Better: let the program choose (port 0) and say it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def folder():
    """A new empty folder that goes with the test."""
    path = tempfile.mkdtemp(prefix="tb-test-")
    _folders.append(path)
    return path


def built(*path):
    """A file of the build tree (TB_BUILD, else the current folder)."""
    return os.path.join(os.environ.get("TB_BUILD", os.getcwd()), *path)


def source(*path):
    """A file of the source tree."""
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(os.environ.get("TB_SOURCE", here), *path)


class Program:
    """A program under test: its output lines, its end."""

    def __init__(self, argv, env=None, cwd=None, pass_fds=()):
        self.argv = [str(word) for word in argv]
        self.lines, self.errors = queue.Queue(), []
        self.process = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=cwd, env={**os.environ, **(env or {})}, pass_fds=pass_fds)
        self._readers = [threading.Thread(target=self._read, args=pair, daemon=True)
                         for pair in ((self.process.stdout, self.lines.put), (self.process.stderr, self.errors.append))]
        for reader in self._readers:
            reader.start()
        _programs.append(self)

    @staticmethod
    def _read(stream, take):
        with stream:
            for line in stream:
                take(line.decode("utf-8", "replace").rstrip("\n"))

    @property
    def pid(self):
        return self.process.pid

    def line(self, timeout_s=PATIENCE_S):
        """The next line of its standard output."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                return self.lines.get(timeout=0.05)
            except queue.Empty:
                if self.process.poll() is not None and self.lines.empty():
                    raise AssertionError(f"{self.argv[0]} ended with {self.process.returncode}: {self.log()}") from None
                if time.monotonic() > end:
                    raise AssertionError(f"{self.argv[0]} said nothing for {timeout_s:g} s: {self.log()}") from None

    def log(self):
        """All of its standard error so far."""
        return "\n".join(self.errors)

    def cpu_s(self):
        """Seconds of CPU it used so far."""
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self, timeout_s=PATIENCE_S):
        """Waits for its end; the exit status."""
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.argv[0]} did not end within {timeout_s:g} s") from None
        for reader in self._readers:
            reader.join(timeout_s)
        return self.process.returncode

    def stop(self, number=signal.SIGTERM, status=0):
        """Asks it to end, waits, and checks how it ended (status None: any way)."""
        if self in _programs:
            _programs.remove(self)
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            found = self.wait()
        except AssertionError:
            self.kill()
            raise
        if status is not None:
            equal(found, status, f"exit status of {self.argv[0]} ({self.log()[-4000:]})")

    def kill(self):
        """Ends it at once; nothing is checked."""
        if self in _programs:
            _programs.remove(self)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def start(*argv, env=None, cwd=None, pass_fds=()):
    """Starts a program; it is ended with the test."""
    return Program(argv, env=env, cwd=cwd, pass_fds=pass_fds)


Answer = collections.namedtuple("Answer", "status headers body")
Answer.json = lambda answer: json.loads(answer.body)


def api(url):
    """What answers at this address is the API: with TB_PROXY its answers are held against the description."""
    _apis.add(urllib.parse.urlsplit(url).netloc)


def _exchange(address, method, target, body, headers, timeout_s):
    connection = http.client.HTTPConnection(address, timeout=timeout_s)
    try:
        connection.request(method, target, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def _is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _through_proxy(address, method, target, body, headers, timeout_s):
    """The answer, held against the description; None where the proxy has no part in it: what a browser says, methods and
    paths that the description does not have, bodies that are no JSON, 304 (Prism wants a body of it), and streams, which it would read to their end."""
    if method in ("HEAD", "OPTIONS") or {"host", "origin", "if-none-match"} & {name.lower() for name in headers} or target.startswith("/v1/snapshot"):
        return None
    if sum(map(len, headers.values())) > 4096 or "event-stream" in headers.get("Accept", "") or not (body is None or _is_json(body)):
        return None
    answer = _exchange(PROXY, method, target, body, {**headers, UPSTREAM: address, TARGET: target}, timeout_s)
    if b"NO_PATH_MATCHED_ERROR" in answer.body or b"NO_METHOD_MATCHED_ERROR" in answer.body:
        return None
    true(b"stoplight.io/prism/errors" not in answer.body, f"{method} {target} is not answered as described: {answer.body.decode()}")
    return answer


def request(method, url, body=None, headers=None, timeout_s=PATIENCE_S):
    """One HTTP request on a connection of its own. body: bytes, text, or anything else that becomes JSON."""
    parts = urllib.parse.urlsplit(url)
    target = parts.path + ("?" + parts.query if parts.query else "")
    headers = dict(headers or {})
    if body is not None and not isinstance(body, (bytes, str)):
        body = json.dumps(body)
        headers.setdefault("Content-Type", "application/json")
    described = PROXY and parts.netloc in _apis
    answer = _through_proxy(parts.netloc, method, target, body, headers, timeout_s) if described else None
    if answer:
        return answer
    return _exchange(parts.netloc, method, target, body, headers, timeout_s)


class Sandbox(Program):
    """tillbridge-sandbox, ready: what its ready line says, and its admin API."""

    def __init__(self, *arguments):
        super().__init__([built("tillbridge-sandbox"), *arguments])
        self.ready = json.loads(self.line())

    def vendor(self, name):
        return self.ready["vendors"][name]

    def admin(self, method, path, body=None):
        """The answer's JSON; a refusal fails the test."""
        answer = request(method, self.ready["admin"] + "/" + path, body)
        true(answer.status == 200, f"sandbox {method} {path}: {answer.status} {answer.body[:500]!r}")
        return answer.json()

    def requests(self, vendor="", after=0):
        """Everything the imitated vendors received."""
        return self.admin("GET", f"requests?vendor={vendor}&after={after}")["requests"]

    def fault(self, fault, **rule):
        return self.admin("POST", "faults", [{"fault": fault, **rule}])


def start_sandbox(*arguments):
    """Starts the sandbox with these arguments on a free port; it is ended with the test."""
    return Sandbox(*arguments)


def _finish():
    """Ends what a test left running; the first complaint."""
    complaint = None
    for program in list(reversed(_programs)):
        try:
            program.stop()
        except AssertionError as error:
            complaint = complaint or error
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)
    return complaint


def _run_one(test):
    trouble = skipped = None
    try:
        test()
    except Skip as why:
        skipped = str(why)
    except Exception:  # pylint: disable=broad-except
        trouble = traceback.format_exc()
    complaint = _finish()
    if complaint and not trouble:
        trouble = str(complaint)
    return trouble, skipped


def run(names):
    """Runs the tests among names (globals(), or a list of functions) and ends the program. Words on the command line
    choose: only tests whose name holds one of them run; a word that begins with - leaves those out that hold it."""
    tests = list(names.values()) if isinstance(names, dict) else list(names)
    tests = [test for test in tests if callable(test) and getattr(test, "__name__", "").startswith("test_")]
    wanted = [word for word in sys.argv[1:] if word[0] != "-"] or [""]
    unwanted = [word[1:] for word in sys.argv[1:] if word[0] == "-"]
    tests = [test for test in tests if any(word in test.__name__ for word in wanted)
             and not any(word in test.__name__ for word in unwanted)]
    print(f"1..{len(tests)}", flush=True)
    failures = 0
    for number, test in enumerate(tests, 1):
        name = test.__name__[len("test_"):].replace("_", " ")
        trouble, skipped = _run_one(test)
        failures += bool(trouble)
        print(f"{'not ok' if trouble else 'ok'} {number} - {name}{' # SKIP ' + skipped if skipped else ''}", flush=True)
        for line in (trouble or "").splitlines():
            print("#   " + line, flush=True)
    sys.exit(1 if failures else 0)
