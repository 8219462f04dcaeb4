"""`python -m callflow`: the same as the `callflow` command."""

from callflow.cli import main

if __name__ == "__main__":
    main()
