"""A page in headless Firefox, driven by Marionette, its own protocol: Debian has no geckodriver."""

import json
import os
import pathlib
import socket
import subprocess
import time

STARTING_LIMIT = 30.0  # s
class Driver:
    """A page; `run` runs the body of a function in it."""

    def __init__(self, profile):
        self.profile, self.asked, self.buffer = pathlib.Path(profile), 0, b""

    def __enter__(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # All other preferences keep their defaults.
        (self.profile / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        command = ["firefox-esr", "--headless", "--no-remote", "--marionette", "--profile", str(self.profile)]
        environment = os.environ | {"HOME": str(self.profile)}
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        self.stream = self.connect(port)
        self.read()  # its greeting
        self.ask("WebDriver:NewSession", {"capabilities": {"alwaysMatch": {}}})
        return self

    def __exit__(self, *_):
        try:
            self.ask("Marionette:Quit", {"flags": ["eForceQuit"]})
            self.process.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()

    def connect(self, port):
        until = time.monotonic() + STARTING_LIMIT
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > until or self.process.poll() is not None:
                    self.process.kill()
                    raise
                time.sleep(0.1)

    def run(self, script, *arguments):
        answer = self.ask("WebDriver:ExecuteScript", {"script": script, "args": arguments, "sandbox": None})
        return answer["value"]

    def ask(self, name, parameters):
        self.asked += 1
        said = json.dumps([0, self.asked, name, parameters]).encode()
        self.stream.sendall(b"%d:%s" % (len(said), said))
        _, _, error, result = self.read()
        if error:
            raise OSError(f"{name}: {error['error']}: {error['message']}")
        return result

    def read(self):
        """A message: its length, a colon, JSON."""
        while b":" not in self.buffer:
            self.more()
        length, _, self.buffer = self.buffer.partition(b":")
        while len(self.buffer) < int(length):
            self.more()
        text, self.buffer = self.buffer[: int(length)], self.buffer[int(length) :]
        return json.loads(text)

    def more(self):
        came = self.stream.recv(1 << 16)
        if not came:
            raise OSError("Firefox closed the connection")
        self.buffer += came
