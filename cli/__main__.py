"""`python -m cli` is the `shelfmate` command."""

from cli.main import main

main()
