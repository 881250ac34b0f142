"""`python -m dashredact` is the `dashredact` command."""

from dashredact.cli import main

main()
