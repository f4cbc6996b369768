#!/usr/bin/env python3
"""Shows what the detector's constants are worth: changes each one and tries the detector on the same frames.

    bench/constants/vary.py prepare            # a copy in target/vary whose constants can be changed, and its benchmark
    bench/constants/vary.py names              # the constants, by number
    bench/constants/vary.py run [SPEC...]      # SPEC is NUMBER:FACTOR; without one, each constant times 0.7 and 1.4

`prepare` turns `const NAME: f64 = 0.6;` into a function that multiplies by a factor of 1, which the benchmark can change
between two runs over its frames. Constants that size an array, number a column or name a slot stay as they are. The
answers of the copy are those of the detector, to the bit, as long as all factors are 1.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COPY = ROOT / "target" / "vary"
HOUGH = Path("client/src/pipeline/hough")
FLOATS = ("f64", "f32")

# Integers that only bound a loop or a count.
COUNTS = set(
    "MAX_MEASURED MAX_ITERATIONS MAX_ANNULI ADRIFT_AFTER SETTLING_SHIFTS SETTLING_BALL MIN_SECTORS MAX_CANDIDATES "
    "FIRST_PEAKS MIN_VOTES NEAR_STEPS FIT_STEPS MIN_AGREEING FEW_DIRECTIONS MIN_DIRECTIONS MIN_EDGES PAIRED MOST_FOR_ONE "
    "MOST_FOR_ALL MIN_STROKE_ARCS MIN_PIXELS MAX_EDGES TOLERANCE SMALL_TOLERANCE SMALL_STEPS BESIDE".split()
)

# Definitions and derived numbers, which cannot be chosen.
FIXED = set("PIXEL_VARIANCE ROUNDING_VARIANCE CIRCLE_PARAMETERS COS_60 SIGMAS_PER_SLOPE UNITS_PER_GRAY SOBEL_PER_GRAY QUARTILE_PER_SIGMA TAN_22_5 ORIENTATIONS "
            "CIRCLE_POWER OVAL_POWER TO_EDGE SAME_PX ONE_OUTLINE_PX MAX_STROKE_PX".split())

CONST = re.compile(r"^((?:pub(?:\([a-z]+\))? )?)const ([A-Z][A-Z0-9_]*): ([^=]+?) = ([^;]+);", re.M)


def is_varied(name, kind):
    if name in FIXED:
        return False
    return kind in FLOATS or re.fullmatch(r"\[(f64|f32); \d+\]", kind) or name in COUNTS


def code_of(text):
    """The code before the tests at the end of a file."""
    at = re.search(r"^#\[cfg\(test\)\]\n(?:pub(?:\(crate\))? )?mod \w+ \{", text, re.M)
    return (text, "") if at is None else (text[: at.start()], text[at.start() :])


def imported(code):
    """Names that a file imports from this crate, with the last module of their paths."""
    names = {}
    for use in re.findall(r"^use ([^;]+);", code, re.M):
        flat = re.sub(r"\s+", "", use)
        group = re.fullmatch(r"(.*)::\{(.*)\}", flat)
        path, items = (group[1], group[2].split(",")) if group else (flat.rpartition("::")[0], [flat.rpartition("::")[2]])
        for item in items:
            prefix, _, name = item.rpartition("::")
            names[name] = ("::".join(filter(None, [path, prefix]))).split("::")[-1]
    return names


def rewrite(folder):
    names = []
    files = [path for path in sorted((folder / HOUGH).rglob("*.rs")) if "tests" not in path.parts and path.stem != "tests"]
    defined = {}
    for path in files:
        code, _ = code_of(path.read_text())
        module = path.parent.name if path.stem == "mod" else path.stem
        for _, name, kind, _ in CONST.findall(code):
            if is_varied(name, kind):
                defined.setdefault((module, name), []).append(path)
    for path in files:
        text = path.read_text()
        code, tests = code_of(text)
        own = {name for _, name, kind, _ in CONST.findall(code) if is_varied(name, kind)}
        others = {name for name, module in imported(code).items() if (module, name) in defined or (module == "super" and any(key[1] == name for key in defined))}
        scope = own | others

        def define(match):
            visible, name, kind, value = match.groups()
            if not is_varied(name, kind):
                return match[0]
            number = len(names)
            names.append((str(path.relative_to(folder / HOUGH)), name, " ".join(value.split())))
            times = "crate::pipeline::hough::vary::times"
            array = re.fullmatch(r"\[(\w+); (\d+)\]", kind)
            if array:
                body = f"let all: {kind} = {value}; all.map(|value| {times}({number}, f64::from(value)) as {array[1]})"
            elif kind in FLOATS:
                body = f"let value: {kind} = {value}; {times}({number}, f64::from(value)) as {kind}"
            else:
                body = f"let value: {kind} = {value}; {times}({number}, value as f64).round() as {kind}"
            return f"#[inline]\n#[allow(non_snake_case)]\n{visible}fn {name}() -> {kind} {{ {body} }}"

        code = CONST.sub(define, code)
        out, in_use = [], False
        for line in code.split("\n"):
            in_use = in_use or re.match(r"(pub(\([a-z]+\))? )?use ", line) is not None
            is_code = not in_use and not line.lstrip().startswith("//")
            out.append(call(line, scope) if is_code else line)
            in_use = in_use and not line.rstrip().endswith(";")
        path.write_text("\n".join(out) + tests)
    # A call cannot stand within a format.
    explain = folder / HOUGH / "explain.rs"
    explain.write_text(explain.read_text().replace('{MOST_ALARMS()}"', '{}",\n            MOST_ALARMS()'))
    return names


def call(line, scope):
    code, slashes, comment = line.partition("//")
    return re.sub(r"\b([A-Z][A-Z0-9_]+)\b(?!\()", lambda m: m[1] + "()" if m[1] in scope else m[1], code) + slashes + comment


def prepare(folder):
    names = rewrite(folder)
    listed = "\n".join(f'    "{file} {name} = {value}",' for file, name, value in names)
    (folder / HOUGH / "vary.rs").write_text(
        "//! Factors of the constants, which can be changed while the detector runs.\n\n"
        "use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n\n"
        f"/// The constants: file, name and value.\npub const NAMES: [&str; {len(names)}] = [\n{listed}\n];\n\n"
        f"static FACTORS: [AtomicU64; {len(names)}] = [const {{ AtomicU64::new(1.0_f64.to_bits()) }}; {len(names)}];\n\n"
        "/// Changes a constant by this factor.\npub fn set(number: usize, factor: f64) {\n"
        "    FACTORS[number].store(factor.to_bits(), Relaxed);\n}\n\n"
        "#[inline]\npub(crate) fn times(number: usize, value: f64) -> f64 {\n"
        "    value * f64::from_bits(FACTORS[number].load(Relaxed))\n}\n"
    )
    module = folder / HOUGH / "mod.rs"
    module.write_text(module.read_text().replace("mod all;", "#[doc(hidden)]\npub mod vary;\nmod all;", 1))
    main = folder / "server/benches/detector/main.rs"
    text = main.read_text().replace("mod timing;", "mod timing;\nmod vary;", 1)
    text = text.replace("    let options = Options::parse();", "    if vary::run()? {\n        return Ok(());\n    }\n    let options = Options::parse();", 1)
    main.write_text(text)
    (main.parent / "vary.rs").write_text((ROOT / "bench/constants/vary.rs").read_text())
    return names


if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else COPY
    for number, (file, name, value) in enumerate(prepare(folder)):
        print(number, file, name, value)
