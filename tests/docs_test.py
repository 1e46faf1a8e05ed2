#!/usr/bin/python3
"""docs_test.py ROOT: what the documents point at is there. Every relative link of every Markdown file leads to a file or folder, and its #part to a heading;
every path in backquotes that looks like one of this tree's exists; what docs/fuzzing.md names as fuzz targets are targets; the conformance scores in
docs/conformance.md are those that the tests hold; no path of somebody's own machine. Prints every breach as file:line: text."""
import json
import os
import re
import subprocess
import sys

root = os.path.abspath(sys.argv[1])
problems = []
TOP = {name for name in os.listdir(root) if not name.startswith('.') and name not in ('build', 'out')}


def read(path):
    with open(os.path.join(root, path), encoding='utf-8') as f:
        return f.read()


def documents():
    listed = subprocess.run(['git', '-C', root, 'ls-files', '*.md'], capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return listed.stdout.split()
    return [os.path.relpath(os.path.join(folder, name), root) for folder, folders, names in os.walk(root)
            if not re.search(r'/(build|out|target|\.git)(/|$)', folder) for name in names if name.endswith('.md')]


def anchors(text):
    """Headings as a forge names them."""
    heads = re.findall(r'^#+ +(.*)$', text, re.M)
    return {re.sub(r'[^\w\- ]', '', h.lower()).strip().replace(' ', '-') for h in heads}


def check_links(path, number, line):
    for target in re.findall(r'\]\(([^)\s]+)\)', line):
        if re.match(r'[a-z]+:', target):
            continue
        name, _, part = target.partition('#')
        place = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(root, place)):
            problems.append(f'{path}:{number}: link to {target}, which is not there')
        elif part and place.endswith('.md') and part not in anchors(read(place)):
            problems.append(f'{path}:{number}: {place} has no heading #{part}')


def check_paths(path, number, line):
    for word in re.findall(r'`([\w./-]+)`', line):
        first = word.split('/')[0]
        if '/' not in word or first not in TOP or re.search(r'/x(\.|/|$)', word):  # x: any
            continue
        if not os.path.exists(os.path.join(root, word.rstrip('/'))) and not any(
                os.path.exists(os.path.join(root, word + end)) for end in ('.h', '.cc', '.pcap', '.py')):
            problems.append(f'{path}:{number}: `{word}` is not there')


def check_documents():
    for path in documents():
        for number, line in enumerate(read(path).splitlines(), 1):
            check_links(path, number, line)
            check_paths(path, number, line)


def check_fuzz_targets():
    targets = re.findall(r'^vong_fuzz\((\w+)', read('tests/fuzz/CMakeLists.txt'), re.M)
    text = read('docs/fuzzing.md')
    problems.extend(f'docs/fuzzing.md:1: there is no target {t}' for t in re.findall(r'^\| `(\w+)` \|', text, re.M) if t not in targets)


def check_scores():
    held = json.loads(read('tests/conformance/scores.json'))
    rows = dict(re.findall(r'^\| ([^|`]+?) \| ([\d.]+) \|$', read('docs/conformance.md'), re.M))
    wanted = {f'{kind}: {name}': value for kind, figures in held.items() for name, value in figures.items()}
    for name, value in wanted.items():
        if name not in rows or abs(float(rows[name]) - value) > 0.0001:
            problems.append(f'docs/conformance.md:1: {name} is {value} in tests/conformance/scores.json, {rows.get(name, "nothing")} here')
    problems.extend(f'docs/conformance.md:1: {name} is not held by tests/conformance/scores.json' for name in rows if name not in wanted)


check_documents()
check_fuzz_targets()
check_scores()
print('\n'.join(problems) or f'{len(documents())} documents')
sys.exit(1 if problems else 0)
