"""Clients that ask all the time, each time on a new connection, and say what happened to them: for restarts under load."""
import http.client
import socket
import threading

import tap

PATIENCE_S = tap.PATIENCE_S * 2


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def unix(path):
    return UnixConnection(path)


def tcp(port):
    return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)


class Client(threading.Thread):
    """connection: makes one, not connected; enter: called once on the client's thread."""

    def __init__(self, connection, target, enter=None):
        super().__init__(daemon=True)
        self.connection, self.target, self.enter = connection, target, enter
        self.answered, self.refused, self.cut = 0, [], []
        self.ending = threading.Event()

    def run(self):
        if self.enter:
            self.enter()
        while not self.ending.is_set():
            self.ask()

    def ask(self):
        connection = self.connection()
        try:
            connection.connect()
        except OSError as error:
            self.refused.append(repr(error))
            return
        try:
            connection.request("GET", self.target)
            answer = connection.getresponse()
            answer.read()
            if answer.status == 200:
                self.answered += 1
            else:
                self.cut.append(f"status {answer.status}")
        except (OSError, http.client.HTTPException) as error:
            self.cut.append(repr(error))
        finally:
            connection.close()


class Crowd:
    def __init__(self, connections, target, enter=None):
        self.clients = [Client(connection, target, enter) for connection in connections]
        for client in self.clients:
            client.start()

    def __str__(self):
        return (f"{sum(client.answered for client in self.clients)} answered, {len(self.cut())} cut off, "
                f"{len(self.refused())} refused")

    def wait_for_answers(self):
        """Each client was answered once more."""
        before = [client.answered for client in self.clients]
        tap.wait_until(lambda: all(client.answered > count for client, count in zip(self.clients, before)), "all are answered")

    def refused(self):
        return [error for client in self.clients for error in client.refused]

    def cut(self):
        return [error for client in self.clients for error in client.cut]

    def end(self):
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.join(PATIENCE_S)
            tap.true(not client.is_alive(), "the client was answered in the end")
