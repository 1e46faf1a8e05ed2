#include "sensor/applayer/dns/message.h"

#include "base/byte_reader.h"
#include "sensor/applayer/dns/limits.h"

namespace vong::dns {
namespace {

enum class NameStatus : uint8_t { kOk, kBad };

// Reads one message; keeps what all its names cost together.
class MessageReader {
 public:
  explicit MessageReader(Bytes message) : message_(message) {}

  // A name at the reader's position; the reader then stands behind it (behind the first pointer,
  // when there is one). Names cut short by the end of the message count as read, as nothing else
  // can follow them.
  bool name(ByteReader& in, Name& out) {
    ByteReader at = in;
    bool followed = false;
    int labels = 0;
    while (!at.empty()) {
      const uint8_t length = at.peek_u8();
      if (length == 0) {
        at.skip(1);
        break;
      }
      if ((length & 0xc0) == 0xc0) {
        const size_t here = static_cast<size_t>(at.peek().data() - message_.data());
        const size_t target = at.u16() & 0x3fffu;
        if (!at.ok() || target > message_.size()) return false;
        const bool first = !followed;
        if (first) {
          in = at;
          followed = true;
        }
        if (target == here) {
          out.flags |= kNameInfiniteLoop;
          if (first) return false;
          break;
        }
        at = ByteReader(message_.subspan(target));
      } else if ((length & 0xc0) == 0) {
        at.skip(1);
        const Bytes label = at.bytes(length);
        if (!at.ok()) return false;
        append(out, label);
      } else {
        return false;
      }
      ++steps_;
      if (++labels > kMaxLabelsPerName || steps_ > kMaxLabelStepsPerMessage) {
        out.flags |= kNameTooManyLabels;
        if (!followed) return false;
        out.flags |= kNameTruncated;
        break;
      }
    }
    if (!followed) in = at;
    name_bytes_ += out.value.size();
    name_flags_ |= out.flags;
    return true;
  }

  bool query(ByteReader& in, Query& out) {
    if (!name(in, out.name)) return false;
    out.type = in.u16();
    out.rr_class = in.u16();
    return in.ok();
  }

  bool record(ByteReader& in, Record& out) {
    if (!name(in, out.name)) return false;
    out.type = in.u16();
    out.rr_class = in.u16();
    out.ttl = in.u32();
    const size_t size = in.u16();
    ByteReader data = in.sub(size);
    return in.ok() && rdata(data, out);
  }

  bool records(ByteReader& in, uint16_t count, std::vector<Record>& out) {
    for (uint16_t i = 0; i < count; ++i) {
      Record r;
      if (!record(in, r)) return false;
      out.push_back(std::move(r));
    }
    return true;
  }

  [[nodiscard]] uint8_t name_flags() const { return name_flags_; }

 private:
  void append(Name& out, Bytes label) {
    if ((out.flags & kNameTruncated) != 0) return;
    if (!out.value.empty()) out.value.push_back('.');
    out.value.append(as_text(label));
    if (out.value.size() > kMaxNameBytes ||
        name_bytes_ + out.value.size() > kMaxNameBytesPerMessage) {
      out.value.resize(std::min(out.value.size(), kMaxNameBytes));
      out.flags |= kNameTruncated;
    }
  }

  bool rdata(ByteReader& in, Record& out) {
    switch (out.type) {
      case kTypeA:
      case kTypeAaaa:
      case kTypeNull:
        out.data = as_text(in.rest());
        return true;
      case kTypeMx:
        in.skip(2);
        return in.ok() && name(in, out.target);
      case kTypeCname:
      case kTypeNs:
      case kTypePtr:
        return name(in, out.target);
      case kTypeSoa:
        if (!name(in, out.target) || !name(in, out.mailbox)) return false;
        for (uint32_t& n : out.numbers) n = in.u32();
        return in.ok();
      case kTypeSrv:
        for (int i = 0; i < 3; ++i) out.numbers[i] = in.u16();
        return in.ok() && name(in, out.target);
      case kTypeSshfp:
        out.numbers[0] = in.u8();
        out.numbers[1] = in.u8();
        out.data = as_text(in.rest());
        return in.ok();
      case kTypeTxt:
        return texts(in, out);
      case kTypeOpt:
        return options(in, out);
      default:
        return true;
    }
  }

  static bool texts(ByteReader& in, Record& out) {
    while (!in.empty()) {
      const Bytes text = in.bytes(in.u8());
      if (!in.ok()) return false;
      if (out.texts.size() < kMaxTextsPerRecord) out.texts.emplace_back(as_text(text));
    }
    return true;
  }

  static bool options(ByteReader& in, Record& out) {
    while (!in.empty()) {
      const uint16_t code = in.u16();
      const Bytes data = in.bytes(in.u16());
      if (!in.ok()) return false;
      if (out.options.size() < kMaxOptionsPerRecord)
        out.options.push_back({code, std::string(as_text(data))});
    }
    return true;
  }

  Bytes message_;
  size_t name_bytes_ = 0;
  int steps_ = 0;
  uint8_t name_flags_ = 0;
};

}  // namespace

bool parse_header(Bytes message, Header& out) {
  ByteReader in(message);
  out.id = in.u16();
  out.flags = in.u16();
  for (uint16_t& n : out.counts) n = in.u16();
  return in.ok();
}

bool plausible(const Header& header, size_t total) {
  size_t records = 0;
  for (const uint16_t n : header.counts) records += n;
  return 2 * records <= total;
}

ParseStatus parse_message(Bytes message, Message& out) {
  Header header;
  if (!parse_header(message, header) || !plausible(header, message.size()))
    return ParseStatus::kBadHeader;
  out.id = header.id;
  out.flags = header.flags;
  MessageReader reader(message);
  ByteReader in(message.subspan(kHeaderBytes));
  out.queries.reserve(std::min<size_t>(header.counts[0], 16));
  for (uint16_t i = 0; i < header.counts[0]; ++i) {
    Query q;
    if (!reader.query(in, q)) return ParseStatus::kMalformed;
    out.queries.push_back(std::move(q));
  }
  if (!reader.records(in, header.counts[1], out.answers)) return ParseStatus::kMalformed;
  // The sections behind the answers are of less weight: a broken one is left out, the message
  // stands.
  if (!reader.records(in, header.counts[2], out.authorities)) {
    out.invalid_authorities = true;
    out.authorities.clear();
  } else if (!reader.records(in, header.counts[3], out.additionals)) {
    out.invalid_additionals = true;
    out.additionals.clear();
  }
  out.name_flags = reader.name_flags();
  return ParseStatus::kOk;
}

}  // namespace vong::dns
