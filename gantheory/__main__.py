"""``python -m gantheory``: the command line."""

from gantheory.cli import main

if __name__ == "__main__":
    main()
