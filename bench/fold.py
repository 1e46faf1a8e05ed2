#!/usr/bin/python3
"""fold.py < perf-script.txt > graph.svg: stacks of `perf script -F comm,ip,sym` as a flame graph. With --folded: a line a stack and its count."""
import collections
import html
import re
import sys

WIDTH, ROW, LEAST = 1400, 17, 0.0008   # pixels, pixels, share of all samples below which a frame is left out


def stacks(lines):
    """-> {(outermost, ..., innermost): samples}"""
    counts, frames = collections.Counter(), []
    for line in lines:
        if line.strip() and line[0] in ' \t':
            found = re.match(r'\s+[0-9a-f]+\s+(.*)', line)
            name = found.group(1).strip() if found else ''
            frames.append(re.sub(r'\(.*', '', name) or '[unknown]')
        elif not line.strip() and frames:
            counts[tuple(reversed(frames))] += 1
            frames = []
    if frames:
        counts[tuple(reversed(frames))] += 1
    return counts


class Node:
    def __init__(self):
        self.samples, self.children = 0, {}


def tree(counts):
    root = Node()
    for stack, n in sorted(counts.items()):
        root.samples += n
        node = root
        for name in stack:
            node = node.children.setdefault(name, Node())
            node.samples += n
    return root


def draw(root):
    boxes, deepest, todo = [], 0, [(root, 'all', 0, 0)]
    while todo:
        node, name, left, depth = todo.pop()
        if node.samples < LEAST * root.samples:
            continue
        deepest = max(deepest, depth)
        boxes.append((left, depth, node.samples, name))
        for child, below in sorted(node.children.items()):
            todo.append((below, child, left, depth + 1))
            left += below.samples
    scale, height = WIDTH / max(root.samples, 1), (deepest + 2) * ROW
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
           'font-family="monospace" font-size="11">')
    for left, depth, samples, name in boxes:
        x, w, y = left * scale, samples * scale, height - (depth + 1) * ROW
        hue = sum(name.encode()) % 60
        share = f'{100 * samples / root.samples:.2f} %'
        text = html.escape(name[:max(int(w / 7), 0)]) if w > 21 else ''
        yield (f'<g><title>{html.escape(name)}: {samples} samples, {share}</title>'
               f'<rect x="{x:.1f}" y="{y}" width="{max(w, 0.3):.1f}" height="{ROW - 1}" fill="hsl({hue},80%,65%)"/>'
               f'<text x="{x + 2:.1f}" y="{y + 12}">{text}</text></g>')
    yield '</svg>'


def main():
    counts = stacks(sys.stdin)
    if '--folded' in sys.argv:
        for stack, n in sorted(counts.items()):
            print(';'.join(stack), n)
        return
    for line in draw(tree(counts)):
        print(line)


if __name__ == '__main__':
    main()
