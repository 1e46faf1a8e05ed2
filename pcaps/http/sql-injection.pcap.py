"""SQL injection into a search field: the classic tautology, UNION SELECT in plain and percent-encoded form, a time delay."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=12)
with c.tcp('203.0.113.66', '10.30.0.80', 80) as s:
    for query in ("1'%20OR%20'1'='1", '1%20UNION%20SELECT%20username,password%20FROM%20users--', '1%2bunion%2ball%2bselect%2bnull,version()',
                  '1;WAITFOR%20DELAY%20%270:0:5%27--'):
        s.client(http_request('GET', f'/tim-kiem?id={query}', 'hoso.example.gov.vn', agent='sqlmap/1.7.2#stable (https://sqlmap.org)'))
        s.server(http_response(b'<p>loi</p>', status='500 Internal Server Error'))
c.write(here(__file__, 'sql-injection.pcap'))
