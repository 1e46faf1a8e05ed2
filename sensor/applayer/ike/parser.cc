#include "sensor/applayer/ike/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "base/encode.h"
#include "sensor/applayer/ike/limits.h"

namespace vong::ike {

using applayer::Input;
using applayer::ParseResult;

namespace {

std::string kept(Bytes bytes) {
  return std::string(as_text(bytes.first(std::min(bytes.size(), kMaxPayloadBytes))));
}

// ---------------------------------------------------------------- weak proposals (version 2)

// Transform ids: RFC 7296 section 3.3.2 and IANA's registry.
bool weak_encryption(uint16_t id) { return (id >= 1 && id <= 9) || id == 11; }
bool known_encryption(uint16_t id) {
  return id <= 9 || (id >= 11 && id <= 16) || (id >= 18 && id <= 35);
}
bool authenticates_itself(uint16_t id) {
  return (id >= 14 && id <= 16) || (id >= 18 && id <= 20) || (id >= 25 && id <= 31);
}
bool weak_integrity(uint16_t id) { return (id >= 1 && id <= 4) || id == 6 || id == 7; }
bool weak_group(uint16_t id) { return id == 1 || id == 2 || id == 5 || id == 22; }

void check_transform(Transaction& tx, const TransformV2& t) {
  switch (t.type) {
    case kEncryption:
      if (weak_encryption(t.id)) tx.add_event(kWeakCryptoEnc);
      if (!known_encryption(t.id)) tx.add_event(kUnknownProposal);
      break;
    case kPrf:
      if (t.id == 0) tx.add_event(kInvalidProposal);
      if (t.id == 1 || t.id == 2) tx.add_event(kWeakCryptoPrf);
      break;
    case kIntegrity:
      if (weak_integrity(t.id)) tx.add_event(kWeakCryptoAuth);
      break;
    case kGroup:
      if (t.id == 0) tx.add_event(kInvalidProposal);
      if (weak_group(t.id)) tx.add_event(kWeakCryptoDh);
      break;
    case kEsn:
      break;
    default:
      tx.add_event(kUnknownProposal);
      break;
  }
}

void check_proposal(Transaction& tx, const ProposalV2& p) {
  constexpr uint8_t kAuthenticationHeader = 2;
  const auto any = [&](auto what) { return std::ranges::any_of(p.transforms, what); };
  for (const TransformV2& t : p.transforms) check_transform(tx, t);
  if (!any([](const TransformV2& t) { return t.type == kGroup; })) tx.add_event(kWeakCryptoNoDh);
  if (p.protocol == kAuthenticationHeader) tx.add_event(kNoEncryption);
  const bool authenticated = any([](const TransformV2& t) {
    return (t.type == kIntegrity && t.id != 0) ||
           (t.type == kEncryption && authenticates_itself(t.id));
  });
  if (!authenticated) tx.add_event(kWeakCryptoNoAuth);
}

}  // namespace

ParseResult IkeParser::parse(Direction d, const Input& in) {
  if (in.data.empty() || transactions.size() >= kMaxTransactions)
    return ParseResult::ok(in.data.size());
  auto made = std::make_unique<Transaction>();
  Transaction& tx = *made;
  if (!parse_header(in.data, tx.header)) {
    if (!transactions.empty()) transactions.back()->add_event(kMalformedData);
    return ParseResult::error();
  }
  const Bytes rest = in.data.subspan(kHeaderBytes);
  if (rest.empty() && tx.header.length == kHeaderBytes) return ParseResult::ok(in.data.size());
  if (tx.header.major() != 1 && tx.header.major() != 2) return ParseResult::error();
  tx.direction = d;
  tx.has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  tx.init_spi = hex_of(in.data.first(8));
  tx.resp_spi = hex_of(in.data.subspan(8, 8));
  std::vector<Payload> payloads;
  if (tx.header.major() == 2) {
    if (!parse_payloads(tx.header.next_payload, rest, payloads, tx.payload_types))
      tx.add_event(kMalformedData);
    version2(tx, payloads);
  } else if (!tx.header.encrypted()) {
    if (!parse_payloads(tx.header.next_payload, rest, payloads, tx.payload_types))
      tx.add_event(kMalformedData);
    version1(tx, payloads);
  }
  tx.progress = {1, 1};
  add(std::move(made));
  return ParseResult::ok(in.data.size());
}

void IkeParser::version1(Transaction& tx, const std::vector<Payload>& payloads) {
  Side& side = exchange_.sides[static_cast<size_t>(index(tx.direction))];
  for (const Payload& p : payloads) {
    switch (p.type) {
      case kSaV1: {
        SecurityAssociation sa;
        if (!parse_sa_v1(p.body, sa)) tx.add_event(kMalformedData);
        exchange_.domain_of_interpretation = sa.domain_of_interpretation;
        tx.transforms = std::move(sa.transforms);
        if (tx.direction == Direction::kToServer) {
          exchange_.chosen.clear();  // a new negotiation
        } else {
          exchange_.chosen = tx.transforms;
        }
        break;
      }
      case kKeyExchangeV1:
        tx.key_exchange = side.key_exchange = kept(p.body);
        break;
      case kNonceV1:
        tx.nonce = side.nonce = kept(p.body);
        break;
      case kVendorV1:
        tx.vendors.push_back(hex_of(as_bytes(kept(p.body))));
        break;
      default:
        break;
    }
  }
  tx.exchange = exchange_;
}

void IkeParser::version2(Transaction& tx, const std::vector<Payload>& payloads) {
  constexpr uint16_t kFirstStatus = 16384;  // below it notifications are errors
  for (const Payload& p : payloads) {
    if (p.type == kSaV2) {
      std::vector<ProposalV2> proposals;
      if (!parse_sa_v2(p.body, proposals)) tx.add_event(kMalformedData);
      for (const ProposalV2& each : proposals) check_proposal(tx, each);
      if (tx.direction == Direction::kToClient && proposals.size() > 1)
        tx.add_event(kMultipleServerProposal);
    } else if (p.type == kNotifyV2) {
      ByteReader in(p.body);
      in.skip(2);  // protocol, size of the SPI
      const uint16_t type = in.u16();
      if (!in.ok()) continue;
      tx.notifications.push_back(type);
      if (type < kFirstStatus) ++tx.errors;
    }
  }
}

}  // namespace vong::ike
