"""Life under a service manager: what is told, the watchdog, and listeners that outlive the daemon. The manager is
manager.py, which speaks systemd's protocol; tests/packages runs the unit under the real one where that can be had."""
import os
import signal
import socket
import time

import clients
import tap
from house import House
from manager import Manager

RUNNING = "Running with 1 store."


class Unit:
    """A house whose daemon is started by a manager."""

    def __init__(self, **manager):
        self.house = House(size=50)
        self.manager = Manager(self.house.folder, [tap.built("tillbridged"), "--config", self.house.path("tillbridge.conf")], **manager)

    def start(self):
        self.manager.start()
        self.house.hub = self.manager.program
        self.manager.wait_for("READY", "1")
        tap.wait_until(self.house.is_ready, "it is ready")
        return self

    def again(self, number=signal.SIGTERM):
        self.manager.end(number)
        return self.start()

    def stop(self):
        self.manager.program.stop()
        self.manager.close()

    def listen(self, api="127.0.0.1:0", unix=None):
        path = unix or self.house.path("api.sock")
        self.house.write("tillbridge.conf", f"""
            listen: {{ api = "{api}"; webhooks = "off"; socket = "{path}"; }};
            state = "state"; conf_d = "conf.d"; plugins = "plugins"; """)

    @property
    def port(self):
        return int(self.house.api.rsplit(":", 1)[1])

    def connection(self, unix=False):
        return clients.unix(self.house.path("api.sock")) if unix else clients.tcp(self.port)

    def socket_answers(self):
        connection = self.connection(unix=True)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
        return status == 200


def restart_under_load(number, times):
    """Restarts while eight clients ask, four on each listener; the clients."""
    unit = Unit().start()
    crowd = clients.Crowd([lambda: unit.connection(unix=False)] * 4 + [lambda: unit.connection(unix=True)] * 4,
                          "/v1/stores/downtown/products?limit=5")
    for _ in range(times):
        crowd.wait_for_answers()
        unit.again(number)
    crowd.end()
    unit.stop()
    print(f"# {times} times signal {number}: {crowd}")
    tap.equal(crowd.refused(), [], "refused")
    return crowd


def test_nobody_is_refused_or_cut_off_over_a_restart():
    tap.equal(restart_under_load(signal.SIGTERM, 5).cut(), [], "cut off")


def test_nobody_is_refused_over_a_kill():
    """What was being answered at that moment is cut off; who asks again, or waits in the queue, is answered."""
    times = 5
    for client in restart_under_load(signal.SIGKILL, times).clients:
        tap.true(len(client.cut) <= times, f"one connection a kill at most: {client.cut}")


def test_who_connects_while_nothing_runs_is_answered_by_the_next_run():
    unit = Unit().start()
    for number in (signal.SIGKILL, signal.SIGTERM):
        unit.manager.end(number)
        waiting = [unit.connection(unix) for unix in (False, True)]
        for connection in waiting:
            connection.request("GET", "/healthz")
        unit.start()
        tap.equal([connection.getresponse().status for connection in waiting], [200, 200])
    unit.stop()


def test_listeners_are_kept_once_and_taken_back():
    unit = Unit().start()
    port, file = unit.port, os.stat(unit.house.path("api.sock")).st_ino
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        tap.equal(unit.manager.kept(), ["api", "socket"])
        unit.again(number)
        tap.equal((unit.port, os.stat(unit.house.path("api.sock")).st_ino), (port, file))
    unit.stop()


def test_an_address_that_changed_is_bound_anew_and_the_old_one_let_go():
    """The new one overlaps the old one: it is free only when the manager has closed its copy."""
    unit = Unit().start()
    port = unit.port
    unit.listen(api=f"0.0.0.0:{port}", unix=unit.house.path("other.sock"))
    unit.again()
    tap.equal((unit.port, unit.manager.kept()), (port, ["api", "socket"]))
    tap.true(os.path.exists(unit.house.path("other.sock")), "the new socket is there")
    with socket.socket(socket.AF_UNIX) as line:
        tap.true(line.connect_ex(unit.house.path("api.sock")) != 0, "nobody listens at the old one")
    unit.stop()


def test_a_listener_that_is_off_is_let_go():
    unit = Unit().start()
    port = unit.port
    unit.listen(unix="off")
    unit.again()
    tap.equal((unit.port, unit.manager.kept()), (port, ["api"]))
    unit.stop()


def test_a_socket_whose_file_is_gone_is_made_anew():
    unit = Unit().start()
    os.unlink(unit.house.path("api.sock"))
    unit.again()
    tap.true(unit.socket_answers(), "it answers")
    tap.equal(unit.manager.kept(), ["api", "socket"])
    unit.stop()


def test_what_is_no_listener_of_ours_is_let_go_and_ours_is_found_among_it():
    unit = Unit().start()
    port = unit.port
    unit.manager.end(signal.SIGTERM)
    foreign = socket.create_server(("127.0.0.1", 0))
    for name, descriptor in (("later", foreign.fileno()), ("socket", foreign.fileno()), ("api", os.open("/dev/null", os.O_RDONLY))):
        unit.manager.store.insert(0, (name, os.dup(descriptor)))
    foreign_port = foreign.getsockname()[1]
    foreign.close()
    unit.start()
    tap.equal(unit.manager.kept(), ["api", "socket"])
    tap.true(unit.socket_answers(), "the socket answers")
    with socket.socket() as line:
        tap.true(line.connect_ex(("127.0.0.1", foreign_port)) != 0, "nobody listens there any more")
    tap.equal(unit.port, port)
    unit.stop()


def test_descriptors_for_another_process_are_left_alone():
    house = House(size=50)
    house.start(env={"LISTEN_PID": "1", "LISTEN_FDS": "40", "LISTEN_FDNAMES": "api:socket"})
    tap.equal(house.get("/healthz").status, 200)
    house.stop()
    tap.true(not os.path.exists(house.path("api.sock")), "without a manager the socket's file goes with the daemon")


def test_a_manager_that_keeps_nothing_harms_nothing():
    unit = Unit(keeps=0).start()
    for number in (signal.SIGTERM, signal.SIGKILL):
        unit.again(number)
        tap.true(unit.socket_answers(), "it answers")
    unit.stop()


def test_a_worker_is_given_nothing_of_it():
    unit = Unit(watchdog_s=30).start()
    unit.again()
    worker = tap.wait_until(unit.house.workers, "a worker runs")[0]
    with open(f"/proc/{worker}/environ", encoding="utf-8") as file:
        names = {one.split("=")[0] for one in file.read().split("\0")}
    tap.equal(names & {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}, set())
    ours = [os.readlink(f"/proc/{unit.manager.program.pid}/fd/{name}") for name in os.listdir(f"/proc/{unit.manager.program.pid}/fd")]
    theirs = [os.readlink(f"/proc/{worker}/fd/{name}") for name in os.listdir(f"/proc/{worker}/fd")]
    tap.equal([name for name in theirs if name.startswith("socket:") and name in ours], [], "sockets of the hub in the worker")
    unit.stop()


def test_the_manager_is_told_how_it_is():
    unit = Unit().start()
    tap.equal(unit.manager.said("READY")[0][1], "1")
    unit.manager.wait_for("STATUS", RUNNING)
    unit.manager.program.process.send_signal(signal.SIGHUP)
    asked = int(unit.manager.wait_for("MONOTONIC_USEC")[0][1])
    tap.true(0 <= time.monotonic() - asked / 1e6 < tap.PATIENCE_S, "the time of the reload is the monotonic clock's")
    tap.wait_until(lambda: len(unit.manager.said("READY", "1")) == 2, "it is ready again after the reload")
    unit.house.drop_in("uptown", sync='sync = "off";')
    tap.equal(unit.house.post("/v1/reload").status, 200)
    unit.manager.wait_for("STATUS", "Running with 2 stores.")
    unit.manager.program.process.send_signal(signal.SIGTERM)
    tap.wait_until(lambda: unit.manager.said("STOPPING", "1"), "it says that it stops")
    unit.stop()


def test_the_watchdog_hears_from_a_loop_that_turns_and_not_from_one_that_stands():
    period_s = 1
    unit = Unit(watchdog_s=period_s).start()

    def heard():
        return [moment for moment, _ in unit.manager.said("WATCHDOG", "1")]

    tap.wait_until(lambda: len(heard()) >= 5, "it is heard")
    gaps = [after - before for before, after in zip(heard(), heard()[1:])]
    tap.true(max(gaps) < period_s, f"never later than it must be: {gaps}")
    unit.manager.program.process.send_signal(signal.SIGSTOP)
    stood = time.monotonic()
    tap.wait_until(lambda: time.monotonic() > stood + 3 * period_s, "three periods are over")
    tap.equal([moment for moment in heard() if moment > stood + 0.2], [], "heard from a loop that stands")
    unit.manager.program.process.send_signal(signal.SIGCONT)
    tap.wait_until(lambda: heard()[-1] > stood + 3 * period_s, "it is heard again")
    unit.stop()


def test_without_a_watchdog_nothing_is_sent_to_it():
    unit = Unit().start()
    tap.equal(unit.manager.said("WATCHDOG"), [])
    unit.stop()


tap.run(globals())
