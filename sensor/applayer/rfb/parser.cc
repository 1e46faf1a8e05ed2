#include "sensor/applayer/rfb/parser.h"

#include <algorithm>

#include "base/byte_reader.h"
#include "base/strings.h"
#include "sensor/applayer/rfb/limits.h"

namespace vong::rfb {

using applayer::Input;
using applayer::ParseResult;

namespace {

constexpr size_t kVersionBytes = 12, kChallengeBytes = 16, kServerInitBytes = 24;

bool offers_results_always(const std::optional<Version>& v) {
  return v && v->major == "003" && v->minor == "008";
}

}  // namespace

Transaction& RfbParser::tx() {
  if (tx_ == nullptr) tx_ = &add(std::make_unique<Transaction>());
  return *tx_;
}

Direction RfbParser::sender(State s) {
  switch (s) {
    case State::kClientVersion:
    case State::kSecurityChoice:
    case State::kResponse:
    case State::kClientInit:
      return Direction::kToServer;
    default:
      return Direction::kToClient;
  }
}

void RfbParser::finish() {
  state_ = State::kOver;
  tx().progress = {1, 1};
  tx().updated = {true, true};
}

bool RfbParser::have(Bytes data, size_t size) {
  needed_ = size;
  return data.size() >= size;
}

ParseResult RfbParser::parse(Direction d, const Input& in) {
  Bytes data = in.data;
  needed_ = 0;
  while (!data.empty()) {
    if (state_ == State::kOver) return ParseResult::ok(in.data.size());
    if (sender(state_) != d) {
      tx().add_event(kConfusedState);
      finish();
      return ParseResult::ok(in.data.size());
    }
    const Step took = step(data);
    if (!took) return ParseResult::ok(in.data.size() - data.size(), needed_);
    const size_t size = std::min(*took, data.size());
    if (frames != nullptr)
      frames->add(d, kFramePdu, in.offset + in.data.size() - data.size(),
                  static_cast<int64_t>(size));
    data = data.subspan(size);
  }
  return ParseResult::ok(in.data.size());
}

RfbParser::Step RfbParser::step(Bytes data) {
  switch (state_) {
    case State::kServerVersion:
      return version(data, tx().server, State::kClientVersion);
    case State::kClientVersion: {
      const Step took = version(data, tx().client, State::kSecurityTypes);
      if (took && tx().client && tx().client->major == "003" && tx().client->minor == "003")
        state_ = State::kSecurityType33;
      return took;
    }
    case State::kSecurityTypes:
      return security_types(data);
    case State::kSecurityType33:
      if (!have(data, 4)) return std::nullopt;
      choose(ByteReader(data).u32());
      return 4;
    case State::kSecurityChoice:
      choose(data[0]);
      return 1;
    case State::kChallenge:
    case State::kResponse: {
      if (!have(data, kChallengeBytes)) return std::nullopt;
      const bool asked = state_ == State::kChallenge;
      (asked ? tx().challenge : tx().response) = as_text(data.first(kChallengeBytes));
      state_ = asked ? State::kResponse : State::kSecurityResult;
      return kChallengeBytes;
    }
    case State::kSecurityResult:
      if (!have(data, 4)) return std::nullopt;
      take_result(ByteReader(data).u32());
      return 4;
    case State::kFailureReason:
      return failure_reason(data);
    case State::kClientInit:
      tx().shared = data[0] != 0;
      state_ = State::kServerInit;
      return 1;
    case State::kServerInit:
      return server_init(data);
    case State::kOver:
      break;
  }
  return data.size();
}

// "RFB 003.008\n"
RfbParser::Step RfbParser::version(Bytes data, std::optional<Version>& into, State next) {
  if (!have(data, kVersionBytes)) return std::nullopt;
  const std::string_view text = as_text(data.first(kVersionBytes));
  if (!text.starts_with("RFB ") || text[7] != '.' || text[11] != '\n') {
    tx().add_event(kMalformedMessage);
    finish();
    return data.size();
  }
  into = Version{std::string(text.substr(4, 3)), std::string(text.substr(8, 3))};
  state_ = next;
  return kVersionBytes;
}

RfbParser::Step RfbParser::security_types(Bytes data) {
  const size_t count = data[0];
  if (count == 0) {
    state_ = State::kFailureReason;
    return 1;
  }
  if (!have(data, 1 + count)) return std::nullopt;
  state_ = State::kSecurityChoice;
  return 1 + count;
}

void RfbParser::choose(uint32_t type) {
  const bool by_server = state_ == State::kSecurityType33;
  tx().security_type = type;
  if (by_server && type == kInvalid) {
    state_ = State::kFailureReason;
  } else if (type == kNone) {
    state_ = !by_server && offers_results_always(tx().client) ? State::kSecurityResult
                                                              : State::kClientInit;
  } else if (type == kVnc) {
    state_ = State::kChallenge;
  } else {
    tx().add_event(kUnimplementedSecurityType);
    finish();
  }
}

void RfbParser::take_result(uint32_t result) {
  tx().security_result = result;
  if (result == 0) {
    state_ = State::kClientInit;
  } else if (result == 1) {
    state_ = State::kFailureReason;
  } else {
    if (result != 2) tx().add_event(kUnknownSecurityResult);
    finish();
  }
}

RfbParser::Step RfbParser::failure_reason(Bytes data) {
  if (!have(data, 4)) return std::nullopt;
  const uint32_t size = ByteReader(data).u32();
  if (size <= kMaxTextBytes && !have(data, 4 + size)) return std::nullopt;
  if (size > kMaxTextBytes) tx().add_event(kMalformedMessage);
  finish();
  return data.size();
}

RfbParser::Step RfbParser::server_init(Bytes data) {
  if (!have(data, kServerInitBytes)) return std::nullopt;
  ByteReader in(data);
  Framebuffer f;
  f.width = in.u16();
  f.height = in.u16();
  f.pixels.bits_per_pixel = in.u8();
  f.pixels.depth = in.u8();
  f.pixels.big_endian = in.u8() != 0;
  f.pixels.true_color = in.u8() != 0;
  f.pixels.red_max = in.u16();
  f.pixels.green_max = in.u16();
  f.pixels.blue_max = in.u16();
  f.pixels.red_shift = in.u8();
  f.pixels.green_shift = in.u8();
  f.pixels.blue_shift = in.u8();
  in.skip(3);
  const uint32_t size = in.u32();
  if (size > kMaxTextBytes) {
    tx().add_event(kMalformedMessage);
    finish();
    return data.size();
  }
  if (!have(data, kServerInitBytes + size)) return std::nullopt;
  f.name = as_text(in.bytes(size));
  tx().framebuffer = std::move(f);
  finish();
  return kServerInitBytes + size;
}

// Behind the handshake nothing is looked at, so nothing is missed.
bool RfbParser::gap(Direction, uint64_t) { return state_ == State::kOver; }

void RfbParser::end() {
  if (tx_ != nullptr && state_ != State::kOver) finish();
}

}  // namespace vong::rfb
