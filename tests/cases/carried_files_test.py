#!/usr/bin/python3
"""carried_files_test.py VONG_SENSOR REPO: files that come inside something else, through the whole sensor: attachments of mails in POP3 and IMAP, a file in ranges
over two connections of HTTP; their records, hashes and alerts. Records are held against the closed schema where the conformance data is there."""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

sensor, repo = os.path.abspath(sys.argv[1]), sys.argv[2]
problems = []
CONTENT = b'MZ this is what the mail brought: ' + bytes(range(256)) * 20
BODY = base64.encodebytes(CONTENT).replace(b'\n', b'\r\n')
MAIL = (b'From: Someone <a@example.org>\r\nTo: b@example.org\r\nSubject: invoice\r\nMIME-Version: 1.0\r\n'
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n--x\r\n'
        b'Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename="invoice.exe"\r\n'
        b'Content-Transfer-Encoding: base64\r\n\r\n' + BODY + b'--x--\r\n')
ports = iter(range(40001, 50000))


def session(server_port, steps):
    """A whole TCP connection; steps are (from the client?, bytes)."""
    port, packets = next(ports), []
    seq = {True: 1000, False: 5000}

    def send(client, flags, data=b''):
        ip = IP(src='192.0.2.1', dst='192.0.2.2') if client else IP(src='192.0.2.2', dst='192.0.2.1')
        ends = (port, server_port) if client else (server_port, port)
        tcp = TCP(sport=ends[0], dport=ends[1], flags=flags, seq=seq[client], ack=seq[not client] if 'A' in flags else 0)
        packets.append(Ether() / ip / tcp / data)
        seq[client] += len(data) + ('S' in flags or 'F' in flags)

    send(True, 'S')
    send(False, 'SA')
    send(True, 'A')
    for client, data in steps:
        for at in range(0, len(data), 1400):
            send(client, 'PA', data[at:at + 1400])
            send(not client, 'A')
    send(True, 'FA')
    send(False, 'FA')
    send(True, 'A')
    return packets


def part(begin, end):
    return [(True, b'GET /tool.exe HTTP/1.1\r\nHost: files.example.org\r\nRange: bytes=%d-%d\r\n\r\n' % (begin, end - 1)),
            (False, b'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\nContent-Length: %d\r\n\r\n' %
             (begin, end - 1, len(CONTENT), end - begin) + CONTENT[begin:end])]


stuffed = MAIL.replace(b'\r\n.', b'\r\n..')
size = b'{%d}' % len(MAIL)
packets = session(110, [(False, b'+OK ready\r\n'), (True, b'USER b\r\n'), (False, b'+OK\r\n'), (True, b'PASS p\r\n'), (False, b'+OK\r\n'),
                        (True, b'RETR 1\r\n'), (False, b'+OK\r\n' + stuffed + b'.\r\n'), (True, b'QUIT\r\n'), (False, b'+OK\r\n')])
packets += session(143, [(False, b'* OK ready\r\n'), (True, b'a1 LOGIN b p\r\n'), (False, b'a1 OK\r\n'), (True, b'a2 FETCH 1 BODY[]\r\n'),
                         (False, b'* 1 FETCH (BODY[] ' + size + b'\r\n' + MAIL + b')\r\na2 OK\r\n'),
                         (True, b'a3 APPEND Sent ' + size + b'\r\n'), (False, b'+ go on\r\n'), (True, MAIL + b'\r\n'), (False, b'a3 OK\r\n')])
packets += session(80, part(3000, len(CONTENT))) + session(80, part(0, 3100))
RULES = '''alert pop3 any any -> any any (msg:"pop3"; file.data; content:"what the mail brought"; sid:1;)
alert imap any any -> any any (msg:"imap to client"; flow:to_client; file.data; content:"what the mail brought"; sid:2;)
alert imap any any -> any any (msg:"imap to server"; flow:to_server; file.name; content:"invoice.exe"; sid:3;)
alert http any any -> any any (msg:"whole file"; filesize:%d; file.data; content:"MZ this"; content:"|fe ff|"; isdataat:!1,relative; sid:4;)
''' % len(CONTENT)

with tempfile.TemporaryDirectory() as out:
    wrpcap(f'{out}/c.pcap', packets)
    open(f'{out}/a.rules', 'w').write(RULES)
    done = subprocess.run([sensor, '-r', f'{out}/c.pcap', '-S', f'{out}/a.rules', '-l', out, '-k', 'none', '--set', 'app-layer.files.md5=yes'], capture_output=True, text=True)
    if done.returncode != 0:
        problems.append(f'status {done.returncode}: {done.stderr[-800:]}')
    records = [json.loads(line) for line in open(f'{out}/eve.json')]

files = [r for r in records if r['event_type'] == 'fileinfo']
md5 = hashlib.md5(CONTENT).hexdigest()


def whole(proto, **fields):
    return [r for r in files if r['app_proto'] == proto and r['fileinfo'].get('md5') == md5 and r['fileinfo']['state'] == 'CLOSED' and
            all(r['fileinfo'].get(k) == v for k, v in fields.items())]


for proto, count, name in (('pop3', 1, 'invoice.exe'), ('imap', 2, 'invoice.exe'), ('http', 1, '/tool.exe')):
    found = whole(proto, filename=name, size=len(CONTENT))
    if len(found) != count:
        problems.append(f'{proto}: {len(found)} whole files, not {count}: {files}')
    if proto != 'http' and any(r.get('email', {}).get('from') != 'Someone <a@example.org>' for r in found):
        problems.append(f'{proto}: without the mail: {found}')
if sorted(r['fileinfo'].get('start', -1) for r in files if r['app_proto'] == 'http') != [-1, 0, 3000]:
    problems.append('the parts of the file are not recorded beside the whole')
for sid in (1, 2, 3, 4):
    if not any(r['event_type'] == 'alert' and r['alert']['signature_id'] == sid for r in records):
        problems.append(f'no alert of rule {sid}')

schema = os.path.join(os.environ.get('VONG_SHARED', f'{repo}/../shared'), 'conformance/eve-schema.json')
if os.path.exists(schema):
    import jsonschema
    validator = jsonschema.validators.validator_for(json.load(open(schema)))(json.load(open(schema)))
    for r in records:
        problems += [f'{r["event_type"]}: {e.message[:200]}' for e in validator.iter_errors(r)][:3]
print('\n'.join(map(str, problems)) or 'files inside mails and ranges are found')
sys.exit(1 if problems else 0)
