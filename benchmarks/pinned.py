"""Runs a module on one core: python -m benchmarks.pinned <core> <module> [arguments]."""

import os
import runpy
import sys


def main() -> None:
    """Pin this process, before it has any thread that could escape, and become the module."""
    core, module = int(sys.argv[1]), sys.argv[2]
    os.sched_setaffinity(0, {core})
    sys.argv = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
