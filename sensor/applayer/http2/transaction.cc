#include "sensor/applayer/http2/transaction.h"

#include <algorithm>

namespace vong::http2 {

const Field* Side::find(std::string_view name) const {
  const auto it = std::ranges::find_if(
      fields, [&](const Field& f) { return f.status == FieldStatus::kOk && f.name() == name; });
  return it == fields.end() ? nullptr : &*it;
}

std::optional<std::string_view> Side::value_of(std::string_view name, std::string& scratch) const {
  const Field* first = nullptr;
  bool joined = false;
  for (const Field& f : fields) {
    if (f.status != FieldStatus::kOk || f.name() != name) continue;
    if (first == nullptr) {
      first = &f;
      continue;
    }
    if (!joined) scratch.assign(first->value());
    joined = true;
    scratch.append(name == "cookie" ? "; " : ", ").append(f.value());
  }
  if (first == nullptr) return std::nullopt;
  return joined ? std::string_view(scratch) : first->value();
}

}  // namespace vong::http2
