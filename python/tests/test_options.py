"""Options as keyword arguments: names, defaults and ranges are the server's, errors speak Python."""

from __future__ import annotations

import pathlib
import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import plumb
from plumb import _plumb
from plumb._node import plain

LOW_LIGHT = pathlib.Path(__file__).parent.parent.parent / "examples" / "low-light.toml"

# Options of the server that `Server` does not take as arguments, because it has no window and no exit code.
NOT_OF_SERVER = {"no_graphics", "rows", "colormap", "range", "strict"}

# Those that are arguments of `evaluate` and `frames` themselves.
NAMED = {"frames", "seed", "task"}

# Each option with the value that it has by default.
DEFAULTS: dict[str, Any] = {
    "source": "ball",
    "loop": False,
    "size": (640, 480),
    "pixel": "gray8",
    "fps": 60,
    "speed": 200,
    "depth_noise": 0,
    "radius": 20,
    "border": False,
    "link": "any",
    "window": 8,
    "deadline": "2s",
    "delivery": "reliable",
    "encoding": "raw",
    "loopback": False,
    "once": False,
    "let_clients_stop": False,
    "warmup": 0,
    "wait": "forever",
    "contrast": 140,
    "background": "plain",
    "invert": False,
    "occlude": False,
    "empty_rate": 0,
    "exposure": 0,
    "delay": 0,
    "rolling_shutter": 0,
    "blur": 0,
    "vignette": 0,
    "shot_noise": 0,
    "noise": 0,
    "gamma": 1,
}


def config(**options: Any) -> Any:
    """The options in the report."""
    answer = 0 if options.get("task") == "count" else None
    return plain(plumb.evaluate(lambda _: answer, frames=1, seed=1, **options).run.config)


def test_the_typed_options_are_those_of_the_server() -> None:
    run = {name for name, _ in _plumb.run_options()}
    machine = {name for name, _ in _plumb.machine_options()}
    files = {"run", "camera"}
    assert set(plumb.RunOptions.__annotations__) == (run | files) - NAMED
    assert set(plumb.ServerOptions.__annotations__) == (run | files | machine) - NOT_OF_SERVER


@pytest.mark.parametrize("name", sorted(NOT_OF_SERVER))
def test_options_of_the_window_and_the_exit_code_are_refused_by_a_server_in_python(name: str) -> None:
    what = "exit code" if name == "strict" else "window and the terminal"
    with pytest.raises(TypeError, match=f'"{name}" is about the {what} of the server program'):
        plumb.Server(**{name: True})


def test_every_option_has_a_help() -> None:
    assert all(text for _, text in _plumb.run_options() + _plumb.machine_options())


@pytest.mark.parametrize("name", DEFAULTS)
def test_an_option_given_its_default_changes_nothing(name: str) -> None:
    assert config(**{name: DEFAULTS[name]}) == config()


def test_the_defaults_are_all_there() -> None:
    without_default = {
        "run",
        "camera",
        "truth",
        "topic",
        "meta",
        "meta_file",
        "balls",
        "overlap",
        "duration",
        "aspect",
        "aspect_angle",
        "shade",
        "shade_angle",
        "shade_height",
        "ring",
        "lens",
        "focal",
        "centre",
        "distortion",
        "pose",
        "poses",
        "target",
        "truth_point",
        "jpeg",
        "sctp_mtu",
        "device_format",
        "gate",
    }
    assert set(DEFAULTS) == set(plumb.RunOptions.__annotations__) - without_default
    assert config(balls=(0, 6), overlap=0.1, task="count") == config(task="count")


@pytest.mark.parametrize("name", sorted(plumb.RunOptions.__annotations__))
def test_none_leaves_the_default(name: str) -> None:
    assert config(**{name: None}) == config()


def test_metadata_is_a_dict() -> None:
    meta = {"camera": "left", "gain": 2.5, "id": 7, "old": False, "code": "007"}
    assert config(meta=meta)["meta"] == meta
    assert config(meta={"event": {"id": 7}})["meta"] == {"event.id": 7}
    assert config(meta="camera=left")["meta"] == {"camera": "left"}
    assert config()["meta"] == {}
    for wrong, text in [({"a": float("nan")}, "is not finite"), ({"a b": 1}, "is not a key"), ({"a": 2**63}, "2^63 - 1")]:
        with pytest.raises(ValueError) as raised:
            config(meta=wrong)
        assert text in str(raised.value)
    with pytest.raises(TypeError, match="give True or False, a number or a text"):
        config(meta={"a": [1]})


def test_gates_are_a_condition_or_a_list_of_them() -> None:
    two = ["frames.sent == 1", "latency_us.p99 <= 20 ms"]
    assert config(gate=two)["gate"] == two
    assert config(gate="frames.sent==1")["gate"] == ["frames.sent == 1"]
    assert config(gate="frames.sent==1; latency_us.p99 <= 20ms")["gate"] == two
    assert config()["gate"] == []


UNKNOWN = [
    ("radus", '"radus" is not an option: did you mean radius?'),
    ("empty-rate", '"empty-rate" is not an option: did you mean empty_rate?'),
    ("zzz", '"zzz" is not an option; the options are source, loop, '),
    ("listen", '"listen" is an option of the server program and of plumb.Server alone'),
]


@pytest.mark.parametrize(("name", "text"), UNKNOWN)
def test_an_unknown_option_is_a_type_error_that_suggests_another(name: str, text: str) -> None:
    options: dict[str, Any] = {name: 1}
    for takes in (plumb.frames, lambda **options: plumb.evaluate(lambda _: None, **options)):
        with pytest.raises(TypeError) as raised:
            takes(**options)
        assert str(raised.value).startswith(text)


def test_an_unknown_option_of_a_server_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="did you mean listen"):
        plumb.Server(lisen="127.0.0.1:0")  # type: ignore[call-arg]


WRONG_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"noise": -1}, 'noise: "-1" is not a standard deviation of 0 to 255 gray levels'),
    ({"noise": "much"}, 'noise: "much" is not a standard deviation of 0 to 255'),
    ({"noise": float("nan")}, 'noise: "nan" is not a standard deviation'),
    ({"noise": True}, "noise: True is for switches: give a number"),
    ({"noise": ""}, 'noise: "" is not'),
    ({"depth_noise": -1, "source": "depth"}, 'depth_noise: "-1" is not a standard deviation of 0 to 1000 mm'),
    ({"depth_noise": 1}, "depth_noise is for"),
    ({"source": "camera:x"}, 'source "camera:x" names no camera: write camera:0 for /dev/video0'),
    ({"device_format": "GREYS"}, 'device_format: "GREYS" is none of the formats that are read from cameras: GREY'),
    ({"device_format": "GREY"}, "device_format is for cameras only, such as source camera:0"),
    ({"border": "yes"}, 'border: "yes" is neither True nor False'),
    ({"border": 1}, 'border: "1" is neither True nor False'),
    ({"radius": (40, 10)}, "radius 40..10: the first must not be greater than the second"),
    ({"radius": 300}, "radius 300 px does not fit into 640x480: at most 240 px"),
    ({"radius": 40, "size": (64, 48)}, "radius 40 px does not fit into 64x48: at most 24 px"),
    ({"size": (0, 5)}, "each side must be 1 to 8192 px"),
    ({"size": "64"}, "write WIDTHxHEIGHT"),
    ({"seed": -1}, 'seed: "-1" is not a whole number from 0 to 2^64 - 1'),
    ({"seed": 2**64}, "is not a whole number from 0 to 2^64 - 1"),
    ({"frames": 0}, 'frames: "0" is not a whole number of frames from 1'),
    ({"frames": 1.5}, "is not a whole number of frames from 1"),
    ({"task": "find"}, 'task: "find" is not a task: circle, count, ack or image'),
    ({"duration": 10}, "write a number and a unit, for example 10s"),
    ({"deadline": "0s"}, 'deadline: "0s" is not longer than 0'),
    ({"fps": 0}, "a number from 1/3600 to 1000000, for example 60, or max"),
    ({"pixel": "rgb"}, "gray8, bgr8 or gray16"),
    ({"background": "sky"}, "none of plain, ramp, clutter"),
    ({"empty_rate": 1.5}, 'empty_rate: "1.5" is not a share of the frames from 0 to 1'),
    ({"jpeg": 101}, "a quality from 1 to 100"),
    ({"aspect": 1.5}, "a ratio of half-axes from 0.1 to 1"),
    ({"shade_angle": 20}, "shade_angle needs shade"),
    ({"balls": 3}, "balls is for task count only: leave it out, or add task count"),
    ({"empty_rate": 0.5, "task": "count"}, "empty_rate does not go with task count: leave it out"),
    ({"occlude": True, "task": "count"}, "occlude does not go with task count"),
    ({"source": "/nowhere"}, "write ball, or depth, or camera:0"),
    ({"gate": "error_px.l1.mean"}, "is not a condition: one of < <= > >= == != was expected at character 17"),
    ({"gate": ["error_px.l1.maen <= 1"]}, "gate: the report has no figure error_px.l1.maen: the nearest are error_px.l1.mean"),
    ({"warmup": -1}, 'warmup: "-1" is not a whole number of frames from 0'),
    ({"run": "/now--here/a.toml"}, 'run: "/now--here/a.toml" cannot be read'),
    ({"camera": LOW_LIGHT.parent}, "cannot be read"),
]


def test_a_missing_camera_is_named_by_its_device() -> None:
    for takes in (plumb.frames, plumb.Server):
        # `--device` is an option of Docker, so it keeps its form.
        with pytest.raises(ValueError, match="/dev/video4711 does not exist: .* docker run --device /dev/video4711"):
            takes(source="camera:4711")


@pytest.mark.parametrize(("options", "text"), WRONG_VALUES, ids=str)
def test_a_wrong_value_is_a_value_error_that_says_what_is_right(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as raised:
        plumb.frames(**options)
    assert text in str(raised.value)
    assert not re.search(r"(^|[\s\"(])--", str(raised.value))
    with pytest.raises(ValueError) as again:
        plumb.evaluate(lambda _: None, **options)
    assert str(again.value) == str(raised.value)


@pytest.mark.parametrize("value", [b"x", {}, [10, 40], object(), 1j, (1, 2, 3), ("a", "b"), np.zeros(2)], ids=repr)
def test_a_value_of_a_wrong_type_is_a_type_error_that_names_it(value: Any) -> None:
    with pytest.raises(TypeError, match=f"^radius: give a number, .* but no {type(value).__name__}$"):
        plumb.frames(radius=value)


def test_the_server_refuses_with_the_same_words() -> None:
    with pytest.raises(ValueError, match="radius 300 px does not fit into 640x480"):
        plumb.Server(radius=300, listen="127.0.0.1:0")
    with pytest.raises(ValueError, match="write the port too"):
        plumb.Server(listen="here")
    with pytest.raises(ValueError, match="cannot write the report to /nowhere/r.json.*: name a file"):
        plumb.Server(json="/nowhere/r.json", listen="127.0.0.1:0")


SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"noise": np.float64(0.1)}, {"noise": 0.1}),
    ({"noise": np.float32(0.5)}, {"noise": 0.5}),
    ({"noise": Decimal("1.5")}, {"noise": "1.5"}),
    ({"noise": Fraction(1, 4)}, {"noise": 0.25}),
    ({"jpeg": np.int8(50)}, {"jpeg": 50}),
    ({"border": np.True_}, {"border": True}),
    ({"radius": (10, 40)}, {"radius": "10..40"}),
    ({"radius": (np.float32(10.5), np.int64(40))}, {"radius": "10.5..40"}),
    ({"size": (64, np.int64(48)), "radius": 8}, {"size": "64x48", "radius": "8"}),
    ({"balls": (1, 3), "task": "count"}, {"balls": "1..3", "task": "count"}),
    ({"fps": "max"}, {"fps": "max"}),
    ({"run": LOW_LIGHT}, {"run": str(LOW_LIGHT)}),
]


@pytest.mark.parametrize(("options", "written"), SAME, ids=str)
def test_numbers_pairs_and_paths_are_read_as_on_the_command_line(
    options: dict[str, Any], written: dict[str, Any]
) -> None:
    assert config(**options) == config(**written) != config()


def test_a_number_keeps_all_its_digits() -> None:
    assert config(noise=0.1 + 0.2)["camera"]["noise"] == 0.1 + 0.2
    assert plumb.frames(seed=2**64 - 1).seed == 2**64 - 1


@pytest.mark.parametrize("layer", ["run", "camera"])
def test_arguments_override_a_file(layer: str) -> None:
    given: dict[str, Any] = {layer: LOW_LIGHT}
    from_file, overridden = config(**given), config(noise=1.25, **given)
    assert from_file["camera"]["noise"] == 4 and from_file["camera"]["blur"] == 1.2
    from_file["camera"]["noise"] = from_file["noise"] = 1.25
    assert overridden == from_file


def test_a_wrong_value_in_a_file_is_named_with_its_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text("noise = -3\n")
    with pytest.raises(ValueError, match="run.toml.*noise"):
        plumb.frames(run=file)


def test_a_runs_file_overrides_defaults_and_arguments_override_it(tmp_path: pathlib.Path) -> None:
    run = tmp_path / "run.toml"
    run.write_text('frames = 7\nseed = 3\ntask = "ack"\n')
    report = plumb.evaluate(lambda frame: None, run=run)
    assert (report.counts.sent, report.run.seed, report.task) == (7, 3, "ack")
    assert plumb.evaluate(lambda frame: None, frames=5, run=run).counts.sent == 5
    assert len(plumb.frames(run=run)) == 7
    with pytest.raises(ValueError, match="duration"):
        plumb.frames(duration="1s")
