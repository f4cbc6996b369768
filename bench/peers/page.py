"""The page of a server in headless Firefox with default preferences: python3 page.py URL OPENINGS

In each opening the page runs `hough`, if the server's build has it, until five frames are answered. Prints the pipeline and the
counts of each as JSON.
"""

import json
import sys
import tempfile
import time

import firefox

LIMIT = 30.0  # s, for each step
IS_LOADED = "return document.readyState === 'complete' && document.getElementById('typed')?.value"
START = """
const choice = document.getElementById("choice");
const hough = [...choice.options].find(({ value }) => value === "hough");
if (!hough.disabled) choice.value = "hough";
choice.dispatchEvent(new Event("change"));
document.getElementById("go").click();
return choice.value;
"""
COUNTS = "return document.getElementById('run-counts').textContent"
STATUS = "return document.getElementById('run-status').textContent"


def wait(driver, script, is_right):
    until = time.monotonic() + LIMIT
    while not is_right(said := driver.run(script)):
        if time.monotonic() > until:
            sys.exit(f"not within {LIMIT:.0f} s: {script}: {said}; {driver.run(STATUS)}")
        time.sleep(0.05)
    return said


def main(url, openings):
    opened = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, firefox.Driver(profile) as driver:
        for _ in range(int(openings)):
            driver.ask("WebDriver:Navigate", {"url": url})
            wait(driver, IS_LOADED, bool)
            pipeline = driver.run(START)

            def is_running(counts):
                status = driver.run(STATUS)
                if status.startswith("ended"):
                    sys.exit(f"opening {len(opened) + 1}: {status}: {counts}")
                words = counts.split()
                return len(words) > 2 and int(words[2]) >= 5

            counts = wait(driver, COUNTS, is_running)
            driver.run("document.getElementById('stop').click()")
            wait(driver, STATUS, lambda status: status.startswith("ended"))
            opened.append({"pipeline": pipeline, "counts": counts})
    print(json.dumps(opened))


if __name__ == "__main__":
    main(*sys.argv[1:])
