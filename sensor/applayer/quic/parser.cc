#include "sensor/applayer/quic/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "sensor/applayer/core/digest.h"
#include "sensor/applayer/quic/limits.h"
#include "sensor/applayer/tls/fingerprint.h"

namespace vong::quic {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr uint8_t kClientHello = 1, kServerHello = 2;

// A tag's name without the zeros that fill it up.
std::string_view trimmed(std::string_view tag) {
  const size_t end = tag.find('\0');
  return tag.substr(0, end);
}

}  // namespace

std::string version_name(uint32_t version) {
  const bool numbered = version >> 16 == 0x5130 && is_digit(static_cast<char>(version >> 8)) &&
                        is_digit(static_cast<char>(version));
  if (!numbered) return fmt::format("{:x}", version);
  return {'Q', '0', static_cast<char>(version >> 8), static_cast<char>(version)};
}

Transaction* QuicParser::make(Direction d, const PacketHeader& h) {
  if (transactions.size() >= kTransactionsMax) return nullptr;
  auto tx = std::make_unique<Transaction>();
  tx->from_client = d == Direction::kToServer;
  tx->log_ja4 = config_.ja4;
  tx->version = h.version;
  tx->version_bytes = as_text(h.version_bytes);
  tx->progress = {1, 1};
  tx->has_direction[static_cast<size_t>(index(opposite(d)))] = false;
  return &add(std::move(tx));
}

void QuicParser::take_tags(Transaction& tx, const Tags& tags) {
  std::string names;
  for (const auto& [name, value] : tags) {
    if (!names.empty()) names.push_back('-');
    names.append(trimmed(name));
    if (trimmed(name) == "SNI" && !tx.has_sni) {
      tx.has_sni = true;
      tx.sni = value;
    } else if (trimmed(name) == "UAID" && !tx.has_ua) {
      tx.has_ua = true;
      tx.ua = value;
    }
  }
  const std::string version = version_name(tx.version);
  if (!version.starts_with('Q')) return;
  Cyu c;
  c.text = version.substr(2) + "," + names;
  c.hash = applayer::md5_hex(as_bytes(c.text));
  tx.cyu.push_back(std::move(c));
}

// The hello at the beginning of what has come, once it is whole.
void QuicParser::take_hello(Transaction& tx, Direction d) {
  Way& w = way(d);
  ByteReader in(w.crypto.contiguous());
  const uint8_t type = in.u8();
  const uint32_t size = in.u24();
  if (!in.ok() || in.remaining() < size) return;
  const Bytes body = in.bytes(size);
  tls::ClientHello client;
  tls::ServerHello server;
  if (d == Direction::kToServer && type == kClientHello && tls::parse_client_hello(body, client)) {
    tx.has_sni = client.has_sni;
    tx.sni = client.sni;
    tx.extensions = client.extensions;
    tx.alpns = client.alpns;
    tx.ja3 = tls::ja3_string(client);
    tx.ja4 = tls::ja4(client, 'q');
  } else if (d == Direction::kToClient && type == kServerHello &&
             tls::parse_server_hello(body, server)) {
    tx.extensions = server.extensions;
    tx.alpns = server.alpns;
    tx.ja3 = tls::ja3s_string(server);
  } else {
    tx.add_event(kErrorOnData);
  }
  if (!tx.ja3.empty()) tx.ja3_hash = applayer::md5_hex(as_bytes(tx.ja3));
  w.hello_seen = true;
  w.crypto.clear();
}

bool QuicParser::initial(Direction d, const PacketHeader& h, Bytes payload) {
  Transaction* tx = make(d, h);
  const auto frames = read_frames(payload);
  if (tx == nullptr) return false;
  if (!frames) {
    tx->add_event(kErrorOnData);
    return false;
  }
  for (const Tags& tags : frames->tags) take_tags(*tx, tags);
  Way& w = way(d);
  for (const CryptoPiece& piece : frames->crypto) {
    if (!w.crypto.add(piece)) tx->add_event(kCryptoFragTooLong);
  }
  if (!frames->crypto.empty()) take_hello(*tx, d);
  return true;
}

bool QuicParser::packet(Direction d, const PacketHeader& h, Bytes bytes) {
  if (!keys_ && h.type == PacketType::kInitial) {
    keys_ = initial_keys(h.version, h.destination_id);
  } else if (d == Direction::kToClient && keys_ && h.type == PacketType::kRetry && !retried_) {
    // The client begins anew with keys of its new destination; it takes one retry only (RFC 9000 17.2.5.2).
    retried_ = true;
    keys_.reset();
    way(Direction::kToServer).hello_seen = false;
    way(Direction::kToServer).crypto.clear();
  }
  const Bytes payload = bytes.subspan(h.header_bytes, h.payload_bytes);
  std::string clear;
  const bool is_protected = keys_ && !payload.empty();
  if (is_protected) {
    auto text = decrypt(keys_->sides[static_cast<size_t>(index(d))], h, bytes);
    if (!text) {
      if (Transaction* tx = make(d, h)) tx->add_event(kFailedDecrypt);
      return false;
    }
    clear = std::move(*text);
  }
  if (h.type == PacketType::kInitial)
    return initial(d, h, is_protected ? as_bytes(clear) : payload);
  static_cast<void>(make(d, h));  // its version is all there is to see
  return true;
}

ParseResult QuicParser::parse(Direction d, const Input& in) {
  Bytes rest = in.data;
  for (int i = 0; i < kPacketsMax && !rest.empty(); ++i) {
    const auto h = read_packet_header(rest);
    if (!h || way(d).hello_seen || h->type == PacketType::kShort) {
      break;
    }
    if (!packet(d, *h, rest)) break;
    rest = rest.subspan(h->header_bytes + h->payload_bytes);
  }
  return ParseResult::ok(in.data.size());
}

}  // namespace vong::quic
