"""A program as perf/run starts one: listens on the endpoints of its configuration, and answers nothing.

Adds its pid to the file $FAKE_PIDS. With $FAKE_DEAF it does not listen; with $FAKE_TAKEN its first start
ends as if a port were taken.
"""
import os
import re
import signal
import socket
import sys
from pathlib import Path

config = Path(sys.argv[1].removeprefix("--config=")).read_text()
pids = Path(os.environ["FAKE_PIDS"])
with pids.open("a") as file:
    print(os.getpid(), file=file)
if "FAKE_TAKEN" in os.environ and len(pids.read_text().splitlines()) == 1:
    sys.exit("listen tcp 127.0.0.1:4317: bind: Address already in use")
held = [] if "FAKE_DEAF" in os.environ else [
    socket.create_server(("127.0.0.1", int(port))) for port in re.findall(r"127\.0\.0\.1:(\d+)", config)]
signal.pause()
