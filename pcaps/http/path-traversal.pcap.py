"""Path traversal in its usual dresses: plain, percent-encoded, double-encoded, backslashes."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=13)
for path in ('/tai-ve?f=../../../../etc/passwd', '/tai-ve?f=%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd', '/cgi-bin/.%2e/.%2e/.%2e/bin/sh',
             '/tai-ve?f=..%5c..%5c..%5cwindows%5cwin.ini'):
    with c.tcp('203.0.113.66', '10.30.0.80', 80) as s:
        s.client(http_request('GET', path, 'vanban.example.gov.vn', agent='curl/8.5.0'))
        s.server(http_response(b'root:x:0:0:root:/root:/bin/bash\n', kind='text/plain'))
c.write(here(__file__, 'path-traversal.pcap'))
