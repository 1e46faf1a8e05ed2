#include "sensor/applayer/dns/parser.h"

#include "base/byte_reader.h"
#include "sensor/applayer/dns/limits.h"

namespace vong::dns {

using applayer::Input;
using applayer::ParseResult;
using applayer::ProbeVerdict;

namespace {

constexpr uint8_t kFirstInvalidOpcode = 7;

void add_events(Transaction& tx) {
  const Message& m = tx.message;
  if (m.invalid_additionals) tx.add_event(kInvalidAdditionals);
  if (m.invalid_authorities) tx.add_event(kInvalidAuthorities);
  if (m.z()) tx.add_event(kZFlagSet);
  if (m.opcode() >= kFirstInvalidOpcode) tx.add_event(kInvalidOpcode);
  if ((m.name_flags & kNameTruncated) != 0) tx.add_event(kNameTooLong);
  if ((m.name_flags & kNameInfiniteLoop) != 0) tx.add_event(kInfiniteLoop);
  if ((m.name_flags & kNameTooManyLabels) != 0) tx.add_event(kTooManyLabels);
}

void add_names(const std::vector<Record>& records, std::vector<std::string_view>& out) {
  for (const Record& r : records) {
    out.push_back(r.name.value);
    switch (r.type) {
      case kTypeCname:
      case kTypeNs:
      case kTypePtr:
      case kTypeMx:
      case kTypeSoa:
        out.push_back(r.target.value);
        break;
      default:
        break;
    }
  }
}

}  // namespace

const std::vector<std::string_view>& Transaction::all_names() const {
  if (!have_names_) {
    have_names_ = true;
    for (const Query& q : message.queries) all_names_.push_back(q.name.value);
    add_names(message.answers, all_names_);
    add_names(message.authorities, all_names_);
    add_names(message.additionals, all_names_);
  }
  return all_names_;
}

void DnsParser::event_on_last(Event e) {
  if (!transactions.empty()) transactions.back()->add_event(e);
}

bool DnsParser::message(Direction d, Bytes bytes, bool datagram) {
  auto tx = std::make_unique<Transaction>();
  switch (parse_message(bytes, tx->message)) {
    case ParseStatus::kBadHeader:
      return datagram;  // a stray datagram says nothing about the next; a stream has lost its
                        // framing
    case ParseStatus::kMalformed:
      event_on_last(kMalformedData);
      return false;
    case ParseStatus::kOk:
      break;
  }
  // Multicast goes one way only: requests and responses of a host stand in the same direction.
  if (flavor_ != Flavor::kMdns && tx->message.is_response() != (d == Direction::kToClient)) {
    event_on_last(d == Direction::kToServer ? kNotRequest : kNotResponse);
    return false;
  }
  tx->direction = d;
  tx->has_direction[index(opposite(d))] = false;
  tx->progress = {1, 1};
  add_events(*tx);
  add(std::move(tx));
  return true;
}

ParseResult DnsParser::parse(Direction d, const Input& in) {
  if (in.datagram) {
    if (in.data.empty()) return ParseResult::ok(0);
    if (frames != nullptr) frames->add(d, kFramePdu, 0, static_cast<int64_t>(in.data.size()));
    return message(d, in.data, true) ? ParseResult::ok(in.data.size()) : ParseResult::error();
  }
  if (after_gap_[index(d)] && !in.data.empty()) {
    if (probe_tcp(d, in.data) == ProbeVerdict::kNo) return ParseResult::ok(in.data.size());
    after_gap_[index(d)] = false;
  }
  ByteReader reader(in.data);
  size_t consumed = 0;
  while (reader.remaining() >= 2) {
    const size_t size = reader.u16();
    if (reader.remaining() < size) return ParseResult::ok(consumed, size + 2);
    if (frames != nullptr) frames->add(d, kFramePdu, in.offset + consumed + 2, static_cast<int64_t>(size));
    if (size != 0 && !message(d, reader.bytes(size), false)) return ParseResult::error();
    consumed = reader.position();
  }
  return ParseResult::ok(consumed, consumed < in.data.size() ? 2 : 0);
}

bool DnsParser::gap(Direction d, uint64_t) {
  after_gap_[index(d)] = true;
  return true;
}

// ---------------------------------------------------------------- probing

namespace {

ProbeVerdict verdict(Direction d, const Message& m) {
  return m.is_response() == (d == Direction::kToClient) ? ProbeVerdict::kYes
                                                        : ProbeVerdict::kReversed;
}

}  // namespace

ProbeVerdict probe_udp(Direction d, Bytes data) {
  Message m;
  return parse_message(data, m) == ParseStatus::kOk ? verdict(d, m) : ProbeVerdict::kNo;
}

ProbeVerdict probe_tcp(Direction d, Bytes data) {
  ByteReader in(data);
  const size_t size = in.u16();
  if (!in.ok()) return ProbeVerdict::kMoreData;
  Header header;
  if (size < kHeaderBytes) return ProbeVerdict::kNo;
  if (!parse_header(in.peek(), header)) return ProbeVerdict::kMoreData;
  if (!plausible(header, size)) return ProbeVerdict::kNo;
  Message m;
  if (in.remaining() < size) {  // the header must do
    m.flags = header.flags;
    return verdict(d, m);
  }
  return parse_message(in.bytes(size), m) == ParseStatus::kOk ? verdict(d, m) : ProbeVerdict::kNo;
}

}  // namespace vong::dns
