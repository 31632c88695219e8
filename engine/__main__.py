"""`python -m engine` is `wfe`."""

from engine.cli import main

main()
