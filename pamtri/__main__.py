"""``python -m pamtri``: the same as the ``pamtri`` command."""

from pamtri.cli import main

if __name__ == "__main__":
    main()
