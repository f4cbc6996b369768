"""`plumb.Server` and `plumb.Client`: the real ends of a real link, on loopback."""

from __future__ import annotations

import csv
import json
import logging
import math
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import child
import numpy as np
import pytest

import plumb
from plumb._node import plain

# A free port, no announcement, and frames as fast as the link takes them.
QUIET: dict[str, Any] = {"listen": "127.0.0.1:0", "no_announce": True, "fps": "max"}
SMALL: dict[str, Any] = {"size": (64, 48), "radius": 8}

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

# How long waits may take before a test fails. No test waits for it in a good run.
LIMIT_S = 60


def server(**options: Any) -> plumb.Server:
    return plumb.Server(**{**QUIET, **SMALL, **options})


def linked(pipeline: Any, workers: int = 1, **options: Any) -> plumb.Report:
    """The report of one session with this pipeline."""
    with server(**options) as serving:
        plumb.Client(pipeline, serving.address, workers=workers).run()
        return serving.report()


def free_address() -> str:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("link", ["webrtc", "tcp"])
def test_a_server_calls_a_client_that_listens(link: str) -> None:
    address = free_address()
    options = {**SMALL, "fps": "max", "frames": 20, "seed": 3, "link": link}
    with plumb.Server(dial=address, **options) as serving:
        assert serving.address == address
        tally = plumb.Client(plumb.detect, listen=address).run()
        report = serving.report()
    assert (tally.received, tally.end) == (20, "finished")
    client = plain(report.sessions[0]["client"])
    assert (client["link"], client["dialled"]) == (link, True)


def test_a_client_that_listens_says_why_there_is_no_session() -> None:
    with pytest.raises(ConnectionError, match="no server called within 50ms"):
        plumb.Client(plumb.detect, listen="127.0.0.1:0", wait="50ms").run()
    with pytest.raises(ValueError, match="listen: .* write the port too"):
        plumb.Client(plumb.detect, listen="here")
    with pytest.raises(ValueError, match="dial does not go with listen"):
        plumb.Server(dial="127.0.0.1:9", listen="127.0.0.1:0")


# The same pipeline, three ways


def centroid(frame: np.ndarray) -> tuple[float, float, float] | None:
    """The arithmetic of examples/exec/centroid.py."""
    rows, columns = np.nonzero(frame >= 110)
    if count := len(rows):
        return int(columns.sum()) / count, int(rows.sum()) / count, math.sqrt(count / math.pi)
    return None


def bright(frame: np.ndarray) -> int:
    return int((frame >= 110).sum() > 400)


def darker(frame: np.ndarray) -> np.ndarray:
    return frame // 2


PROGRAM = """
import json, sys
import numpy as np
frames = sys.stdin.buffer
task = json.loads(frames.readline())["task"]
for line in frames:
    head = json.loads(line)
    pixels = np.frombuffer(frames.read(head["bytes"]), np.uint8).reshape(head["height"], head["width"])
    data = b""
    answer = {"frame": head["frame"], "kind": task}
    if task == "count":
        answer["count"] = int((pixels >= 110).sum() > 400)
    elif task == "ack":
        answer["code"] = 0
    else:
        data = (pixels // 2).tobytes()
        answer |= {"width": head["width"], "height": head["height"], "pixel": "gray8", "bytes": len(data)}
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\\n" + data)
    sys.stdout.flush()
"""

WAYS: list[tuple[str, Callable[[np.ndarray], Any], str, dict[str, Any]]] = [
    ("circle", centroid, "centroid.py", {"noise": 5, "empty_rate": 0.2, "size": (160, 120), "radius": (8, 20)}),
    ("count", bright, "", {"balls": (0, 2), "noise": 5}),
    ("image", darker, "", {"noise": 5}),
    ("ack", lambda _: None, "", {}),
]


def figures(report: plumb.Report) -> Any:
    """All that does not depend on time."""
    session = report.sessions[0]
    sums = {name: plain(session[name]) for name in ("error_px", "count", "image") if name in session}
    named = ["frame", "outcome", "truth_x", "x", "y", "dx", "dy", "l1", "count", "match", "mse", "psnr_db"]
    columns = [name for name in named if name in (report.frames.dtype.names or ())]
    return {**sums, "counts": plain(report.counts), "rows": repr(report.frames[columns].tolist())}


@pytest.mark.parametrize(("task", "pipeline", "program", "options"), WAYS, ids=[way[0] for way in WAYS])
def test_the_same_pipeline_has_the_same_figures_in_process_over_the_link_and_as_a_program(
    task: str, pipeline: Callable[[np.ndarray], Any], program: str, options: dict[str, Any], tmp_path: Path
) -> None:
    options = {**SMALL, "task": task, "frames": 40, "seed": 12, **options}
    here = figures(plumb.evaluate(pipeline, strict=True, **options))
    assert here["counts"]["answered"] == 40
    assert figures(linked(pipeline, **options)) == here
    assert figures(linked(pipeline, workers=4, **options)) == here
    path = EXAMPLES / "exec" / program
    if not program:
        path = tmp_path / "program.py"
        path.write_text(PROGRAM)
    assert figures(linked(f"exec:'{sys.executable}' '{path}'", workers=2, **options)) == here


def test_the_built_in_detector_has_the_same_figures_in_process_and_at_the_client() -> None:
    options: dict[str, Any] = {"frames": 30, "seed": 4, "noise": 5, "size": (160, 120), "radius": 15}
    here = figures(plumb.evaluate(plumb.detect, **options))
    assert figures(linked("hough", **options)) == figures(linked(plumb.detect, **options)) == here


@pytest.mark.skipif(
    "PLUMB_BIN" not in os.environ, reason="PLUMB_BIN names no folder with the programs server and client"
)
@pytest.mark.parametrize("options", [{"noise": 5}, {"noise": 3, "blur": 1.2, "radius": (10, 40), "empty_rate": 0.1}])
def test_evaluate_has_the_figures_of_the_program(options: dict[str, Any], tmp_path: Path) -> None:
    written = {name: "10..40" if name == "radius" else str(value) for name, value in options.items()}
    arguments = [part for name, value in written.items() for part in (f"--{name.replace('_', '-')}", value)]
    report = tmp_path / "report.json"
    program = Path(os.environ["PLUMB_BIN"]) / "server"
    fixed = ["--loopback", "--no-graphics", "--frames", "60", "--fps", "max", "--seed", "8", "--json", str(report)]
    subprocess.run([program, *fixed, *arguments], check=True, capture_output=True, timeout=LIMIT_S)
    session = json.loads(report.read_text())["sessions"][0]
    here = plumb.evaluate(plumb.detect, frames=60, seed=8, **options).sessions[0]
    assert plain(here.error_px) == session["error_px"]
    assert plain(here.frames) == session["frames"]


# Encodings


@pytest.mark.parametrize("pixel", ["gray8", "bgr8", "gray16"])
def test_frames_that_a_server_encodes_as_png_reach_the_pipeline_of_a_client_as_they_were(pixel: str) -> None:
    scene: dict[str, Any] = {"size": (96, 72), "frames": 8, "seed": 5}
    scene |= {"source": "depth", "depth_noise": 2} if pixel == "gray16" else {"pixel": pixel, "noise": 1}
    # Motion depends on the rate.
    scene["fps"] = "max"
    kept: list[np.ndarray] = []

    def keeps(frame: np.ndarray) -> None:
        kept.append(frame)

    with plumb.Server(**{**QUIET, **scene}, task="circle", encoding="png") as serving:
        plumb.Client(keeps, serving.address, workers=1, strict=True).run()
        report = serving.report()
    for frame, (expected, _) in zip(kept, plumb.frames(**scene), strict=True):
        np.testing.assert_array_equal(frame, expected)
    assert plain(report.sessions[0].encoding) == {"asked": "png", "used": "png", "lossy": False}
    assert report.sessions[0].bytes.frames_wire < report.sessions[0].bytes.frames_raw
    assert "encoding" not in repr(report)


def test_a_report_of_jpeg_frames_is_lossy_and_has_no_limit() -> None:
    report = linked(centroid, encoding="jpeg:90", frames=20, seed=5, noise=2, size=(160, 120), radius=15)
    assert plain(report.sessions[0].encoding) == {"asked": "jpeg:90", "used": "jpeg:90", "lossy": True}
    assert report.counts.circle == 20 and report.error_px.l1.max < 0.2
    assert report.error_px.limit is None and report.error_px.efficiency is None
    assert np.isnan(report.frames["limit_l1"]).all()
    shown = repr(report)
    assert "encoding jpeg:90 loses something: the pipeline saw other pixels, so no limit is known" in shown
    assert "x the limit" not in shown


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoding": "jpeg:0"}, "a whole number from 1 to 100"),
        ({"encoding": "gif"}, "raw, lz4, auto, png or jpeg:QUALITY"),
        ({"encoding": "jpeg:90", "source": "depth"}, "JPEG has 8 bits"),
    ],
)
def test_a_wrong_encoding_is_a_value_error(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plumb.Server(**{**QUIET, **options})


# Clients


def test_a_tally_says_what_the_client_did() -> None:
    with server(frames=10, empty_rate=0.5, seed=1) as serving:
        tally = plumb.Client(centroid, serving.address).run()
    assert (tally.received, tally.dropped, tally.pipeline_errors, tally.end) == (10, 0, 0, "finished")
    assert sum(tally.answers.values()) == 10 and set(tally.answers) == {"circle", "none"}
    assert repr(tally).startswith("Tally(received=10, answers: ")


def test_clients_are_served_one_after_another_and_at_once() -> None:
    with server(frames=20, seed=5, noise=5) as serving:
        clients = [plumb.Client(centroid, serving.address) for _ in range(3)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clients[0].run()
        report = serving.report()
    assert len(report.sessions) == 4 and len(report.frames) == 80
    assert all(session.error_px == report.sessions[0].error_px for session in report.sessions)


@pytest.mark.parametrize("pixel", ["gray8", "bgr8"])
def test_a_frame_at_a_client_is_read_only_and_keeps_its_pixels(pixel: str) -> None:
    kept: list[tuple[np.ndarray, bytes]] = []

    def keeps(frame: np.ndarray) -> None:
        kept.append((frame, frame.tobytes()))
        with pytest.raises(ValueError, match="read-only"):
            frame[0] = 0
        with pytest.raises(ValueError, match="WRITEABLE"):
            frame.setflags(write=True)

    with server(frames=10, seed=5, pixel=pixel) as serving:
        plumb.Client(keeps, serving.address, strict=True).run()
    assert all(frame.tobytes() == copy for frame, copy in kept)
    expected = plumb.frames(frames=10, seed=5, pixel=pixel, **SMALL)
    assert [copy for _, copy in kept] == [image.tobytes() for image, _ in expected]


def test_an_exception_at_a_client_drops_its_frame_and_the_first_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with server(frames=6) as serving:
        tally = plumb.Client(lambda _: 1 / 0, serving.address).run()
        report = serving.report()
    assert (tally.dropped, tally.pipeline_errors) == (report.counts.dropped, 6) == (6, 6)
    shown = capsys.readouterr().err
    assert shown.count("Traceback") == shown.count("ZeroDivisionError: division by zero") == 1


def test_strict_raises_the_exception_of_the_pipeline_from_the_client() -> None:
    wrong = RuntimeError("no")

    def raises(_: np.ndarray) -> None:
        raise wrong

    with server() as serving, pytest.raises(RuntimeError) as raised:
        plumb.Client(raises, serving.address, workers=3, strict=True).run()
    assert raised.value is wrong and raised.traceback[-1].name == "raises"


def test_a_wrong_type_ends_a_client() -> None:
    with server() as serving, pytest.raises(TypeError, match=r"the pipeline returned a str; .* returns None, \(x, y\)"):
        plumb.Client(lambda _: "here", serving.address).run()


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_exception_that_is_not_the_pipelines_ends_a_client(kind: type[BaseException]) -> None:
    def ends(_: np.ndarray) -> None:
        raise kind

    with server() as serving, pytest.raises(kind):
        plumb.Client(ends, serving.address, workers=2).run()


def test_a_task_that_a_pipeline_cannot_do_is_a_value_error() -> None:
    with (
        server(task="ack") as serving,
        pytest.raises(ValueError, match='task is "ack", which pipeline hough cannot do'),
    ):
        plumb.Client("hough", serving.address).run()


def test_without_a_server_there_is_a_connection_error() -> None:
    with server() as serving:
        address = serving.address
    with pytest.raises(ConnectionError, match=f"no server at {address}"):
        plumb.Client(centroid, address, wait="0s").run()


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "write HOST:PORT"),
        ("here", "write the port too: here:8080"),
        ("127.0.0.1:0", "the port at which"),
        ("h:x", "HOST:PORT"),
    ],
)
def test_a_malformed_address_is_a_value_error(address: str, text: str) -> None:
    with pytest.raises(ValueError, match=f'^server: "{address}" is not a server: ') as raised:
        plumb.Client(centroid, address)
    assert text in str(raised.value)


WRONG: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (5, {}, TypeError, "pipeline is of type int: give a function that takes a frame, or the name"),
    (None, {}, TypeError, "pipeline is of type NoneType"),
    ("houg", {}, ValueError, 'no pipeline is called "houg"; there is auto, hough'),
    ("exec:", {}, ValueError, "exec: needs a command"),
    (centroid, {"workers": 0}, ValueError, "workers is not a whole number of threads from 1"),
    (centroid, {"workers": -1}, ValueError, "workers is not a whole number of threads from 1"),
    (centroid, {"workers": 1025}, ValueError, "workers is not a whole number of threads from 1 to 1024"),
    (centroid, {"workers": 1.5}, TypeError, "integer"),
    (centroid, {"wait": "soon"}, ValueError, 'wait: "soon" is not a time to wait: a duration such as 30s'),
]


@pytest.mark.parametrize(("pipeline", "options", "kind", "text"), WRONG, ids=str)
def test_a_wrong_argument_of_a_client_is_named(
    pipeline: Any, options: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as raised:
        plumb.Client(pipeline, "127.0.0.1:1", **options)
    assert text in str(raised.value)


def test_other_python_threads_go_on_while_a_client_runs() -> None:
    asked, ran = threading.Event(), threading.Event()

    def other() -> None:
        assert asked.wait(LIMIT_S)
        ran.set()

    def waits(_: np.ndarray) -> None:
        asked.set()
        assert ran.wait(LIMIT_S)

    thread = threading.Thread(target=other)
    thread.start()
    with server(frames=2) as serving:
        tally = plumb.Client(waits, serving.address, strict=True).run()
    thread.join()
    assert tally.received == 2


def test_a_client_frees_its_pipeline() -> None:
    class Pipeline:
        def __call__(self, _: np.ndarray) -> None:
            return None

    def once() -> weakref.ref[Pipeline]:
        pipeline = Pipeline()
        with server(frames=2) as serving:
            plumb.Client(pipeline, serving.address).run()
        return weakref.ref(pipeline)

    held = [once() for _ in range(5)]
    # A thread that ends may hold the last one a little longer.
    assert sum(reference() is not None for reference in held[:-1]) == 0 or once() is not None
    assert sum(reference() is not None for reference in held) <= 1


# Servers


def test_a_report_is_there_before_during_and_after_a_session() -> None:
    at_work, go_on = threading.Event(), threading.Event()

    def waits(_: np.ndarray) -> tuple[float, float]:
        at_work.set()
        assert go_on.wait(LIMIT_S)
        return 1, 2

    with server(frames=5, deadline="1h") as serving:
        before = serving.report()
        assert before.sessions == () and len(before.frames) == 0 and before.run.seed == serving.seed
        client = threading.Thread(target=plumb.Client(waits, serving.address).run)
        client.start()
        assert at_work.wait(LIMIT_S)
        during = serving.report(timeout=0)
        assert during.sessions == () and len(during.frames) == 0
        go_on.set()
        client.join()
        after = serving.report(timeout=math.inf)
        assert after.counts.circle == 5 == len(after.frames)
        assert serving.report() == after
    assert serving.report() == after


@pytest.mark.parametrize("timeout", [-1, math.nan, 1e300 * -1])
def test_an_impossible_timeout_is_a_value_error(timeout: float) -> None:
    with server() as serving:
        for waits in (serving.report, serving.wait):
            with pytest.raises(ValueError, match="give seconds, 0 or more"):
                waits(timeout)


def test_files_and_report_are_the_same(tmp_path: Path) -> None:
    as_json, as_csv = tmp_path / "report.json", tmp_path / "frames.csv"
    with server(frames=10, seed=2, noise=5, empty_rate=0.3, json=as_json, csv=str(as_csv)) as serving:
        plumb.Client(centroid, serving.address).run()
        report = serving.report()
    assert json.loads(as_json.read_text()) == json.loads(report.to_json())
    with as_csv.open() as file:
        head, *rows = list(csv.reader(file))
    assert tuple(head) == report.frames.dtype.names and len(rows) == len(report.frames) == 10
    for row, frame in zip(rows, report.frames, strict=True):
        for cell, value in zip(row, frame.item(), strict=True):
            if isinstance(value, str):
                assert cell == value
            else:
                assert math.isnan(value) if cell == "" else float(cell) == value


def test_closing_twice_is_fine_and_a_closed_server_has_ended() -> None:
    serving = server()
    assert not serving.wait(0)
    serving.close()
    serving.close()
    assert serving.wait() and serving.wait(math.inf)


def test_a_server_that_serves_once_ends() -> None:
    with server(frames=3, once=True) as serving:
        plumb.Client(centroid, serving.address).run()
        assert serving.wait(LIMIT_S)
        assert serving.report().counts.sent == 3


def test_the_with_block_ends_a_session_in_progress() -> None:
    running = threading.Event()

    def answers(_: np.ndarray) -> None:
        running.set()

    tallies: list[plumb.Tally] = []
    with server() as serving:
        client = plumb.Client(answers, serving.address)
        thread = threading.Thread(target=lambda: tallies.append(client.run()))
        thread.start()
        assert running.wait(LIMIT_S)
    thread.join()
    assert tallies[0].received > 0 and tallies[0].end != "finished"
    assert serving.report().counts.sent > 0


def test_a_port_that_is_taken_is_an_os_error() -> None:
    with server() as serving, pytest.raises(OSError, match="is taken: .* choose another port with listen"):
        server(listen=serving.address)


def test_a_server_without_references_stops() -> None:
    address = server().address
    # Its thread ends within a second; until then the port is taken.
    wanted = None
    for _ in range(LIMIT_S * 20):
        try:
            wanted = server(listen=address)
            break
        except OSError:
            threading.Event().wait(0.05)
    assert wanted is not None
    wanted.close()


def test_an_exception_in_the_with_block_comes_through_and_stops_the_server() -> None:
    with pytest.raises(KeyError), server() as serving:
        raise KeyError
    assert serving.wait(0)


def test_what_the_server_logs_reaches_logging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="plumb"), server(frames=2) as serving:
        plumb.Client(centroid, serving.address).run()
    assert f"listening on {serving.address}" in caplog.text and "session 1" in caplog.text
    assert {record.name for record in caplog.records} == {"plumb"}


def test_a_logging_handler_that_fails_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError(record.msg)

    handler = Fails()
    logger = logging.getLogger("plumb")
    logger.addHandler(handler)
    monkeypatch.setattr(logger, "level", logging.INFO)
    try:
        assert linked(centroid, frames=3).counts.sent == 3
    finally:
        logger.removeHandler(handler)


# Signals and ends of the process

SERVED = 'plumb.Server(listen="127.0.0.1:0", no_announce=True, fps="max", size=(64, 48), radius=8)'


@pytest.mark.parametrize(
    "body",
    ["pass", "time.sleep(0.1)", "[i for i in range(10**6)]", "while True: pass"],
    ids=["fast", "asleep", "slow", "endless"],
)
def test_ctrl_c_ends_a_client_and_the_program_ends_cleanly(body: str) -> None:
    code, out, err = child.interrupted(f"""
        import plumb, time
        server = {SERVED}
        def pipeline(frame, told=[]):
            told or print("running", flush=True)
            told.append(0)
            {body}
        try:
            plumb.Client(pipeline, server.address, workers=2).run()
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """)
    assert code == 0 and out.endswith("interrupted\n"), err


@pytest.mark.parametrize(
    "waits",
    ["server.wait()", "server.wait(1e300)", "plumb.Client(print, '127.0.0.1:1', wait='forever').run()"],
    ids=["server", "server, long", "client without a server"],
)
def test_ctrl_c_ends_a_wait(waits: str) -> None:
    code, out, _ = child.interrupted(f"""
        import plumb
        with {SERVED} as server:
            try:
                print("waiting", flush=True)
                {waits}
            except KeyboardInterrupt:
                print("interrupted")
    """)
    assert (code, out) == (0, "waiting\ninterrupted\n")


def test_a_program_ends_cleanly_while_a_server_and_a_client_run() -> None:
    code, out, err = child.ran(f"""
        import plumb, threading
        server = {SERVED}
        running = threading.Event()
        def pipeline(frame):
            running.set()
            while True:
                pass
        client = plumb.Client(pipeline, server.address, workers=2)
        for work in (client.run, server.wait, plumb.Client(print, "127.0.0.1:1", wait="forever").run):
            threading.Thread(target=work, daemon=True).start()
        running.wait()
        print("end")
    """)
    assert (code, out, err) == (0, "end\n", "")


def test_a_program_ends_with_the_code_of_a_pipeline_that_exits() -> None:
    code, _, err = child.ran(f"""
        import plumb, sys
        server = {SERVED}
        plumb.Client(lambda frame: sys.exit(7), server.address, workers=2).run()
    """)
    assert (code, err) == (7, "")


def test_a_forked_process_serves_and_leaves_its_parents_server_alone() -> None:
    code, out, err = child.ran(f"""
        import os, plumb, sys
        server = {SERVED}
        pid = os.fork()
        if pid == 0:
            del server
            with {SERVED.replace("fps=", "frames=5, fps=")} as own:
                print(plumb.Client(plumb.detect, own.address).run().received, flush=True)
            sys.exit(0)
        print(os.waitpid(pid, 0)[1], server.wait(0))
    """)
    assert (code, out) == (0, "5\n0 False\n"), err


@pytest.mark.parametrize("link", ["tcp", "grpc"])
def test_a_client_may_ask_for_another_link(link: str) -> None:
    with plumb.Server(listen="127.0.0.1:0", frames=30, fps="max", seed=7, noise=5) as server:
        plumb.Client(plumb.detect, server.address, link=link).run()
        report = server.report()
    assert report.sessions[0].client.link == link
    assert report.error_px == plumb.evaluate(plumb.detect, frames=30, seed=7, noise=5).error_px
    with pytest.raises(ValueError, match='link: "smoke" is not a link: webrtc, tcp or grpc'):
        plumb.Client(plumb.detect, link="smoke")
