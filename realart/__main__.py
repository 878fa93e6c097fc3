"""`python -m realart`: the command line."""

from realart.cli import main

main()
