"""The command line as a command and as ``python -m vicinal``: without its libraries, a sentence instead of a traceback."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line, or say what to install for it."""
    try:
        from vicinal import cli
    except ModuleNotFoundError as fault:
        sentence = f"expected {fault.name} for the command line, got no such module; write pip install vicinal[lab]"
        print(f"error: vicinal: {sentence}", file=sys.stderr)
        sys.exit(2)
    cli.main()


if __name__ == "__main__":
    main()
