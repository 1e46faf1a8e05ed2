// classification.config and reference.config: what the rules' classtype and reference options name.
//
//   config classification: trojan-activity,A Network Trojan was detected,1
//   config reference: cve https://cve.mitre.org/cgi-bin/cvename.cgi?name=
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "base/result.h"
#include "rules/network/diagnostic.h"

namespace vong::rules {

struct Classification {
  std::string name;         // "trojan-activity", lower case
  std::string description;  // what EVE shows as the category
  uint32_t priority = 3;    // 1 is the most severe, 255 the least
  uint32_t id = 0;          // 1, 2, ... in the file's order
};

// The first entry of a name counts; later ones are warnings.
class ClassificationConfig {
 public:
  [[nodiscard]] static ClassificationConfig parse(std::string name, const std::string& text);
  [[nodiscard]] static Result<ClassificationConfig> load(const std::string& path);

  // Any case; nullptr when there is none.
  [[nodiscard]] const Classification* find(std::string_view name) const;
  // The nearest known name, empty when none is near.
  [[nodiscard]] std::string_view nearest(std::string_view name) const;
  [[nodiscard]] size_t size() const { return by_name_.size(); }
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  absl::flat_hash_map<std::string, Classification> by_name_;
  Diagnostics diagnostics_;
};

// Systems that references point into, each with the beginning of its addresses.
class ReferenceConfig {
 public:
  [[nodiscard]] static ReferenceConfig parse(std::string name, const std::string& text);
  [[nodiscard]] static Result<ReferenceConfig> load(const std::string& path);

  // The beginning of the address; nullptr when the system is unknown. Any case.
  [[nodiscard]] const std::string* find(std::string_view system) const;
  [[nodiscard]] std::string_view nearest(std::string_view system) const;
  [[nodiscard]] size_t size() const { return by_name_.size(); }
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  absl::flat_hash_map<std::string, std::string> by_name_;
  Diagnostics diagnostics_;
};

}  // namespace vong::rules
