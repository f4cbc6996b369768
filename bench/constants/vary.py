#!/usr/bin/env python3
"""Shows what the constants of `hough` are worth: changes each of them and tries the detector on the same frames.

    bench/constants/vary.py                    # all, times 0.7 and 1.4: half an hour on two cores
    bench/constants/vary.py MIN_EVIDENCE:0.8   # one, times 0.8
    bench/constants/vary.py --check            # only whether the changed copy compiles

Copies the last commit to target/vary, and turns each constant there into a function that multiplies it by a factor,
which the benchmark changes between two runs over its frames (vary.rs). As long as all factors are 1, the copy answers
like the detector, to the bit. Constants that size an array, number a column or name a slot stay as they are.

Prints CSV: misses, finds in frames without a disc (ellipses of the clutter included), finds in photographs with coins
and sweets and in photographs of textures, the largest ratio of a mean error to that without the change, and each
condition that changed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
COPY = ROOT / "target" / "vary"
HOUGH = Path("client/src/pipeline/hough")
FLOATS = ("f64", "f32")

# Integers that only bound a loop or a count.
COUNTS = set(
    "MAX_MEASURED MAX_ITERATIONS MAX_PEAKS MAX_ANNULI ADRIFT_AFTER SETTLING_SHIFTS SETTLING_BALL MIN_SECTORS MAX_CANDIDATES "
    "FIRST_PEAKS MIN_VOTES NEAR_STEPS FIT_STEPS MIN_AGREEING FEW_DIRECTIONS MIN_DIRECTIONS MIN_EDGES PAIRED "
    "MOST_FOR_ONE MOST_FOR_ALL MIN_STROKE_ARCS MIN_PIXELS MAX_EDGES TOLERANCE SMALL_TOLERANCE SMALL_STEPS BESIDE".split()
)

# Definitions and derived numbers, which cannot be chosen.
FIXED = set(
    "PIXEL_VARIANCE ROUNDING_VARIANCE CIRCLE_PARAMETERS COS_60 SIGMAS_PER_SLOPE UNITS_PER_GRAY SOBEL_PER_GRAY "
    "QUARTILE_PER_SIGMA TAN_22_5 ORIENTATIONS CIRCLE_POWER OVAL_POWER TO_EDGE SAME_PX ONE_OUTLINE_PX".split()
)

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
        path, items = (group[1], group[2].split(",")) if group else ("", [flat])
        for item in items:
            prefix, _, name = item.rpartition("::")
            names[name] = ("::".join(filter(None, [path, prefix]))).split("::")[-1]
    return names


def rewrite(folder):
    names = []
    files = sorted((folder / HOUGH).rglob("*.rs"))
    files = [path for path in files if "tests" not in path.parts and path.stem != "tests"]
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
        anywhere = {name for _, name in defined}
        known = lambda name, module: (module, name) in defined or (module == "super" and name in anywhere)
        scope = own | {name for name, module in imported(code).items() if known(name, module)}

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
    # A format string cannot contain a call.
    explain = folder / HOUGH / "explain.rs"
    explain.write_text(explain.read_text().replace('{MOST_ALARMS()}"', '{}",\n            MOST_ALARMS()'))
    return names


def call(line, scope):
    code, slashes, comment = line.partition("//")
    called = re.sub(r"\b([A-Z][A-Z0-9_]+)\b(?!\()", lambda m: m[1] + "()" if m[1] in scope else m[1], code)
    return called + slashes + comment


def prepare(folder):
    names = rewrite(folder)
    listed = "\n".join(f'    "{file} {name} = {value}",' for file, name, value in names)
    (folder / HOUGH / "vary.rs").write_text(
        "//! Factors of the constants, which can be changed while the detector runs.\n\n"
        "use std::sync::atomic::{AtomicU64, Ordering::Relaxed};\n\n"
        f"/// The constants: file, name and value.\npub const NAMES: [&str; {len(names)}] = [\n{listed}\n];\n\n"
        f"static FACTORS: [AtomicU64; {len(names)}] =\n"
        f"    [const {{ AtomicU64::new(1.0_f64.to_bits()) }}; {len(names)}];\n\n"
        "/// Changes a constant by this factor.\npub fn set(number: usize, factor: f64) {\n"
        "    FACTORS[number].store(factor.to_bits(), Relaxed);\n}\n\n"
        "#[inline]\npub(crate) fn times(number: usize, value: f64) -> f64 {\n"
        "    value * f64::from_bits(FACTORS[number].load(Relaxed))\n}\n"
    )
    module = folder / HOUGH / "mod.rs"
    module.write_text(module.read_text().replace("mod all;", "#[doc(hidden)]\npub mod vary;\nmod all;", 1))
    main = folder / "server/benches/detector/main.rs"
    text = main.read_text().replace("mod timing;", "mod timing;\nmod vary;", 1)
    parse = "    let options = Options::parse();"
    main.write_text(text.replace(parse, "    if vary::run()? {\n        return Ok(());\n    }\n" + parse, 1))
    (main.parent / "vary.rs").write_text((ROOT / "bench/constants/vary.rs").read_text())
    return names


def share(value):
    """Whether a number is a share, which cannot grow by 1.4."""
    return 0.7 <= value < 1


def factors(value):
    try:
        number = float(value.replace("_", ""))
    except ValueError:
        return (0.7, 1.4)
    return (0.75, (1 + number) / (2 * number)) if share(number) else (0.7, 1.4)


def settings(names, wanted):
    asked = [spec.partition(":") for spec in wanted]
    for number, (_, name, value) in enumerate(names):
        if not asked:
            yield from ((number, factor) for factor in factors(value))
        yield from ((number, float(factor)) for spec, _, factor in asked if spec == name)


def main():
    if COPY.exists():
        shutil.rmtree(COPY)
    COPY.mkdir(parents=True)
    with subprocess.Popen(["git", "archive", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE) as archive:
        subprocess.run(["tar", "-x", "-C", COPY], stdin=archive.stdout, check=True)
    names = prepare(COPY)
    if sys.argv[1:] == ["--check"]:
        check = ["cargo", "check", "-p", "server", "--bench", "detector"]
        subprocess.run(check, cwd=COPY, env={**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target")}, check=True)
        return
    chosen = COPY / "settings.txt"
    chosen.write_text("".join(f"{number} {factor:.6g}\n" for number, factor in settings(names, sys.argv[1:])))
    pictures = ROOT / "target" / "tmp" / "pictures"
    if not pictures.exists():
        subprocess.run([sys.executable, ROOT / "server/benches/detector/pictures/fetch.py", pictures], check=True)
    cargo = ["cargo", "bench", "-p", "server", "--bench", "detector"]
    seen = {"VARY": str(chosen), "VARY_PICTURES": str(pictures), "CARGO_TARGET_DIR": str(ROOT / "target")}
    subprocess.run(cargo, cwd=COPY, env={**os.environ, **seen}, check=True)


if __name__ == "__main__":
    main()
