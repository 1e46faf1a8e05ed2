// Who may read and write which topic: rights for a broker with an authorizer, made of the registry.
// A principal is what the broker reads from a client's certificate: an agency's SOC by its
// identifier, a sensor by its name, and the two of the centre.
//
//   agency     reads its events, incidents (and those of agencies that it followed), the warnings,
//              the rule packs; writes verdicts
//   sensor     writes its agency's events and its own status; reads the rule packs
//   national   reads what is national, warnings and status; writes rule packs and verdicts
//   correlator reads and writes all of it
//
// Pure.
#pragma once

#include <vector>

#include "correlator/enrich/registry.h"
#include "kafka/admin.h"

namespace vong::correlator {

[[nodiscard]] std::vector<kafka::Acl> rights_of(const enrich::Registry& registry);

}  // namespace vong::correlator
