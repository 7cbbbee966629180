"""The operator's command against the real daemon, worker and imitated vendor, and against made-up answers."""
import json
import os
import re
import socketserver
import subprocess
import threading

import tap
from command import Canned, canned, ends, environment, objects, of, page_of, run, run_on_terminal
from house import House


def started(vendor="treez"):
    """millrace: one stream, that may be asked as often as one likes."""
    house = House(size=60, vendor=vendor).start()
    return house, of(house)


# A whole installation

def test_a_sync_waits_and_prints_sums():
    house, tillbridge = started("millrace")
    ran = ends(tillbridge("sync", "downtown/pos/products"), 0)
    tap.true("downtown/pos/products: full pass complete in " in ran.out, ran.out)
    found = re.search(r"seen (\d+) = stored (\d+) \+ unchanged (\d+) \+ rejected (\d+) \+ filtered (\d+)", ran.out)
    seen, *parts = map(int, found.groups())
    tap.equal(seen, sum(parts))
    tap.equal(parts[0], len(house.all("/v1/stores/downtown/products")))
    again = ends(tillbridge("sync", "downtown/pos", "--full"), 0)
    tap.true("stored 0 + unchanged" in again.out, again.out)
    tap.true("\033" not in ran.out + ran.err and "\r" not in ran.err, "plain lines where there is no terminal")


def test_a_sync_of_a_connector_is_of_all_its_streams():
    house, tillbridge = started()
    ran = ends(tillbridge("sync", "downtown/pos"), 0)
    streams = sorted(re.findall(r"^downtown/pos/(\w+): full pass complete", ran.out, re.M))
    tap.equal(streams, sorted(house.json("/v1/connectors/downtown/pos")["streams"]))


def test_json_of_a_sync_is_the_passes():
    house, tillbridge = started("millrace")
    passes = objects(tillbridge("sync", "downtown/pos", "--json"))
    tap.equal([one["state"] for one in passes], ["complete"])
    tap.equal(passes[0], house.json("/v1/passes/" + passes[0]["id"]))
    asked = objects(tillbridge("--json", "sync", "downtown/pos/products", "--no-wait"))[0]["passes"]
    house.wait_pass(asked[0]["id"])
    plain = ends(tillbridge("sync", "downtown/pos/products", "--no-wait"), 0).out
    house.wait_pass(re.search(r"^downtown/pos/products: \w+ (pass_\w+)\n$", plain).group(1))


def test_a_dry_run_that_would_change_something_ends_with_3():
    house, tillbridge = started("millrace")
    ran = ends(tillbridge("sync", "downtown/pos/products", "--dry-run"), 3)
    tap.true("a pass would store" in ran.out and "as they would be served" in ran.out, ran.out)
    tap.equal(house.all("/v1/stores/downtown/products"), [])
    ends(tillbridge("sync", "downtown/pos"), 0)
    ends(tillbridge("sync", "downtown/pos", "--dry-run"), 0)
    house.sandbox.admin("POST", "millrace/change", {"kind": "products", "percent": 50, "field": "price"})
    ran = ends(tillbridge("sync", "downtown/pos", "--dry-run", "--json"), 3)
    tap.true(json.loads(ran.out)["pass"]["stored"] > 0, ran.out)


def test_status_begins_with_a_verdict():
    house, tillbridge = started()
    ends(tillbridge("sync", "downtown/pos"), 0)
    ran = ends(tillbridge("status"), 0)
    tap.equal(ran.out.splitlines()[0], "downtown is fine.")
    row = re.search(r"^downtown/pos +ok +products +\w+ +\d+ s of \S+ \w+ .*complete: \d+ of \d+ stored", ran.out, re.M)
    tap.true(row, ran.out)
    tap.equal(ends(tillbridge("status", "downtown"), 0).out.splitlines()[0], "downtown is fine.")
    one = ends(tillbridge("status", "downtown/pos"), 0).out
    tap.equal(one.splitlines()[0], "downtown/pos is ok.")
    tap.true(re.search(r"last pass +full complete, pass_\w+ .*\n +seen \d+ = stored \d+ \+ unchanged", one), one)
    tap.equal(objects(tillbridge("status", "--json"))[0]["id"], "downtown")
    tap.equal(objects(tillbridge("status", "downtown", "--json"))[0]["id"], "downtown")
    tap.equal(objects(tillbridge("status", "downtown/pos", "--json"))[0]["name"], "pos")
    del house


def test_a_pass_that_fails_ends_with_1_and_status_says_who_must_act():
    house = House(size=10)
    house.drop_in("downtown", "treez", 'sync = "off";', api_key="wrong")
    tillbridge = of(house.start())
    ran = ends(tillbridge("sync", "downtown/pos/products"), 1)
    tap.true("downtown/pos/products: full pass failed" in ran.out, ran.out)
    tap.true(tillbridge("status").out.startswith("downtown: pos is failing. The vendor refused our credentials"), "the verdict")
    one = ends(tillbridge("status", "downtown/pos"), 0).out
    tap.true(re.search("^who must act +operator$", one, re.M) and "last error" in one, one)


def test_lists_are_those_of_the_api():
    house, tillbridge = started()
    ends(tillbridge("sync", "downtown/pos"), 0)
    tap.equal(objects(tillbridge("products", "downtown", "--json")), house.all("/v1/stores/downtown/products"))
    tap.equal(objects(tillbridge("changes", "--json")), house.follow()[0])
    tap.equal(objects(tillbridge("passes", "--json")), house.all("/v1/passes"))
    tap.equal(objects(tillbridge("rejects", "--json")), house.all("/v1/rejects"))
    tap.equal([one["id"] for one in objects(tillbridge("stores", "--json"))], ["downtown"])
    tap.equal([one["name"] for one in objects(tillbridge("connectors", "downtown", "--json"))], ["pos"])
    tap.equal(objects(tillbridge("connectors", "nowhere", "--json")), [])
    tap.equal([one["name"] for one in objects(tillbridge("plugins", "--json"))], ["treez"])
    tap.equal(objects(tillbridge("plugin", "show", "treez", "--json"))[0]["settings"], house.json("/v1/plugins/treez")["settings"])


def test_tables_have_a_row_for_each():
    house, tillbridge = started()
    ends(tillbridge("sync", "downtown/pos"), 0)
    products = house.all("/v1/stores/downtown/products")
    rows = ends(tillbridge("products", "downtown"), 0).out.splitlines()
    tap.true(rows[0].startswith("ID ") and len(rows) == len(products) + 1, rows[:2])
    tap.true(all(row.startswith(one["id"]) for row, one in zip(rows[1:], products)), "in the API's order")
    tap.equal(len(ends(tillbridge("products", "downtown", "--limit", "7"), 0).out.splitlines()), 8)
    one = ends(tillbridge("products", "downtown", products[0]["id"]), 0).out
    tap.true(re.search("^name +" + re.escape(products[0]["name"]) + "$", one, re.M), one)
    changes = tillbridge("changes", "--kinds", "inventory")
    tap.equal(len(ends(changes, 0).out.splitlines()), 51)
    tap.true("There are more" in changes.err, changes.err)
    seq = house.follow()[1]
    tap.equal(ends(tillbridge("changes", "--since", str(seq)), 0).out, "Nothing has changed since.\n")
    tap.equal(len(ends(tillbridge("passes", "downtown/pos/products", "--state", "complete"), 0).out.splitlines()), 2)
    tap.equal(len(ends(tillbridge("connectors"), 0).out.splitlines()), 2)
    tap.equal(len(ends(tillbridge("stores"), 0).out.splitlines()), 2)
    tap.true("downtown/pos" in tillbridge("passes", "downtown").out, "a store's passes")


def test_what_the_api_refuses_ends_with_1():
    house, tillbridge = started()
    ran = ends(tillbridge("sync", "downtown/pos/prodcts"), 1)
    tap.true(ran.err.startswith("error: ") and 'did you mean "products"?' in ran.err and "\n  stream: " in ran.err, ran.err)
    tap.true('did you mean "downtown"?' in ends(tillbridge("status", "downtwn"), 1).err, "the nearest store")
    tap.true("no pass pass_nosuch" in ends(tillbridge("passes", "accept", "pass_nosuch"), 1).err, "which pass")
    tap.true("kinds" in ends(tillbridge("changes", "--kinds", "prodcts"), 1).err, "which parameter")
    ends(tillbridge("products", "downtown", "no such id"), 1)
    ends(tillbridge("products", "down/town"), 1)
    ends(tillbridge("passes", "--state", "well"), 1)
    ends(tillbridge("plugin", "show", "tree"), 1)
    ends(tillbridge("changes", "--since", str(10 ** 12)), 1)
    del house


def test_an_empty_table_is_no_answer_about_a_store_that_there_is_not():
    _, tillbridge = started()
    for words in (("connectors", "downtwn"), ("passes", "downtwn"), ("rejects", "downtwn"), ("changes", "--store", "downtwn"),
                  ("changes", "--follow", "--store", "downtwn")):
        tap.true('there is no store "downtwn", did you mean "downtown"?' in ends(tillbridge(*words), 1).err, " ".join(words))
    tap.true('did you mean "pos"?' in ends(tillbridge("rejects", "downtown/poss"), 1).err, "a connector")
    tap.equal(ends(tillbridge("rejects", "downtown/pos"), 0).out, "Nothing was rejected.\n")


def test_a_held_pass_is_settled_by_a_person():
    house, tillbridge = started("millrace")
    ends(tillbridge("sync", "downtown/pos/products"), 0)
    before = len(house.all("/v1/stores/downtown/products"))
    house.sandbox.admin("POST", "millrace/delete", {"kind": "products", "count": 40})
    ran = ends(tillbridge("sync", "downtown/pos/products", "--full"), 1)
    refuse = re.search(r"tillbridge (passes refuse pass_\w+) ", ran.out).group(1).split()
    status = tillbridge("status").out
    tap.true("1 pass waits for a person." in status.splitlines()[0] and " ".join(refuse) in status, status)
    tap.true("pass refused" in ends(tillbridge(*refuse), 0).out, "refused")
    tap.equal(len(house.all("/v1/stores/downtown/products")), before)
    ends(tillbridge(*refuse), 1)
    ran = ends(tillbridge("sync", "downtown/pos/products", "--full"), 1)
    accept = re.search(r"tillbridge (passes accept pass_\w+) ", ran.out).group(1).split()
    tap.equal(objects(tillbridge(*accept, "--json"))[0]["state"], "complete")
    tap.true(len(house.all("/v1/stores/downtown/products")) < before, "they are gone")
    tap.true("Needs a person" not in tillbridge("status").out, "nothing is left to do")


def test_reload_applies_what_its_dry_run_showed():
    house, tillbridge = started()
    tap.equal(ends(tillbridge("reload"), 0).out, "nothing changed\n")
    tap.equal(ends(tillbridge("reload", "--dry-run"), 0).out, "nothing would change\n")
    house.drop_in("uptown", sync='sync = "off";')
    house.drop_in("downtown", sync='sync: { products = "20m"; };')
    plan = ends(tillbridge("reload", "--dry-run"), 3).out
    tap.true(re.search(r"^\+ uptown", plan, re.M) and re.search(r'^~ downtown/pos sync.*"20m"', plan, re.M), plan)
    tap.equal([one["id"] for one in house.all("/v1/stores")], ["downtown"])
    tap.equal(ends(tillbridge("reload"), 0).out, plan)
    tap.equal([one["id"] for one in house.all("/v1/stores")], ["downtown", "uptown"])
    house.drop_in("uptown", sync='sync = "off";', api_key="another")
    plan = ends(tillbridge("reload"), 0).out
    tap.equal(plan, '~ uptown/pos api_key: "(hidden)", another value\n')
    os.unlink(house.path("conf.d", "uptown.conf"))
    tap.true("- uptown" in ends(tillbridge("reload"), 0).out, "a store that is gone")
    house.drop_in("downtown", sync='sync: { products = "20 min"; };')
    ran = ends(tillbridge("reload"), 1)
    tap.true('sync.products is "20 min"' in ran.err and "1 store has errors and keeps its running configuration." in ran.err, ran.err)
    tap.true(json.loads(tillbridge("reload", "--json").out)["errors"], "the plan as JSON")
    ends(tillbridge("reload", "--json"), 1)


# Without the daemon

def test_check_tells_all_mistakes_in_one_go():
    house = House(size=3)
    tillbridge = of(house)
    tap.equal(ends(tillbridge("check"), 0).out, "1 store is fine.\n")
    house.drop_in("uptown", sync='sync: { products = "15 min"; };', api_kye="x")
    house.drop_in("harbor", plugin_name="blaze")
    ran = ends(tillbridge("check"), 1)
    for words in ('no setting "api_kye" in plugin treez', 'did you mean "api_key"?', 'sync.products is "15 min"', 'no plugin "blaze" is installed'):
        tap.true(words in ran.out, ran.out)
    tap.equal(ran.out.splitlines()[-1], "2 stores have errors; 1 store is fine.")
    problems = [json.loads(line) for line in tillbridge("check", "--json").out.splitlines()]
    tap.true({"file", "line", "column", "severity", "text"} <= set(problems[0]), problems)
    tap.equal(ends(tillbridge("check", house.path("conf.d", "downtown.conf")), 0).out, "1 store is fine.\n")
    ends(tillbridge("check", house.path("conf.d", "uptown.conf")), 1)
    ends(tillbridge("check", house.path("nosuch.conf")), 1)
    tap.true("\033[1;31merror" in tillbridge("check", "--color=always").out, "colour when it is asked for")
    house.write("tillbridge.conf", "lissten: { };")
    tap.true('did you mean "listen"?' in ends(tillbridge("check"), 1).out, "the host's file")
    ends(run("check", "--config", house.path("nosuch.conf")), 1)


def test_config_show_hides_secrets():
    house = House(size=3)
    tillbridge = of(house)
    secret = house.sandbox.vendor("treez")["settings"]["api_key"]
    ran = ends(tillbridge("config", "show", "--origin"), 0)
    tap.true(secret not in ran.out and "(hidden)" in ran.out, ran.out)
    tap.true(re.search(r'dispensary = "downtown"; +# .*downtown.conf:\d+$', ran.out, re.M), ran.out)
    tap.true("listen.api" not in ends(tillbridge("config", "show", "downtown"), 0).out, "one store")
    tap.true("alerts.late_after = 2" in ends(tillbridge("config", "show", "--all"), 0).out, "defaults")
    tap.equal(objects(tillbridge("config", "show", "--json"))[0]["stores"][0]["id"], "downtown")
    tap.true('did you mean "downtown"?' in ends(tillbridge("config", "show", "dwontown"), 1).err, "the nearest")
    house.drop_in("uptown", plugin_name="blaze")
    tap.true("uptown has errors" in ends(tillbridge("config", "show", "uptown"), 1).err, "a store with errors")
    tap.true("left out" in ends(tillbridge("config", "show"), 0).err, "what is not shown is said")


def test_plugins_are_read_from_their_files():
    house = House(size=3)
    tillbridge = of(house)
    ran = ends(tillbridge("plugins"), 0)
    tap.true(re.search(r"^treez +\d", ran.out, re.M) and "does not answer" in ran.err, ran)
    tap.true(re.search(r"^dispensary +text +yes", ends(tillbridge("plugin", "show", "treez"), 0).out, re.M), "its settings")
    tap.equal(objects(tillbridge("plugin", "show", "treez", "--json"))[0]["name"], "treez")
    tap.true('did you mean "treez"?' in ends(tillbridge("plugin", "show", "trez"), 1).err, "the nearest")
    house.write("plugins/broken.so", "not a plugin")
    tap.true(re.search("^broken .*refused", ends(tillbridge("plugins"), 0).out, re.M), "a refused one")


def test_no_daemon_ends_with_4():
    house = House(size=3)
    tillbridge = of(house)
    for words in (["status"], ["stores"], ["sync", "downtown/pos"], ["reload"], ["passes", "accept", "x"], ["changes", "--json"]):
        ran = ends(tillbridge(*words), 4)
        tap.true(house.path("api.sock") in ran.err and "is tillbridged running?" in ran.err, ran.err)
        tap.equal(ran.out, "")
    ends(tillbridge("reload", "--if-running"), 0)
    ends(tillbridge("reload", "--if-running", "--dry-run"), 0)
    tap.true("/nowhere/a.sock" in ends(tillbridge("stores", TILLBRIDGE_SOCKET="/nowhere/a.sock"), 4).err, "from the environment")
    tap.true("/b.sock" in ends(tillbridge("stores", "--socket", "/b.sock", TILLBRIDGE_SOCKET="/a.sock"), 4).err, "the option wins")
    house.write("tillbridge.conf", 'listen: { socket = "off"; };')
    tap.true('listen.socket is "off"' in ends(tillbridge("stores"), 1).err, "no socket")


# On a terminal

def test_a_terminal_sees_progress_and_colours():
    house, tillbridge = started("millrace")
    config = house.path("tillbridge.conf")
    ends(tillbridge("sync", "downtown/pos"), 0)
    house.sandbox.fault("slow", vendor="millrace", route="*", share=1, ms=150)
    ran = ends(run_on_terminal("--config", config, "sync", "downtown/pos/products", "--full"), 0)
    tap.true(re.search(r"\rdowntown/pos/products  \[#* *\] +\d+ %  \d+ of about \d+\033\[K", ran.out), ran.out)
    tap.true("\r\033[Kdowntown/pos/products: full pass \033[32mcomplete\033[0m in " in ran.out, ran.out)
    house.sandbox.admin("DELETE", "faults")
    tap.true("\033[32m" in run_on_terminal("--config", config, "status").out, "the verdict is tinted")
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        tap.true("\033[3" not in run_on_terminal("--config", config, "status", **env).out, env)
    tap.true("\033[3" not in run_on_terminal("--config", config, "status", "--color=never").out, "never")
    tap.true("\033[32m" in tillbridge("status", "--color=always").out, "always")
    narrow = run_on_terminal("--config", config, "products", "downtown", "--color=never", width=80).out
    tap.equal([line for line in narrow.splitlines() if len(line) > 80], [])


# Made-up answers

def test_items_come_through_unchanged_over_many_pages():
    items = ['{"id":"%d", "n":1.50,"s":"a\\/b \\u00e9","big":18446744073709551615}' % number for number in range(2345)]
    tillbridge = canned(lambda path, query: page_of(items, query, least=700))
    tap.equal(ends(tillbridge("passes", "--json", http_proxy="http://127.0.0.1:1"), 0).out.splitlines(), items)
    tap.equal(ends(tillbridge("passes", "--json", "--limit", "1000"), 0).out.splitlines(), items[:1000])


def test_many_fine_connectors_are_folded_and_the_worst_come_first():
    def state(number):
        return "failing" if number == 77 else "late" if number == 5 else "ok"

    def answer(path, query):
        if path == "/v1/stores":
            return page_of([json.dumps({"id": f"s{n}", "name": f"Store {n}", "state": state(n), "text": "Pos is not well."}) for n in range(100)], query)
        return page_of([json.dumps({"store": f"s{n}", "name": "pos", "plugin": "treez", "state": state(n), "streams": {}}) for n in range(100)], query)
    tillbridge = canned(answer)
    lines = ends(tillbridge("status"), 0).out.splitlines()
    tap.equal(lines[0], "98 of 100 stores are fine. Store 5: Pos is not well. Store 77: Pos is not well.")
    tap.true(lines[3].startswith("s77/pos") and lines[4].startswith("s5/pos"), lines[:6])
    tap.equal(lines[-1], "60 more connectors are fine; --all shows them.")
    tap.equal(len(ends(tillbridge("status", "--all"), 0).out.splitlines()), 103)


def test_a_sync_does_not_wait_for_what_a_person_must_mend():
    waiting = {"id": "pass_1", "store": "a", "connector": "b", "stream": "products", "type": "full", "state": "waiting"}
    stream = {"state": "stopped", "text": "The plugin is not installed or was refused.", "detail": "built for another SDK"}

    def answer(path, query):
        if path.endswith("/sync"):
            return 202, json.dumps({"passes": [waiting]}).encode()
        return 200, json.dumps(waiting if "/passes/" in path else {"streams": {"products": stream}}).encode()
    ran = ends(canned(answer)("sync", "a/b"), 1)
    tap.true("a/b/products is stopped: The plugin is not installed or was refused. built for another SDK" in ran.err, ran.err)


def test_vendors_texts_do_not_steer_the_terminal():
    reject = json.dumps({"store": "a", "connector": "b", "stream": "products", "reason": "not_a_number", "detail": "\033]0;owned\007"})
    tillbridge = canned(lambda path, query: page_of([reject], query))
    ran = ends(tillbridge("rejects"), 0)
    tap.true("owned" in ran.out and "\033" not in ran.out and "\007" not in ran.out, repr(ran.out))


def test_answers_of_another_program_are_told():
    ran = ends(canned(lambda path, query: (500, b"<html>oops</html>"))("stores"), 1)
    tap.true("none of tillbridged's" in ran.err, ran.err)
    ran = ends(canned(lambda path, query: (200, b"<html>hello</html>"))("stores"), 1)
    tap.true("cannot be read" in ran.err, ran.err)
    ends(canned(lambda path, query: (200, b'{"items":[{"id":"a"},'))("stores", "--json"), 1)
    ends(canned(lambda path, query: (200, b"[]"))("status", "a/b"), 1)
    ends(canned(lambda path, query: (None, b""))("stores"), 4)


def test_a_reader_that_leaves_is_no_failure():
    items = [json.dumps({"id": str(number), "name": "x" * 1000}) for number in range(3000)]
    path = os.path.join(tap.folder(), "api.sock")
    with socketserver.ThreadingUnixStreamServer(path, Canned) as server:
        server.daemon_threads = True
        server.answer = lambda _path, query: page_of(items, query)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for words in (["passes", "--json"], ["passes", "--limit", "3000"], ["help"]):
            with subprocess.Popen([tap.built("tillbridge"), "--socket", path, *words], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env=environment()) as process:
                process.stdout.read(10)
                process.stdout.close()
                tap.equal(process.wait(tap.PATIENCE_S), 0, words)
                tap.equal(process.stderr.read(), b"")
        server.shutdown()
    with open("/dev/full", "wb") as full:
        done = subprocess.run([tap.built("tillbridge"), "help"], stdout=full, stderr=subprocess.PIPE, env=environment(), check=False)
    tap.true(done.returncode == 1 and b"the output cannot be written" in done.stderr, done)


tap.run(globals())
