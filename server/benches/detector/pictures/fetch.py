"""Copies the pictures of the benchmark from public packages into the folder that is named.

scikit-image's wheel holds most of them; `smarties.png` is in Debian's opencv-doc. Both are downloaded, not installed.
"""

import pathlib
import subprocess
import sys
import tempfile
import zipfile

SKIMAGE = "scikit-image==0.26.0"
NAMES = [
    "coins.png", "astronaut.png", "camera.png", "chelsea.png", "page.png", "text.png", "rocket.jpg",
    "brick.png", "grass.png", "gravel.png",
]  # fmt: skip


def main(folder: pathlib.Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", SKIMAGE]
        subprocess.run([*pip, "--dest", scratch], check=True)
        [wheel] = pathlib.Path(scratch).glob("*.whl")
        with zipfile.ZipFile(wheel) as files:
            for name in NAMES:
                (folder / name).write_bytes(files.read(f"skimage/data/{name}"))
        subprocess.run(["apt-get", "download", "--quiet", "opencv-doc"], cwd=scratch, check=True)
        [package] = pathlib.Path(scratch).glob("*.deb")
        subprocess.run(["dpkg-deb", "--extract", package, f"{scratch}/package"], check=True)
        [smarties] = pathlib.Path(scratch).glob("package/**/smarties.png")
        (folder / "smarties.png").write_bytes(smarties.read_bytes())


main(pathlib.Path(sys.argv[1]))
