#include "sensor/detect/dataset_access.h"

#include <algorithm>

#include "base/ip_address.h"
#include "fmt/format.h"
#include "rules/network/text.h"
#include "sensor/detect/dataset.h"
#include "sensor/detect/number_field.h"
#include "sensor/detect/rule_set_impl.h"

namespace vong::detect {
namespace {

constexpr size_t kShown = 80;   // of a value, in messages

Result<std::string> hash_bytes(std::string_view text, size_t size) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    const int high = rules::hex_value(text[i]), low = rules::hex_value(text[i + 1]);
    if (high < 0 || low < 0) break;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  if (bytes.size() != size || text.size() != 2 * size) return fail(fmt::format("not a hash of {} bytes: {}", size, text.substr(0, kShown)));
  return bytes;
}

Result<std::string> address_bytes(std::string_view text, bool only_v4) {
  const auto address = IpAddress::parse(text);
  if (!address || (only_v4 && !address->is_v4())) return fail(fmt::format("not an address: {}", text.substr(0, kShown)));
  return std::string(as_text(address->bytes()));
}

Result<std::string> string_bytes(std::string_view text) {
  std::string out;
  decode_base64_prefix(as_bytes(text), out);
  if (out.empty()) return fail(fmt::format("not base64: {}", text.substr(0, kShown)));
  return out;
}

}  // namespace

Result<std::string> dataset_value(std::string_view type, std::string_view text) {
  const auto known = dataset_type_by_name(type);
  if (!known) return fail(fmt::format("'{}' is no type of data set", type));
  switch (*known) {
    case DatasetType::kString: return string_bytes(text);
    case DatasetType::kMd5: return hash_bytes(text, 16);
    case DatasetType::kSha256: return hash_bytes(text, 32);
    case DatasetType::kIpv4: return address_bytes(text, true);
    case DatasetType::kIp: return address_bytes(text, false);
  }
  return fail("no such type");
}

Result<bool> edit_dataset(const RuleSet& rules, std::string_view name, std::string_view type, std::string_view value, DatasetEdit edit) {
  const auto& store = rules.impl().datasets;
  if (store == nullptr) return fail("no rule in force has a data set");
  DatasetRequest request;   // without a type: only a set that is there
  request.name = name;
  auto found = store->get(request, "");
  if (!found) return fail(fmt::format("there is no data set '{}'", name));
  Dataset& set = **found;
  if (dataset_type_by_name(type) != std::optional(set.type())) return fail(fmt::format("the data set '{}' is not of type '{}'", name, type));
  const auto bytes = dataset_value(type, value);
  if (!bytes) return std::unexpected(bytes.error());
  bool full = false;
  switch (edit) {
    case DatasetEdit::kLookup: return set.contains(as_bytes(*bytes));
    case DatasetEdit::kRemove: return set.remove(as_bytes(*bytes));
    case DatasetEdit::kAdd: break;
  }
  const bool added = set.add(as_bytes(*bytes), full);
  if (full) return fail(fmt::format("the data set '{}' is full", name));
  return added;
}

}  // namespace vong::detect
