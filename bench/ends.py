"""A server of this repository, and clients of it, as programs that a benchmark starts."""

import json
import os
import pathlib
import socket
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The folder of the programs. A benchmark sets it from its options.
BIN = ROOT / "target/release"


class Server:
    """A server program on a free port."""

    def __init__(self, folder, *options):
        self.report = pathlib.Path(tempfile.mkstemp(dir=folder, suffix=".json")[1])
        command = [BIN / "server", "--no-graphics", "--listen", "127.0.0.1:0", "--json", self.report, *options]
        self.program = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.program.stderr:
            if "listening on " in line:
                self.address = line.split("listening on ")[1].split(",")[0]
                break
        threading.Thread(target=lambda: list(self.program.stderr), daemon=True).start()

    def client(self, *options):
        command = [BIN / "client", self.address, "--no-graphics", *options]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sessions(self):
        """Stops the server; its sessions."""
        self.program.terminate()
        self.program.wait()
        return json.loads(self.report.read_text())["sessions"]

    def processor_seconds(self):
        """The processor time that it has taken."""
        fields = pathlib.Path(f"/proc/{self.program.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self):
        host, port = self.address.rsplit(":", 1)
        return socket.create_connection((host, int(port)), timeout=5)
