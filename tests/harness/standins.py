"""`crm` with stand-ins for the services and the region, so that the supervisor is tried alone.

A stand-in answers /readyz on CRM_OPS_PORT; started with `STANDIN_STUBBORN=1` it ignores SIGTERM.
"""

import sys

from infra.cli import app
from infra.local.system import System

STANDIN = """
import http.server, os, signal
if os.environ.get("STANDIN_STUBBORN"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(os.environ.get("CRM_OPS_PORT", 0))), Ready).serve_forever()
"""

real = System._child


def child(self, name, module, env, ops=""):
    standin = real(self, name, module, env, ops)
    standin.command = [sys.executable, "-c", STANDIN]
    return standin


System._child = child
app(prog_name="crm")
