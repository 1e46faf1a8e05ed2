// dataset, datarep: values of a buffer in named sets. iprep: reputation of addresses.
#include "sensor/detect/dataset.h"

#include "sensor/detect/keywords/common.h"

namespace vong::detect {
namespace {

enum class Command : uint8_t { kIsSet, kIsNotSet, kSet, kUnset };

class DatasetCondition : public BufferCondition {
 public:
  Command command = Command::kIsSet;
  Dataset* set = nullptr;
  std::string context_key;
  bool match(Runtime& rt, const BufferInput& in, size_t) const override {
    if (in.data.empty() || !in.complete) return false;
    switch (command) {
      case Command::kIsSet:
        if (!set->contains(in.data)) return false;
        if (!context_key.empty()) {
          if (auto json = set->context(in.data); json && !json->empty()) rt.contexts.emplace_back(context_key, std::move(*json));
        }
        return true;
      case Command::kIsNotSet: return set->key_of(in.data).has_value() && !set->contains(in.data);
      case Command::kSet: {
        if (rt.observing) return set->key_of(in.data).has_value() && !set->contains(in.data);
        bool full = false;
        const bool added = set->add(in.data, full);
        if (full) ++rt.counters->dataset_full;
        return added;
      }
      case Command::kUnset: return rt.observing ? set->contains(in.data) : set->remove(in.data);
    }
    return false;
  }
};

class DatarepCondition : public BufferCondition {
 public:
  rules::NumberTest test;
  const Dataset* set = nullptr;
  bool match(Runtime&, const BufferInput& in, size_t) const override {
    if (in.data.empty() || !in.complete) return false;
    const auto value = set->reputation(in.data);
    return value && test.matches(*value);
  }
};

Status common_part(DatasetRequest& r, std::string_view part, std::string* context_key) {
  const auto [key, value] = rules::split_key(part, " ");
  if (value.empty() && key != "remove_key") return value_error(part, "expected a value");
  const auto json = [&]() -> Dataset::JsonFormat& {
    if (!r.json) r.json.emplace();
    return *r.json;
  };
  if (key == "type") {
    r.type = dataset_type_by_name(value);
    if (!r.type) return value_error(value, "expected string, md5, sha256, ipv4 or ip");
  } else if (key == "load") {
    r.load = value;
  } else if (key == "save") {
    r.save = value;
  } else if (key == "state") {
    r.load = r.save = value;
    r.state = true;
  } else if (key == "memcap" || key == "hashsize") {
    const auto n = rules::parse_size_bytes(value, uint64_t{1} << 40);
    if (!n) return std::unexpected(n.error());
    (key == "memcap" ? r.memcap_bytes : r.hashsize) = *n;
  } else if (key == "format") {
    if (value == "json") json().lines = false;
    else if (value == "ndjson" || value == "jsonline") json().lines = true;
    else if (value != "csv") return value_error(value, "expected csv, json or ndjson");
  } else if (key == "value_key") {
    json().value_key = value;
  } else if (key == "array_key") {
    json().array_key = value;
  } else if (key == "context_key" && context_key != nullptr) {
    *context_key = value;
  } else if (key == "remove_key") {
    json().remove_key = true;
  } else {
    return value_error(part, fmt::format("unknown part of a data set: {}", rules::shown(key)));
  }
  return {};
}

Status check_list(RuleBuilder& b, const rules::Option& o, const Dataset& set) {
  if (!b.has_sticky()) return value_error(o.name, "needs a sticky buffer before it");
  auto list = b.current_list(o.name);
  if (!list) return std::unexpected(list.error());
  const BufferName* buffer = (*list)->buffer;
  const bool of_address = buffer != nullptr && buffer->packet != nullptr && buffer->packet->addresses;
  const bool wants_address = set.type() == DatasetType::kIp || set.type() == DatasetType::kIpv4;
  if (of_address && !wants_address) return value_error(o.value, "ip.src and ip.dst go with data sets of type ip or ipv4");
  return {};
}

rules::Parsed<Dataset*> open(RuleBuilder& b, const rules::Option& o, const DatasetRequest& r) {
  if (!b.set.datasets) {
    b.set.datasets = std::make_shared<DatasetStore>();
    b.set.datasets->inherit(b.env.datasets_before);
    if (auto configured = b.set.datasets->configure(b.env.settings, b.env.data_dir); !configured) return value_error(o.value, configured.error().message);
  }
  auto set = b.set.datasets->get(r, b.env.rule_dir);
  if (!set) return value_error(o.value, set.error().message);
  if (r.save.starts_with('/')) b.warn(fmt::format("Allowing absolute filename for dataset rule: {}", r.save));
  return *set;
}

Status add(RuleBuilder& b, const rules::Option& o, std::unique_ptr<BufferCondition> c) {
  Node node;
  node.kind = NodeKind::kCondition;
  node.condition = c.get();
  b.set.buffer_conditions.push_back(std::move(c));
  return b.add_node(node, o.value);
}

Status setup_dataset(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() < 2) return value_error(o.value, "expected isset|isnotset|set|unset, <name>[, type ...]");
  auto c = std::make_unique<DatasetCondition>();
  const std::string_view command = (*parts)[0];
  if (command == "isset") c->command = Command::kIsSet;
  else if (command == "isnotset") c->command = Command::kIsNotSet;
  else if (command == "set") c->command = Command::kSet;
  else if (command == "unset") c->command = Command::kUnset;
  else return value_error(command, "expected isset, isnotset, set or unset");
  DatasetRequest r;
  r.name = (*parts)[1];
  if (r.name.empty() || r.name.size() > 63) return value_error((*parts)[1], "a data set's name has 1 to 63 characters");
  for (size_t i = 2; i < parts->size(); ++i) {
    if (auto s = common_part(r, (*parts)[i], &c->context_key); !s) return s;
  }
  if (r.json) {
    if (r.json->value_key.empty()) return value_error(o.value, "JSON needs value_key");
    if (c->context_key.empty()) return value_error(o.value, "JSON needs context_key");
    if (c->command == Command::kSet || c->command == Command::kUnset || !r.save.empty()) {
      return value_error(o.value, "data sets with JSON can only be asked with isset and isnotset");
    }
  }
  const auto set = open(b, o, r);
  if (!set) return std::unexpected(set.error());
  if (auto s = check_list(b, o, **set); !s) return s;
  c->set = *set;
  return add(b, o, std::move(c));
}

Status setup_datarep(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() < 3) return value_error(o.value, "expected <name>, <operator>, <number>[, type ..., load ...]");
  auto c = std::make_unique<DatarepCondition>();
  const std::string_view op = (*parts)[1];
  const auto n = rules::parse_unsigned((*parts)[2], 65'535);
  if (!n) return std::unexpected(n.error());
  if (op == ">") c->test = {rules::Compare::kGreater, *n, 0};
  else if (op == "<") c->test = {rules::Compare::kLess, *n, 0};
  else if (op == "==" || op == "=") c->test = {rules::Compare::kEqual, *n, 0};
  else if (op == ">=") c->test = {rules::Compare::kGreaterEqual, *n, 0};
  else if (op == "<=") c->test = {rules::Compare::kLessEqual, *n, 0};
  else return value_error(op, "expected one of > < == >= <=");
  DatasetRequest r;
  r.name = (*parts)[0];
  for (size_t i = 3; i < parts->size(); ++i) {
    if (auto s = common_part(r, (*parts)[i], nullptr); !s) return s;
  }
  const auto set = open(b, o, r);
  if (!set) return std::unexpected(set.error());
  if (auto s = check_list(b, o, **set); !s) return s;
  c->set = *set;
  return add(b, o, std::move(c));
}

// iprep:any|src|dst|both,<category>,<operator>,<score> or isset|isnotset
Status setup_iprep(RuleBuilder& b, const rules::Option& o) {
  const auto parts = rules::split_parts(o.value);
  if (!parts) return std::unexpected(parts.error());
  if (parts->size() < 3) return value_error(o.value, "expected any|src|dst|both, <category>, <operator>, <score>");
  int side = 0;
  if ((*parts)[0] == "any") side = 0;
  else if ((*parts)[0] == "src") side = 1;
  else if ((*parts)[0] == "dst") side = 2;
  else if ((*parts)[0] == "both") side = 3;
  else return value_error((*parts)[0], "expected any, src, dst or both");
  if (!b.env.reputation) {
    b.env.reputation = std::make_unique<Reputation>();
    b.env.reputation->configure(b.env.settings);
  }
  const uint8_t category = b.env.reputation->category((*parts)[1]);
  if (category == 0) return value_error((*parts)[1], fmt::format("unknown category of IP reputation: {}", rules::shown((*parts)[1])));
  rules::NumberTest test{rules::Compare::kGreater, 0, 0};
  const std::string_view op = (*parts)[2];
  if (op == "isset") test = {rules::Compare::kGreater, 0, 0};
  else if (op == "isnotset") test = {rules::Compare::kEqual, 0, 0};
  else {
    if (parts->size() != 4) return value_error(o.value, "expected a score");
    const auto n = rules::parse_unsigned((*parts)[3], 127);
    if (!n) return std::unexpected(n.error());
    if (op == ">") test = {rules::Compare::kGreater, *n, 0};
    else if (op == "<") test = {rules::Compare::kLess, *n, 0};
    else if (op == "=" || op == "==") test = {rules::Compare::kEqual, *n, 0};
    else if (op == ">=") test = {rules::Compare::kGreaterEqual, *n, 0};
    else if (op == "<=") test = {rules::Compare::kLessEqual, *n, 0};
    else return value_error(op, "expected one of > < = >= <= isset isnotset");
  }
  const bool absent_ok = op == "isnotset";
  add_condition(b, [side, category, test, absent_ok](Runtime& rt) {
    const auto fits = [&](const IpAddress& a) {
      const uint8_t s = rt.shared->reputation->score(a, category);
      return (s > 0 || absent_ok) && test.matches(s);
    };
    const Packet& p = *rt.packet;
    if (p.ip.version == 0) return false;
    switch (side) {
      case 1: return fits(p.src);
      case 2: return fits(p.dst);
      case 3: return fits(p.src) && fits(p.dst);
      default: return fits(p.src) || fits(p.dst);
    }
  });
  return {};
}

constexpr Keyword kKeywords[] = {
    {"dataset", "", KeywordKind::kContent, ValueUse::kRequired, setup_dataset, nullptr, 0,
     "isset|isnotset|set|unset, <name>[, type string|md5|sha256|ipv4|ip][, load <file>|save <file>|state <file>][, memcap <size>][, hashsize <n>][, "
     "format json|ndjson, value_key <key>, context_key <key>[, array_key <key>][, remove_key]]",
     "The buffer is (or is not) in a data set, or goes into it."},
    {"datarep", "", KeywordKind::kContent, ValueUse::kRequired, setup_datarep, nullptr, 0,
     "<name>, <operator>, <number>[, type <type>][, load <file>][, memcap <size>][, hashsize <n>]", "Compares the number that a data set has for the buffer."},
    {"iprep", "", KeywordKind::kPacket, ValueUse::kRequired, setup_iprep, nullptr, Keyword::kIpOnlyOk,
     "any|src|dst|both, <category>, <operator>, <score> or isset|isnotset", "Reputation of the addresses."},
};

}  // namespace

std::span<const Keyword> dataset_keywords() { return kKeywords; }

}  // namespace vong::detect
