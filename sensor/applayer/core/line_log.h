// What a protocol gives to the outputs that write a line of text a transaction (http-log, tls-log), and to the store of certificates.
// The table of all: line_logs() in sensor/applayer/line_logs.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sensor/applayer/core/transaction.h"

namespace vong::applayer {

struct LineLogDef {
  std::string_view output;      // its section in `outputs`: "http-log"
  std::string_view filename;    // when the section names none: "http.log"
  std::string_view protocol;    // ProtocolDef::name
  std::string_view event_type;  // the line is written when this record would be
  // Nothing to say of this transaction: no line.
  bool (*wants)(const Transaction& tx);
  // The line without time and without what stands at its end.
  void (*standard)(const Transaction& tx, bool extended, std::string& out);
  bool ends_first;   // the ends stand before it, not behind it
  // What `code` of a custom format stands for, with what stood in its braces; false: this protocol has no such code. What came from the
  // network is appended as it came: who calls makes it printable.
  bool (*field)(const Transaction& tx, char code, std::string_view argument, std::string& out);
};

// A server's certificates, as they came, leaf first; what tells of them. Views live as long as the transaction.
struct CertificateView {
  std::span<const std::string> chain;   // DER
  std::string_view subject, issuer, fingerprint;
};

[[nodiscard]] std::span<const LineLogDef* const> line_logs();
// False: not a transaction of that protocol, or no certificate was seen.
[[nodiscard]] bool certificates_of(std::string_view protocol, const Transaction& tx, CertificateView& out);

}  // namespace vong::applayer
