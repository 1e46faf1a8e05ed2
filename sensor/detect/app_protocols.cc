#include "sensor/detect/app_protocols.h"

#include <algorithm>
#include <array>

namespace vong::detect {
namespace {

// The language's own unions: "http" is HTTP of any version; DNS rules also see DNS inside HTTPS; SMB carries DCERPC.
struct Union {
  std::string_view name;
  std::array<AppProto, 3> members;
};
constexpr Union kUnions[] = {
    {"http", {AppProto::kHttp1, AppProto::kHttp2, AppProto::kUnknown}},
    {"http1", {AppProto::kHttp1, AppProto::kUnknown, AppProto::kUnknown}},
    {"http2", {AppProto::kHttp2, AppProto::kDoh2, AppProto::kUnknown}},
    {"dns", {AppProto::kDns, AppProto::kDoh2, AppProto::kUnknown}},
    {"ikev2", {AppProto::kIke, AppProto::kUnknown, AppProto::kUnknown}},
    {"dcerpc", {AppProto::kDcerpc, AppProto::kSmb, AppProto::kUnknown}},
};

}  // namespace

std::vector<AppProto> app_protocols_named(std::string_view name, const Catalog& catalog) {
  for (const Union& u : kUnions) {
    if (u.name != name) continue;
    std::vector<AppProto> result;
    for (const AppProto p : u.members) {
      if (p != AppProto::kUnknown) result.push_back(p);
    }
    return result;
  }
  if (name == "unknown" || name.empty()) return {};
  if (const applayer::ProtocolDef* def = catalog.protocol(name)) return {def->id};
  // Known by name though no parser is built in: such rules load and never match.
  for (size_t i = 1; i < kAppProtoCount; ++i) {
    if (applayer::name_of(static_cast<AppProto>(i)) == name) return {static_cast<AppProto>(i)};
  }
  return {};
}

}  // namespace vong::detect
