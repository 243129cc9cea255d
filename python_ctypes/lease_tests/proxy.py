"""Stands between a client and a server, and loses the first reply to a request that it is given."""

import contextlib
import socket
import threading


class Proxy:
    """Loses the first reply to a request that contains `word`, after the server has sent it."""

    def __init__(self, host, port, word):
        self._server = (host, port)
        self._word = word
        self.lost = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.create_connection(self._server) as server:
            while request := client.recv(65536):
                server.sendall(request)
                reply = server.recv(65536)
                if self._word in request and not self.lost:
                    self.lost += 1
                    return
                client.sendall(reply)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._listener.close()
