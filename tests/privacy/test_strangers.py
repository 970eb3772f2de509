"""Whom a run talks to."""

import socket
import threading
from pathlib import Path

from tests.conftest import StartSandbox
from tests.support import run_leadhouse


def test_a_sync_talks_to_nobody_but_the_vendor(home: Path, sandbox: StartSandbox) -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def refuse() -> None:
            while True:
                try:
                    connection, _ = proxy.accept()
                except OSError:
                    return  # the test is over
                with connection:
                    asked.append(connection.recv(1000).split(b"\r\n")[0])

        threading.Thread(target=refuse, daemon=True).start()
        api = sandbox()
        environment = {
            "LEADPANTHER_API_KEY": api.world.agency_key,
            "LEADPANTHER_BASE_URL": api.base_url,
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.getsockname()[1]}",
            "NO_PROXY": "127.0.0.1",
        }
        process = run_leadhouse("sync", folder=home, environment=environment)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert asked == []
