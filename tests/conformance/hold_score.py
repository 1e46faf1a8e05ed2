#!/usr/bin/python3
"""hold_score.py alerts|verify SENSOR ROOT [--update]: runs the shared conformance scripts and holds the score that was reached.

scores.json beside this file has the figures reached so far. A figure that falls below (by more than 0.0005) fails the test; one that rose is
told, and --update writes it. Exit status 77: the shared data is not there (skipped).
"""
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SCORES = os.path.join(HERE, 'scores.json')


def shared(root):
    return os.environ.get('VONG_SHARED', os.path.join(root, '..', 'shared'))


def run(argv, env=None):
    environment = dict(os.environ, PATH='/usr/bin:' + os.environ['PATH'], **(env or {}))
    done = subprocess.run(argv, capture_output=True, text=True, env=environment)
    sys.stdout.write(done.stdout[-6000:])
    if done.returncode != 0:
        sys.stdout.write(done.stderr[-2000:])
        sys.exit(f'{argv[0]} ended with status {done.returncode}')
    return done.stdout


def alerts(conformance, sensor):
    """Precision and recall by multiset, by identity, and of each protocol's transactions."""
    with tempfile.TemporaryDirectory() as out:
        text = run([os.path.join(conformance, 'run-alerts'), sensor, '--events'], {'OUT': out})
    figures = {}
    for line in text.splitlines():
        found = re.match(r'\s*(ALL \([^)]*\)|\w+(?: \(keys\))?)\s+\d+\s+\d+\s+\d+\s+([\d.]+)\s+([\d.]+)$', line)
        if found and (found.group(1).startswith('ALL') or found.group(1).endswith('(keys)')):
            figures[found.group(1) + ' precision'] = float(found.group(2))
            figures[found.group(1) + ' recall'] = float(found.group(3))
    return figures


def verify(conformance, sensor):
    with tempfile.NamedTemporaryFile(suffix='.json') as report:
        run([os.path.join(conformance, 'run-verify'), sensor, '--report', report.name, '--jobs', str(os.cpu_count() or 2)])
        result = json.load(open(report.name))
    figures = {'rate': result['rate'], 'mean over areas': result['macro']}
    for area, row in result['areas'].items():
        tried = row['passed'] + row['failed'] - row['negative_only']
        if tried > 0:
            figures['area ' + area] = round((row['passed'] - row['negative_only']) / tried, 4)
    return figures


def document(path, held):
    """The table of the document, as tests/docs_test.py wants it."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    rows = ''.join(f'| {kind}: {name} | {value} |\n' for kind, figures in held.items() for name, value in figures.items())
    with open(path, 'w', encoding='utf-8') as file:
        file.write(re.sub(r'(\| score \| held \|\n\| --- \| --- \|\n)(\|.*\n)*', lambda found: found.group(1) + rows, text))


def main():
    kind, sensor, root = sys.argv[1:4]
    conformance = os.path.join(shared(root), 'conformance')
    if not os.path.exists(os.path.join(conformance, 'run-alerts')):
        print('skipped: no shared conformance data')
        return 77
    figures = {'alerts': alerts, 'verify': verify}[kind](conformance, os.path.abspath(sensor))
    if not figures:
        sys.exit('no figures came out of the scorer')
    held = json.load(open(SCORES)) if os.path.exists(SCORES) else {}
    before = held.get(kind, {})
    fallen = [f'{name}: {before[name]:.4f} -> {figures.get(name, 0):.4f}' for name in before if figures.get(name, 0) < before[name] - 0.0005]
    risen = [f'{name}: {before.get(name, 0):.4f} -> {value:.4f}' for name, value in figures.items() if value > before.get(name, 0) + 0.0005]
    if '--update' in sys.argv:
        held[kind] = dict(sorted(figures.items()))
        json.dump(held, open(SCORES, 'w'), indent=1)
        open(SCORES, 'a').write('\n')
        document(os.path.join(root, 'docs/conformance.md'), held)
    print('risen:', '; '.join(risen) or 'nothing')
    print('fallen:', '; '.join(fallen) or 'nothing')
    return 1 if fallen and '--update' not in sys.argv else 0


if __name__ == '__main__':
    sys.exit(main())
