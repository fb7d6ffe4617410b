"""A server for the tests of backends: it takes lines, keeps them in a file, answers how many."""

from __future__ import annotations

import socketserver
import sys
from pathlib import Path

LINES = Path("lines")


class Lines(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            with LINES.open("ab") as file:
                file.write(line)
            self.wfile.write(b"%d\n" % LINES.read_bytes().count(b"\n"))


class Listening(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    if sys.argv[1] == "refuse":
        sys.exit("not today")
    with Listening(("127.0.0.1", int(sys.argv[1])), Lines) as listening:
        listening.serve_forever()
