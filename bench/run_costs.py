#!/usr/bin/python3
"""run_costs.py CAPTURE.pcap...: the table kFollows of rules/matcher/run_cost.cc: how rarely a byte of one class follows a byte of another in the payload
of classic Ethernet captures, in quarter bits a byte. Taken from the project's own captures: bench/own_traffic.py OUT 1."""
import math
import struct
import sys

CLASSES = 15


def folded(byte):
    return byte | (byte & 0x40) >> 1


def class_of(byte):
    """As class_of in run_cost.cc, of a folded byte."""
    special = {0: 0, 0xFF: 1, 0x20: 2, 0x0D: 3, 0x0A: 4}
    if byte in special:
        return special[byte]
    character = chr(byte)
    if character.isascii() and character.isdigit():
        return 5
    if 'a' <= character <= 'z':
        return 6 if character in 'aeiou' else 7 if character in 'tnsrldhcmp' else 8
    if character in './:-=':
        return 9
    if 0x20 < byte < 0x7F:
        return 10
    return 11 if byte <= 8 else 12 if byte < 0x20 else 13 if byte < 0xC0 else 14


def payloads(path):
    data = open(path, 'rb').read()
    at = 24
    while at + 16 <= len(data):
        length, = struct.unpack_from('<I', data, at + 8)
        frame = data[at + 16:at + 16 + length]
        at += 16 + length
        if frame[12:14] != b'\x08\x00' or len(frame) < 34:
            continue
        header = 14 + (frame[14] & 15) * 4
        end = 14 + int.from_bytes(frame[16:18], 'big')
        if frame[23] == 6 and len(frame) > header + 12:
            yield frame[header + (frame[header + 12] >> 4) * 4:end]
        elif frame[23] == 17:
            yield frame[header + 8:end]


def main():
    members = [0] * CLASSES
    for byte in range(256):
        members[class_of(byte)] += folded(byte) == byte
    alone = [1.0] * CLASSES
    follows = [[0] * CLASSES for _ in range(CLASSES)]
    for path in sys.argv[1:]:
        for payload in payloads(path):
            classes = [class_of(folded(byte)) for byte in payload]
            for c in classes:
                alone[c] += 1
            for a, b in zip(classes, classes[1:]):
                follows[a][b] += 1
    total = sum(alone)
    weight = 20   # of the classes taken alone, where a pair is rare

    def cost(share, size):
        return round(-4 * math.log2(share / size))
    print('alone: ' + ', '.join(str(cost(alone[c] / total, members[c])) for c in range(CLASSES)))
    for a in range(CLASSES):
        seen = sum(follows[a])
        print('    {' + ', '.join(str(cost((follows[a][b] + weight * alone[b] / total) / (seen + weight), members[b])) for b in range(CLASSES)) + '},')


main()
