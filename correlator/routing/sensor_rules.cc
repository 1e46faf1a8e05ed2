#include "correlator/routing/sensor_rules.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/encode.h"
#include "base/ip_address.h"
#include "base/strings.h"

namespace vong::routing {
namespace {

bool is_plain(char c) {
  return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || c == '.' || c == '-' ||
         c == '_';
}

// A content's text: what could mean something in the rule language as hexadecimal.
std::string content_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out.push_back(c);
    } else {
      const auto byte = static_cast<uint8_t>(c);
      out.push_back('|');
      append_hex(out, Bytes(&byte, 1));
      out.push_back('|');
    }
  }
  return out;
}

std::string message_of(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(is_plain(c) || c == ' ' ? c : '_');
  return out;
}

class RuleMaker {
 public:
  explicit RuleMaker(const events::Incident& campaign) : campaign_(campaign) {
    uint64_t n = 0;
    const std::string& id = campaign.id;
    (void)std::from_chars(id.data(), id.data() + std::min<size_t>(id.size(), 15), n, 16);
    sid_ = 1'000'000'000 + n % 250'000'000 * 4;
  }

  void add(std::string_view head, std::string_view options) {
    std::string rule = "alert ";
    rule += head;
    rule += " (msg:\"VONG WARNING " + message_of(campaign_.rule.title) + "\"; ";
    rule += options;
    rule += "threshold:type limit, track by_src, seconds 3600, count 1; priority:";
    rule += campaign_.severity >= events::Severity::kHigh ? "1" : "2";
    rule += "; metadata:vong_warning " + message_of(campaign_.id);
    rule += "; sid:" + std::to_string(sid_++) + "; rev:" + std::to_string(campaign_.version) + ";)";
    rules_.push_back(std::move(rule));
  }
  std::vector<std::string> take() { return std::move(rules_); }

 private:
  const events::Incident& campaign_;
  uint64_t sid_;
  std::vector<std::string> rules_;
};

}  // namespace

std::vector<std::string> sensor_rules(const events::Incident& campaign) {
  RuleMaker rules(campaign);
  for (const auto& [name, value] : campaign.key) {
    if (const auto address = IpAddress::parse(value)) {
      rules.add("ip any any <> " + address->to_string() + " any", "");
    } else if (name == "domain") {
      const std::string names = "dotprefix; content:\"." + content_of(value) + "\"; endswith; ";
      rules.add("dns any any -> any any", "dns.query; " + names + "nocase; ");
      rules.add("tls any any -> any any", "tls.sni; " + names + "nocase; ");
      rules.add("http any any -> any any", "http.host; " + names);
    } else if (name == "tls.fingerprint") {
      rules.add("tls any any -> any any",
                "tls.cert_fingerprint; content:\"" + content_of(value) + "\"; nocase; ");
    } else if (name == "tls.ja4") {
      rules.add("tls any any -> any any", "ja4.hash; content:\"" + content_of(value) + "\"; ");
    }
  }
  return rules.take();
}

}  // namespace vong::routing
