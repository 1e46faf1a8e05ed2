"""Command and control over HTTP: a POST every minute with the same odd user agent and a base64 body; a task comes back once."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=15)
for i in range(6):
    with c.tcp('10.20.1.15', '198.51.100.23', 80) as s:
        body = base64.b64encode(f'id=7f3a91;host=PC-{i:02d};n={i}'.encode())
        s.client(http_request('POST', '/gate.php', 'cdn-update.example.net', ['Content-Type: application/octet-stream', 'Cache-Control: no-cache'],
                              body, agent='Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; vng)'))
        s.server(http_response(b'SLEEP 60' if i != 3 else b'EXEC d2hvYW1p', kind='application/octet-stream'))
    c.wait(60)
c.write(here(__file__, 'c2-beacon.pcap'))
