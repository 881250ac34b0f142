"""`python -m dashredact` is the `dashredact` command."""

from dashredact.cli import main

if __name__ == "__main__":
    main()
