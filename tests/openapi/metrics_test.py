"""/metrics is what Prometheus' own checker accepts."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import tap  # noqa: E402
from house import House  # noqa: E402


def promtool():
    program = os.environ.get("TB_PROMTOOL") or shutil.which("promtool")
    if not program:
        tap.skip("promtool (Debian: prometheus) is not there")
    return program


def complaints(text):
    done = subprocess.run([promtool(), "check", "metrics"], input=text, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode()


def test_promtool_has_nothing_to_say():
    promtool()
    house = House(size=60).start()
    house.sync("products", full=True)
    house.kill_worker()
    house.sync("inventory", full=True)
    house.json("/v1/stores")
    tap.equal(complaints(house.get("/metrics").body), (0, ""))


def test_promtool_finds_what_is_wrong():
    text = b"# HELP tillbridge_calls Calls.\n# TYPE tillbridge_calls counter\ntillbridge_calls 1\n"
    status, said = complaints(text)
    tap.true(status != 0 and "_total" in said, said)


tap.run(globals())
