#!/usr/bin/env python3
"""pysigma_check.py ROOT VONG_CORRELATOR BUILD_DIR: pySigma (PyPI) reads every Sigma rule of the tree, and of small documents it and the
correlator say alike which are valid. Where pySigma cannot be installed: skipped (77)."""
import glob
import os
import subprocess
import sys
import tempfile

OWN_TYPES = ('absence', 'first_seen', 'rate')  # extensions of ours, no Sigma
VERSION = 'pysigma==2.0.1'
root, program, build = sys.argv[1:4]
venv = os.path.join(build, 'pysigma-venv')
python = os.path.join(venv, 'bin', 'python')


def enter_venv():
    """Runs this file again with pySigma's interpreter."""
    ready = os.path.exists(python) and subprocess.run([python, '-c', 'import sigma.collection'], capture_output=True).returncode == 0
    if not ready:
        try:
            subprocess.run([sys.executable, '-m', 'venv', venv], check=True, capture_output=True, timeout=120)
            subprocess.run([python, '-m', 'pip', '-q', 'install', VERSION], check=True, capture_output=True, timeout=240)
        except (subprocess.SubprocessError, OSError) as e:
            print(f'skipped: {VERSION} cannot be installed from PyPI here ({type(e).__name__})')
            sys.exit(77)
    os.execv(python, [python] + sys.argv)


try:
    import yaml
    from sigma.collection import SigmaCollection
except ImportError:
    enter_venv()


def pysigma_errors(text):
    try:
        rules = SigmaCollection.from_yaml(text, collect_errors=True)
        found = [str(e) for r in rules.rules for e in r.errors] + [str(e) for e in rules.errors]
        for r in rules.rules:  # conditions are parsed only when asked for
            for c in getattr(getattr(r, 'detection', None), 'parsed_condition', []):
                c.parsed
        return found
    except Exception as e:  # pySigma has no one class for what can be wrong
        return [f'{type(e).__name__}: {e}']


def our_errors(text):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, 'r.yml')
        with open(path, 'w') as f:
            f.write(text)
        with open(os.path.join(work, 'c.yaml'), 'w') as f:
            f.write('placeholders: {host: [www]}\n')
        done = subprocess.run([program, '-T', '-c', os.path.join(work, 'c.yaml'), '--in', '-', '--rules', path], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 2), done
        return [line for line in done.stderr.splitlines() if ': error:' in line] or (['status 2: ' + done.stderr] if done.returncode else [])


HEAD = 'title: t\nname: n\nlogsource: {product: suricata}\n'
BASE = HEAD + 'detection: {s: {a: b}, condition: s}\n---\ntitle: m\nname: m\nlogsource: {product: suricata}\ndetection: {s: {a: c}, condition: s}\n---\n'


def d(detection):
    return HEAD + f'detection: {detection}\n'


def c(correlation):
    return BASE + f'title: x\ncorrelation: {correlation}\n'


VALID = [
    d('{s: {a: b}, condition: s}'), d('{s: [{a: b}, {c: 1}], condition: s}'), d('{k: [one, two], condition: k}'), d('{s: {a: null}, condition: s}'),
    d("{s: {a|contains|all: [b, c]}, condition: s}"), d("{s: {a|re: 'a.*b'}, condition: s}"), d("{s: {a|re|i|m|s: 'a'}, condition: s}"),
    d("{s: {a|re|ignorecase|multiline|dotall: 'a'}, condition: s}"), d("{s: {a|cidr: 10.0.0.0/8}, condition: s}"),
    d("{s: {a|cidr: '2001:db8::/32'}, condition: s}"), d('{s: {a|base64: foo}, condition: s}'), d('{s: {a|base64offset|contains: foobar}, condition: s}'),
    d('{s: {a|wide|base64offset|contains: foobar}, condition: s}'), d('{s: {a|utf16|base64: foobar}, condition: s}'),
    d("{s: {a|windash|contains: ' -x '}, condition: s}"), d('{s: {a|lt: 1, b|lte: 2, c|gt: 3, d|gte: 4.5}, condition: s}'),
    d('{s: {a|exists: true}, condition: s}'), d('{s: {a|fieldref: b}, condition: s}'), d("{s: {a|expand: '%host%'}, condition: s}"),
    d('{s: {a|cased: B}, condition: s}'), d('{s: {a|neq: b}, condition: s}'), d('{s: {a|hour: 3}, condition: s}'), d('{s: {a|hour|gte: 3}, condition: s}'),
    d('{s: {a: b}, t: {c: d}, condition: s and not t or (t and s)}'), d('{s1: {a: b}, s2: {c: d}, condition: 1 of s*}'),
    d('{s1: {a: b}, s2: {c: d}, condition: all of them}'), d('{s1: {a: b}, s2: {c: d}, condition: any of them}'), d('{s: {a: b}, t: {a: c}, condition: [s, t]}'),
    c('{type: event_count, rules: [n], group-by: [a], timespan: 5m, condition: {gte: 10}}'),
    c('{type: value_count, rules: [n, m], group-by: [a], timespan: 1h, condition: {field: b, gt: 10}}'),
    c('{type: value_count, rules: [n], group-by: [a], timespan: 1h, condition: {field: [b, c], gt: 10}}'),
    c('{type: temporal, rules: [n, m], group-by: [a], timespan: 1d}'), c('{type: temporal_ordered, rules: [n, m], group-by: [a], timespan: 30s}'),
    c('{type: temporal, rules: [n, m], group-by: [z], aliases: {z: {n: a, m: b}}, timespan: 30s}'),
    c('{type: value_sum, rules: [n], group-by: [a], timespan: 1h, condition: {field: b, gt: 10}}'),
    c('{type: value_avg, rules: [n], group-by: [a], timespan: 1h, condition: {field: b, lt: 10}}'),
    c('{type: value_median, rules: [n], group-by: [a], timespan: 1h, condition: {field: b, lt: 10}}'),
    c('{type: value_percentile, rules: [n], group-by: [a], timespan: 1h, condition: {field: b, lt: 10, percentile: 95}}'),
    c('{type: event_count, rules: [n], timespan: 5m, condition: {eq: 3}}'),
    BASE + 'title: f\nlogsource: {product: suricata}\nfilter: {rules: [n], s: {a: b}, condition: not s}\n',
    BASE + 'title: f\nlogsource: {product: suricata}\nfilter: {rules: any, s: {a: b}, condition: not s}\n',
]
INVALID = [
    'title: t\ndetection: {s: {a: b}, condition: s}\n', 'title: t\nlogsource: {product: suricata}\n', d('{s: {a: b}}'), d('{s: {a: b}, condition: t}'),
    d('{s: {a: b}, condition: s and}'), d('{s: {a: b}, condition: (s}'), d('{s: {a|nonsense: b}, condition: s}'), d('{s: {a|cidr: 300.0.0.0/8}, condition: s}'),
    d("{s: {a|re: '('}, condition: s}"), d('{s: {a|lt: many}, condition: s}'), d('{s: {a|exists: perhaps}, condition: s}'),
    d('{s: {a|i: b}, condition: s}'), d('{s: {a: b}, condition: s | count() > 5}'),
    c('{type: event_counts, rules: [n], group-by: [a], timespan: 5m, condition: {gte: 10}}'),
    c('{type: event_count, rules: [n], group-by: [a], condition: {gte: 10}}'), c('{type: event_count, rules: [n], group-by: [a], timespan: 5m}'),
    c('{type: event_count, rules: [n], group-by: [a], timespan: soon, condition: {gte: 10}}'),
    c('{type: event_count, rules: [n], group-by: [a], timespan: 5m, condition: {atleast: 10}}'),
    c('{type: value_count, rules: [n], group-by: [a], timespan: 5m, condition: {gte: 10}}'), c('{type: event_count, rules: [nobody], timespan: 5m, condition: {gte: 1}}'),
    BASE + 'title: f\nlogsource: {product: suricata}\nfilter: {s: {a: b}, condition: not s}\n',
    BASE + 'title: f\nlogsource: {product: suricata}\nfilter: {rules: any, s: {a: b}}\n',
    d('{s: {a: b}, condition: s}') + 'level: urgent\n', d('{s: {a: b}, condition: s}') + 'status: new\n', 'title: [t\n',
]

failures = []
files = sorted(glob.glob(os.path.join(root, 'rules/packs/**/*.yml'), recursive=True) + glob.glob(os.path.join(root, 'bench/correlator/rules/*.yml')) +
               glob.glob(os.path.join(root, 'tests/streams/**/*.yml'), recursive=True))
packs = {}
for path in files:  # rules of one folder refer to each other
    documents = [x for x in yaml.safe_load_all(open(path)) if x]
    own = [x for x in documents if x.get('correlation', {}).get('type') in OWN_TYPES]
    if own and '/packs/' in path and '/packs/operations/' not in path:
        failures.append(f'{path}: what we ship is plain Sigma')
    packs.setdefault(os.path.dirname(path), []).append(yaml.safe_dump_all([x for x in documents if x not in own], sort_keys=False))
for folder, texts in packs.items():
    failures += [f'{os.path.relpath(folder, root)}: {e}' for e in pysigma_errors('\n---\n'.join(texts) + '\n')]
for text in VALID:
    theirs, ours = pysigma_errors(text), our_errors(text)
    if theirs or ours:
        failures.append(f'valid:\n{text}pySigma: {theirs}\nours: {ours}')
for text in INVALID:
    theirs, ours = pysigma_errors(text), our_errors(text)
    if not theirs or not ours:
        failures.append(f'invalid:\n{text}pySigma: {theirs}\nours: {ours}')
print('\n'.join(failures))
print(f'{len(files)} files, {len(VALID)} valid and {len(INVALID)} invalid documents, {len(failures)} disagreements')
sys.exit(1 if failures else 0)
