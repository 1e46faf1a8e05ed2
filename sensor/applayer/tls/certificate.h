// X.509 certificates (RFC 5280) as far as sensors speak of them, read by a small bounded DER reader
// (ITU-T X.690): no general ASN.1, no recursion into what is not needed.
//
//   Certificate ::= SEQUENCE { tbs SEQUENCE { [0] version, serial INTEGER, algorithm, issuer Name,
//                              validity SEQUENCE { notBefore, notAfter }, subject Name, publicKey,
//                              ..., [3] extensions }, ... }
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace vong::tls {

struct Certificate {
  std::string subject,
      issuer;          // "C=US, O=Example, CN=www.example.org": in the order of the certificate
  std::string serial;  // "0A:1B:...": bytes as they stand, a leading 00 included
  int64_t not_before_s = 0, not_after_s = 0;  // since the epoch, UTC
  std::vector<std::string> alternative_names;
};

enum class CertificateError : uint8_t {
  kNone,
  kInvalidDer,
  kInvalidLength,
  kInvalidVersion,
  kInvalidSerial,
  kInvalidAlgorithm,
  kInvalidName,
  kInvalidDate,
  kInvalidExtensions,
};

[[nodiscard]] CertificateError parse_certificate(Bytes der, Certificate& out);

// EVE's form: "2017-03-23T00:00:00".
[[nodiscard]] std::string certificate_time(int64_t seconds);

}  // namespace vong::tls
