"""A service manager in small: what systemd does for a unit with Type=notify, WatchdogSec= and FileDescriptorStoreMax=.

    manager = Manager(folder, [tillbridged, "--config", file], watchdog_s=1)
    manager.start()
    manager.wait_for("READY", "1")
    manager.end(signal.SIGKILL)     # the descriptors stay
    manager.start()                 # and are handed over

Each message of the daemon is kept as it came; `store` holds the descriptors by name, as sd_notify(3) describes it."""
import array
import os
import socket
import sys
import threading
import time

import tap

# What runs between fork and exec: the descriptors become 3, 4, ..., and LISTEN_PID is the process's own.
LAUNCH = "import sys; os.environ['LISTEN_PID'] = os.environ['WATCHDOG_PID'] = str(os.getpid()); os.execv(sys.argv[1], sys.argv[1:])"


class Manager:
    def __init__(self, folder, argv, watchdog_s=0, keeps=64):
        self.argv, self.watchdog_s, self.keeps = argv, watchdog_s, keeps
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.messages = []  # (moment, pid, {name: value})
        self.store = []     # (name, descriptor)
        self.program = None
        self.lock = threading.Lock()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    # ---- the protocol ----

    def _read(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        while True:
            data, ancillary, _, _ = self.socket.recvmsg(65536, 4096)
            moment, pid, descriptors = time.monotonic(), None, array.array("i")
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(content[:len(content) - len(content) % descriptors.itemsize])
                elif (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    pid = array.array("i", content)[0]
            if data == b"":
                return  # close() says so
            message = dict(line.split("=", 1) for line in data.decode().splitlines())
            with self.lock:
                self._take(message, list(descriptors))
                self.messages.append((moment, pid, message))

    def _take(self, message, descriptors):
        name = message.get("FDNAME", "stored")
        if "FDSTOREREMOVE" in message:
            for _, descriptor in [one for one in self.store if one[0] == name]:
                os.close(descriptor)
            self.store = [one for one in self.store if one[0] != name]
        for descriptor in descriptors:
            same = any(os.path.sameopenfile(descriptor, other) for _, other in self.store)
            if "FDSTORE" in message and not same and len(self.store) < self.keeps:
                self.store.append((name, descriptor))
            else:
                os.close(descriptor)  # also BARRIER=1: what came before is done

    def said(self, name, value=None):
        """(moment, value) of each message that had this name (and value) in it, from the run that runs."""
        with self.lock:
            return [(moment, message[name]) for moment, pid, message in self.messages
                    if pid == self.program.pid and name in message and value in (None, message[name])]

    def wait_for(self, name, value=None):
        def is_said():
            if self.program.process.poll() is not None:
                raise AssertionError(f"ended with {self.program.process.returncode}: {self.program.log()[-3000:]}")
            return self.said(name, value)
        return tap.wait_until(is_said, f"{name}={value or '...'} is said")

    def kept(self):
        with self.lock:
            return sorted(name for name, _ in self.store)

    # ---- its unit ----

    def start(self):
        with self.lock:
            names, descriptors = [one[0] for one in self.store], [os.dup(one[1]) for one in self.store]
        # They are put in their places by a small program that becomes the daemon: subprocess has a pipe of its own there.
        moves = "".join(f"os.dup2({descriptor}, {200 + number}); os.close({descriptor}); " for number, descriptor in enumerate(descriptors))
        moves += "".join(f"os.dup2({200 + number}, {3 + number}, inheritable=True); os.close({200 + number}); " for number in range(len(names)))
        env = {"NOTIFY_SOCKET": self.path}
        if names:
            env.update(LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
        if self.watchdog_s:
            env["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1e6))
        self.program = tap.start(sys.executable, "-S", "-c", "import os; " + moves + LAUNCH, *self.argv, env=env, pass_fds=descriptors)
        for descriptor in descriptors:
            os.close(descriptor)

    def end(self, number):
        """Sends a signal and waits for the end; the exit status."""
        self.program.process.send_signal(number)
        status = self.program.wait(tap.PATIENCE_S * 2)
        self.program.stop(status=None)
        return status

    def close(self):
        with self.lock:
            while self.store:
                os.close(self.store.pop()[1])
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(b"", self.path)
        self.reader.join(tap.PATIENCE_S)
        self.socket.close()
