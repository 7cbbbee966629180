"""catalogue: all products of a sandbox's Treez, page by page, into the store."""
import hashlib
import shutil
import sqlite3
import statistics
import sys
import tempfile

from parts import Daemon, Limit, Sandbox, print_table

AIMS = {"best": {"empty": 0.8, "unchanged": 0.7, "changed": 0.75}, "plain": {"empty": 5, "unchanged": 35, "changed": 18}}


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


def run(options):
    names = ["best"] if options.no_plain else ["best", "plain"]
    sandbox = Sandbox(options.products)
    sandbox.send(options.sent)
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
    return {"products": options.products, "sent": options.sent, "pairs": pairs, "table": table}


def show(found):
    print(f"catalogue, {found['products']} products, sent {found['sent']}: CPU microseconds a product; limit / ours")
    columns = [("", "case"), ("ours", "ours_us"), ("hub", "hub_us"), ("worker", "worker_us")]
    for name in [name for name in AIMS if "to_" + name in found["table"][0]]:
        columns += [(name, name + "_us"), ("ratio", "to_" + name), ("aim", "aim_" + name)]
    print_table(found["table"], columns)
