"""Serves the recordings of a folder with aio-rtsp-toolkit: FOLDER PORT CONTROL_PORT."""

import asyncio
import sys

from aio_rtsp_toolkit import server

folder, port, control = sys.argv[1:]
asyncio.run(server.serve(folder, "127.0.0.1", int(port), control_port=int(control)))
