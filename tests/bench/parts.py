"""What the benches share: the programs that are measured, and how."""
import http.client
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.parse

BUILD = os.environ.get("TB_BUILD", os.getcwd())
PATIENCE_S = 600
SETTLE_S = 0.15  # what the checkpointer still does counts


class Program:
    """A program with a line on its standard output when it is asked something."""

    def __init__(self, *argv):
        self.process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, word=None):
        if word:
            self.process.stdin.write(word + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        if self.process.wait(PATIENCE_S) != 0:
            raise SystemExit(f"{self.process.args[0]} ended with {self.process.returncode}")


def request(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
    connection.request(method, path, json.dumps(body) if body is not None else None,
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {text.decode()}")
    return json.loads(text) if text else None


class Sandbox:
    def __init__(self, size):
        self.process = subprocess.Popen([os.path.join(BUILD, "tillbridge-sandbox"), "--no-log", "--rate", "0", "--size",
                                         str(size), "treez"], stdout=subprocess.PIPE, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.url = ready["vendors"]["treez"]["url"]
        self.settings = ready["vendors"]["treez"]["settings"]
        self.admin = urllib.parse.urlsplit(ready["admin"])

    def send(self, how):
        """Bodies as the vendor would send them: plain, gzip, or etags (gzip, with an ETag)."""
        request(self.admin.netloc, "POST", self.admin.path + "/options", {"gzip": how != "plain", "etags": how == "etags"})

    def change(self, percent):
        request(self.admin.netloc, "POST", self.admin.path + "/treez/change",
                {"kind": "products", "percent": percent, "field": "price"})

    def end(self):
        self.process.terminate()
        self.process.wait(PATIENCE_S)


def written(path, text):
    with open(path, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


class Limit:
    """A limit program and its store."""

    def __init__(self, name, sandbox, folder):
        self.file = os.path.join(folder, name + ".db")
        self.program = Program(os.path.join(BUILD, name), sandbox.url, sandbox.settings["dispensary"],
                               sandbox.settings["client_id"], sandbox.settings["api_key"], self.file)

    def passes(self, count):
        return statistics.median([self.program.ask("pass")["cpu_s"] for _ in range(count)])

    def end(self):
        self.program.end()


def cpu_s(pid):
    """To the nanosecond; of all threads that are still there (hub and worker end none while they run)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


PLUGINS = os.path.join(BUILD, "tests", "bench", "plugins", ".libs")


def drop_in(sandbox, store="downtown", plugin="treez"):
    settings = " ".join(f'{name} = "{text}";' for name, text in sandbox.settings.items())
    return (f'store: {{ id = "{store}"; timezone = "America/Los_Angeles"; currency = "USD"; connectors: {{ pos: {{\n'
            f'  plugin = "{plugin}"; url = "{sandbox.url}"; {settings}\n'
            '  page_size = 1000; allow_private = true; sync = "off";\n'
            '  pace: { per_second = 10000.0; burst = 10000; at_once = 16; };\n}; }; };\n')


class Daemon:
    """tillbridged with connectors that pull when they are asked to. drop_ins: the text of each, by store."""

    def __init__(self, sandbox, folder, drop_ins=None, plugins=PLUGINS):
        self.file = os.path.join(folder, "state", "tillbridge.db")
        os.makedirs(os.path.join(folder, "conf.d"), exist_ok=True)
        host = os.path.join(folder, "tillbridge.conf")
        written(host, 'listen: { api = "127.0.0.1:0"; webhooks = "off"; socket = "off"; };\n'
                      f'state = "state"; conf_d = "conf.d"; plugins = "{plugins}"; unjailed = true; log = "warning";\n')
        for store, text in (drop_ins or {"downtown": drop_in(sandbox)}).items():
            written(os.path.join(folder, "conf.d", store + ".conf"), text)
        told = os.path.join(folder, "state", "listen.json")
        if os.path.exists(told):
            os.remove(told)  # of the one before
        begun = time.monotonic()
        self.process = subprocess.Popen([os.path.join(BUILD, "tillbridged"), "--config", host])
        self.address = self.wait_for(lambda: self.listening(told), 0.001)
        self.wait_for(self.is_ready, 0.001)
        self.ready_s = time.monotonic() - begun
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            workers = [int(word) for word in file.read().split()]
        self.pids = {"hub": self.process.pid}
        self.pids.update({"worker" if n == 0 else f"worker {n + 1}": pid for n, pid in enumerate(workers)})

    def cpu_s(self):
        return sum(cpu_s(pid) for pid in self.pids.values())

    def is_ready(self):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200

    def wait_for(self, condition, pause_s=0.01):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            if self.process.poll() is not None:
                raise SystemExit(f"tillbridged ended with {self.process.returncode}")
            time.sleep(pause_s)
        raise SystemExit("tillbridged takes too long")

    @staticmethod
    def listening(path):
        try:
            with open(path, encoding="utf-8") as file:
                return json.load(file)["api"]
        except FileNotFoundError:
            return None

    def run_pass(self):
        """One full pass of the products; what each process spent on it."""
        before = {name: cpu_s(pid) for name, pid in self.pids.items()}
        asked = request(self.address, "POST", "/v1/connectors/downtown/pos/sync", {"stream": "products", "full": True})
        path = "/v1/passes/" + asked["passes"][0]["id"]
        done = self.wait_for(lambda: self.ended(path), 0.05)
        time.sleep(SETTLE_S)
        if done["state"] != "complete":
            raise SystemExit(f"the pass ended as {done}")
        return {name: cpu_s(pid) - before[name] for name, pid in self.pids.items()}

    def ended(self, path):
        found = request(self.address, "GET", path)
        return found if found["state"] not in ("waiting", "running") else None

    def passes(self, count):
        spent = [self.run_pass() for _ in range(count)]
        self.shares = {name: statistics.median([one[name] for one in spent]) for name in self.pids}
        return statistics.median([sum(one.values()) for one in spent])

    def memory(self):
        """MiB of each process, as /proc/PID/status tells."""
        found = {}
        for name, pid in self.pids.items():
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
            found[name] = {key: round(int(fields[key].split()[0]) / 1024, 1)
                           for key in ("VmHWM", "VmRSS", "RssAnon", "RssFile")}
        return found

    def end(self):
        self.process.terminate()
        if self.process.wait(PATIENCE_S) != 0:
            raise SystemExit(f"tillbridged ended with {self.process.returncode}")


def print_table(rows, columns):
    cells = [[title for title, _ in columns]] + [[str(row.get(key, "")) for _, key in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
    print()
