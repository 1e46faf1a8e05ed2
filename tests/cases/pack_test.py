#!/usr/bin/python3
"""pack_test.py SENSOR ROOT: each rule of the core pack fires on the capture that its metadata names, and on no ordinary capture.

Ordinary are pcaps/*/ordinary.pcap and pcaps/ip/*. A rule without a capture, or a capture that is not there, fails too."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sensor, root = os.path.abspath(sys.argv[1]), sys.argv[2]
pack = os.path.join(root, 'rules/packs/network')
rules = os.path.join(pack, 'vong-core.rules')


def alerts_on(captures, out):
    """{capture: {sid, ...}}, each capture a run of its own."""
    subprocess.run([sensor, '--each', '-S', rules, '-k', 'none', '-q', '-l', out, '--set', 'vars.address-groups.HOME_NET=[10.0.0.0/8,2001:db8::/32]',
                    '--set', 'vars.address-groups.EXTERNAL_NET=any', '--set', f'classification-file={pack}/classification.config',
                    '--set', f'reference-config-file={pack}/reference.config', '-r', captures], check=True)
    found = {}
    for folder in os.listdir(out):
        with open(os.path.join(out, folder, 'eve.json'), encoding='utf-8') as f:
            events = [json.loads(line) for line in f]
        found[folder] = {e['alert']['signature_id'] for e in events if e['event_type'] == 'alert'}
    return found


def linked(captures, folder):
    """A folder of links, since -r takes one place; names keep their own folder's name."""
    os.makedirs(folder)
    for path in captures:
        os.symlink(os.path.abspath(path), os.path.join(folder, os.path.relpath(path, os.path.join(root, 'pcaps')).replace('/', '-')))
    return folder


def main():
    wanted, problems = {}, []
    with open(rules, encoding='utf-8') as f:
        for line in f:
            if not line.startswith('alert'):
                continue
            sid = int(re.search(r'sid:(\d+)', line).group(1))
            capture = re.search(r'metadata:[^;]*\bcapture ([^ ,;]+)', line)
            if capture is None or not os.path.exists(os.path.join(root, 'pcaps', capture.group(1))):
                problems.append(f'rule {sid} names no capture of pcaps/')
            else:
                wanted[sid] = capture.group(1)
    ordinary = glob.glob(os.path.join(root, 'pcaps/*/ordinary.pcap')) + glob.glob(os.path.join(root, 'pcaps/ip/*.pcap'))
    with tempfile.TemporaryDirectory(prefix='vong-pack-') as work:
        attacks = alerts_on(linked({os.path.join(root, 'pcaps', c) for c in wanted.values()}, work + '/attacks'), work + '/out-attacks')
        for sid, capture in wanted.items():
            if sid not in attacks.get(capture.replace('/', '-'), ()):
                problems.append(f'rule {sid} is silent on {capture}')
        quiet = alerts_on(linked(ordinary, work + '/ordinary'), work + '/out-ordinary')
        problems += [f'rules {sorted(sids)} fire on the ordinary capture {name}' for name, sids in quiet.items() if sids]
        if len(quiet) != len(ordinary) or len(ordinary) < 6:
            problems.append(f'{len(quiet)} of {len(ordinary)} ordinary captures were read')
    print('\n'.join(problems) or f'{len(wanted)} rules fire on their captures and on none of {len(ordinary)} ordinary ones')
    return 1 if problems else 0


sys.exit(main())
