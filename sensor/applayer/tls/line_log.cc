#include "sensor/applayer/tls/line_log.h"

#include "fmt/format.h"
#include "sensor/applayer/tls/parser.h"

namespace vong::tls {
namespace {

const Transaction& own(const applayer::Transaction& tx) { return static_cast<const Transaction&>(tx); }

bool wants(const applayer::Transaction& tx) { return own(tx).server().leaf != nullptr || own(tx).session_resumed || own(tx).log_without_certificate; }

void quoted(std::string& out, std::string_view name, std::string_view value) { out.append(name).append("='").append(value).append("'"); }

void add_extended(const Transaction& tx, std::string& out) {
  const Side& server = tx.server();
  if (server.leaf != nullptr) quoted(out, " SHA1", server.fingerprint);
  quoted(out, " VERSION", version_name(server.version));
  if (tx.client_hello.has_sni) quoted(out, " SNI", tx.client_hello.sni);
  if (server.leaf == nullptr) return;
  quoted(out, " SERIAL", server.leaf->serial);
  quoted(out, " NOTBEFORE", certificate_time(server.leaf->not_before_s));
  quoted(out, " NOTAFTER", certificate_time(server.leaf->not_after_s));
}

void standard(const applayer::Transaction& base, bool extended, std::string& out) {
  const Transaction& tx = own(base);
  out.append("TLS:");
  if (tx.server().leaf != nullptr) {
    quoted(out, " Subject", tx.server().leaf->subject);
    quoted(out, " Issuerdn", tx.server().leaf->issuer);
  } else if (tx.session_resumed) {
    out.append(" Session='resumed'");
  }
  if (extended) add_extended(tx, out);
}

bool field(const applayer::Transaction& base, char code, std::string_view, std::string& out) {
  const Transaction& tx = own(base);
  const Certificate* leaf = tx.server().leaf.get();
  const auto add = [&](std::string_view text) { out.append(text.empty() ? std::string_view("-") : text); };
  switch (code) {
    case 'n': add(tx.client_hello.sni); return true;
    case 'v': quoted(out, "VERSION", version_name(tx.server().version)); return true;
    case 'd': leaf != nullptr ? quoted(out, "NOTBEFORE", certificate_time(leaf->not_before_s)) : add(""); return true;
    case 'D': leaf != nullptr ? quoted(out, "NOTAFTER", certificate_time(leaf->not_after_s)) : add(""); return true;
    case 'f': add(leaf != nullptr ? std::string_view(tx.server().fingerprint) : std::string_view()); return true;
    case 's': add(leaf != nullptr ? std::string_view(leaf->subject) : std::string_view()); return true;
    case 'i': add(leaf != nullptr ? std::string_view(leaf->issuer) : std::string_view()); return true;
    case 'C': out.append(fmt::format("0x{:04x}", tx.server_hello.cipher)); return true;
    case 'E': add_extended(tx, out); return true;
    default: return false;
  }
}

}  // namespace

bool certificates(const applayer::Transaction& base, applayer::CertificateView& out) {
  const Side& server = own(base).server();
  if (server.leaf == nullptr || server.chain.empty()) return false;
  out = {server.chain, server.leaf->subject, server.leaf->issuer, server.fingerprint};
  return true;
}

const applayer::LineLogDef kTlsLineLog = {
    .output = "tls-log",
    .filename = "tls.log",
    .protocol = "tls",
    .event_type = "tls",
    .wants = wants,
    .standard = standard,
    .ends_first = true,
    .field = field,
};

}  // namespace vong::tls
