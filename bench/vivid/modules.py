"""Copies kernel modules and those that they need, named so that their order is the one to load them in:
`modules.py FOLDER-OF-THE-KERNEL TARGET MODULE...`"""
import re
import shutil
import sys
from pathlib import Path

kernel, target, *wanted = sys.argv[1:]
modules = {path.stem.replace("-", "_"): path for path in Path(kernel).rglob("*.ko")}
order: list[str] = []


def add(name: str) -> None:
    """Adds a module after those that it needs."""
    if name in order:
        return
    needs = re.search(rb"\0depends=([^\0]*)\0", modules[name].read_bytes())
    for other in needs[1].decode().split(",") if needs else []:
        if other:
            add(other.replace("-", "_"))
    order.append(name)


for name in wanted:
    if name not in modules:
        sys.exit(f"the kernel below {kernel} has no module {name}")
    add(name)
for place, name in enumerate(order):
    shutil.copy(modules[name], Path(target) / f"{place:02}-{name}.ko")
