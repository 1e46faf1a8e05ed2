#include "sensor/app/canary.h"

#include <fmt/format.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <fstream>

#include "app_common/clock.h"
#include "base/encode.h"
#include "base/json_writer.h"
#include "kafka/client_config.h"
#include "sensor/decode/checksum.h"
#include "sensor/detect/rule_set.h"

namespace vong::sensor {
namespace {

constexpr std::string_view kMagic = "vong-canary/1 ";
constexpr size_t kKeyBytesMin = 16, kSeenMax = 1024, kSignature = 64;
constexpr uint8_t kSource[] = {192, 0, 2, 1}, kTarget[] = {192, 0, 2, 2};
constexpr uint16_t kPort = 9;

using app::wall_clock;

std::string sign(const std::string& key, std::string_view text) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest, &size);
  return hex_of(Bytes(digest, size));
}

void put16(std::string& out, size_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

// Ethernet from and to a locally administered address, IPv4 with its checksum, UDP without (RFC 768
// allows that).
std::string frame_of(std::string_view payload, uint64_t number) {
  std::string ip;
  ip += std::string("\x45\0", 2);
  put16(ip, 28 + payload.size());
  put16(ip, number & 0xffff);
  ip += std::string("\0\0\x40\x11\0\0", 6);
  ip.append(reinterpret_cast<const char*>(kSource), 4)
      .append(reinterpret_cast<const char*>(kTarget), 4);
  const auto sum = static_cast<uint16_t>(~decode::ones_complement_sum(as_bytes(ip)));
  ip[10] = static_cast<char>(sum >> 8);
  ip[11] = static_cast<char>(sum & 0xff);
  std::string frame("\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0", 14);
  frame += ip;
  put16(frame, 49'152 + number % 16'384);  // a flow of its own each time
  put16(frame, kPort);
  put16(frame, 8 + payload.size());
  put16(frame, 0);
  return frame.append(payload);
}

}  // namespace

Result<CanaryConfig> CanaryConfig::from(const Settings& settings) {
  CanaryConfig c;
  c.enabled = settings.flag("canary.enabled", false);
  if (!c.enabled) return c;
  c.sensor = settings.text("sensor-name", "");
  c.interface = settings.text("canary.interface", "");
  c.interval =
      std::chrono::seconds(std::clamp<int64_t>(settings.integer("canary.interval", 60), 1, 86'400));
  c.lost_after = std::chrono::seconds(
      std::clamp<int64_t>(settings.integer("canary.lost-after", 30), 1, 86'400));
  const std::string file(settings.text("canary.key-file", ""));
  if (file.empty() || c.sensor.empty())
    return fail("canary.enabled needs canary.key-file and sensor-name beside it");
  if (auto secret = kafka::check_secret_file(file); !secret) return std::unexpected(secret.error());
  std::ifstream in(file);
  std::getline(in, c.key);
  if (c.key.size() < kKeyBytesMin)
    return fail(fmt::format("{}: its first line is the canary's key, of at least {} characters",
                            file, kKeyBytesMin));
  return c;
}

std::string canary_rule() {
  return fmt::format(
      "alert udp 192.0.2.1 any -> 192.0.2.2 {} (msg:\"Vong life signal\"; content:\"{}\"; "
      "depth:{}; priority:1; sid:{}; rev:1;)\n",
      kPort, kMagic, kMagic.size(), kCanarySid);
}

std::optional<std::string> Canary::make(Timestamp now) {
  const std::lock_guard lock(mutex_);
  if (last_sent_ != Timestamp{} && now >= last_sent_ && now - last_sent_ < config_.interval)
    return std::nullopt;
  last_sent_ = now;
  const uint64_t number = next_++;
  std::string payload = fmt::format("{}{} {} {} ", kMagic, config_.sensor, number, to_ns(now));
  payload += sign(config_.key, payload);
  ++counters_.sent;
  std::string frame = frame_of(payload, number);
  waiting_.push_back({number, now, std::move(payload)});
  return frame;
}

void Canary::note(Bytes payload) {
  const Timestamp now = wall_clock();
  const std::lock_guard lock(mutex_);
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const Waiting& w) { return w.payload == as_text(payload); });
  if (at == waiting_.end()) {  // somebody else's, or one that came back twice
    ++counters_.forged;
    return;
  }
  ++counters_.seen;
  if (seen_.size() < kSeenMax)
    seen_.push_back({at->number, at->sent, now, at->payload.substr(at->payload.size() - kSignature)});
  waiting_.erase(at);
}

std::span<const detect::Alert> Canary::take_out(const Packet& packet,
                                                std::span<const detect::Alert> alerts) {
  const auto ours = [](const detect::Alert& a) { return a.rule->sid == kCanarySid; };
  if (std::none_of(alerts.begin(), alerts.end(), ours)) [[likely]]
    return alerts;
  note(packet.payload);
  static thread_local std::vector<detect::Alert> rest;
  rest.clear();
  for (const detect::Alert& alert : alerts) {
    if (!ours(alert)) rest.push_back(alert);
  }
  return rest;
}

std::vector<Canary::Seen> Canary::take_seen() {
  const std::lock_guard lock(mutex_);
  return std::exchange(seen_, {});
}

std::vector<uint64_t> Canary::take_lost(Timestamp now) {
  const std::lock_guard lock(mutex_);
  std::vector<uint64_t> lost;
  std::erase_if(waiting_, [&](const Waiting& w) {
    if (now - w.sent < config_.lost_after) return false;
    lost.push_back(w.number);
    return true;
  });
  counters_.lost += lost.size();
  return lost;
}

CanaryCounters Canary::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

std::string Canary::fields(const Seen& seen) {
  std::string text;
  JsonWriter out(text);
  out.field("number", seen.number);
  out.field("phase", seen.number % 2 == 0 ? "even" : "odd");
  out.field("sent", seen.sent);
  out.field("latency_us",
            std::chrono::duration_cast<std::chrono::microseconds>(seen.seen - seen.sent).count());
  out.field("signature", seen.signature);
  return text;
}

}  // namespace vong::sensor
