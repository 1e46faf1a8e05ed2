#include "rules/sigma/field_map.h"

#include <algorithm>

#include "base/strings.h"
#include "rules/network/nearest_name.h"

namespace vong::sigma {
namespace {

struct Row {
  std::string_view service;  // empty: in every log
  std::string_view from, to;
};

// Service rows stand before general ones: the first row that fits wins.
constexpr Row kRows[] = {
    // Zeek's own logs, by Sigma's service name
    {"dns", "query", "dns.rrname"},
    {"dns", "QueryName", "dns.rrname"},
    {"dns", "record_type", "dns.rrtype"},
    {"dns", "qtype_name", "dns.rrtype"},
    {"dns", "rcode_name", "dns.rcode"},
    {"dns", "answers", "dns.answers.rdata"},
    {"dns", "answer", "dns.answers.rdata"},
    {"http", "host", "http.hostname"},
    {"http", "uri", "http.url"},
    {"http", "method", "http.http_method"},
    {"http", "user_agent", "http.http_user_agent"},
    {"http", "status_code", "http.status"},
    {"http", "referrer", "http.http_refer"},
    {"http", "resp_mime_types", "http.http_content_type"},
    {"http", "request_body_len", "http.request_body_len"},
    {"http", "response_body_len", "http.length"},
    {"ssl", "server_name", "tls.sni"},
    {"ssl", "subject", "tls.subject"},
    {"ssl", "issuer", "tls.issuerdn"},
    {"ssl", "version", "tls.version"},
    {"ssl", "ja3", "tls.ja3.hash"},
    {"ssl", "ja3s", "tls.ja3s.hash"},
    {"ssl", "ja4", "tls.ja4"},
    {"ssh", "client", "ssh.client.software_version"},
    {"ssh", "server", "ssh.server.software_version"},
    {"files", "filename", "fileinfo.filename"},
    {"files", "mime_type", "fileinfo.magic"},
    {"files", "md5", "fileinfo.md5"},
    {"files", "sha1", "fileinfo.sha1"},
    {"files", "sha256", "fileinfo.sha256"},
    {"smtp", "from", "smtp.mail_from"},
    {"smtp", "mailfrom", "smtp.mail_from"},
    {"smtp", "rcptto", "smtp.rcpt_to"},
    {"smtp", "helo", "smtp.helo"},
    {"smtp", "subject", "email.subject"},
    {"conn", "duration", "flow.age"},
    {"conn", "orig_bytes", "flow.bytes_toserver"},
    {"conn", "resp_bytes", "flow.bytes_toclient"},
    {"conn", "orig_pkts", "flow.pkts_toserver"},
    {"conn", "resp_pkts", "flow.pkts_toclient"},
    {"conn", "service", "app_proto"},
    // Zeek, every log
    {"", "id.orig_h", "src_ip"},
    {"", "id.orig_p", "src_port"},
    {"", "id.resp_h", "dest_ip"},
    {"", "id.resp_p", "dest_port"},
    {"", "community_id", "community_id"},
    // Sigma's generic names: firewall, proxy, webserver, dns_query, network_connection
    {"", "SourceIp", "src_ip"},
    {"", "SourcePort", "src_port"},
    {"", "DestinationIp", "dest_ip"},
    {"", "DestinationPort", "dest_port"},
    {"", "DestinationHostname", "http.hostname"},
    {"", "Protocol", "proto"},
    {"", "dst_ip", "dest_ip"},
    {"", "dst_port", "dest_port"},
    {"", "QueryName", "dns.rrname"},
    {"", "c-ip", "src_ip"},
    {"", "s-ip", "dest_ip"},
    {"", "c-uri", "http.url"},
    {"", "cs-uri", "http.url"},
    {"", "cs-uri-query", "http.url"},
    {"", "cs-uri-stem", "http.url"},
    {"", "c-uri-query", "http.url"},
    {"", "c-uri-extension", "http.url"},
    {"", "cs-host", "http.hostname"},
    {"", "r-dns", "http.hostname"},
    {"", "c-useragent", "http.http_user_agent"},
    {"", "cs-user-agent", "http.http_user_agent"},
    {"", "cs-method", "http.http_method"},
    {"", "sc-status", "http.status"},
    {"", "cs-referer", "http.http_refer"},
    {"", "cs-referrer", "http.http_refer"},
    {"", "cs-cookie", "http.cookie"},
    {"", "cs-bytes", "flow.bytes_toserver"},
    {"", "sc-bytes", "flow.bytes_toclient"},
    // ECS
    {"", "source.ip", "src_ip"},
    {"", "source.address", "src_ip"},
    {"", "source.port", "src_port"},
    {"", "source.bytes", "flow.bytes_toserver"},
    {"", "source.packets", "flow.pkts_toserver"},
    {"", "destination.ip", "dest_ip"},
    {"", "destination.address", "dest_ip"},
    {"", "destination.port", "dest_port"},
    {"", "destination.bytes", "flow.bytes_toclient"},
    {"", "destination.packets", "flow.pkts_toclient"},
    {"", "network.transport", "proto"},
    {"", "network.protocol", "app_proto"},
    {"", "network.community_id", "community_id"},
    {"", "observer.name", "host"},
    {"", "observer.hostname", "host"},
    {"", "rule.id", "alert.signature_id"},
    {"", "rule.name", "alert.signature"},
    {"", "rule.category", "alert.category"},
    {"", "rule.version", "alert.rev"},
    {"", "event.severity", "alert.severity"},
    {"", "dns.question.name", "dns.rrname"},
    {"", "dns.question.type", "dns.rrtype"},
    {"", "dns.response_code", "dns.rcode"},
    {"", "dns.answers.data", "dns.answers.rdata"},
    {"", "url.domain", "http.hostname"},
    {"", "url.path", "http.url"},
    {"", "url.original", "http.url"},
    {"", "url.query", "http.url"},
    {"", "http.request.method", "http.http_method"},
    {"", "http.response.status_code", "http.status"},
    {"", "http.request.referrer", "http.http_refer"},
    {"", "user_agent.original", "http.http_user_agent"},
    {"", "tls.client.server_name", "tls.sni"},
    {"", "tls.client.ja3", "tls.ja3.hash"},
    {"", "tls.server.ja3s", "tls.ja3s.hash"},
    {"", "tls.server.subject", "tls.subject"},
    {"", "tls.server.issuer", "tls.issuerdn"},
    {"", "tls.server.hash.sha1", "tls.fingerprint"},
    {"", "file.name", "fileinfo.filename"},
    {"", "file.hash.md5", "fileinfo.md5"},
    {"", "file.hash.sha1", "fileinfo.sha1"},
    {"", "file.hash.sha256", "fileinfo.sha256"},
};

struct Source {
  std::string_view category, product, service;  // empty: any
  std::string_view event_type;                  // empty: every event
};

constexpr Source kSources[] = {
    {"", "", "alert", "alert"},          {"", "", "dns", "dns"},          {"", "", "http", "http"},
    {"", "", "ssl", "tls"},              {"", "", "tls", "tls"},          {"", "", "x509", "tls"},
    {"", "", "ssh", "ssh"},              {"", "", "smtp", "smtp"},        {"", "", "ftp", "ftp"},
    {"", "", "smb", "smb"},              {"", "", "smb_files", "smb"},    {"", "", "files", "fileinfo"},
    {"", "", "fileinfo", "fileinfo"},    {"", "", "conn", "flow"},        {"", "", "flow", "flow"},
    {"", "", "netflow", "netflow"},      {"", "", "kerberos", "krb5"},    {"", "", "krb5", "krb5"},
    {"", "", "rdp", "rdp"},              {"", "", "dce_rpc", "dcerpc"},   {"", "", "dcerpc", "dcerpc"},
    {"", "", "snmp", "snmp"},            {"", "", "sip", "sip"},          {"", "", "tftp", "tftp"},
    {"", "", "nfs", "nfs"},              {"", "", "rfb", "rfb"},          {"", "", "dhcp", "dhcp"},
    {"", "", "modbus", "modbus"},        {"", "", "quic", "quic"},        {"", "", "mqtt", "mqtt"},
    {"", "", "anomaly", "anomaly"},      {"", "", "weird", "anomaly"},    {"dns", "", "", "dns"},
    {"dns_query", "", "", "dns"},        {"proxy", "", "", "http"},       {"webserver", "", "", "http"},
    {"network_connection", "", "", "flow"}, {"firewall", "", "", "flow"}, {"ids", "", "", "alert"},
    {"alert", "", "", "alert"},          {"network", "", "", ""},         {"", "suricata", "", ""},
    {"", "vong", "", ""},                {"", "zeek", "", ""},            {"", "snort", "", "alert"},
    {"correlation", "", "", ""},
};

constexpr std::string_view kKnownPaths[] = {
    "timestamp", "flow_id", "in_iface", "event_type", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "app_proto",
    "community_id", "host", "agency", "vlan", "icmp_type", "icmp_code", "tx_id", "direction", "pcap_cnt", "pkt_src",
    "alert.action", "alert.gid", "alert.signature_id", "alert.rev", "alert.signature", "alert.category", "alert.severity",
    "alert.metadata", "alert.source.ip", "alert.target.ip", "flow.pkts_toserver", "flow.pkts_toclient",
    "flow.bytes_toserver", "flow.bytes_toclient", "flow.start", "flow.end", "flow.age", "flow.state", "flow.reason",
    "flow.alerted", "http.hostname", "http.url", "http.http_user_agent", "http.http_content_type", "http.http_refer",
    "http.http_method", "http.protocol", "http.status", "http.length", "http.redirect", "dns.type", "dns.id", "dns.rrname",
    "dns.rrtype", "dns.rcode", "dns.answers.rrname", "dns.answers.rdata", "dns.answers.rrtype", "dns.queries.rrname",
    "dns.queries.rrtype", "tls.subject", "tls.issuerdn", "tls.serial", "tls.fingerprint", "tls.sni", "tls.version",
    "tls.notbefore", "tls.notafter", "tls.ja3.hash", "tls.ja3.string", "tls.ja3s.hash", "tls.ja4", "ssh.client.software_version",
    "ssh.server.software_version", "ssh.client.proto_version", "ssh.server.proto_version", "smtp.helo", "smtp.mail_from",
    "smtp.rcpt_to", "email.subject", "email.from", "email.to", "email.attachment", "fileinfo.filename", "fileinfo.magic",
    "fileinfo.md5", "fileinfo.sha1", "fileinfo.sha256", "fileinfo.size", "smb.command", "smb.filename", "smb.share",
    "ftp.command", "ftp.command_data", "ftp.completion_code", "anomaly.type", "anomaly.event", "anomaly.layer", "payload",
    "payload_printable",
};

bool fits(std::string_view row, std::string_view value) { return row.empty() || row == value; }

}  // namespace

std::string map_field(std::string_view name, std::string_view service) {
  if (service == "proxy" || service == "webserver") service = "http";
  if (service == "tls" || service == "x509") service = "ssl";
  if (service == "fileinfo" || service == "smb_files") service = "files";
  if (service == "dns_query") service = "dns";
  if (service == "flow" || service == "network_connection" || service == "firewall") service = "conn";
  for (const Row& row : kRows) {
    if (row.from == name && fits(row.service, service)) return std::string(row.to);
  }
  return std::string(name);
}

std::optional<std::string_view> event_type_of(std::string_view category, std::string_view product, std::string_view service) {
  if (category.empty() && product.empty() && service.empty()) return std::string_view();
  static constexpr std::string_view kProducts[] = {"", "suricata", "vong", "zeek", "snort", "network"};
  if (std::find(std::begin(kProducts), std::end(kProducts), product) == std::end(kProducts)) return std::nullopt;
  // The most particular word decides: service, then category, then product.
  for (const Source& row : kSources) {
    if (!row.service.empty() && row.service == service) return row.event_type;
  }
  if (!service.empty()) return std::nullopt;
  for (const Source& row : kSources) {
    if (!row.category.empty() && row.category == category) return row.event_type;
  }
  if (!category.empty()) return std::nullopt;
  for (const Source& row : kSources) {
    if (!row.product.empty() && row.product == product) return row.event_type;
  }
  return std::string_view();
}

std::vector<std::string_view> event_type_names(std::string_view event_type) {
  static constexpr std::pair<std::string_view, std::string_view> kZeek[] = {
      {"tls", "ssl"},     {"flow", "conn"},        {"fileinfo", "files"}, {"anomaly", "weird"},
      {"alert", "notice"}, {"krb5", "kerberos"}, {"dcerpc", "dce_rpc"}};
  std::vector<std::string_view> names = {event_type};
  for (const auto& [ours, theirs] : kZeek) {
    if (ours == event_type) names.push_back(theirs);
  }
  return names;
}

std::string field_suggestion(std::string_view path) {
  if (std::find(std::begin(kKnownPaths), std::end(kKnownPaths), path) != std::end(kKnownPaths)) return {};
  const std::string_view near = rules::nearest_name(path, kKnownPaths);
  if (near.empty() || path.starts_with("alert.metadata") || path.size() < 6) return {};
  const size_t difference = near.size() > path.size() ? near.size() - path.size() : path.size() - near.size();
  if (difference > 2) return {};
  return rules::suggestion(path, kKnownPaths);
}

}  // namespace vong::sigma
