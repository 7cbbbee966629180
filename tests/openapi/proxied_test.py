"""The end-to-end tests once more, with a proxy between them and the API that knows its description: an answer that is not
as described fails the test that asked."""
import concurrent.futures
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import tap  # noqa: E402
from house import House  # noqa: E402
from proxy import Proxy, tool  # noqa: E402

# Left out: what is about bytes (a proxy writes 5.0 as 5), connections and files, or about an end of the daemon, which a
# proxy would hide. Streams go past it (tap.request()): events and the snapshot are looked at in openapi_test.py.
DIRECT = ["-socket", "-cannot_start", "-signal", "-service_manager", "-while_it_ends", "-daemon_ends", "-too_large",
          "-garbage", "-goes_while", "-tag_that_stands"]
# Tests that wait a minute for a second pass: at the same time as the others.
SLOW = ["price_change_travels", "held_pass"]
RUNS = [("api_test.py", [*DIRECT, *("-" + word for word in SLOW)]), *(("api_test.py", [word]) for word in SLOW),
        ("stores_test.py", []), ("plugins_test.py", ["crashes", "refused"]), ("read_test.py", DIRECT),
        ("overrides_test.py", ["override_wins", "if_match", "refused_by_field"])]


def description():
    """What a daemon says of itself, in a file."""
    house = House(size=5).start()
    path = house.path("openapi.json")
    with open(path, "wb") as file:
        file.write(house.get("/v1/openapi.json").body)
    house.stop()
    return path


def run(proxy, name, words):
    """What went wrong, ""."""
    done = subprocess.run([sys.executable, tap.source("tests", "e2e", name), *words], env={**os.environ, "TB_PROXY": proxy.address},
                          capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode == 0 and any(line.startswith("ok") for line in lines):
        return ""
    return f"{name}:\n" + "\n".join(line for line in lines if not line.startswith("ok")) + done.stderr


def test_the_api_answers_the_end_to_end_tests_as_described():
    tool("prism")
    with Proxy(description()) as proxy, concurrent.futures.ThreadPoolExecutor(len(RUNS)) as runs:
        wrong = "".join(runs.map(lambda one: run(proxy, *one), RUNS))
    tap.true(not wrong, wrong)


tap.run(globals())
