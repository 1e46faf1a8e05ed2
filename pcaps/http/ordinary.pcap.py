"""Ordinary browsing: three pages of a public service portal in one kept-alive connection, a form, a picture not found."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here, http_request, http_response

c = Capture(seed=11)
HOST = 'dichvucong.example.gov.vn'
PAGE = '<!doctype html><meta charset="utf-8"><title>Cổng Dịch vụ công</title><p>Thủ tục hành chính trực tuyến.</p>'.encode() * 8
with c.tcp('10.20.1.15', '10.30.0.80', 80) as s:
    for path in ('/', '/thu-tuc?linh-vuc=ho-tich&trang=1', '/thu-tuc/cap-ban-sao'):
        s.client(http_request('GET', path, HOST, ['Accept-Language: vi,en;q=0.5']))
        s.server(http_response(PAGE))
        c.wait(1.2)
    s.client(http_request('POST', '/dang-ky', HOST, ['Content-Type: application/x-www-form-urlencoded'], b'ho-ten=Nguyen+Van+A&nam-sinh=1980'))
    s.server(http_response(b'{"ok":true}', kind='application/json'))
    s.client(http_request('GET', '/anh/logo.png', HOST))
    s.server(http_response(b'not found', status='404 Not Found', kind='text/plain'))
c.write(here(__file__, 'ordinary.pcap'))
