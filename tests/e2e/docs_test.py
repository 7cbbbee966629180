"""What docs/api.md and README.md show is what the programs do: every curl example is run against a running house.

An example in docs/api.md is a line `$ curl ...` in a console block, and below it what came back: with -i the status line
and headers, then the body. What is not shown to have another status has 200. JSON may be broken into lines, and `...`
stands for what was left out. Whatever is shown must be in the answer, with the same value; of what differs from run to
run (ids, times, sizes) the type must be the same, and where a later command uses such a value, the real one is put in.
The examples are run from top to bottom, as a reader would. A GET that does not fit yet is asked again: passes take time."""
import contextlib
import glob
import json
import os
import re
import shlex
import sqlite3
import subprocess

import tap
from house import House

API, SANDBOX, SOCKET = "127.0.0.1:8420", "127.0.0.1:8430", "/run/tillbridge/api.sock"
ELSE = object()  # what `...` stands for, at the end of a list or an object
PASS_S = 90 + tap.PATIENCE_S  # the plugin lets 60 s go by between two passes

# Members whose values are of the moment; and texts that are ours to make.
OF_THE_MOMENT = {"seq", "age_s", "ms", "pid", "resident_bytes", "restarts", "trace", "next", "file", "number"}
MADE = re.compile(r"^((pass|rej|call)_[0-9A-Z]{26}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$")
SEQ_IN_WORDS = re.compile(r"\b(newest is|seq) \d+")


class Example:
    """A command and what the document shows of its answer."""

    def __init__(self, command, shown, where):
        self.command, self.where = command, where
        self.status, self.headers, self.body = 200, [], "\n".join(shown).strip()
        if shown and shown[0].startswith("HTTP/"):
            head, _, self.body = self.body.partition("\n\n")
            first, *self.headers = head.splitlines()
            self.status = int(first.split()[1])


def examples(path, prompt):
    """All of a file's. prompt: "$ ", or "" where a block holds commands alone."""
    found, inside, command, shown, begun = [], False, None, [], 0
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines() + ["```"]
    for number, line in enumerate(lines, 1):
        fence = line.startswith("```")
        if command and (fence or line.startswith(prompt + "curl ")):
            found.append(Example(command, shown, f"{path}:{begun}"))
            command = None
        if fence:
            inside = not inside
        elif inside and line.startswith(prompt + "curl "):
            command, shown, begun = line[len(prompt):], [], number
        elif inside and command and command.endswith("\\"):
            command = command[:-1] + line.strip()
        elif inside and command:
            shown.append(line)
    return found


def read_shown(text):
    """JSON in which `...` may end a list or an object."""
    marked = re.sub(r'("(?:[^"\\]|\\.)*")|\.\.\.', lambda found: found.group(1) or '"\\u0000"', text)
    marked = re.sub(r'(\{|,)(\s*)"\\u0000"(\s*)\}', r'\1\2"\\u0000":0\3}', marked)
    return json.loads(marked)


def is_else(value):
    return value == "\0"


def of_the_moment(name, value):
    return name in OF_THE_MOMENT or (isinstance(value, str) and MADE.match(value))


def difference(shown, found, learned, name="", path=""):
    """What the document shows and the answer does not have; None. learned: shown value of the moment -> the real one."""
    if isinstance(shown, dict):
        if not isinstance(found, dict):
            return f"{path}: an object is shown, {found!r} came"
        for member, value in shown.items():
            if is_else(member):
                continue
            if member not in found:
                return f"{path}: {member} is shown and did not come"
            if wrong := difference(value, found[member], learned, member, f"{path}.{member}"):
                return wrong
        extra = found.keys() - shown.keys()
        return f"{path}: {sorted(extra)} came and are not shown" if extra and "\0" not in shown else None
    if isinstance(shown, list):
        whole = not shown or not is_else(shown[-1])
        items = shown if whole else shown[:-1]
        if not isinstance(found, list) or len(found) < len(items) or (whole and len(found) != len(items)):
            return f"{path}: {len(items)} elements are shown, {found!r} came"
        for at, value in enumerate(items):
            if wrong := difference(value, found[at], learned, name, f"{path}[{at}]"):
                return wrong
        return None
    if type(shown) is not type(found) and {type(shown), type(found)} != {int, float}:
        return f"{path}: {shown!r} is shown, {found!r} came"
    if of_the_moment(name, shown):
        if isinstance(shown, str) or shown > 999:  # a small number in a command is not a seq
            learned[str(shown)] = str(found)
    elif isinstance(shown, str) and SEQ_IN_WORDS.sub(r"\1 N", shown) == SEQ_IN_WORDS.sub(r"\1 N", found):
        return None
    elif shown != found:
        return f"{path}: {shown!r} is shown, {found!r} came"
    return None


def without_numbers(line):
    """A line of metrics or of the feed, without its value and what is of the moment."""
    return re.sub(r' [0-9.e+-]+$|(?<="seq":)\d+', "", line)


class Reader:
    """Somebody who types the examples."""

    def __init__(self):
        self.house = House(size=800, sandbox=("--seed", "7"))
        self.learned = {}
        with open(tap.source("docs", "api.md"), encoding="utf-8") as file:
            drop_in = re.search(r"^store: \{$.*?^\};$", file.read(), re.M | re.S).group(0)
        self.house.write("conf.d/downtown.conf", self.type(drop_in))
        self.house.start()

    def settle(self):
        """The first passes are done."""
        tap.wait_until(lambda: all("as_of" in one for one in self.house.json("/v1/stores/downtown")["freshness"]),
                       "everything was read once", PASS_S)

    def type(self, command):
        """The command as it is run here: other ports, and the real values of the moment."""
        for shown in sorted(self.learned, key=len, reverse=True):
            command = re.sub(rf"(?<![\w-]){re.escape(shown)}(?![\w-])", self.learned[shown], command)
        command = command.replace(API, (self.house.api or "").removeprefix("http://"))
        command = command.replace(SANDBOX, self.house.sandbox.ready["admin"].split("/")[2])
        return command.replace(SOCKET, self.house.path("api.sock"))

    def run(self, example):
        """Status, headers in lower case, body."""
        words = shlex.split(self.type(example.command))
        pipe = words.index("|") if "|" in words else len(words)
        flags = [] if {"-i", "-si", "-I", "-sI"} & set(words) else ["-i"]
        done = subprocess.run([*words[:pipe], *flags], capture_output=True, timeout=PASS_S, check=False)
        tap.equal(done.returncode, 0, f"{example.where}: {example.command}: {done.stderr.decode()}")
        head, _, body = done.stdout.decode().partition("\r\n\r\n")
        first, *headers = head.split("\r\n")
        return int(first.split()[1]), dict((name.lower(), value) for name, value in (one.split(": ", 1) for one in headers)), body

    def judge(self, example):
        """None when the answer is as shown."""
        status, headers, body = self.run(example)
        if status != example.status:
            return f"status {example.status} is shown, {status} came: {body[:500]}"
        for line in example.headers:
            name, _, value = line.partition(": ")
            if name.lower() not in headers:
                return f"the header {name} is shown and did not come"
            if name in ("Content-Type", "Allow") and headers[name.lower()] != value:
                return f"{line} is shown, {headers[name.lower()]} came"
        if not example.body:
            return None
        if example.body[0] in "{[":
            return difference(read_shown(example.body), json.loads(body), self.learned)
        came = {without_numbers(line) for line in body.splitlines()}
        missing = [line for line in example.body.splitlines() if line != "..." and without_numbers(line) not in came]
        return f"{missing} did not come" if missing else None

    def check(self, example):
        reads = not {"-X", "-d"} & set(shlex.split(example.command))
        last = [None]

        def fits():
            last[0] = self.judge(example)
            return last[0] is None

        try:
            tap.wait_until(fits, "", PASS_S if reads else 0)
        except AssertionError:
            raise AssertionError(f"{example.where}: {example.command}: {last[0]}") from None


def test_every_curl_example_of_the_api_document_gives_what_is_shown():
    all_of_them = examples(tap.source("docs", "api.md"), "$ ")
    tap.true(len(all_of_them) >= 30, f"examples are found: {len(all_of_them)}")
    reader = Reader()
    reader.settle()
    for example in all_of_them:
        reader.check(example)


def test_every_curl_example_of_the_readme_works():
    all_of_them = examples(tap.source("README.md"), "")
    tap.true(len(all_of_them) >= 2, f"examples are found: {len(all_of_them)}")
    reader = Reader()
    reader.settle()
    for example in all_of_them:
        reader.check(example)


def test_a_new_follower_begins_at_0_when_old_deletions_are_not_kept():
    house = House(size=60).start()
    house.sync("products", full=True)
    everything, newest = house.follow(0)
    house.stop()
    with contextlib.closing(sqlite3.connect(house.path("state", "tillbridge.db"))) as database, database:
        database.execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('pruned', ?)", (newest - 1,))
    house.start()
    tap.equal(house.get("/v1/changes", since=newest - 2).status, 410)
    again, cursor = [], {}
    while True:
        page = house.json("/v1/changes", since=0, limit=7, **cursor)
        again += page["items"]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    tap.equal(again, everything)
    tap.equal(house.json("/v1/changes", since=page["seq"]), {"items": [], "seq": newest})


def anchors(path):
    """What a link may name within a document: its headings, as GitHub spells them."""
    with open(path, encoding="utf-8") as file:
        titles = re.findall(r"^#+ (.*)$", file.read(), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_within_the_documents_leads_somewhere():
    for path in [tap.source("README.md"), *glob.glob(tap.source("docs", "*.md"))]:
        with open(path, encoding="utf-8") as file:
            links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", file.read())
        for target, anchor in links:
            where = os.path.join(os.path.dirname(path), target) if target else path
            tap.true(os.path.exists(where), f"{path}: {target}")
            tap.true(not anchor or anchor in anchors(where), f"{path}: {target}#{anchor}")


def test_an_answer_that_is_not_as_shown_is_found():
    shown = read_shown('{"items":[{"id":"a","n":1,...},...],"at":"2026-01-01T00:00:00.000Z"}')
    good = {"items": [{"id": "a", "n": 1, "more": 2}, {}], "at": "2027-01-01T00:00:00.000Z"}
    tap.equal(difference(shown, good, {}), None)
    for bad in ({**good, "at": 5}, {**good, "items": []}, {**good, "more": 1}, {"items": good["items"]},
                {**good, "items": [{"id": "b", "n": 1}]}, {**good, "items": [{"id": "a"}]}):
        tap.true(difference(shown, bad, {}), f"{bad} is not as shown")


tap.run(globals())
