"""An FTP session that fetches a file over a passive data connection."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import Capture, here

c = Capture(seed=61)
with c.tcp('10.20.1.15', '10.30.0.21', 21) as s:
    s.server(b'220 kho du lieu\r\n')
    for line, answer in ((b'USER anonymous\r\n', b'331 password\r\n'), (b'PASS x@example.gov.vn\r\n', b'230 ok\r\n'), (b'TYPE I\r\n', b'200 ok\r\n'),
                         (b'PASV\r\n', b'227 Entering Passive Mode (10,30,0,21,195,80)\r\n')):
        s.client(line)
        s.server(answer)
    s.client(b'RETR bieu-mau.txt\r\n')
    with c.tcp('10.20.1.15', '10.30.0.21', 195 * 256 + 80) as d:
        s.server(b'150 opening\r\n')
        d.server('Biểu mẫu số 01\n'.encode() * 40)
    s.server(b'226 done\r\n')
    s.client(b'QUIT\r\n')
    s.server(b'221 bye\r\n')
c.write(here(__file__, 'ordinary.pcap'))
