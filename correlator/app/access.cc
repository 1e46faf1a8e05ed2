#include "correlator/app/access.h"

#include <string>
#include <string_view>

namespace vong::correlator {
namespace {

using Operation = kafka::Acl::Operation;
using Resource = kafka::Acl::Resource;

class Rights {
 public:
  void of(std::string_view principal) { principal_ = "User:" + std::string(principal); }
  void topic(std::string name, Operation operation) {
    add(Resource::kTopic, std::move(name), false, operation);
  }
  // Consumer groups, and the transactional ids of what it writes exactly once.
  void groups(std::string prefix, bool transactions) {
    if (transactions) {
      add(Resource::kTransactionalId, prefix, true, Operation::kWrite);
      add(Resource::kTransactionalId, prefix, true, Operation::kDescribe);
    }
    add(Resource::kGroup, std::move(prefix), true, Operation::kRead);
  }
  void group(const std::string& name) {
    add(Resource::kTransactionalId, name, false, Operation::kWrite);
    add(Resource::kTransactionalId, name, false, Operation::kDescribe);
    add(Resource::kGroup, name, false, Operation::kRead);
  }
  void everything(std::string prefix) {
    for (const Operation o : {Operation::kRead, Operation::kWrite})
      add(Resource::kTopic, prefix, true, o);
  }
  std::vector<kafka::Acl> take() { return std::move(acls_); }

 private:
  void add(Resource resource, std::string name, bool prefix, Operation operation) {
    acls_.push_back({principal_, resource, std::move(name), prefix, operation});
  }
  std::string principal_;
  std::vector<kafka::Acl> acls_;
};

}  // namespace

std::vector<kafka::Acl> rights_of(const enrich::Registry& registry) {
  Rights r;
  for (enrich::AgencyIndex i = 0; i < registry.agencies().size(); ++i) {
    const enrich::Agency& a = registry.agencies()[i];
    r.of(a.id);
    std::vector<enrich::AgencyIndex> own = registry.predecessors(i);
    own.push_back(i);
    for (const enrich::AgencyIndex o : own) {
      r.topic("vong.events." + registry.agencies()[o].id, Operation::kRead);
      r.topic("vong.incidents." + registry.agencies()[o].id, Operation::kRead);
    }
    r.topic("vong.warnings", Operation::kRead);
    r.topic("vong.rulepacks", Operation::kRead);
    r.topic("vong.verdicts", Operation::kWrite);
    r.groups(a.id + "-", false);  // a dash is in no identifier: no group of another's begins so
    for (const std::string& sensor : a.sensors) {
      r.of(sensor);
      r.topic("vong.events." + a.id, Operation::kWrite);
      r.topic("vong.status", Operation::kWrite);
      r.topic("vong.rulepacks", Operation::kRead);
      for (const std::string& topic : {"vong.events." + a.id, std::string("vong.status")})
        r.group("vong-forward-" + topic + "-" + sensor);
    }
  }
  r.of("national");
  for (const char* topic : {"vong.incidents.national", "vong.warnings", "vong.status",
                            "vong.coverage", "vong.dead-letter"})
    r.topic(topic, Operation::kRead);
  for (const char* topic : {"vong.rulepacks", "vong.verdicts", "vong.warnings"})
    r.topic(topic, Operation::kWrite);
  r.groups("national-", false);
  r.of("correlator");
  r.everything("vong.");
  r.groups("vong-", true);
  return r.take();
}

}  // namespace vong::correlator
