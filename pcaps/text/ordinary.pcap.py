"""Everyday Vietnamese text with the words of the markings in it: passwords, privacy, honey."""
import os
import sys

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'), os.path.dirname(os.path.abspath(__file__))]
import containers
from build import Capture, here

c = Capture(seed=84)
TEXT = 'Đổi mật khẩu định kỳ. Thông tin bí mật của bạn được bảo mật.\nHỆ THỐNG BẢO MẬT\nMật ong rừng, giá tốt. Số: 0912345678\n'
containers.plain(c, TEXT.encode())
containers.upload(c, TEXT.encode())
containers.mail(c, containers.docx(TEXT), 'thong-bao.docx')
c.write(here(__file__, 'ordinary.pcap'))
