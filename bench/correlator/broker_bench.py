"""What the benchmarks beside a broker share."""
import os
import subprocess

brokers = os.environ['VONG_TEST_BROKER']


def kcat(*args):
    return subprocess.run(['kcat', '-b', brokers, '-q', *args], stdout=subprocess.PIPE, check=True).stdout


def split(events, count, work, whole=None):
    """The first `count` events by agency, a file in `work` for each topic (and `whole`, all in one). How many there are, and the topics."""
    parts, n = {}, 0
    together = open(whole, 'wb') if whole else None
    for line in open(events, 'rb'):
        agency = line[line.rindex(b'"agency":"') + 10:].split(b'"')[0].decode()
        topic = 'vong.events.BENCH.' + agency[-2:]
        if topic not in parts:
            parts[topic] = open(f'{work}/{topic}', 'wb')
        parts[topic].write(line)
        if together:
            together.write(line)
        n += 1
        if n == count:
            break
    for f in [*parts.values()] + ([together] if together else []):
        f.close()
    return n, sorted(parts)


def produce(topics, work):
    for topic in topics:
        with open(f'{work}/{topic}', 'rb') as lines:
            subprocess.run(['kcat', '-b', brokers, '-q', '-P', '-t', topic, '-z', 'lz4', '-H', 'sensor=sensor-' + topic[-2:]], stdin=lines, check=True)
