#!/usr/bin/env python3
"""Runs the systems of docs/examples.md for real. PLUMB_BIN names the folder of the programs. Needs the package `plumb`,
OpenCV and ffmpeg."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
BIN = Path(os.environ.get("PLUMB_BIN", HERE.parent / "target/debug")).resolve()
LIMIT_S = 120
FRAMES = 20


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        video = folder / "match.mp4"
        made = f"testsrc2=size=320x240:rate=10:duration={FRAMES / 10}"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", made, "-pix_fmt", "yuv420p", video], check=True)
        for system in (processed_video, acknowledging_computer, counting_computer, depth_camera):
            system(folder, video)
            print(f"{system.__name__.replace('_', ' ')}: as documented")


def processed_video(folder, video):
    server, address = listening([BIN / "server", "--source", video, "--task", "image", "--once"], folder, "server")
    run([sys.executable, EXAMPLES / "video_edges.py", address])
    session = ended(server, folder)
    assert session["task"] == "image" and session["client"]["link"] == "grpc", session
    assert session["frames"]["answered"] == FRAMES and session["image"]["psnr_db"]["mean"] is not None, session


def acknowledging_computer(folder, video):
    client, address = listening([BIN / "client", "--no-graphics", "--once"], folder, "client")
    session = called(folder, address, video, [])
    assert client.wait(LIMIT_S) == 0, client.returncode
    assert session["task"] == "ack" and session["client"]["dialled"], session
    assert sum(session["ack"]["codes"].values()) == FRAMES, session["ack"]


def counting_computer(folder, video):
    port = free_port()
    counting = subprocess.Popen([sys.executable, EXAMPLES / "count_blobs.py", f"127.0.0.1:{port}"])
    session = called(folder, f"127.0.0.1:{port}", video, ["--task", "count"])
    assert counting.wait(LIMIT_S) == 0, counting.returncode
    assert session["task"] == "count" and session["frames"]["answered"] == FRAMES, session
    assert session["count"]["scored"] == 0 and session["count"]["mean_absolute_error"] is None, session["count"]


def depth_camera(folder, _video):
    options = ["--source", "depth", "--encoding", "png", "--meta-file", EXAMPLES / "depth-camera.toml", "--let-clients-stop"]
    server, address = listening([BIN / "server", *options], folder, "server")
    viewer = [BIN / "client", address, "--no-graphics", "--link", "tcp", "--pull", "--commands", "-v"]
    # The command x does not wait for frames under way, so it is sent once three frames have arrived.
    client = subprocess.Popen(viewer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client.stdin.write("n\nn\nn\n")
    client.stdin.flush()
    rows = []
    while len(rows) < 3:
        row = client.stdout.readline()
        assert row, client.stderr.read()
        rows += [row] if re.match(r" *\d+ ", row) else []
    _, said = client.communicate("x\n", timeout=LIMIT_S)
    assert client.returncode == 0 and "depth-left" in said, said
    session = ended(server, folder)
    assert session["client"]["pull"] and session["encoding"]["used"] == "png", session
    assert session["frames"]["sent"] == 3, session["frames"]


def called(folder, address, video, options):
    """The session of a server that calls the client there, with the video as its camera."""
    report = folder / "report.json"
    device = [BIN / "server", "--no-graphics", "--dial", address, "--link", "grpc", "--source", video, "--json", report]
    run([*device, *options])
    return json.loads(report.read_text())["sessions"][0]


def listening(command, folder, name):
    """Starts a program at a free port. Returns it and its address."""
    server = ["--no-graphics", "--no-announce", "--json", folder / "report.json"]
    command = [*command, "--listen", "127.0.0.1:0", *(server if name == "server" else [])]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    said = ""
    for line in process.stderr:
        said += line
        if found := re.search(r"listening on ([^, \n]+)", line):
            return process, found[1]
    raise SystemExit(f"{command} ended without listening: {said}")


def ended(server, folder):
    """Waits for the server's end, and returns its only session."""
    _, said = server.communicate(timeout=LIMIT_S)
    assert server.returncode == 0, said
    return json.loads((folder / "report.json").read_text())["sessions"][0]


def run(command):
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
