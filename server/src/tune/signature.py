"""Prints the keyword arguments of a function, one a line, and modules that are missing: python3 -c THIS FILE.py NAME.

See target.rs.
"""
import importlib.util
import inspect
import os
import runpy
import sys

path, name = sys.argv[1:]
sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
# What the file prints is for people.
out, sys.stdout = sys.stdout, sys.stderr
if importlib.util.find_spec("numpy") is None:
    print("-numpy", file=out)
functions = runpy.run_path(path)
if not callable(functions.get(name)):
    sys.exit(f"it has no function {name}")
for one in list(inspect.signature(functions[name]).parameters.values())[1:]:
    if one.kind == one.VAR_KEYWORD:
        print("*", file=out)
    elif one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY):
        print("!" * (one.default is one.empty) + one.name, file=out)
