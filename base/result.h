// Errors as values. Rooms on the packet path use an enum class of their own; everything that speaks to a person (files,
// configuration, brokers) uses Error, whose message is one clear line.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace vong {

struct Error {
  std::string message;  // one line, no trailing period or newline, names the file or peer it speaks of
};

template <typename T = void>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected(Error{std::move(message)});
}

}  // namespace vong
