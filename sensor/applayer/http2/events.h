// Oddities of HTTP/2 that rules and anomaly records name.
#pragma once

#include <span>

#include "sensor/applayer/core/protocol.h"

namespace vong::http2 {

enum class Event : applayer::EventId {
  kInvalidFrameHeader,
  kInvalidClientMagic,
  kInvalidFrameData,
  kInvalidHeader,
  kInvalidFrameLength,
  kExtraHeaderData,
  kLongFrameData,
  kStreamIdReuse,
  kInvalidHttp1Settings,
  kFailedDecompression,
  kInvalidRange,
  kHeaderIntegerOverflow,
  kTooManyStreams,
  kAuthorityHostMismatch,
  kUserinfoInUri,
  kReassemblyLimitReached,
  kDnsRequestTooLong,
  kDnsResponseTooLong,
  kDataStreamZero,
  kTooManyFrames,
  kCount
};

[[nodiscard]] std::span<const applayer::EventDef> event_defs();

}  // namespace vong::http2
