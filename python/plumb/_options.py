"""The options of a run and of a server, as keyword arguments. docs/options.md explains them.

Names, defaults and ranges are the server's. `None` leaves the default. A pair of numbers may be given for a range
(`radius=(10, 40)` is `radius="10..40"`) and for the size (`size=(640, 480)` is `size="640x480"`, width first).
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TypedDict

# A range: a number, "MIN..MAX", or (MIN, MAX).
Range = float | str | tuple[float, float]


class _Camera(TypedDict, total=False):
    contrast: float
    """Contrast in gray levels: the ball has level 40 + contrast, the background 40 (default 140)."""
    background: str
    """`plain`, `ramp` or `clutter` (default plain)."""
    invert: bool
    """A dark ball on a bright background."""
    occlude: bool
    """An occluder in front of the ball."""
    aspect: float
    """Show the ball as an ellipse: ratio of its shorter to its longer half-axis, 0.1 to 1 (default: off)."""
    aspect_angle: float
    """With `aspect`: direction of the longer half-axis, in degrees (default: drawn for each frame)."""
    shade: float
    """Shade the ball by Lambert's law: share of the light that is ambient, 0 to 1 (default: off)."""
    shade_angle: float
    """With `shade`: where the light comes from in the picture, in degrees (default: drawn for each frame)."""
    shade_height: float
    """With `shade`: the light's angle above the picture, 0 to 90 degrees (default: drawn for each frame)."""
    ring: float
    """Show only the ball's outline, a stroke of this width in px (default: off)."""
    empty_rate: float
    """Share of the frames that show no ball, 0 to 1 (default 0)."""
    exposure: float
    """Motion blur: exposure time as a share of the frame interval, 0 to 1 (default 0)."""
    delay: float
    """Delay of the camera in ms: the scene in a frame is this much older than its truth, 0 to 10000 (default 0)."""
    rolling_shutter: float
    """Rolling shutter: time from row to row in us, 0 to 1000; the truth is that of the frame's time (default 0)."""
    lens: str | PathLike[str]
    """Lens from a YAML file of OpenCV, ROS or `server calibrate`; the options of the lens override it."""
    focal: float | str
    """Focal length of the lens in px, or `"FX,FY"` (default: that of `lens`, or the width if a lens is asked for)."""
    centre: str
    """Principal point of the lens in px, `"CX,CY"` (default: that of `lens`, or the centre of the frames)."""
    distortion: str
    """Distortion of the lens, such as `"plumb_bob:-0.3,0.1,0,0,0"` (default: that of `lens`, or none)."""
    pose: str
    """Pose of the ball's plane, `"TILT,PAN,ROLL"` in degrees and perhaps `",DISTANCE"` in px (default: it faces the camera)."""
    poses: int
    """Number of poses of the ball's plane, drawn from the seed and shown in turn (default: one, that of `pose`)."""
    target: str
    """`disc` in the plane, or `sphere` with its centre in the plane (default disc)."""
    truth_point: str
    """With a lens or a pose: score the image of the `centre` or the `centroid` of the picture (default centre)."""
    blur: float
    """Blur of the optics: standard deviation, in px (default 0)."""
    vignette: float
    """Share of the light that the lens loses in the corners (default 0)."""
    shot_noise: float
    """Shot noise: variance per signal, in gray levels (default 0)."""
    noise: float
    """Read noise: standard deviation, in gray levels (default 0)."""
    gamma: float
    """Gamma of the sensor (default 1)."""
    jpeg: int
    """Quality of a JPEG encoding that each frame goes through (default: none)."""


class _Scene(_Camera, total=False):
    source: str | PathLike[str]
    """`ball`, `depth`, `camera:0`, a video, an MCAP file, a folder of images, or a pattern such as `frames/*.png` (default ball)."""
    topic: str
    """With an MCAP file: topic of the images (default: the only one, or that of a recording's first session)."""
    loop: bool
    """Play a video or a folder again when it ends (default False)."""
    truth: str | PathLike[str]
    """CSV file with the truth of a video, a folder or a camera: `frame,x,y,radius` or `frame,count`."""
    meta: dict[str, bool | int | float | str] | str
    """Metadata of the stream, such as `{"camera": "left", "gain": 2.5}` (default: none)."""
    meta_file: str | PathLike[str]
    """TOML file with metadata of the stream; `meta` overrides it."""
    balls: int | str | tuple[int, int]
    """With task `count`: number of balls, or a range of it (default 0..6)."""
    overlap: float
    """With task `count`: largest overlap of two balls, as a share of the smaller ball's area, 0 to 0.9 (default 0.1)."""
    size: str | tuple[int, int]
    """Width and height in px (default 640x480; 512x424 for `depth`)."""
    pixel: str
    """`gray8`, `bgr8` or `gray16` (default gray8; gray16 for `depth`)."""
    fps: float | str
    """Frames per second, `source` or `max` (default 60, 30 for `depth`, or the rate of the video or the camera)."""
    device_format: str
    """With a camera: format of its buffers, such as `GREY`, `YUYV` or `MJPG` (default: least conversion)."""
    duration: str
    """How long to send frames, such as `10s` (default: no limit)."""
    speed: float
    """Mean speed of the ball along each axis, in px/s (default 200)."""
    depth_noise: float
    """With source `depth`: standard deviation of a reading at 1 m, in mm (default 0)."""
    radius: Range
    """Radius of the ball in px, or a range (default 20 at 640x480)."""
    border: bool
    """Whether part of the ball may leave the frame."""
    deadline: str
    """A frame without an answer after this time is lost (default 2s)."""


class RunOptions(_Scene, total=False):
    """Options of `plumb.evaluate` and `plumb.frames`, besides `frames`, `seed` and `task`.

    Options of the link have no effect there, because nothing is sent. They are accepted so that any run's file works.
    """

    run: str | PathLike[str]
    """A TOML file with options of the run; arguments override it."""
    camera: str | PathLike[str]
    """A TOML file with options of the camera; `run` overrides it."""
    link: str
    """What carries frames and answers."""
    window: int
    """Maximum number of unanswered frames."""
    delivery: str
    """`reliable` or `live`."""
    encoding: str
    """`raw`, `lz4`, `auto`, `png` or `jpeg:QUALITY` with a quality from 1 to 100 (default raw)."""
    sctp_mtu: int
    """Largest SCTP packet, in bytes."""
    loopback: bool
    """Also run a client in the server's process."""
    once: bool
    """Serve one client, then end."""
    let_clients_stop: bool
    """Let a client stop the server (the command x of the client)."""
    gate: str | Sequence[str]
    """Conditions on the report's figures, such as `["error_px.l1.mean <= 0.05"]`; `report.gates` has the verdicts."""
    warmup: int
    """Number of frames at the start of a session to leave out of all figures (default 0)."""
    wait: str
    """How long to wait for the first client."""


class ServerOptions(RunOptions, total=False):
    """Options of `plumb.Server`."""

    frames: int
    """Number of frames to send to each client (default: no limit)."""
    seed: int
    """Seed of everything random (default: drawn at random)."""
    task: str
    """`circle`, `count`, `ack` or `image` (default circle, or ack if the source knows no truth)."""
    listen: str
    """HOST:PORT; port 0 picks a free port (default 127.0.0.1:8080)."""
    dial: str
    """HOST:PORT of a client that listens: the server calls it instead of listening (default: it listens)."""
    token_file: str | PathLike[str]
    """Admit only clients that hold the token in this file (`server token FILE` makes one)."""
    identity: str | PathLike[str]
    """Keep this server's key in this file, and sign with it (with `token_file`)."""
    tls_cert: str | PathLike[str]
    """Take TLS too, with the certificate in this file (PEM)."""
    tls_key: str | PathLike[str]
    """The private key of `tls_cert` (PEM)."""
    tls_ca: str | PathLike[str]
    """With `dial`: call inside TLS, and take only a client whose certificate is signed by one in this file (PEM)."""
    no_announce: bool
    """Do not announce the server on the local network."""
    dashboard: bool
    """Show the page for browsers beyond this machine too: frames, truth and figures."""
    allow_host: str
    """More names of this machine by which browsers open the page, with commas between them."""
    advertise: str
    """Address that clients send to, if it differs from the one they connect to."""
    udp_port: int | str
    """UDP port or range of ports for the links (default: any free port)."""
    json: str | PathLike[str]
    """Write the report to this file after each session."""
    csv: str | PathLike[str]
    """Write a row per frame to this file."""
    junit: str | PathLike[str]
    """Write the verdicts of the gates to this file at the end, as JUnit's XML."""
    out: str | PathLike[str]
    """Write everything into this folder, which must be absent or empty. `plumb.Report.read` reads it."""
    record: bool
    """With `out`: also record every frame, with truth, answer and figures, as `run.mcap`."""
    max_sessions: int
    """Maximum number of sessions at a time (default 256)."""
    max_waiting: int
    """Maximum number of connections that have not yet sent a request (default 256)."""
    max_offers: int
    """Maximum number of unanswered offers to silent connections (default 16)."""
    handshake_limit: str
    """Maximum time from accepting a connection until its link is open (default 30s)."""
    idle_limit: str
    """Maximum time that a connection with an offer may stay silent (default 10s)."""
    max_in_flight: int
    """Number of unacknowledged bytes on a data channel at which further messages wait (default 1048576)."""
    max_requests: int
    """Maximum number of connections per second from one address; others must say hello at once (default 50)."""
