// Rooms: sensor_detect. A rule file from outside is compiled whole, and what loaded runs on a packet made of the same bytes.
#include <cstddef>
#include <cstdint>
#include <string>

#include "sensor/detect/detector.h"
#include "sensor/detect/rule_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vong;
  const Bytes input(data, size);
  Settings settings;
  settings.set("datasets.rules.allow-write", "no");
  detect::LoadReport report;
  detect::LoadOptions options;
  auto rules = detect::RuleSet::from_text("fuzz.rules", std::string(as_text(input)), options, settings, report);
  if (!rules) return 0;
  detect::SharedState shared(settings);
  detect::Detector detector(*rules, settings, shared);
  for (const bool tcp : {false, true}) {
    Packet p;
    p.is_udp = !tcp;
    p.is_tcp = tcp;
    p.ip.version = 4;
    p.src = *IpAddress::parse("192.0.2.1");
    p.dst = *IpAddress::parse("192.0.2.2");
    p.sport = 1024;
    p.dport = 80;
    p.payload = input;
    (void)detector.inspect(p);
  }
  return 0;
}
