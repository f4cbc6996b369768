"""Checks what the sessions of bench/vivid.sh left: `check.py FOLDER`. Prints the figures, and ends with 1 if one is wrong."""
import json
import sys
from itertools import pairwise
from pathlib import Path

folder = Path(sys.argv[1])
WIDTH, HEIGHT = 640, 360
wrong = []


def check(is_right, what):
    """Notes an error, unless the condition holds."""
    if not is_right:
        wrong.append(what)


def text(name):
    """A file's text; empty if there is none."""
    path = folder / name
    return path.read_text(errors="replace") if path.exists() else ""


def said(name):
    """What the two programs of a session said at the end."""
    return text(f"{name}.server")[-600:] + text(f"{name}.client")[-300:]


def sessions(name, codes):
    """The sessions of a report, whose programs ended with these exit codes."""
    got = text(f"{name}.codes").split()
    check(got == codes.split(), f"{name}: exit codes {got}, not {codes}: {said(name)}")
    path = folder / f"{name}.json"
    return json.loads(path.read_text())["sessions"] if path.exists() and path.stat().st_size else []


def played(name, frames, format_, line, codes="0 0", stamp="end_of_frame", age_from="arrival"):
    """The one session of a report, in which this many frames were answered; `None` without one.

    vivid's timestamp of a frame's end is almost an interval after it hands over the frame. A time in the future gives
    no age.
    """
    found = sessions(name, codes)
    if len(found) != 1:
        return check(False, f"{name}: {len(found)} sessions")
    session = found[0]
    source, device = session["source"], session["source"]["device"]
    sent, age, whole = session["frames"]["sent"], device["age_us"], device["to_answer_us"]
    print(f"{name}: {device['format']}, {device['bytes_per_line']} bytes per line, {sent} frames at "
          f"{session['fps']['sent'] or 0:.1f} per second, read {source['read']}, passed over {source['passed_over']}, "
          f"lost {device['lost']}, broken {source['broken']}, decode p50 {source['decode_us']['p50'] / 1e3:.1f} ms, timestamp "
          f"{device['timestamp']} ({device['clock']}), age p50 {age['p50'] / 1e3:.1f} ms, "
          f"to answer p50 {(whole['p50'] or 0) / 1e3:.1f} ms, latency p50 {(session['latency_us']['p50'] or 0) / 1e3:.1f} ms")
    check(frames is None or (sent, session["frames"]["answered"]) == (frames, frames), f"{name}: {session['frames']}")
    check((device["format"], device["bytes_per_line"]) == (format_, line), f"{name}: {device}")
    stamps = (device["timestamp"], device["clock"], device["age_from"])
    check(stamps == (stamp, "monotonic", age_from), f"{name}: {device}")
    check(age["p50"] < 2_000_000, f"{name}: a frame's age is {age}")
    check((whole["p50"] or 0) >= (session["latency_us"]["p50"] or 0), f"{name}: {device}, {session['latency_us']}")
    check(source["read"] >= sent + source["passed_over"] - 1 and source["broken"] == 0, f"{name}: {source}")
    return session


def picture(name, bytes_a_pixel):
    """The lower quarter of the last frame, below vivid's texts: rows of colour bars, all the same."""
    path = folder / f"{name}.pixels"
    pixels = path.read_bytes() if path.exists() else b""
    row = WIDTH * bytes_a_pixel
    check(len(pixels) == row * HEIGHT, f"{name}: {len(pixels)} bytes of pixels")
    rows = {pixels[place * row : (place + 1) * row] for place in range(HEIGHT * 3 // 4, HEIGHT)}
    check(len(rows) == 1, f"{name}: the rows of the colour bars differ")
    return rows.pop()


played("grey", 40, "GREY", WIDTH)
played("yuyv", 10, "YUYV", 2 * WIDTH)
played("webrtc", 10, "GREY", WIDTH)
if ticks := played("ticks", 10, "GREY", WIDTH):
    check(ticks["source"]["late"] is not None, f"ticks: {ticks['source']}")
if truth := played("truth", 5, "GREY", WIDTH):
    check(truth["task"] == "count" and 1 <= truth["count"]["scored"] <= 2, f"truth: {truth}")
played("colour", 5, "BGR3", 3 * WIDTH)
played("deep", 5, "Y16", 2 * WIDTH)
bars = picture("grey", 1)
for name, row in (("grey", bars), ("yuyv", picture("yuyv", 1))):
    # Eight bars. Two neighbours may share a pixel. Colour taken for gray would change from pixel to pixel.
    changes = sum(a != b for a, b in pairwise(row))
    check(7 <= changes <= 21, f"{name}: {changes} changes of level along a row of eight bars")
check(len({picture("colour", 3)[place : place + 3] for place in range(0, 3 * WIDTH, 3)}) >= 6, "colour: few colours")
picture("deep", 2)

check(text("stride.set").strip() == "1024", f"stride: vivid set {text('stride.set')}")
played("stride", 5, "GREY", 1024)
check(picture("stride", 1) == bars, "stride: other pixels than without filling")

played("exposure", 10, "GREY", 1024, stamp="start_of_exposure", age_from="timestamp")
if slow := played("slow", 8, "GREY", 1024):
    check(slow["source"]["passed_over"] >= 3, f"slow: {slow['source']}")
    check((slow["frames"]["skipped"], slow["source"]["late"]) == (0, None), f"slow: {slow['frames']}, {slow['source']}")

both = sessions("both", "0")
check(len(both) == 2 and all(session["frames"]["answered"] == 10 for session in both), f"both: {len(both)} sessions")


def refused(name, words):
    """A server that refused to start, and said so."""
    said = text(f"{name}.server")
    print(f"{name}: {said.strip()}")
    check(text(f"{name}.codes").strip() == "2" and words in said, f"{name}: {said}")


refused("busy", "/dev/video0 is busy: another program uses this camera")
refused("metadata", "/dev/video1 is a video device that gives no pictures")
refused("missing", "/dev/video7 does not exist: there are /dev/video0, /dev/video1")
refused("size", "--size 1000x700 is not the size of the camera's frames")
refused("format", "--device-format MJPG is not a format of /dev/video0, which gives YUYV")

if gone := played("unplugged", None, "GREY", WIDTH, codes="4 0"):
    print(f"unplugged: {gone['end']}")
    check(gone["end"]["kind"] == "source_failed" and "/dev/video0 was unplugged" in gone["end"]["reason"], f"{gone['end']}")
    check(gone["frames"]["answered"] > 0, f"unplugged: {gone['frames']}")

if wrong:
    print(text("log"), file=sys.stderr)
    sys.exit("wrong:\n" + "\n".join(wrong))
