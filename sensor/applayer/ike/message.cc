#include "sensor/applayer/ike/message.h"

#include "base/byte_reader.h"
#include "sensor/applayer/ike/limits.h"

namespace vong::ike {

bool parse_header(Bytes data, Header& out) {
  ByteReader in(data);
  out.init_spi = in.u64();
  out.resp_spi = in.u64();
  out.next_payload = in.u8();
  out.version = in.u8();
  out.exchange = in.u8();
  out.flags = in.u8();
  out.message_id = in.u32();
  out.length = in.u32();
  return in.ok();
}

bool parse_payloads(uint8_t first, Bytes data, std::vector<Payload>& out,
                    std::vector<uint8_t>& types) {
  types.push_back(first);
  ByteReader in(data);
  uint8_t type = first;
  while (type != 0 && !in.empty() && out.size() < kMaxPayloads) {
    const uint8_t next = in.u8();
    in.skip(1);
    const size_t length = in.u16();
    if (!in.ok() || length < 4) return false;
    const Bytes body = in.bytes(length - 4);
    if (!in.ok()) return false;
    out.push_back({type, body});
    types.push_back(next);
    type = next;
  }
  return true;
}

// ---------------------------------------------------------------- version 1

namespace {

// Type with its format bit, then a value of two bytes or a length and as many bytes.
bool parse_attributes(ByteReader in, Transform& out) {
  while (!in.empty()) {
    const uint16_t type = in.u16(), value = in.u16();
    Attribute a;
    a.type = type & 0x7fff;
    if ((type & 0x8000) != 0) {
      a.number = value;
    } else {
      const Bytes bytes = in.bytes(value);
      if (bytes.size() <= 4) {
        uint32_t number = 0;
        for (const uint8_t b : bytes) number = number << 8 | b;
        a.number = number;
      } else {
        a.bytes = as_text(bytes);
      }
    }
    if (!in.ok()) return false;
    if (out.size() < kMaxAttributes) out.push_back(std::move(a));
  }
  return true;
}

// What proposals and transforms begin with: more follow, reserved, length with this header.
std::optional<ByteReader> substructure(ByteReader& in) {
  in.skip(2);
  const size_t length = in.u16();
  if (!in.ok() || length < 4) return std::nullopt;
  ByteReader body = in.sub(length - 4);
  if (!in.ok()) return std::nullopt;
  return body;
}

}  // namespace

bool parse_sa_v1(Bytes body, SecurityAssociation& out) {
  ByteReader in(body);
  out.domain_of_interpretation = in.u32();
  if (out.domain_of_interpretation == 1) in.skip(4);  // situation, of IPsec
  if (!in.ok()) return false;
  for (size_t n = 0; n < kMaxProposals && !in.empty(); ++n) {
    auto proposal = substructure(in);
    if (!proposal) return false;
    proposal->skip(2);  // number, protocol
    const size_t spi_bytes = proposal->u8();
    proposal->skip(1 + spi_bytes);  // count of transforms
    if (!proposal->ok()) return false;
    while (!proposal->empty()) {
      auto transform = substructure(*proposal);
      if (!transform) return false;
      transform->skip(4);  // number, id, reserved
      if (!transform->ok() || out.transforms.size() >= kMaxTransforms) return transform->ok();
      if (!parse_attributes(*transform, out.transforms.emplace_back())) return false;
    }
  }
  return true;
}

// ---------------------------------------------------------------- version 2

bool parse_sa_v2(Bytes body, std::vector<ProposalV2>& out) {
  ByteReader in(body);
  size_t transforms = 0;
  while (!in.empty() && out.size() < kMaxProposals) {
    auto proposal = substructure(in);
    if (!proposal) return false;
    ProposalV2 p;
    proposal->skip(1);
    p.protocol = proposal->u8();
    const size_t spi_bytes = proposal->u8();
    proposal->skip(1 + spi_bytes);
    if (!proposal->ok()) return false;
    while (!proposal->empty() && ++transforms <= kMaxTransforms) {
      auto transform = substructure(*proposal);
      if (!transform) return false;
      TransformV2 t;
      t.type = transform->u8();
      transform->skip(1);
      t.id = transform->u16();
      if (!transform->ok()) return false;
      p.transforms.push_back(t);
    }
    out.push_back(std::move(p));
  }
  return true;
}

}  // namespace vong::ike
