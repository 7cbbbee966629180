"""The house rules that a machine can hold: floors, sizes, formatting, and what a plugin may include."""
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.environ["TB_SOURCE"]
sys.path.insert(0, os.path.join(SOURCE, "tests/e2e"))
import tap  # noqa: E402

# Floors from the ground up: a room may include itself and those on lower floors.
FLOORS = [["base"], ["json"], ["model"], ["wire"], ["config", "secrets", "store"], ["hub", "worker"], ["api"], ["cli"]]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
SDK_READERS = {"worker", "model"}
# Libraries that one room alone may know.
LIBRARIES = {"curl/": {"worker", "cli"}, "microhttpd.h": {"api"}, "sqlite3.h": {"store"}, "libpq": {"store"}, "libconfig.h": {"config"}}
LINES_MOST, COMPLEXITY_MOST = 100, 25


def sources(*folders):
    for folder in folders:
        for path, _, names in sorted(os.walk(os.path.join(SOURCE, folder))):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.join(path, name)


def includes(path):
    with open(path, encoding="utf-8") as text:
        return re.findall(r'^\s*#\s*include\s+[<"]([^">]+)[">]', text.read(), re.M)


def test_a_room_includes_only_rooms_below_it():
    wrong = []
    for path in sources("host"):
        room = os.path.relpath(path, os.path.join(SOURCE, "host")).split(os.sep)[0]
        if room not in FLOOR:
            continue  # the daemon's main stands above all
        for name in includes(path):
            other = name.split("/")[0]
            if "/" in name and other in FLOOR and other != room and FLOOR[other] >= FLOOR[room]:
                wrong.append(f"{path}: {name}")
            if name.startswith("tillbridge/") and room not in SDK_READERS:
                wrong.append(f"{path}: {name} is for worker, model and plugins")
            wrong += [f"{path}: {name}" for key, rooms in LIBRARIES.items() if name.startswith(key) and room not in rooms]
    tap.equal(wrong, [])


def test_a_plugin_includes_the_sdk_libc_and_its_own_files():
    wrong = []
    for path in sources("plugins"):
        for name in includes(path):
            own = os.path.exists(os.path.join(os.path.dirname(path), name))
            if not own and not name.startswith("tillbridge/") and "/" in name:
                wrong.append(f"{path}: {name}")
    tap.equal(wrong, [])


def test_functions_fit_on_a_screen():
    if not shutil.which("pmccabe"):
        tap.skip("pmccabe is not installed")
    files = list(sources("host", "plugins", "sdk", "tests"))
    out = subprocess.run(["pmccabe", *files], capture_output=True, text=True, check=True).stdout
    wrong = []
    for line in out.splitlines():
        complexity, _, _, _, lines, rest = line.split("\t", 5)
        if int(complexity) > COMPLEXITY_MOST or int(lines) > LINES_MOST:
            wrong.append(f"{rest}: {lines} lines, complexity {complexity}")
    tap.equal(wrong, [])


def test_sources_are_formatted():
    if not shutil.which("clang-format"):
        tap.skip("clang-format is not installed")
    generated = ("sdk-layout.h",)
    files = [path for path in sources("host", "plugins", "sdk", "tests") if not path.endswith(generated)]
    out = subprocess.run(["clang-format", "--dry-run", "--style=file", *files], capture_output=True, text=True).stderr
    wrong = sorted({line.split(":")[0] for line in out.splitlines() if "clang-format-violations" in line})
    tap.equal(wrong, [])


tap.run(globals())
