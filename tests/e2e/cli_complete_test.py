"""Completion: what the command offers, and what real shells make of it."""
import json
import os
import re
import shutil
import signal

import tap
from command import Terminal, canned, ends, of, page_of, run
from house import House


def offers(line, *words, **env):
    """What is offered at the end of the line, as zsh asks for it."""
    return ends(run("complete", "--plain", *words, COMP_LINE=line, **env), 0).out.split("\n")[:-1]


def as_bash(line, word, before="", point=None):
    """What bash is given: it asks with the word as it sees it."""
    env = {"COMP_LINE": line, **({"COMP_POINT": str(point)} if point is not None else {})}
    return ends(run("complete", "tillbridge", word, before, **env), 0).out.split("\n")[:-1]


def test_verbs_options_and_choices_come_from_the_table():
    verbs = offers("tillbridge ")
    tap.true({"status", "config", "passes", "changes", "help"} <= set(verbs) and "complete" not in verbs, verbs)
    tap.equal(len(set(verbs)), len(verbs))
    tap.equal(offers("tillbridge sta"), ["status"])
    tap.equal(offers("tillbridge config "), ["show"])
    tap.equal(offers("tillbridge passes a"), ["accept"])
    tap.equal(offers("tillbridge help passes r"), ["refuse"])
    tap.equal(offers("tillbridge sync x/y --dr"), ["--dry-run"])
    tap.equal(offers("tillbridge --js"), ["--json"])
    tap.equal(offers("tillbridge --json chan"), ["changes"])
    tap.equal(offers("tillbridge passes --state he"), ["held"])
    tap.equal(offers("tillbridge passes --state=re"), ["--state=refused"])
    tap.equal(offers("tillbridge products x --visible="), ["--visible=yes", "--visible=no"])
    tap.equal(offers("tillbridge changes --kinds inv"), ["inventory"])
    tap.equal(offers("tillbridge changes --kinds inventory,products,"), ["inventory,products,promotions", "inventory,products,customers"])
    tap.equal(offers("tillbridge --color "), ["auto", "always", "never"])
    for nothing in ("tillbridge changes --since ", "tillbridge check ", "tillbridge --config ", "tillbridge reload ", "tillbridge nosuch ",
                    "tillbridge stores -- --j", "tillbridge changes --nosuch=", "", "tillbridge"):
        tap.equal(offers(nothing), [], nothing)


def test_bash_is_answered_as_it_cuts_words():
    tap.equal(as_bash("tillbridge sta", "sta"), ["status "])
    tap.equal(as_bash("tillbridge passes --state=he", "he", "="), ["held "])
    tap.equal(as_bash("tillbridge sta --json", "sta", point=len("tillbridge sta")), ["status "])
    tap.equal(as_bash("tillbridge 'sta", "'sta"), ["status "])
    tap.equal(as_bash("tillbridge sta", "sta", point=10 ** 9), ["status "])
    described = ends(run("complete", "--described", COMP_LINE="tillbridge sta"), 0).out
    tap.equal(described, "status\thow all stores, one store or one connector are, and why\n")


def test_names_come_from_the_daemon():
    house = House(size=10, vendor="millrace")
    house.drop_in("uptown", sync='sync = "off";')
    house.start()
    tillbridge, config = of(house), house.path("tillbridge.conf")
    ends(tillbridge("sync", "downtown/pos"), 0)
    house.sandbox.admin("POST", "millrace/delete", {"kind": "products", "count": 8})
    held = re.search(r"passes accept (pass_\w+)", ends(tillbridge("sync", "downtown/pos", "--full"), 1).out).group(1)
    start = f"tillbridge --config {config} "
    tap.equal(offers(start + "status "), ["downtown", "uptown"])
    tap.equal(offers(start + "status down"), ["downtown"])
    tap.equal(offers(start + "status downtown/"), ["downtown/pos"])
    tap.equal(offers(start + "status downtown/pos/"), [])
    tap.equal(offers(start + "sync "), ["downtown/", "uptown/"])
    tap.equal(offers(start + "sync uptown/"), ["uptown/pos"])
    tap.equal(offers(start + "sync downtown/pos/"), ["downtown/pos/products"])
    tap.equal(offers(start + "passes d"), ["downtown"])
    tap.equal(offers(start + "passes "), ["accept", "refuse", "downtown", "uptown"])
    tap.equal(offers(start + "passes accept "), [held])
    tap.equal(offers(start + "products u"), ["uptown"])
    tap.equal(offers(start + "products uptown "), [])
    tap.equal(offers(start + "products uptown --connector "), ["pos"])
    tap.equal(offers(start + "changes --store="), ["--store=downtown", "--store=uptown"])
    tap.equal(offers(start + "plugin show "), ["millrace"])
    tap.equal(offers(f"tillbridge config show --config={config} u"), ["uptown"])
    tap.equal(offers("tillbridge status ", TILLBRIDGE_SOCKET=house.path("api.sock")), ["downtown", "uptown"])


def test_without_the_daemon_names_come_from_the_files():
    house = House(size=3)
    start = f"tillbridge --config {house.path('tillbridge.conf')} "
    tap.equal(offers(start + "config show "), ["downtown"])
    tap.equal(offers(start + "status downtown/"), ["downtown/pos"])
    tap.equal(offers(start + "plugin show t"), ["treez"])
    tap.equal(offers(start + "passes accept "), [])
    tap.equal(offers("tillbridge --config /nonexistent status "), [])
    tap.equal(offers("tillbridge --socket /nonexistent status "), [])


def test_a_daemon_that_hangs_is_not_waited_for():
    house = House(size=3).start()
    house.hub.process.send_signal(signal.SIGSTOP)
    try:
        tap.equal(offers(f"tillbridge --config {house.path('tillbridge.conf')} status "), ["downtown"])
    finally:
        house.hub.process.send_signal(signal.SIGCONT)


def test_names_do_not_steer_the_terminal():
    plugins = [json.dumps({"name": "treez", "title": "Treez\033[2J\nx"}), json.dumps({"name": "a\033]0;b", "title": "x"})]
    tillbridge = canned(lambda path, query: page_of(plugins, query))
    line = f"tillbridge --socket {tillbridge.path} plugin show "
    tap.equal(ends(run("complete", "--described", COMP_LINE=line), 0).out, "treez\tTreez\\x1b[2J x\n")


# Real shells

def plain(raw):
    """What a terminal was given, without colours, bells and the cursor's ways."""
    return re.sub(" +", " ", re.sub("\033\\[[0-9;?]*[a-zA-Z]|[\r\b\a]", "", raw))


def on_shell(argv, setup, typed, expected, **env):
    """Types into the shell; expected is what must stand on its line then."""
    folder = tap.folder()
    os.symlink(tap.built("tillbridge"), os.path.join(folder, "tillbridge"))
    shell = Terminal(*argv, columns=200, PATH=folder + ":" + os.environ["PATH"], HOME=folder, XDG_CONFIG_HOME=folder, PS1="> ", **env)
    try:
        shell.type(setup + "\recho rea''dy\r")
        tap.wait_until(lambda: (shell.take(), "ready" in shell.raw)[1], "the shell is there")
        shell.raw = ""
        shell.type(typed)
        tap.wait_until(lambda: (shell.take(), expected in plain(shell.raw))[1], "it is completed")
    except AssertionError:
        raise AssertionError(f"{typed!r} gave {shell.raw!r}, not {expected!r}") from None
    finally:
        shell.process.kill()
        shell.process.wait()
        shell.close()


def test_bash_completes_what_is_typed():
    if not shutil.which("bash"):
        tap.skip("no bash")
    house = House(size=3)
    house.drop_in("uptown")
    bash = ["bash", "--noprofile", "--norc", "-i"]
    setup = f"source {tap.source('host/cli/completion/tillbridge')}"
    config = house.path("tillbridge.conf")
    on_shell(bash, setup, "tillbridge stat\t--wa\t", "tillbridge status --watch ")
    on_shell(bash, setup, f"tillbridge -c {config} sync up\tp\t--fu\t", "sync uptown/pos --full ")
    on_shell(bash, setup, "tillbridge passes --state=he\t--li\t", "tillbridge passes --state=held --limit ")
    on_shell(bash, setup + f"; cd {house.folder}", "tillbridge check conf.d/upt\t", "tillbridge check conf.d/uptown.conf")


def test_zsh_completes_what_is_typed():
    if not shutil.which("zsh"):
        tap.skip("no zsh")
    house = House(size=3)
    setup = f"fpath=({os.path.dirname(tap.source('host/cli/completion/x'))} $fpath); autoload -Uz compinit; compinit -u -D"
    on_shell(["zsh", "-f", "-i"], setup, "tillbridge stat\t--wa\t", "tillbridge status --watch ")
    on_shell(["zsh", "-f", "-i"], setup, f"tillbridge -c {house.path('tillbridge.conf')} sync dow\tp\t--fu\t", "sync downtown/pos --full ")


def test_fish_completes_what_is_typed():
    if not shutil.which("fish"):
        tap.skip("no fish")
    house = House(size=3)
    setup = f"source {tap.source('host/cli/completion/tillbridge.fish')}"
    line = f"tillbridge -c {house.path('tillbridge.conf')} sync dow"
    on_shell(["fish", "--no-config", "-i"], setup, f'complete -C "{line}"\r', "downtown/")
    on_shell(["fish", "--no-config", "-i"], setup, 'complete -C "tillbridge stat"\r', "how all stores, one store or one connector are, and why")


tap.run(globals())
