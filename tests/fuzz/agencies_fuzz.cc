// Rooms: correlator_enrich. The registry of agencies (YAML); all that may be asked of it.
#include <cstdlib>

#include "correlator/enrich/registry.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vong;
  rules::Diagnostics diagnostics("agencies.yaml");
  const auto registry =
      enrich::Registry::parse({reinterpret_cast<const char*>(data), size}, diagnostics);
  const IpAddress addresses[] = {IpAddress::v4(0x0a010203), *IpAddress::parse("2001:db8::1")};
  const size_t agencies = registry.agencies().size();
  for (const auto& agency : registry.agencies()) {
    if (!enrich::is_agency_id(agency.id)) std::abort();
    const enrich::AgencyIndex found = registry.find(agency.id);
    if (found >= agencies) std::abort();
    if (diagnostics.errors() == 0 && registry.agencies()[found].id != agency.id) std::abort();
    for (const enrich::AgencyIndex p : registry.predecessors(found))
      if (p >= agencies) std::abort();
    for (const int64_t at : {int64_t{0}, int64_t{1'790'000'000'000'000'000}}) {
      const auto owner = registry.owner_at(found, at, "sensor", addresses[0], addresses[1]);
      if (owner >= agencies) std::abort();
    }
  }
  for (const IpAddress& a : addresses) {
    const auto owner = registry.by_address(a);
    if (owner != enrich::kNoAgency && owner >= agencies) std::abort();
    (void)registry.system_at(a);
  }
  (void)registry.owns_domain("mail.example.gov.vn");
  return 0;
}
