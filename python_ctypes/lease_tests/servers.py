#!/usr/bin/env python3
"""Starts the distribution's Redis and PostgreSQL on loopback, in temporary folders; stops them.

    servers.py COMMAND...   runs COMMAND with FT_LOCAL_REDIS (a URL) and FT_LOCAL_POSTGRES (a
                            connection string) in its environment, and exits with its status
    servers.py --check      says which server is missing, and how to install it

The tests and the examples use the classes. Nothing outside the temporary folder is touched.
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAFE = ("--appendonly", "yes", "--appendfsync", "always")


class Missing(Exception):  # noqa: N818 - what a server is
    """A server that is not installed."""


def _program(name, package, *folders):
    path = shutil.which(name, path=os.pathsep.join([*folders, os.environ.get("PATH", "")]))
    if path is None:
        raise Missing(f"{name} is not installed; run: apt-get install {package}")
    return path


def redis_program():
    return _program("redis-server", "redis-server")


def postgres_program(name="postgres"):
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return _program(name, "postgresql", *map(str, folders))


def free_port(host="127.0.0.1"):
    with socket.create_server((host, 0)) as listener:
        return listener.getsockname()[1]


def _dying_with_us(*command):
    """The server must not outlive tests that are killed."""
    return [_program("setpriv", "util-linux"), "--pdeathsig", "KILL", *command]


class _Server:
    """A server process that can be killed and started again on the same data."""

    def __init__(self, host="127.0.0.1", prefix=()):
        self.host = host
        self.prefix = list(prefix)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="ft_local-lease-"))
        self.process = None

    def start(self):
        self.log = (self.folder / "log").open("ab")
        command = [*self.prefix, *self.command()]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not start: {self.log_text()}")
            time.sleep(0.02)
        return self

    def log_text(self):
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """As a crash: nothing that the server still has in mind is written."""
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(self.gently)

    def _end(self, number):
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None
            self.log.close()

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *error):
        self.close()


class Redis(_Server):
    gently = signal.SIGTERM

    def __init__(self, *options, **where):
        super().__init__(**where)
        self.options = list(options or SAFE)

    def command(self):
        return [
            *_dying_with_us(redis_program()), "--bind", self.host, "--port", str(self.port),
            "--dir", str(self.folder), "--save", "", "--protected-mode", "no",
            "--repl-diskless-sync-delay", "0", *self.options,
        ]  # fmt: skip

    @property
    def url(self):
        return f"redis://{self.host}:{self.port}/0"

    def ready(self):
        """Whether it answers, and has read its files."""
        command = [*self.prefix, "redis-cli", "-h", self.host, "-p", str(self.port), "ping"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout.strip() == "PONG"


class Postgres(_Server):
    gently = signal.SIGINT
    _template = None

    def __init__(self, *options, **where):
        super().__init__(**where)
        self.options = list(options)
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        if os.getuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
        self._make_data()

    def _make_data(self):
        """initdb takes seconds, so this process runs it once, and copies."""
        if Postgres._template is None:
            folder = tempfile.TemporaryDirectory(prefix="ft_local-lease-")
            if os.getuid() == 0:
                shutil.chown(folder.name, "postgres", "postgres")
            data = f"{folder.name}/data"
            self._run(postgres_program("initdb"), "-D", data, "-U", "postgres", "-A", "trust",
                      "--no-sync", "-E", "UTF8", "--locale", "C")  # fmt: skip
            with Path(data, "pg_hba.conf").open("a") as rules:
                rules.write("host all all 10.0.0.0/8 trust\n")
            Postgres._template = folder
        self._run("cp", "-a", f"{Postgres._template.name}/data", self.data)

    @property
    def data(self):
        return str(self.folder / "data")

    def _as_user(self, *command):
        """PostgreSQL refuses to run as root."""
        if os.getuid() != 0:
            return _dying_with_us(*command)
        return _dying_with_us(
            "--reuid", "postgres", "--regid", "postgres", "--init-groups", *command
        )

    def _run(self, *command):
        subprocess.run(
            self._as_user(*command), check=True, stdout=subprocess.DEVNULL, cwd=self.folder
        )

    def command(self):
        return self._as_user(
            postgres_program(), "-D", self.data, "-k", str(self.folder), "-h", self.host,
            "-p", str(self.port), *self.options,
        )  # fmt: skip

    @property
    def conninfo(self):
        return f"host={self.host} port={self.port} user=postgres dbname=postgres"

    def ready(self):
        command = [postgres_program("pg_isready"), "-q", "-h", self.host, "-p", str(self.port)]
        return subprocess.run([*self.prefix, *command], check=False).returncode == 0

    def kill(self):
        """Kills the postmaster and its backends, as a crash of the machine would."""
        if self.process is None:
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        others = [int(pid) for pid in children.read_text().split()]
        self.process.send_signal(signal.SIGSTOP)
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        super().kill()
        (self.folder / "data/postmaster.pid").unlink(missing_ok=True)


def missing():
    """A line for each server that is not installed."""
    lines = []
    for find in (redis_program, postgres_program):
        try:
            find()
        except Missing as error:
            lines.append(str(error))
    return lines


def main(arguments):
    lines = missing()
    if lines or not arguments or arguments == ["--check"]:
        if lines or not arguments:
            print("\n".join(lines) or __doc__, file=sys.stderr)
        return 1 if lines else 0 if arguments else 2
    with Redis() as redis, Postgres() as postgres:
        environment = {
            **os.environ,
            "FT_LOCAL_REDIS": redis.url,
            "FT_LOCAL_POSTGRES": postgres.conninfo,
        }
        return subprocess.run(arguments, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
