"""Many small events: writes a capture of N DNS queries, each a flow of its own (two events each: dns and flow), with nothing but the standard library."""
import struct


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def frame(i):
    query = struct.pack('!6H', i & 0xffff, 0x100, 1, 0, 0, 0) + b'\x08%08d\x07example\x03org\0' % i + struct.pack('!2H', 1, 1)
    udp = struct.pack('!4H', 1024 + i % 60000, 53, 8 + len(query), 0) + query
    ip = struct.pack('!2B3H2B', 0x45, 0, 20 + len(udp), i & 0xffff, 0, 64, 17)
    addresses = struct.pack('!2I', 0x0a020100 + i // 60000, 0x0a020035)
    return b'\2\0\0\0\0\1\2\0\0\0\0\2\x08\0' + ip + struct.pack('!H', checksum(ip + b'\0\0' + addresses)) + addresses + udp


def write(path, count, start=1_795_140_000):
    with open(path, 'wb') as f:
        f.write(struct.pack('<I2HiI2I', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(count):
            data = frame(i)
            f.write(struct.pack('<4I', start + i // 1000, i % 1000 * 1000, len(data), len(data)) + data)
