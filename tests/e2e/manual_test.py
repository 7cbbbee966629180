"""The manual: pages without a complaint of the programs that read them, and nothing missing that the programs take."""
import glob
import os
import re
import shutil
import subprocess

import tap
from command import ends, run
from house import House

PAGES = ("tillbridge.1", "tillbridge-sandbox.1", "tillbridge.conf.5", "tillbridge-store.conf.5", "tillbridged.8")


def page(name):
    with open(tap.built("man", name), encoding="utf-8") as file:
        return file.read()


def plain(name):
    """The page's words, without roff."""
    text = re.sub(r"\\f[BIRP]", "", page(name))
    return text.replace("\\-", "-").replace("\\(dq", '"').replace("\\&", "").replace("\\e", "\\")


def options_of_help(program):
    done = subprocess.run([tap.built(program), "--help"], capture_output=True, text=True, check=True)
    return re.findall(r"^  (?:-\w, )?(--[a-z-]+)", done.stdout, re.M)


def test_every_page_is_there():
    tap.equal(sorted(os.path.basename(path) for path in glob.glob(tap.built("man", "*.[158]"))), sorted(PAGES))
    for name in PAGES:
        text = page(name)
        tap.true(not re.search(r"@\w+@|\\\" insert", text), f"{name}: all is filled in")
        tap.true(re.search(r"^\.SH NAME\n[a-z.\\-]+ \\- \w", text, re.M), f"{name}: its name and what it is")


def test_mandoc_has_nothing_to_say():
    if not shutil.which("mandoc"):
        tap.skip("mandoc is not installed")
    for name in PAGES:
        done = subprocess.run(["mandoc", "-T", "lint", tap.built("man", name)], capture_output=True, text=True, check=False)
        tap.equal((done.stdout + done.stderr, done.returncode), ("", 0), name)


def test_man_has_nothing_to_warn_of():
    if not shutil.which("man") or not shutil.which("groff"):
        tap.skip("man and groff are not installed")
    for name in PAGES:
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", tap.built("man", name)], capture_output=True, text=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""}, check=False)
        tap.equal((done.stderr, done.returncode), ("", 0), name)
        tap.true("SEE ALSO" in done.stdout, f"{name} is shown")


def test_the_command_is_described_verb_by_verb():
    text = plain("tillbridge.1")
    verbs = re.findall(r"^  ([a-z]+(?: [a-z]+)?)(?= +[\[A-Zr]|  )", ends(run("help"), 0).out.split("Options")[0], re.M)
    tap.true(len(verbs) >= 15, verbs)
    for verb in verbs:
        section = re.search(rf"^\.SS {verb}(?: [A-Z\[][^\n]*)?\n(.*?)(?=^\.S[SH])", text, re.M | re.S)
        tap.true(section, f"a section for {verb}")
        own = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", ends(run("help", *verb.split()), 0).out, re.M)
        missing = [option for option in own if option not in section.group(1) and option not in text.split(".SH VERBS")[0]]
        tap.equal(missing, [], verb)
        tap.true(len(re.findall(r"^tillbridge ", section.group(1), re.M)) == 2, f"two examples of {verb}")
    for words in ("TILLBRIDGE_SOCKET", "NO_COLOR", ".SH EXIT STATUS", "listen.socket", ".SH FILES"):
        tap.true(words in text, words)


def test_the_other_programs_options_are_described():
    for program, name in (("tillbridged", "tillbridged.8"), ("tillbridge-sandbox", "tillbridge-sandbox.1")):
        found = options_of_help(program)
        tap.true(found, program)
        tap.equal([option for option in found if option not in plain(name)], [], program)
    tap.true("reset_after_commit" in plain("tillbridge-sandbox.1") and "treez" in plain("tillbridge-sandbox.1"), "vendors and faults")


def test_every_key_is_described():
    house = House(size=3)
    shown = ends(run("--config", house.path("tillbridge.conf"), "config", "show", "--all"), 0).out
    host = re.findall(r"^  ([a-z_.]+) = ", shown.split("\nstore ")[0], re.M)
    tap.true(len(host) > 20, host)
    text = plain("tillbridge.conf.5")
    tap.equal([key for key in host if f"\n{key}\n" not in text], [])
    store = plain("tillbridge-store.conf.5")
    for key in ("timezone", "connectors", "plugin", "sync", "pace.per_second", "on_doubt", "allow_private"):
        tap.true(f"\n{key}\n" in store, key)


tap.run(globals())
