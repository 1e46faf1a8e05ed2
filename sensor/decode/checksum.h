// Internet checksums, RFC 1071: whether those that a packet carries are right. Asked by the worker,
// not by the decoder: only under checksum validation (`-k all`), and offloading network cards make
// captures with wrong ones.
#pragma once

#include "base/bytes.h"
#include "sensor/packet/packet.h"

namespace vong::decode {

// The one's complement sum of 16-bit words, not complemented, folded to 16 bits; an odd last byte
// counts as the word's high byte.
[[nodiscard]] uint16_t ones_complement_sum(Bytes bytes, uint32_t start = 0);

// True when the checksum is right or there is none to check (UDP over IPv4 without one, a fragment,
// another protocol).
[[nodiscard]] bool ip_checksum_ok(const Packet& p);
[[nodiscard]] bool transport_checksum_ok(const Packet& p);

// Sets checksum_bad_ip and checksum_bad_transport; true when both are right.
bool verify_checksums(Packet& p);

}  // namespace vong::decode
