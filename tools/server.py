"""Serve a folder to a browser on this machine, at a port that no other machine can reach.

``python -m tools.server 8000`` serves the built site at this port.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve files without a line on the terminal for each."""

    # Windows may have been told that scripts are plain text, and browsers would not run them.
    extensions_map = {
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".css": "text/css",
        ".wasm": "application/wasm",
    }

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        """Answer, and let a browser that has left the page hang up."""
        with contextlib.suppress(ConnectionError):
            super().handle()


@contextlib.contextmanager
def serving(folder: Path, handler: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    """Serve `folder` until the block ends; its value is the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        # It looks twenty times in a second, not twice, whether it shall end.
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def main(port: str) -> None:
    """Serve the built site until the command is interrupted."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", int(port)), functools.partial(QuietHandler, directory=str(SITE)))
    except (OSError, OverflowError, ValueError) as error:
        sys.exit(f"Nothing can be served at port {port}: {error}")
    with server, contextlib.suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{server.server_port}/ has the site until you press Ctrl+C", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
