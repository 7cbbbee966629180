"""A proxy that holds answers against the description of the API: Prism, and behind it a relay.

    with Proxy(folder_of_the_description) as proxy:
        run the tests with TB_PROXY=proxy.address

Prism asks one address alone, and each test has a daemon of its own; and it writes commas of a query as %2C, which is
another question. So a request says in headers whom to ask for what (tap.UPSTREAM, tap.TARGET), and the relay does that."""
import http.client
import http.server
import os
import shutil
import threading

import tap

TOOLS = tap.source("tests", "openapi", "node_modules", ".bin")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host", tap.UPSTREAM.lower(), tap.TARGET.lower()}


def tool(name):
    """The npm program of that name; without it the test is skipped."""
    path = os.path.join(TOOLS, name)
    if not os.path.exists(path) or not shutil.which("node"):
        why = f"{name} is not installed: npm ci --prefix tests/openapi"
        if os.environ.get("TB_NPM"):
            raise AssertionError(why)
        tap.skip(why)
    return path


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        connection = http.client.HTTPConnection(self.headers[tap.UPSTREAM], timeout=300)
        try:
            connection.request(self.command, self.headers[tap.TARGET], body or None, headers)
            found = connection.getresponse()
            data = found.read()
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # as the daemon did
            return
        finally:
            connection.close()
        self.send_response_only(found.status, found.reason)
        for name, value in found.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


class Proxy:
    def __init__(self, description):
        self.description = description

    def __enter__(self):
        program = tool("prism")
        self.relay = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay)
        threading.Thread(target=self.relay.serve_forever, daemon=True).start()
        port = tap.free_port()
        self.address = f"127.0.0.1:{port}"
        self.prism = tap.start("node", program, "proxy", self.description, f"http://127.0.0.1:{self.relay.server_port}",
                               "--host", "127.0.0.1", "--port", port, "--errors", "--validate-request=false", "--cors=false")
        tap.wait_until(self.listens, "the proxy listens", tap.PATIENCE_S * 3)
        return self

    def listens(self):
        if self.prism.process.poll() is not None:
            raise AssertionError(f"the proxy ended: {self.prism.log()}")
        try:
            connection = http.client.HTTPConnection(self.address, timeout=tap.PATIENCE_S)
            connection.request("GET", "/no-such-route")
            return connection.getresponse().status == 404
        except OSError:
            return False

    def __exit__(self, *_):
        self.prism.stop(status=None)
        self.relay.shutdown()
        self.relay.server_close()
