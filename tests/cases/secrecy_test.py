#!/usr/bin/python3
"""secrecy_test.py SENSOR ROOT: the secrecy pack finds each marking in every encoding and every container, and is silent on ordinary Vietnamese text.

Builds its captures with pcaps/text in a temporary folder: one conversation for each (marking, encoding, container), told apart by the
client's port. Prints a table of what was found; then the false alarms on the everyday sentences below and, where Debian's Vietnamese texts are
installed, on those. Exit status 1 on any miss or any alert on the everyday sentences.
"""
import glob
import gzip
import json
import os
import subprocess
import sys
import tempfile

sensor, root = sys.argv[1], sys.argv[2]
sys.path[:0] = [os.path.join(root, 'pcaps'), os.path.join(root, 'pcaps', 'text')]
import containers  # noqa: E402
from build import Capture  # noqa: E402
from encodings_vn import ENCODINGS  # noqa: E402

LETTERHEAD = 'BỘ VÍ DỤ\nCỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\n{}\nSố: {}\nKính gửi: các đơn vị\n'
MARKINGS = {'TUYỆT MẬT': (1101001, 1101003), 'TỐI MẬT': (1101004, 1101006), 'MẬT': (1101007, 1101009), 'number': (1101021, 1101023)}
NUMBERS = ['123/QĐ-BVD', '45/2026/NĐ-CP', '7/TTr-UBND']
ORDINARY = ['Đổi mật khẩu định kỳ. Thông tin bí mật của bạn được bảo mật.\n', 'HỆ THỐNG BẢO MẬT\nTHÔNG TIN MẬT MÃ\n', 'Mật ong rừng, giá tối mật thiết\n',
            'Tuyệt mật là một từ trong bộ phim.\n', 'Số: 0912345678\nSố: 12/5/2026\n', 'Bí mật nhà nước gồm ba độ: Tuyệt mật, Tối mật, Mật.\n']


def run(capture, folder, name):
    pcap, logs = os.path.join(folder, name + '.pcap'), os.path.join(folder, name)
    capture.write(pcap)
    subprocess.run([sensor, '-r', pcap, '-S', os.path.join(root, 'rules/packs/network/vong-secrecy.rules'), '-l', logs, '--set',
                    'vars.address-groups.HOME_NET=[10.0.0.0/8]', '--set', 'vars.address-groups.EXTERNAL_NET=!$HOME_NET'], check=True,
                   stdout=subprocess.DEVNULL)
    alerts = {}
    for line in open(os.path.join(logs, 'eve.json')):
        event = json.loads(line)
        if event['event_type'] == 'alert':
            port = event['src_port'] if event['src_ip'].startswith('10.') else event['dest_port']
            alerts.setdefault(port, set()).add(event['alert']['signature_id'])
    return alerts


class Numbered:
    """Each conversation gets the next client port."""

    def __init__(self, capture):
        self.capture, self.next = capture, 20000

    def tcp(self, src, dst, dport, **more):
        self.next += 1
        return self.capture.tcp(src, dst, dport, sport=self.next, **more)


def document(marking, i):
    head = '' if marking == 'number' else marking
    return LETTERHEAD.format(head, NUMBERS[i % len(NUMBERS)] if marking == 'number' else '')


def carriers():
    yield 'stream', lambda c, text, encode: containers.plain(c, encode(text))
    yield 'upload', lambda c, text, encode: containers.upload(c, encode(text))
    yield 'mail', lambda c, text, encode: containers.mail(c, encode(text))
    for name, make in (('docx', containers.docx), ('odt', containers.odt)):
        yield name, lambda c, text, encode, make=make, name=name: containers.upload(c, make(encode(text)), 'cong-van.' + name)
        yield name + ' in mail', lambda c, text, encode, make=make, name=name: containers.mail(c, make(encode(text)), 'cong-van.' + name)


def as_characters(encode):
    """What a word processor makes of a font's codes: characters of Latin-1."""
    return lambda text: encode(text).decode('latin-1')


def in_office(encoding):
    if encoding in ('utf-8', 'utf-8-nfd'):
        return lambda text: ENCODINGS[encoding](text).decode()
    return as_characters(ENCODINGS[encoding]) if encoding in ('tcvn3', 'vni') else None


def main():
    folder = tempfile.mkdtemp(prefix='vong-secrecy-')
    c = Numbered(Capture(seed=81))
    wanted = {}
    for carrier, put in carriers():
        office = carrier.startswith(('docx', 'odt'))
        for encoding, encode in ENCODINGS.items():
            if office and (encode := in_office(encoding)) is None:
                continue
            for i, marking in enumerate(MARKINGS):
                put(c, document(marking, i), encode)
                wanted[c.next] = (carrier, encoding, marking)
    alerts = run(c.capture, folder, 'secrecy')
    missed, found = [], {}
    for port, (carrier, encoding, marking) in wanted.items():
        low, high = MARKINGS[marking]
        hit = any(low <= sid <= high for sid in alerts.get(port, ()))
        found[carrier] = found.get(carrier, 0) + hit
        if not hit:
            missed.append((carrier, encoding, marking))
    for carrier in found:
        total = sum(1 for w in wanted.values() if w[0] == carrier)
        print(f'{carrier:14} {found[carrier]:3} of {total} found')
    for miss in missed:
        print('missed:', *miss)

    c = Numbered(Capture(seed=82))
    for text in ORDINARY:
        for encode in ENCODINGS.values():
            containers.plain(c, encode(text))
            containers.upload(c, encode(text))
        containers.upload(c, containers.docx(text), 'a.docx')
    false = run(c.capture, folder, 'ordinary')
    print(f'everyday sentences: {c.next - 20000} conversations, {len(false)} with alerts', sorted(set().union(*false.values())) if false else '')

    corpus = b'\n'.join(gzip.open(p).read() if p.endswith('.gz') else open(p, 'rb').read()
                        for p in sorted(glob.glob('/usr/share/man/vi/man*/*') + glob.glob('/usr/share/doc/maint-guide-vi/html/*.html')))
    if corpus:
        c = Numbered(Capture(seed=83))
        for i in range(0, len(corpus), 100_000):
            containers.plain(c, corpus[i:i + 100_000])
        other = run(c.capture, folder, 'corpus')
        print(f'installed Vietnamese texts: {len(corpus)} bytes, {c.next - 20000} conversations, {len(other)} with alerts')
    else:
        print('installed Vietnamese texts: skipped, none installed')
    sys.exit(1 if missed or false else 0)


main()
