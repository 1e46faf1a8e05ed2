// The client behind a proxy: `xff` of the eve-log section. The address that a request's
// X-Forwarded-For (or the header named there) gives stands in alerts and HTTP records beside the
// flow's addresses, or in the place of the client's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "base/settings.h"
#include "sensor/applayer/core/protocol.h"

namespace vong::emit {

struct ForwardedFor {
  bool enabled = false;
  bool overwrite =
      false;           // mode: in the client's place; otherwise ("extra-data") as a key of its own
  bool first = false;  // deployment forward: the first address of the list; reverse: the last
  std::string header = "x-forwarded-for";  // lower case

  // What stands below `xff.` in `options`, over `outer`.
  [[nodiscard]] static ForwardedFor from(const Settings& options, const ForwardedFor& outer);

  // The address in this header's value: "10.1.2.3", "a, b, c", with ports ("10.1.2.3:4000",
  // "[2001:db8::1]:80").
  [[nodiscard]] std::optional<IpAddress> in(std::string_view value) const;

  // Of this transaction's request; nothing for protocols other than HTTP/1, as the reference has
  // it.
  [[nodiscard]] std::optional<IpAddress> of(const applayer::ProtocolDef& def,
                                            const applayer::Transaction& tx) const;
};

}  // namespace vong::emit
