"""make bench: Tillbridge beside programs that do only the unavoidable work (limit/), in turns, in one run.

catalogue  All products of a sandbox's Treez, page by page, into the store: into an empty one, once more unchanged,
           and with 5 % of them changed. Counted is the CPU of hub and worker, never that of the sandbox. A run counts
           only if all programs stored the same rows and bytes.
memory     What hub and worker hold after a first pass over a million products, after an unchanged one, and after
           a restart and one more.

Prints a table and writes bench.json. Exit status: 0 measured, 1 something failed or differed. Aims are shown, and
decide nothing: figures of a busy machine are no verdict.
"""
import argparse
import hashlib
import http.client
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

BUILD = os.environ.get("TB_BUILD", os.getcwd())
PATIENCE_S = 600
SETTLE_S = 0.15  # what the checkpointer still does counts
AIMS = {"best": {"empty": 0.8, "unchanged": 0.7, "changed": 0.75}, "plain": {"empty": 5, "unchanged": 35, "changed": 18}}
MEMORY_AIM_MIB = {"hub": 96, "worker": 64}


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


class Daemon:
    """tillbridged with one connector, which pulls when it is asked to."""

    def __init__(self, sandbox, folder):
        self.file = os.path.join(folder, "state", "tillbridge.db")
        os.makedirs(os.path.join(folder, "conf.d"), exist_ok=True)
        host = os.path.join(folder, "tillbridge.conf")
        plugins = os.path.join(BUILD, "tests", "bench", "plugins", ".libs")
        written(host, 'listen: { api = "127.0.0.1:0"; webhooks = "off"; socket = "off"; };\n'
                      f'state = "state"; conf_d = "conf.d"; plugins = "{plugins}"; unjailed = true; log = "warning";\n')
        settings = " ".join(f'{name} = "{text}";' for name, text in sandbox.settings.items())
        written(os.path.join(folder, "conf.d", "downtown.conf"),
                'store: { id = "downtown"; timezone = "America/Los_Angeles"; currency = "USD"; connectors: { pos: {\n'
                f'  plugin = "treez"; url = "{sandbox.url}"; {settings}\n'
                '  page_size = 1000; allow_private = true; sync = "off";\n'
                '  pace: { per_second = 10000.0; burst = 10000; at_once = 16; };\n}; }; };\n')
        self.process = subprocess.Popen([os.path.join(BUILD, "tillbridged"), "--config", host])
        self.address = self.wait_for(lambda: self.listening(os.path.join(folder, "state", "listen.json")))
        self.wait_for(self.is_ready)
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            self.pids = {"hub": self.process.pid, "worker": int(file.read().split()[0])}

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

    def is_ready(self):
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE_S)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200

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


def stored(file):
    """Rows, and a sum over all ids and bodies that does not depend on their order."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    rows = total = 0
    for record, body in database.execute("SELECT id, body FROM record WHERE body IS NOT NULL"):
        digest = hashlib.blake2b(f"{record}\0{body}".encode(), digest_size=8).digest()
        total = (total + int.from_bytes(digest, "big")) & (1 << 64) - 1
        rows += 1
    database.close()
    return rows, f"{total:016x}"


def compare(contestants, when):
    found = {name: stored(one.file) for name, one in contestants.items()}
    if len(set(found.values())) != 1:
        raise SystemExit(f"{when}: not the same was stored, nothing of this counts: {found}")
    return next(iter(found.values()))


def one_pair(options, sandbox, names):
    """Each program from an empty store on; seconds by case and program."""
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    contestants = {"ours": Daemon(sandbox, folder)}
    contestants.update({name: Limit("catalogue-" + name, sandbox, folder) for name in names})
    spent = {}
    for case in AIMS["best"]:
        if case == "changed":
            sandbox.change(5)
        spent[case] = {}
        for name, one in contestants.items():
            repeat = options.repeat if case == "unchanged" and name != "plain" else 1
            spent[case][name] = one.passes(repeat)
        spent[case]["hub"], spent[case]["worker"] = (contestants["ours"].shares[name] for name in ("hub", "worker"))
        rows, digest = compare(contestants, case)
    for one in contestants.values():
        one.end()
    shutil.rmtree(folder)
    return {"rows": rows, "digest": digest, "cpu_s": spent}


def catalogue(options):
    names = ["best"] if options.no_plain else ["best", "plain"]
    sandbox = Sandbox(options.products)
    pairs = []
    for turn in range(options.pairs):
        pairs.append(one_pair(options, sandbox, names))
        print(f"pair {turn + 1} of {options.pairs}: {pairs[-1]['rows']} rows, the same bytes in each store", file=sys.stderr)
    sandbox.end()
    table = []
    for case in AIMS["best"]:
        row = {"case": case}
        for name in ("ours", "hub", "worker", *names):
            row[name + "_us"] = round(statistics.median([one["cpu_s"][case][name] for one in pairs]) * 1e6 / options.products, 3)
        for name in names:
            row["to_" + name] = round(statistics.median([one["cpu_s"][case][name] / one["cpu_s"][case]["ours"] for one in pairs]), 3)
            row["aim_" + name] = AIMS[name][case]
        table.append(row)
    return {"products": options.products, "pairs": pairs, "table": table}


def memory(options):
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    sandbox = Sandbox(options.memory_products)
    daemon = Daemon(sandbox, folder)
    found = {"products": options.memory_products, "aim_mib": MEMORY_AIM_MIB, "mib": {"start": daemon.memory()}}
    for name in ("first pass", "unchanged pass"):
        daemon.run_pass()
        found["mib"][name] = daemon.memory()
    daemon.end()
    os.remove(os.path.join(folder, "state", "listen.json"))
    daemon = Daemon(sandbox, folder)  # reads what it knows from the store
    daemon.run_pass()
    found["mib"]["restart and a pass"] = daemon.memory()
    daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    return found


def print_table(rows, columns):
    cells = [[title for title, _ in columns]] + [[str(row.get(key, "")) for _, key in columns] for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                        for i, (cell, width) in enumerate(zip(line, widths))).rstrip())
    print()


def report(result):
    if "catalogue" in result:
        print(f"catalogue, {result['catalogue']['products']} products: CPU microseconds a product; limit / ours")
        columns = [("", "case"), ("ours", "ours_us"), ("hub", "hub_us"), ("worker", "worker_us")]
        for name in [name for name in AIMS if "to_" + name in result["catalogue"]["table"][0]]:
            columns += [(name, name + "_us"), ("ratio", "to_" + name), ("aim", "aim_" + name)]
        print_table(result["catalogue"]["table"], columns)
    if "memory" in result:
        print(f"memory, {result['memory']['products']} products: MiB, VmHWM is the peak; "
              "aims: " + ", ".join(f"{name} {aim}" for name, aim in MEMORY_AIM_MIB.items()))
        rows = [{"case": f"{process} after {moment}" if moment != "start" else f"{process} at start", **values}
                for moment, found in result["memory"]["mib"].items() for process, values in found.items()]
        print_table(rows, [("", "case")] + [(key, key) for key in ("VmHWM", "VmRSS", "RssAnon", "RssFile")])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benches", nargs="*", metavar="BENCH", help="catalogue, memory (both)")
    parser.add_argument("--pairs", type=int, default=5, help="turns of the catalogue (5)")
    parser.add_argument("--quick", action="store_true", help="one pair, 5 unchanged passes, memory of 100,000 products")
    parser.add_argument("--products", type=int, default=100000, help="of the catalogue (100000)")
    parser.add_argument("--memory-products", type=int, default=1000000, help="(1000000)")
    parser.add_argument("--repeat", type=int, default=20, help="unchanged passes a turn (20)")
    parser.add_argument("--no-plain", action="store_true", help="leave out the plain program")
    parser.add_argument("--folder", help="where stores are made (the system's temporary folder)")
    parser.add_argument("--json", default="bench.json", help="where the figures go (bench.json)")
    options = parser.parse_args()
    benches = {"catalogue": catalogue, "memory": memory}
    unknown = set(options.benches) - set(benches)
    if unknown:
        parser.error(f"no bench {sorted(unknown)[0]!r}: there are {', '.join(benches)}")
    if options.quick:
        options.pairs, options.repeat, options.memory_products = 1, 5, min(options.memory_products, 100000)
    result = {name: bench(options) for name, bench in benches.items() if not options.benches or name in options.benches}
    written(options.json, json.dumps(result, indent=2) + "\n")
    report(result)


if __name__ == "__main__":
    main()
