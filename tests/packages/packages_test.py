"""The Debian packages in a fresh Debian under a real systemd, from installation to purge. One story in one machine: each test
goes on where the one before it stopped. TB_DEBS: a folder of packages to take instead of building them."""
import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import clients  # noqa: E402
import tap  # noqa: E402
from machine import Machine, run, why_not  # noqa: E402

BUILD_OPTIONS = "nocheck parallel=2"  # the tests run in ./check already
EXPOSURE_MOST = 20  # tenths, as systemd-analyze counts
SOCKET = "/run/tillbridge/api.sock"


def build():
    """The packages: name -> file."""
    folder = os.environ.get("TB_DEBS")
    if not folder:
        folder = tap.built("packages-test")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "TB_", "G_DEBUG", "ASAN"))}
        run("make", "-s", "-C", tap.built(), "deb", "DEB_DIR=packages-test", env={**environment, "DEB_BUILD_OPTIONS": BUILD_OPTIONS})
    found = {os.path.basename(name).split("_")[0]: name for name in glob.glob(os.path.join(folder, "*.deb"))}
    tap.true({"tillbridge", "tillbridge-plugin-treez"} <= found.keys(), f"the packages are built: {found}")
    return found


class NoMachine(Exception):
    pass


class Story:
    """What the tests share."""

    def __init__(self):
        self.debs = build()
        self.machine = Machine()
        self.sandbox = None
        try:
            self.prepare()
        except BaseException:
            self.end()
            raise

    def prepare(self):
        machine = self.machine
        machine.bootstrap(tap.built("packages-test-system.tar"))
        os.mkdir(machine.path("debs"))
        for name in ("tillbridge", "tillbridge-plugin-treez"):
            shutil.copy(self.debs[name], machine.path("debs"))
        self.make_plugin_of_tomorrow()
        machine.fetch(self.deb("tillbridge"))
        try:
            machine.boot()  # nothing of ours is in it yet
        except (AssertionError, OSError) as error:
            raise NoMachine(f"systemd does not boot here: {error}") from None

    def make_plugin_of_tomorrow(self):
        """The plugin as it will be once it needs a newer SDK."""
        folder = os.path.join(self.machine.folder, "tomorrow")
        run("dpkg-deb", "-R", self.debs["tillbridge-plugin-treez"], folder)
        with open(os.path.join(folder, "DEBIAN/control"), "r+", encoding="utf-8") as file:
            text = file.read()
            file.seek(0)
            file.truncate()
            file.write(re.sub(r"tillbridge-abi-(\d+) \(>= \d+\)", r"tillbridge-abi-\1 (>= 99)", text))
        run("dpkg-deb", "-b", "--root-owner-group", folder, self.machine.path("debs/tomorrow.deb"))

    def end(self):
        if self.sandbox:
            self.sandbox.terminate()
            self.sandbox.wait(tap.PATIENCE_S)
        self.machine.stop()

    def deb(self, name):
        return "/debs/" + os.path.basename(self.debs[name])

    # ---- the daemon in there ----

    def get(self, path):
        """Over the socket: its file is reached from here."""
        connection = clients.unix(self.machine.inside(SOCKET))
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body) if body.startswith(b"{") else body

    def is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def pid(self):
        return int(self.machine.property("MainPID"))

    def restarts(self):
        return int(self.machine.property("NRestarts"))

    def plugins(self):
        return [one["name"] for one in self.get("/v1/plugins")[1]["items"]]

    def crowd(self):
        machine = self.machine
        return clients.Crowd([lambda: clients.tcp(8420)] * 2 + [lambda: clients.unix(machine.inside(SOCKET))] * 2, "/v1/stores", machine.enter_network)

    def start_vendor(self):
        """The imitated vendor, in the network of the machine."""
        self.sandbox = subprocess.Popen(["nsenter", "-t", str(self.machine.leader), "-n", tap.built("tillbridge-sandbox"), "--size", "100", "--rate", "0", "treez"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        return json.loads(self.sandbox.stdout.readline())["vendors"]["treez"]


def test_the_archive_holds_all_of_the_tree():
    """The packages are made of the archive: what is missing there is missing in them."""
    archives = glob.glob(tap.built("tillbridge-*.tar.xz"))
    if os.environ.get("TB_DEBS") or not archives or not os.path.exists(tap.source(".git")):
        tap.skip("nothing to compare")
    held = {name.partition("/")[2] for name in run("tar", "-tf", archives[0]).splitlines()}
    kept = run("git", "-c", "safe.directory=*", "-C", tap.source(), "ls-files").splitlines()
    tap.equal([name for name in kept if name not in held and name != ".gitignore"], [])


def test_lintian_finds_nothing():
    if not shutil.which("lintian"):
        tap.skip("lintian is not installed")
    files = [story.debs[name] for name in ("tillbridge", "tillbridge-plugin-treez")]
    tap.equal(run("lintian", "--fail-on", "error,warning", "--allow-root", *files, check=False), "")


def test_a_plugin_is_a_file_and_nothing_runs_to_install_it():
    deb = story.debs["tillbridge-plugin-treez"]
    files = [line.split()[-1] for line in run("dpkg-deb", "-c", deb).splitlines() if not line.startswith("d")]
    tap.equal([name for name in files if not name.startswith(("./usr/share/doc/", "./usr/lib/"))], [])
    tap.equal(sorted(os.path.basename(name) for name in files if name.startswith("./usr/lib/")), ["treez.so"])
    control = run("dpkg-deb", "--info", deb)
    tap.equal(re.findall(r"\b(?:pre|post)(?:inst|rm)\b|conffiles|triggers", control), [])
    tap.true(re.search(r"Depends:.* tillbridge-abi-\d+ \(>= \d+\)", control), control)


def test_the_host_is_installed_and_runs():
    story.machine.apt("install", story.deb("tillbridge"))
    tap.wait_until(story.is_ready, "the daemon is ready")
    tap.equal(story.machine.property("ActiveState"), "active")
    tap.equal(story.machine.property("StatusText"), "Running with 0 stores.")
    tap.equal(story.machine.run("stat", "-c", "%U %a", "/var/lib/tillbridge", "/etc/tillbridge/conf.d", "/etc/tillbridge/keys").split(),
              ["tillbridge", "700", "root", "2755", "root", "2750"])
    tap.true(stat.S_IMODE(os.stat(story.machine.inside(SOCKET)).st_mode) == 0o666, "everybody may ask at the socket")
    tap.equal(story.machine.run("stat", "-c", "%U", f"/proc/{story.pid()}").strip(), "tillbridge")


def test_the_unit_is_right_and_closed():
    tap.equal(story.machine.run("systemd-analyze", "verify", "--man=no", "tillbridged.service"), "")
    said = story.machine.run("systemd-analyze", "security", "--no-pager", f"--threshold={EXPOSURE_MOST}", "tillbridged.service")
    print("#", re.search(r"Overall exposure level.*?: [\d.]+", said).group(0))


def test_the_example_of_the_hosts_settings_says_what_is_without_it():
    def shown():
        return story.machine.run("tillbridge", "config", "show", "--all").splitlines()[1:]

    before = shown()
    story.machine.run("cp", "/usr/share/doc/tillbridge/examples/tillbridge.conf.example", "/etc/tillbridge/tillbridge.conf")
    story.machine.run("tillbridge", "check")
    tap.equal(shown(), before)


def test_a_plugin_is_installed_later_and_the_running_daemon_notices():
    before = story.pid()
    tap.equal(story.plugins(), [])
    said = story.machine.apt("install", story.deb("tillbridge-plugin-treez"))
    tap.true("+ plugin treez" in said, said)
    tap.equal((story.plugins(), story.pid()), (["treez"], before))


def test_a_plugin_for_a_newer_host_is_refused_before_anything_is_unpacked():
    said = story.machine.apt("install", "--reinstall", "/debs/tomorrow.deb", check=False)
    tap.true(re.search(r"Depends: tillbridge-abi-\d+ \(>= 99\)", said), said)
    tap.equal(story.plugins(), ["treez"])


def test_a_store_is_served_without_a_restart():
    before = story.pid()
    vendor = story.start_vendor()
    key = vendor["settings"].pop("api_key")
    settings = " ".join(f"{name} = {json.dumps(value)};" for name, value in vendor["settings"].items())
    machine = story.machine
    with open(machine.inside("/etc/tillbridge/keys/downtown-treez"), "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o640)) as file:
        file.write(key)
    with open(machine.inside("/etc/tillbridge/conf.d/downtown.conf"), "w", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o640)) as file:
        file.write(f"""store: {{ id = "downtown"; timezone = "America/Los_Angeles"; currency = "USD"; connectors: {{ pos: {{
            plugin = "treez"; url = "{vendor["url"]}"; allow_private = true; {settings} api_key = "file:/etc/tillbridge/keys/downtown-treez"; }}; }}; }};""")
    tap.equal(machine.run("stat", "-c", "%G", "/etc/tillbridge/keys/downtown-treez").strip(), "tillbridge")
    machine.run("tillbridge", "check")
    machine.run("systemctl", "reload", "tillbridged")
    tap.wait_until(lambda: story.get("/v1/stores/downtown/products?limit=1")[1]["items"], "products are served")
    tap.equal((story.pid(), story.restarts()), (before, 0))
    tap.equal(machine.property("StatusText"), "Running with 1 store.")


def test_a_restart_refuses_nobody_and_cuts_nobody_off():
    before, crowd = story.pid(), story.crowd()
    crowd.wait_for_answers()
    story.machine.run("systemctl", "restart", "tillbridged")
    crowd.wait_for_answers()
    crowd.end()
    print(f"# systemctl restart: {crowd}")
    tap.equal((crowd.refused(), crowd.cut()), ([], []))
    tap.true(story.pid() != before, "it was restarted")
    tap.equal(story.machine.property("NFileDescriptorStore"), "2")


def test_a_kill_refuses_nobody():
    before, crowd = story.restarts(), story.crowd()
    for number in range(3):
        crowd.wait_for_answers()
        story.machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "tillbridged")
        tap.wait_until(lambda: story.restarts() == before + number + 1 and story.machine.property("SubState") == "running", "it runs again")
    crowd.wait_for_answers()
    crowd.end()
    print(f"# 3 times kill -9: {crowd}")
    tap.equal(crowd.refused(), [])
    tap.true(len(crowd.cut()) <= 3 * len(crowd.clients), f"what was being answered is cut off at most: {crowd.cut()}")


def test_a_new_version_is_installed_under_load():
    before, crowd = story.pid(), story.crowd()
    crowd.wait_for_answers()
    story.machine.apt("install", "--reinstall", story.deb("tillbridge"))
    tap.wait_until(story.is_ready, "it is ready")
    crowd.wait_for_answers()
    crowd.end()
    print(f"# apt-get install --reinstall: {crowd}")
    tap.equal((crowd.refused(), crowd.cut()), ([], []))
    tap.true(story.pid() != before, "the new one runs")


def test_the_watchdog_ends_a_daemon_that_stands():
    machine = story.machine
    machine.run("mkdir", "-p", "/run/systemd/system/tillbridged.service.d")
    machine.run("sh", "-c", "printf '[Service]\\nWatchdogSec=2s\\n' > /run/systemd/system/tillbridged.service.d/soon.conf && systemctl daemon-reload")
    machine.run("systemctl", "restart", "tillbridged")
    before, restarts = story.pid(), story.restarts()
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "tillbridged")
    tap.wait_until(lambda: story.restarts() > restarts and story.is_ready(), "it was started again")
    tap.true(story.pid() != before, "another one runs")
    tap.true("watchdog" in machine.run("journalctl", "--no-pager", "-u", "tillbridged").lower(), "the journal says why")
    machine.run("rm", "-r", "/run/systemd/system/tillbridged.service.d")
    machine.run("systemctl", "daemon-reload")


def test_a_stop_leaves_nothing_open():
    machine = story.machine
    machine.run("systemctl", "stop", "tillbridged")
    tap.equal((machine.property("NFileDescriptorStore"), machine.property("Result")), ("0", "success"))
    tap.true(not os.path.exists(machine.inside(SOCKET)), "the socket's file is gone")
    tap.equal(machine.run("tillbridge", "reload", "--if-running"), "")
    machine.run("systemctl", "start", "tillbridged")
    tap.true(story.is_ready(), "started is ready")


def test_a_plugin_that_is_removed_is_noticed_and_its_store_stays():
    before = story.pid()
    said = story.machine.apt("remove", "tillbridge-plugin-treez")
    tap.true("- plugin treez" in said, said)
    tap.equal(story.pid(), before)
    tap.true(story.get("/v1/stores/downtown/products?limit=1")[1]["items"], "what is known is served on")


def test_a_purge_takes_the_state_and_leaves_what_the_operator_wrote():
    machine = story.machine
    machine.apt("purge", "tillbridge")
    tap.equal(machine.run("sh", "-c", "cd /etc/tillbridge && ls conf.d keys tillbridge.conf").split(),
              ["tillbridge.conf", "conf.d:", "downtown.conf", "keys:", "downtown-treez"])
    for gone in ("/var/lib/tillbridge", "/run/tillbridge", "/lib/systemd/system/tillbridged.service", "/usr/sbin/tillbridged"):
        tap.true(not os.path.exists(machine.inside(gone)), f"{gone} is gone")
    tap.equal(machine.run("sh", "-c", "grep -l tillbridge[d] /proc/[0-9]*/comm || true"), "")


def test_an_untouched_configuration_goes_with_the_purge():
    machine = story.machine
    machine.run("rm", "-r", "/etc/tillbridge")
    machine.apt("install", story.deb("tillbridge"))
    machine.apt("purge", "tillbridge")
    tap.true(not os.path.exists(machine.inside("/etc/tillbridge")), "/etc/tillbridge is gone")


def reason():
    """Why it cannot be shown here; None: it can."""
    if "DEB_HOST_ARCH" in os.environ:
        return "a package is being built"
    if not os.environ.get("TB_DEBS"):
        for tool in ("dpkg-buildpackage", "dh", "make"):
            if not shutil.which(tool):
                return f"needs {tool}"
    return why_not()


def skip_all(why):
    print(f"1..0 # SKIP {' '.join(str(why).split())}")
    sys.exit(0)


if reason():
    skip_all(reason())
try:
    story = Story()
except NoMachine as error:
    skip_all(error)
try:
    tap.run(globals())
finally:
    story.end()
