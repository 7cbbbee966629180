"""tillbridge status --watch on a real terminal, against a made-up daemon and the real one."""
import json
import os
import signal

import tap
from command import Canned, Terminal, canned, ends, of, run_on_terminal
from house import House


class Shop:
    """A made-up daemon with one store, whose words change when the test says so. Answers have an ETag."""

    def __init__(self):
        self.state, self.away, self.asked = "ok", False, []
        shop = self

        class Handler(Canned):
            def do_GET(self):
                known = self.headers.get("If-None-Match")
                shop.asked.append((self.path, known))
                if shop.away:
                    return
                body = json.dumps(shop.answer(self.path)).encode()
                etag = f'"{hash(body) & 0xffff:x}"'
                self.send_response(304 if known == etag else 200)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", "0" if known == etag else str(len(body)))
                self.end_headers()
                if known != etag:
                    self.wfile.write(body)
        self.path = canned(None, handler=Handler).path

    def answer(self, path):
        if path.startswith("/v1/stores"):
            one = {"id": "downtown", "name": "Downtown", "state": self.state, "text": "Pos is " + self.state + "."}
            return one if "downtown" in path else {"items": [one]}
        streams = {f"stream{number:02}": {"state": "idle", "every_s": 900} for number in range(12)}
        return {"items": [{"store": "downtown", "name": "pos", "state": self.state, "streams": streams}]}

    def watch(self, *words, **more):
        return Terminal(tap.built("tillbridge"), "--socket", self.path, "status", "--watch", "--color=never", *words, **more)


def test_it_is_drawn_anew_when_something_changes():
    shop = Shop()
    screen = shop.watch()
    lines = screen.wait_for("q or Ctrl-C ends")
    tap.equal(lines[0], "Downtown is fine.")
    tap.true(lines[2].startswith("CONNECTOR") and lines[3].startswith("downtown/pos"), lines)
    tap.true(screen.other and not screen.cursor and screen.modes() == (False, False), "the other screen, no cursor, no echo")
    shop.state = "late"
    lines = screen.wait_for("Downtown: Pos is late.")
    drawn = len(screen.raw)
    before = len(shop.asked)
    tap.wait_until(lambda: len(shop.asked) > before + 4, "it looks again")
    screen.take()
    tap.equal(screen.raw[drawn:], "", "nothing changed: nothing is drawn")
    tap.true(all(known for _, known in shop.asked[-4:]), "it asks whether there is something new")
    screen.type("q")
    tap.equal(screen.end(), 0)
    tap.true(not screen.other and screen.cursor and screen.modes() == (True, True), "all is as before")
    screen.close()


def test_ctrl_c_ends_it_and_the_terminal_is_as_before():
    shop = Shop()
    for key, number in (("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)):
        screen = shop.watch(ASAN_OPTIONS="handle_abort=0")
        screen.wait_for("ends")
        screen.type(key)
        tap.equal(screen.end(), -number)
        tap.true(not screen.other and screen.cursor and screen.modes() == (True, True), "all is as before")
        screen.close()


def test_it_fits_the_window():
    shop = Shop()
    screen = shop.watch(columns=60, rows=12)
    lines = screen.wait_for("more lines; a taller window shows them")
    tap.equal((len(lines), lines[-1], lines[-2]), (12, "q or Ctrl-C ends", ""))
    screen.resize(100, 40)
    lines = screen.wait_for("stream11")
    tap.true("taller window" not in "\n".join(lines) and len(lines) < 40, lines)
    shop.state = "failing"
    screen.resize(20, 40)
    lines = screen.wait_for("failing.")
    tap.true(max(map(len, lines)) <= 20, lines)
    screen.type("q")
    tap.equal(screen.end(), 0)
    screen.close()


def test_a_daemon_that_is_away_is_told_and_waited_for():
    shop = Shop()
    screen = shop.watch()
    screen.wait_for("Downtown is fine.")
    shop.away = True
    lines = screen.wait_for("These figures are")
    tap.true(" s old: the daemon does not answer at " in lines[0], lines)
    tap.true("Downtown is fine." in lines, "what was known stays")
    shop.away = False
    tap.wait_until(lambda: screen.lines()[0] == "Downtown is fine.", "it is back")
    screen.type("q")
    tap.equal(screen.end(), 0)
    screen.close()


def test_it_can_be_stopped_and_goes_on():
    shop = Shop()
    screen = shop.watch()
    screen.wait_for("Downtown is fine.")
    os.kill(screen.process.pid, signal.SIGTSTP)
    tap.wait_until(lambda: (screen.take(), not screen.other)[1] and screen.modes() == (True, True), "the shell has its screen")
    shop.state = "late"
    os.kill(screen.process.pid, signal.SIGCONT)
    screen.wait_for("Downtown: Pos is late.")
    tap.true(screen.other and screen.modes() == (False, False), "it draws again")
    screen.type("q")
    tap.equal(screen.end(), 0)
    screen.close()


def test_what_cannot_be_watched_is_told_at_once():
    shop = Shop()
    tillbridge = canned(lambda path, query: (404, b'{"title":"None","detail":"no store"}'))
    tap.true("draws on a terminal" in ends(tillbridge("status", "--watch"), 2).err, "no terminal")
    tap.true("draws on a terminal" in ends(run_on_terminal("status", "--watch", TERM="dumb"), 2).out, "a dumb one")
    tap.true("draws on a terminal" in ends(run_on_terminal("status", "--watch", "--json"), 2).out, "for people")
    ran = ends(run_on_terminal("--socket", tillbridge.path, "status", "nowhere", "--watch", "--color=never"), 1)
    tap.true(ran.out == "error: None: no store\n", repr(ran.out))
    ends(run_on_terminal("--socket", "/nonexistent/api.sock", "status", "--watch"), 4)
    del shop


def test_a_real_store_is_watched_over_a_restart():
    house = House(size=40, vendor="millrace").start()
    tillbridge = of(house)
    screen = Terminal(tap.built("tillbridge"), "--config", house.path("tillbridge.conf"), "status", "--watch", "--color=never")
    screen.wait_for("never read")
    ends(tillbridge("sync", "downtown/pos"), 0)
    screen.wait_for("complete: ")
    house.stop()
    screen.wait_for("These figures are")
    house.start()
    tap.wait_until(lambda: screen.lines()[0].startswith("downtown"), "it is back")
    screen.type("q")
    tap.equal(screen.end(), 0)
    screen.close()


tap.run(globals())
