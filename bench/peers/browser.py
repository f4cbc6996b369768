"""A browser as a client, driven from outside: python3 browser.py BROWSER HOST PORT [HELLO]

BROWSER is `chromium` (WebDriver, with chromedriver: Debian's chromium-driver) or `firefox` (Marionette).

HELLO is a line of signaling to say first, such as '{"type":"hello","plumb":1,"role":"sink","receive_buffer":131072}'.
Prints the result as JSON; exit code 0 if frames came.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import firefox

FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync""".split()
CLIENT = pathlib.Path(__file__).with_name("plumb.js").read_text()
START = CLIENT + """
window.toServer = [];
window.result = null;
plumbClient(RTCPeerConnection, arguments[0], (line) => toServer.push(line)).then((result) => (window.result = result));
"""
POLL = "return {lines: toServer.splice(0), result: window.result}"


def main(browser, host, port, hello=None):
    kind = {"chromium": Driver, "firefox": firefox.Driver}[browser]
    # Firefox may still be writing to its profile when it is removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, kind(profile) as driver:
        server = socket.create_connection((host, int(port)))
        if hello:
            server.sendall(hello.encode() + b"\n")
        lines = server.makefile("r")
        offer = json.loads(lines.readline())
        if offer["type"] != "offer":
            sys.exit(f"no offer: {offer}")
        threading.Thread(target=lambda: [print(line, end="", file=sys.stderr) for line in lines], daemon=True).start()
        driver.run(START, offer["sdp"])
        while True:
            state = driver.run(POLL)
            for line in state["lines"]:
                server.sendall(json.dumps(line).encode() + b"\n")
            if state["result"]:
                print(json.dumps(state["result"]))
                return 0 if state["result"]["frames"] else 3
            time.sleep(0.005)


class Driver:
    """A page in Chromium, as firefox.Driver is one in Firefox."""

    def __init__(self, profile):
        self.profile = profile

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.process = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}/session"
        options = {"args": [*FLAGS, f"--user-data-dir={self.profile}"]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        for _ in range(300):
            try:
                self.base += "/" + self.post("", wanted)["sessionId"]
                return self
            except OSError:
                time.sleep(0.1)
        raise OSError("chromedriver does not answer")

    def __exit__(self, *_):
        try:
            urllib.request.urlopen(urllib.request.Request(self.base, method="DELETE"))
        finally:
            self.process.terminate()
            self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["value"]

    def run(self, script, *arguments):
        return self.post("/execute/sync", {"script": script, "args": arguments})


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
