"""A phishing mail with an executable that pretends to be a document."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here

c = Capture(seed=51)
FAKE_EXE = b'MZ' + bytes(58) + b'\x80\0\0\0' + bytes(64) + b'PE\0\0' + bytes(200)
MAIL = ('From: "Van thu" <vanthu@example.net>\r\nTo: canbo@example.gov.vn\r\nSubject: =?utf-8?B?Q8O0bmcgdsSDbiBraOG6qW4=?=\r\nMIME-Version: 1.0\r\n'
        'Content-Type: multipart/mixed; boundary="b1"\r\n\r\n--b1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n'
        'Xem tep dinh kem: http://cdn-update.example.net/cv\r\n--b1\r\nContent-Type: application/octet-stream; name="cong-van.pdf.exe"\r\n'
        'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="cong-van.pdf.exe"\r\n\r\n').encode() + \
    base64.encodebytes(FAKE_EXE).replace(b'\n', b'\r\n') + b'--b1--\r\n.\r\n'
with c.tcp('203.0.113.25', '10.30.0.25', 25) as s:
    s.server(b'220 mail.example.gov.vn ESMTP\r\n')
    for line, answer in ((b'EHLO mta.example.net\r\n', b'250-mail.example.gov.vn\r\n250 8BITMIME\r\n'), (b'MAIL FROM:<vanthu@example.net>\r\n', b'250 ok\r\n'),
                         (b'RCPT TO:<canbo@example.gov.vn>\r\n', b'250 ok\r\n'), (b'DATA\r\n', b'354 go on\r\n'), (MAIL, b'250 queued\r\n'),
                         (b'QUIT\r\n', b'221 bye\r\n')):
        s.client(line)
        s.server(answer)
c.write(here(__file__, 'phishing.pcap'))
