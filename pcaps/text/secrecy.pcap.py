"""Documents with secrecy markings and a number that leave in clear text: as bytes, as an upload, as an attachment, as an office document."""
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'), os.path.dirname(os.path.abspath(__file__))]
import containers
from build import Capture, here
from encodings_vn import ENCODINGS

c = Capture(seed=80)
containers.plain(c, ENCODINGS['tcvn3']('BỘ VÍ DỤ\nTỐI MẬT\nSố: 12/QĐ-BVD\n'))
containers.upload(c, ENCODINGS['utf-16le']('BỘ VÍ DỤ\nMẬT\nSố: 13/TTr-BVD\n'))
containers.mail(c, containers.docx('BỘ VÍ DỤ\nTUYỆT MẬT\nSố: 14/2026/NĐ-CP\n'), 'cong-van.docx')
c.write(here(__file__, 'secrecy.pcap'))
