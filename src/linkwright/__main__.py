"""`python -m linkwright`: the same as the command `linkwright`."""

from linkwright.cli import main

if __name__ == "__main__":
    main()
