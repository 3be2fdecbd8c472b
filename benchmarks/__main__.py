"""`python -m benchmarks` is the `bench` command."""

from benchmarks.cli import main

main()
