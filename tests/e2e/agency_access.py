#!/usr/bin/python3
"""agency_access.py ROOT CORRELATOR [WORK]: a broker with TLS, a certificate for each principal and the rights that the correlator makes of the registry. Each
agency tries to read and write what is another's, by every way that there is. Status 77: no Java, Maven, kcat or openssl here."""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

root, program = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
case = f'{root}/tests/streams/pack-one-attacker-four-agencies'
port = 20000 + random.randrange(12000)
secure = f'127.0.0.1:{port + 2}'
patience_s = float(os.environ.get('VONG_E2E_PATIENCE_S', '240'))
AGENCIES = {'G02': 's-g02', 'G22': 's-g22', 'G08': 's-g08', 'G11': 's-g11'}
PROPERTIES = '''
listeners=PLAINTEXT://127.0.0.1:@PORT@,SSL://127.0.0.1:@SECURE_PORT@,CONTROLLER://127.0.0.1:@CONTROLLER_PORT@
advertised.listeners=PLAINTEXT://127.0.0.1:@PORT@,SSL://localhost:@SECURE_PORT@
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={tls}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={tls}/ca.crt
listener.name.ssl.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=([^,]*).*$/$1/,DEFAULT
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:admin;User:broker;User:correlator
allow.everyone.if.no.acl.found=false
'''
problems = []


def check(good, text):
    print(('ok      ' if good else 'FAILED  ') + text, flush=True)
    if not good:
        problems.append(text)


def openssl(*arguments, **more):
    subprocess.run(['openssl', *arguments], check=True, capture_output=True, **more)


def certificates(tls):
    os.makedirs(tls)
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30', '-subj', '/CN=vong test CA', '-keyout', f'{tls}/ca.key',
            '-out', f'{tls}/ca.crt')
    with open(f'{tls}/names', 'w') as f:
        f.write('subjectAltName=DNS:localhost,IP:127.0.0.1\n')
    for name in ['broker', 'admin', 'correlator', 'national', 'stranger', *AGENCIES, *AGENCIES.values()]:
        openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', f'/CN={name}', '-keyout', f'{tls}/{name}.key', '-out', f'{tls}/{name}.csr')
        openssl('x509', '-req', '-in', f'{tls}/{name}.csr', '-CA', f'{tls}/ca.crt', '-CAkey', f'{tls}/ca.key', '-CAcreateserial', '-days', '30', '-extfile', f'{tls}/names',
                '-out', f'{tls}/{name}.crt')
        os.chmod(f'{tls}/{name}.key', 0o600)
    with open(f'{tls}/broker.pem', 'w') as f:
        for part in ('broker.key', 'broker.crt', 'ca.crt'):
            f.write(open(f'{tls}/{part}').read())


class Principal:
    def __init__(self, tls, name):
        self.name = name
        self.flags = ['-b', secure, '-X', 'security.protocol=ssl', '-X', f'ssl.ca.location={tls}/ca.crt', '-X', f'ssl.certificate.location={tls}/{name}.crt', '-X',
                      f'ssl.key.location={tls}/{name}.key', '-X', 'ssl.endpoint.identification.algorithm=none']

    def kcat(self, *arguments, data=None, seconds=20):
        try:
            done = subprocess.run(['kcat', *self.flags, *arguments], input=data, capture_output=True, timeout=seconds)
            return done.returncode, done.stdout, done.stderr.decode(errors='replace')
        except subprocess.TimeoutExpired as e:
            return 124, e.stdout or b'', (e.stderr or b'').decode(errors='replace')

    def reads(self, topic):
        """The records that it can read; None when it is not allowed to."""
        status, out, error = self.kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-X', 'topic.metadata.refresh.interval.ms=1000')
        return None if status != 0 or 'authorization' in error.lower() else out.decode().splitlines()

    def joins(self, group, topic):
        """The same as a member of a group."""
        status, out, error = self.kcat('-G', group, '-e', '-q', '-X', 'auto.offset.reset=earliest', '-X', 'session.timeout.ms=6000', topic, seconds=15)
        return [] if 'authorization' in error.lower() else out.decode().splitlines()

    def writes(self, topic, value, key='k'):
        status, _, error = self.kcat('-P', '-t', topic, '-K', '\t', '-X', 'message.timeout.ms=5000', data=f'{key}\t{value}\n'.encode())
        return status == 0 and 'authorization' not in error.lower() and 'failed' not in error.lower()


def plain(*arguments, **more):
    return subprocess.run(['kcat', '-b', f'127.0.0.1:{port}', *arguments], capture_output=True, **more).stdout


def main(work):
    if not shutil.which('kcat') or not shutil.which('openssl'):
        return 77
    tls = f'{work}/tls'
    certificates(tls)
    with open(f'{work}/more.properties', 'w') as f:
        f.write(PROPERTIES.replace('{tls}', tls))
    started = subprocess.run([f'{root}/deploy/kafka/broker', 'start', f'{work}/kafka', str(port)], env=dict(os.environ, VONG_KAFKA_PROPERTIES=f'{work}/more.properties'))
    if started.returncode == 77:
        return 77
    started.check_returncode()
    rules = open(f'{case}/rules.path').read().strip()
    for name, more in (('admin', 'create-topics: true, create-acls: true'), ('correlator', 'group: vong-correlator')):
        with open(f'{work}/{name}.yaml', 'w') as f:
            f.write(f'rules: {root}/{rules}\nagencies: {work}/agencies.yaml\nidle: 2s\nkafka: {{brokers: "localhost:{port + 2}", security-protocol: ssl, '
                    f'ssl.ca-file: {tls}/ca.crt, ssl.certificate-file: {tls}/{name}.crt, ssl.key-file: {tls}/{name}.key, {more}}}\n')
    with open(f'{work}/agencies.yaml', 'w') as f:
        f.write(open(f'{case}/agencies.yaml').read())
    # The administrator makes topics and rights, the correlator works with its own certificate.
    admin = subprocess.Popen([program, '-c', f'{work}/admin.yaml', '-q'])
    end = time.time() + patience_s
    while b'"vong.incidents.national"' not in plain('-L') and time.time() < end and admin.poll() is None:
        time.sleep(0.5)
    time.sleep(8)  # the rights hold a moment later
    admin.send_signal(signal.SIGTERM)
    admin.wait(timeout=patience_s)
    people = {name: Principal(tls, name) for name in ['national', 'stranger', *AGENCIES, *AGENCIES.values()]}
    correlator = subprocess.Popen([program, '-c', f'{work}/correlator.yaml', '-q'])
    try:
        events = open(f'{case}/events.json').read().splitlines()
        for agency, sensor in AGENCIES.items():
            mine = [e for e in events if json.loads(e)['host'] == sensor]
            check(bool(mine) and all(people[sensor].writes(f'vong.events.{agency}', e) for e in mine[:1]), f'sensor {sensor} writes its agency\'s events')
            plain('-P', '-t', f'vong.events.{agency}', '-H', f'sensor={sensor}', input='\n'.join(mine[1:]).encode() + b'\n')
        end = time.time() + patience_s
        while time.time() < end and len(plain('-C', '-t', 'vong.incidents.G02', '-o', 'beginning', '-e', '-q').splitlines()) < 5:
            time.sleep(1)
        check(correlator.poll() is None, 'the correlator works with its own certificate')
        for agency, me in ((a, people[a]) for a in ('G02', 'G11')):
            own = me.reads(f'vong.incidents.{agency}')
            check(bool(own) and all(json.loads(x)['agency'] == agency for x in own), f'{agency} reads its own incidents, and nothing else stands there')
            check(bool(me.reads(f'vong.events.{agency}')), f'{agency} reads its own events')
            warnings = me.reads('vong.warnings')
            check(bool(warnings) and not any(a in w for w in warnings for a in AGENCIES), f'{agency} reads warnings, which name no agency')
            check(bool(me.joins(f'{agency}-soc', f'vong.incidents.{agency}')), f'{agency} reads as a group of its own')
            for other in AGENCIES:
                if other == agency:
                    continue
                check(not me.reads(f'vong.incidents.{other}'), f'{agency} cannot read the incidents of {other}')
                check(not me.reads(f'vong.events.{other}'), f'{agency} cannot read the events of {other}')
                check(not me.joins(f'{other}-soc', f'vong.incidents.{agency}'), f'{agency} cannot join a group of {other}')
                check(not me.joins(f'{agency}-x', f'vong.incidents.{other}'), f'{agency} cannot read the incidents of {other} as a group')
                check(not me.writes(f'vong.events.{other}', '{}'), f'{agency} cannot write events of {other}')
                check(not me.writes(f'vong.incidents.{other}', '{}'), f'{agency} cannot write incidents of {other}')
            for topic in ('vong.incidents.national', 'vong.facts', 'vong.dead-letter', 'vong.verdicts', 'vong.status'):
                check(not me.reads(topic), f'{agency} cannot read {topic}')
            check(not me.writes('vong.warnings', '{}'), f'{agency} cannot write warnings')
            check(not me.writes(f'vong.incidents.{agency}', '{}'), f'{agency} cannot write incidents, not even its own')
            check(me.writes('vong.verdicts', '{}'), f'{agency} writes verdicts')
            listed = me.kcat('-L', '-J')[1].decode(errors='replace')
            check(not any(f'"vong.incidents.{o}"' in listed or f'"vong.events.{o}"' in listed for o in AGENCIES if o != agency), f'{agency} does not even see others\' topics')
        sensor = people['s-g02']
        check(not sensor.reads('vong.events.G02') and not sensor.reads('vong.incidents.G02'), 'a sensor reads nothing, not even what it wrote')
        check(not sensor.writes('vong.events.G22', '{}'), 'a sensor cannot write another agency\'s events')
        national = people['national'].reads('vong.incidents.national')
        check(bool(national), 'the centre reads what is national')
        check(not any('"G08"' in x or '"G11"' in x for x in national or []), 'who is anonymous or shares nothing has no name there')
        check(not people['national'].reads('vong.incidents.G11') and not people['national'].reads('vong.events.G11'), 'the centre reads no agency\'s own topics')
        check(people['stranger'].reads('vong.warnings') is None or not people['stranger'].reads('vong.warnings'), 'a certificate without rights reads nothing')
        status = subprocess.run(['kcat', '-b', secure, '-X', 'security.protocol=ssl', '-X', f'ssl.ca.location={tls}/ca.crt', '-X',
                                             'ssl.endpoint.identification.algorithm=none', '-L', '-m', '5'], capture_output=True).returncode
        check(status != 0, 'without a certificate nobody is let in')
    finally:
        correlator.send_signal(signal.SIGTERM)
        check(correlator.wait(timeout=patience_s) == 0, 'the correlator ends with 0')
    return 1 if problems else 0


work = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix='vong_access_')
try:
    code = main(work)
finally:
    subprocess.run([f'{root}/deploy/kafka/broker', 'stop', f'{work}/kafka'])
    if len(sys.argv) <= 3:
        shutil.rmtree(work, ignore_errors=True)
sys.exit(code)
