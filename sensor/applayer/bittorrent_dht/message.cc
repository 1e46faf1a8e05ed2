#include "sensor/applayer/bittorrent_dht/message.h"

#include <limits>

#include "base/byte_reader.h"
#include "base/strings.h"
#include "sensor/applayer/bittorrent_dht/limits.h"

namespace vong::bittorrent_dht {
namespace {

constexpr size_t kIdBytes = 20;

// Decimal digits up to `stop`, which is taken too. False: none, too many, or another character.
bool digits(ByteReader& in, char stop, uint64_t& out) {
  out = 0;
  bool any = false;
  while (!in.empty()) {
    const char c = static_cast<char>(in.u8());
    if (c == stop) return any;
    if (!is_digit(c) || out > std::numeric_limits<uint64_t>::max() / 100) return false;
    out = out * 10 + static_cast<uint64_t>(c - '0');
    any = true;
  }
  return false;
}

bool string(ByteReader& in, Bytes& out) {
  uint64_t size = 0;
  if (!digits(in, ':', size) || size > in.remaining()) return false;
  out = in.bytes(static_cast<size_t>(size));
  return true;
}

bool integer(ByteReader& in, uint64_t& out) {
  if (in.peek_u8() != 'i') return false;
  (void)in.u8();
  const bool negative = in.peek_u8() == '-';
  if (negative) (void)in.u8();
  if (!digits(in, 'e', out)) return false;
  if (negative) out = 0;
  return true;
}

// Reads over one value of any kind.
bool skip_value(ByteReader& in) {
  size_t depth = 0;
  do {
    const uint8_t c = in.peek_u8();
    if (in.empty()) return false;
    if (c == 'd' || c == 'l') {
      (void)in.u8();
      if (++depth > kMaxDepth) return false;
    } else if (c == 'e') {
      if (depth == 0) return false;
      (void)in.u8();
      --depth;
    } else if (c == 'i') {
      uint64_t ignored = 0;
      if (!integer(in, ignored)) return false;
    } else {
      Bytes ignored;
      if (!string(in, ignored)) return false;
    }
  } while (depth > 0);
  return true;
}

IpAddress address(ByteReader& in, bool v6) {
  if (!v6) return IpAddress::v4(in.u32());
  return IpAddress::v6(in.bytes(16).data());
}

// "Compact node info": id, address, port, one behind the other. Bytes that make no whole node at
// the end are left alone.
void nodes(Bytes text, bool v6, std::vector<Node>& out) {
  ByteReader in(text);
  const size_t size = kIdBytes + (v6 ? 18 : 6);
  while (in.remaining() >= size && out.size() < kMaxNodes) {
    Node n;
    n.id = in.bytes(kIdBytes);
    n.ip = address(in, v6);
    n.port = in.u16();
    out.push_back(n);
  }
}

// A list of strings of "compact peer info".
bool peers(ByteReader& in, std::vector<Node>& out) {
  if (in.peek_u8() != 'l') return false;
  (void)in.u8();
  while (!in.empty() && in.peek_u8() != 'e') {
    Bytes text;
    if (!string(in, text) || (text.size() != 6 && text.size() != 18)) return false;
    ByteReader peer(text);
    Node n;
    n.ip = address(peer, text.size() == 18);
    n.port = peer.u16();
    if (out.size() < kMaxNodes) out.push_back(n);
  }
  return in.u8() == 'e';
}

bool optional_string(ByteReader& in, std::optional<Bytes>& out) {
  Bytes text;
  if (!string(in, text)) return false;
  out = text;
  return true;
}

bool optional_integer(ByteReader& in, std::optional<uint64_t>& out) {
  uint64_t value = 0;
  if (!integer(in, value)) return false;
  out = value;
  return true;
}

// The dictionary of a query's arguments or of a response.
bool body(ByteReader& in, Message& m) {
  if (in.u8() != 'd') return false;
  while (!in.empty() && in.peek_u8() != 'e') {
    Bytes key;
    if (!string(in, key)) return false;
    const std::string_view name = as_text(key);
    bool good = false;
    Bytes text;
    if (name == "id") {
      good = optional_string(in, m.id);
    } else if (name == "target") {
      good = optional_string(in, m.target);
    } else if (name == "info_hash") {
      good = optional_string(in, m.info_hash);
    } else if (name == "token") {
      good = optional_string(in, m.token);
    } else if (name == "implied_port") {
      good = optional_integer(in, m.implied_port);
    } else if (name == "port") {
      good = optional_integer(in, m.port);
    } else if (name == "nodes") {
      good = string(in, text);
      nodes(text, false, m.nodes);
    } else if (name == "nodes6") {
      good = string(in, text);
      nodes(text, true, m.nodes6);
    } else if (name == "values") {
      good = peers(in, m.values);
    } else {
      good = skip_value(in);
    }
    if (!good) return false;
  }
  return in.u8() == 'e' && m.id.has_value();
}

// A list of number and text.
bool error(ByteReader& in, Message& m) {
  return in.u8() == 'l' && integer(in, m.error_number) && string(in, m.error_text) &&
         in.u8() == 'e';
}

}  // namespace

bool parse_message(Bytes datagram, Message& m) {
  ByteReader in(datagram);
  bool has_body = false, has_error = false, has_id = false;
  if (in.u8() != 'd') return false;
  while (!in.empty() && in.peek_u8() != 'e') {
    Bytes key, kind;
    if (!string(in, key)) return false;
    const std::string_view name = as_text(key);
    bool good = false;
    if (name == "a" || name == "r") {
      good = has_body = body(in, m);
    } else if (name == "e") {
      good = has_error = error(in, m);
    } else if (name == "q") {
      good = string(in, m.query);
    } else if (name == "t") {
      good = has_id = string(in, m.transaction_id);
    } else if (name == "v") {
      good = string(in, m.client_version);
    } else if (name == "y") {
      good = string(in, kind) && kind.size() == 1;
      m.kind = good ? static_cast<char>(kind.front()) : '\0';
    } else {
      good = skip_value(in);
    }
    if (!good) return false;
  }
  if (in.u8() != 'e' || !in.ok() || !has_id) return false;
  switch (m.kind) {
    case 'q':
      return has_body && !m.query.empty();
    case 'r':
      return has_body;
    case 'e':
      return has_error;
    default:
      return false;
  }
}

}  // namespace vong::bittorrent_dht
