"""memory: what hub and worker hold of a million products."""
import shutil
import tempfile

from parts import Daemon, Sandbox, print_table

MEMORY_AIM_MIB = {"hub": 96, "worker": 64}


def run(options):
    folder = tempfile.mkdtemp(prefix="tb-bench-", dir=options.folder)
    sandbox = Sandbox(options.memory_products)
    daemon = Daemon(sandbox, folder)
    found = {"products": options.memory_products, "aim_mib": MEMORY_AIM_MIB, "mib": {"start": daemon.memory()}}
    for name in ("first pass", "unchanged pass"):
        daemon.run_pass()
        found["mib"][name] = daemon.memory()
    daemon.end()
    daemon = Daemon(sandbox, folder)  # reads what it knows from the store
    daemon.run_pass()
    found["mib"]["restart and a pass"] = daemon.memory()
    daemon.end()
    sandbox.end()
    shutil.rmtree(folder)
    return found


def show(found):
    print(f"memory, {found['products']} products: MiB, VmHWM is the peak; "
          "aims: " + ", ".join(f"{name} {aim}" for name, aim in MEMORY_AIM_MIB.items()))
    rows = [{"case": f"{process} after {moment}" if moment != "start" else f"{process} at start", **values}
            for moment, sizes in found["mib"].items() for process, values in sizes.items()]
    print_table(rows, [("", "case")] + [(key, key) for key in ("VmHWM", "VmRSS", "RssAnon", "RssFile")])
