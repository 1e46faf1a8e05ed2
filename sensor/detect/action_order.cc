#include "sensor/detect/action_order.h"

#include <algorithm>
#include <string>

namespace vong::detect {

using rules::Action;

ActionOrder ActionOrder::from(const Settings& settings) {
  std::vector<std::string> names;
  for (const std::string& i : settings.children("action-order")) names.emplace_back(settings.text("action-order." + i, ""));
  for (const char* name : {"pass", "drop", "reject", "alert"}) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  ActionOrder order;
  for (int i = 0; i < static_cast<int>(names.size()); ++i) {
    const auto set = [&](std::initializer_list<Action> actions) {
      for (const Action a : actions) order.rank_[static_cast<size_t>(a)] = i;
    };
    const std::string& name = names[static_cast<size_t>(i)];
    if (name == "pass") set({Action::kPass, Action::kAccept});
    else if (name == "drop") set({Action::kDrop});
    else if (name == "reject") set({Action::kReject, Action::kRejectSrc, Action::kRejectDst, Action::kRejectBoth});
    else if (name == "alert") set({Action::kAlert, Action::kConfig});
  }
  return order;
}

}  // namespace vong::detect
