"""Starts the programs under test. Everything that knows postern's command lines and settings stands here."""

import os
import socket

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def binary(name):
    """A built product; contrib/test says where they are."""
    folder = os.environ.get("POSTERN_BIN_DIR") or os.path.join(ROOT, ".build", "debug")
    path = os.path.join(folder, name)
    if not os.access(path, os.X_OK):
        raise FileNotFoundError(f"{path} is not built: run 'swift build', or set POSTERN_BIN_DIR")
    return path


def free_port():
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
