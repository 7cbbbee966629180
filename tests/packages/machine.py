"""A fresh, minimal Debian that really boots: debootstrap, then systemd-nspawn with systemd as its first process.

It has processes, mounts and a network of its own; all of it goes with stop(). What apt will need is fetched beforehand,
so nothing runs with the network of this machine but the fetching."""
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request

import tap

CLONE_NEWNET = 0x40000000
BOOT_S = 60
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def run(*argv, check=True, **options):
    """A program's output, errors among it."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout[-4000:]}")
    return done.stdout


def mirror():
    """Where this machine's apt gets Debian from, and its release."""
    texts = []
    for name in glob.glob("/etc/apt/sources.list.d/*") + ["/etc/apt/sources.list"]:
        if os.path.isfile(name):
            with open(name, encoding="utf-8") as file:
                texts.append(file.read())
    found = re.findall(r"(?:^URIs:|^deb(?: \[.*?\])?) +(\S+/debian)/?(?=\s)", "\n".join(texts), re.M)
    with open("/etc/os-release", encoding="utf-8") as file:
        release = re.search(r"^VERSION_CODENAME=(\w+)", file.read(), re.M)
    return (found[0], release.group(1)) if found and release else (None, None)


def own_groups():
    """The folders of our own control groups in which systemd counts its services: the machine gets one of its own in each."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        lines = [line.rstrip("\n").split(":", 2) for line in file]
    names = {"": ("unified", "."), "name=systemd": ("systemd",)}
    found = [os.path.normpath(f"/sys/fs/cgroup/{name}/{path}") for _, group, path in lines for name in names.get(group, ())]
    return [folder for folder in found if os.path.exists(os.path.join(folder, "cgroup.procs"))]


def why_not():
    """Why no machine can be made here; None: it can."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("debootstrap", "systemd-nspawn", "nsenter", "unshare"):
        if not shutil.which(tool):
            return f"needs {tool}"
    uri, release = mirror()
    if not uri:
        return "this machine's apt has no Debian mirror"
    try:
        with urllib.request.urlopen(f"{uri}/dists/{release}/InRelease", timeout=20):
            pass
    except OSError as error:
        return f"{uri} cannot be reached: {error}"
    if subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, check=False).returncode:
        return "no mounts and processes of its own can be made here, as in a chroot"
    return None


class Machine:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="tb-machine-")
        os.chmod(self.folder, 0o755)
        self.root = os.path.join(self.folder, "root")
        self.nspawn = self.leader = None
        self.groups = [os.path.join(group, os.path.basename(self.folder)) for group in own_groups()]

    # ---- its disk ----

    def bootstrap(self, cache):
        """cache: a tarball of the bare system, made when it is not there."""
        uri, release = mirror()
        if not os.path.exists(cache):
            run("debootstrap", "--variant=minbase", "--include=systemd,ca-certificates", release, self.root, uri,
                env={**os.environ, "PATH": PATH})
            run("tar", "-C", self.root, "-cf", cache + ".part", ".")
            os.rename(cache + ".part", cache)
        else:
            os.mkdir(self.root, 0o755)
            run("tar", "-C", self.root, "-xf", cache)
        acquire = [line for line in run("apt-config", "dump").splitlines() if re.match(r"Acquire::(Check-|https?::)", line)]
        self.write("etc/apt/apt.conf.d/99here", "\n".join(acquire) + "\n")

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def write(self, name, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    def fetch(self, *packages):
        """What apt will need to install these, with the network of this machine."""
        shutil.copy("/etc/resolv.conf", self.path("etc/resolv.conf"))
        script = f"apt-get update -qq && apt-get install -qq -y --no-install-recommends --download-only {' '.join(packages)}"
        run("unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "sh", "-c",
            f"mount -t proc proc {self.root}/proc && mount --rbind /dev {self.root}/dev && exec chroot {self.root} sh -c '{script}'",
            env={"PATH": PATH, "LC_ALL": "C.UTF-8", **{name: value for name, value in os.environ.items() if name.endswith("_proxy")}})

    # ---- its life ----

    def boot(self):
        for folder in self.groups:
            os.mkdir(folder)
        enter = "".join(f"echo $$ > {folder}/cgroup.procs; " for folder in self.groups)
        with open(os.path.join(self.folder, "console"), "w", encoding="utf-8") as console:
            self.nspawn = subprocess.Popen(["sh", "-c", enter + 'exec "$@"', "sh", "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--boot",
                                            "--console=pipe", "--resolv-conf=off", "--machine=tillbridge-test", "-D", self.root],
                                           stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        tap.wait_until(self._find_leader, "systemd is started", BOOT_S)
        tap.wait_until(lambda: self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded"),
                       "the machine has booted", BOOT_S)

    def _find_leader(self):
        """nspawn's grandchild that is process 1 in there; the outer child comes first."""
        if self.nspawn.poll() is not None:
            with open(os.path.join(self.folder, "console"), encoding="utf-8") as console:
                raise AssertionError(f"systemd-nspawn ended: {console.read()[-2000:]}")
        pids = [self.nspawn.pid]
        for pid in pids:
            with open(f"/proc/{pid}/status", encoding="utf-8") as status:
                if re.search(r"^NSpid:\s+\d+\s+1$", status.read(), re.M):
                    self.leader = pid
                    return os.path.exists(f"/proc/{pid}/root/run/systemd/system")
            with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as children:
                pids += [int(word) for word in children.read().split()]
        return False

    def stop(self):
        """Everything in it ends with its first process."""
        if self.nspawn:
            for number, patience_s in ((signal.SIGTERM, 30), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
                if self.nspawn.poll() is None:
                    self.nspawn.send_signal(number)
                try:
                    self.nspawn.wait(patience_s)
                    break
                except subprocess.TimeoutExpired:
                    continue
        shutil.rmtree(self.folder, ignore_errors=True)
        for group in self.groups:
            for folder, _, _ in os.walk(group, topdown=False):
                os.rmdir(folder)

    # ---- inside ----

    def run(self, *argv, check=True, **options):
        environment = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", "TERM": "dumb", "COLUMNS": "200"}
        return run("nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "-r", "-w", *argv, check=check, env=environment, **options)

    def apt(self, *argv, check=True):
        return self.run("apt-get", "-y", "-q", "--no-install-recommends", *argv, check=check)

    def property(self, name, unit="tillbridged"):
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def enter_network(self):
        """The calling thread alone, for good."""
        libc = ctypes.CDLL(None, use_errno=True)
        with open(f"/proc/{self.leader}/ns/net", "rb") as network:
            if libc.setns(network.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "setns")

    def inside(self, name):
        """The path by which a file of the running machine, its own mounts included, is reached from here."""
        return f"/proc/{self.leader}/root/{name.lstrip('/')}"
