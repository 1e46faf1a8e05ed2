// Names of numbers, as records have them.
#include <array>
#include <span>

#include "sensor/applayer/ike/message.h"

namespace vong::ike {
namespace {

struct Named {
  uint16_t number;
  std::string_view name;
};

std::string_view find(std::span<const Named> names, uint32_t number, std::string_view fallback) {
  for (const Named& n : names) {
    if (n.number == number) return n.name;
  }
  return fallback;
}

constexpr auto kAttributes = std::to_array<Named>({
    {1, "alg_enc"},
    {2, "alg_hash"},
    {3, "alg_auth"},
    {4, "alg_dh"},
    {5, "sa_group_type"},
    {11, "sa_life_type"},
    {12, "sa_life_duration"},
    {13, "alg_prf"},
    {14, "sa_key_length"},
    {15, "sa_field_size"},
});

constexpr auto kEncryption1 = std::to_array<Named>({
    {1, "EncDesCbc"},
    {2, "EncIdeaCbc"},
    {3, "EncBlowfishCbc"},
    {4, "EncRc5R16B64Cbc"},
    {5, "EncTripleDesCbc"},
    {6, "EncCastCbc"},
    {7, "EncAesCbc"},
    {8, "EncCamelliaCbc"},
});
constexpr auto kHash1 = std::to_array<Named>({
    {1, "HashMd5"},
    {2, "HashSha"},
    {3, "HashTiger"},
    {4, "HashSha2_256"},
    {5, "HashSha2_384"},
    {6, "HashSha2_512"},
});
constexpr auto kAuth1 = std::to_array<Named>({
    {1, "AuthPreSharedKey"},
    {2, "AuthDssSignatures"},
    {3, "AuthRsaSignatures"},
    {4, "AuthEncryptionWithRsa"},
    {5, "AuthRevisedEncryptionWithRsa"},
    {6, "AuthReserved"},
    {7, "AuthReserved"},
    {8, "AuthReserved"},
    {9, "AuthEcdsaSha256"},
    {10, "AuthEcdsaSha384"},
    {11, "AuthEcdsaSha512"},
});
constexpr auto kGroup1 = std::to_array<Named>({
    {1, "GroupDefault768BitModpGroup"},
    {2, "GroupAlternate1024BitModpGroup"},
    {3, "GroupEc2nOnGp2p155"},
    {4, "GroupEc2nOnGp2p185"},
    {5, "GroupModp1536Bit"},
    {6, "GroupEc2nOverGf2p163"},
    {7, "GroupEc2nOverGf2p163_2"},
    {8, "GroupEc2nOverGf2p283"},
    {9, "GroupEc2nOverGf2p283_2"},
    {10, "GroupEc2nOverGf2p409"},
    {11, "GroupEc2nOverGf2p409_2"},
    {12, "GroupEc2nOverGf2p571"},
    {13, "GroupEc2nOverGf2p571_2"},
    {14, "GroupModp2048Bit"},
    {15, "GroupModp3072Bit"},
    {16, "GroupModp4096Bit"},
    {17, "GroupModp6144Bit"},
    {18, "GroupModp8192Bit"},
    {19, "GroupRandomEcp256Bit"},
    {20, "GroupRandomEcp384Bit"},
    {21, "GroupRandomEcp521Bit"},
    {22, "GroupModp1024With160BitPrime"},
    {23, "GroupModp2048With224BitPrime"},
    {24, "GroupModp2048With256BitPrime"},
    {25, "GroupRandomEcp192Bit"},
    {26, "GroupRandomEcp224Bit"},
    {27, "GroupBrainpoolEcp224Bit"},
    {28, "GroupBrainpoolEcp256Bit"},
    {29, "GroupBrainpoolEcp384Bit"},
    {30, "GroupBrainpoolEcp512Bit"},
});
constexpr auto kLifeType1 =
    std::to_array<Named>({{1, "LifeTypeSeconds"}, {2, "LifeTypeKilobytes"}});

constexpr auto kExchanges = std::to_array<Named>({
    {0, "None"},
    {1, "Base"},
    {2, "Identity Protection"},
    {3, "Authentication Only"},
    {4, "Aggressive"},
    {5, "Informational (V1)"},
    {6, "Transaction (Config Mode)"},
    {32, "Quick Mode"},
    {33, "New Group Mode"},
    {34, "Security Association Init"},
    {35, "Authentication"},
    {36, "Create Child Security Association"},
    {37, "Informational"},
});

constexpr auto kPayloads1 = std::to_array<Named>({
    {0, "None"},
    {1, "SecurityAssociation"},
    {2, "Proposal"},
    {3, "Transform"},
    {4, "KeyExchange"},
    {5, "Identification"},
    {6, "Certificate"},
    {7, "CertificateRequest"},
    {8, "Hash"},
    {9, "Signature"},
    {10, "Nonce"},
    {11, "Notification"},
    {12, "Delete"},
    {13, "VendorID"},
    {15, "SaKekPayload"},
    {16, "SaTekPayload"},
    {17, "KeyDownload"},
    {18, "SequenceNumber"},
    {19, "ProofOfPossession"},
    {20, "NatDiscovery"},
    {21, "NatOriginalAddress"},
    {22, "GroupAssociatedPolicy"},
});

constexpr auto kPayloads2 = std::to_array<Named>({
    {0, "NoNextPayload"},
    {33, "SecurityAssociation"},
    {34, "KeyExchange"},
    {35, "IdentInitiator"},
    {36, "IdentResponder"},
    {37, "Certificate"},
    {38, "CertificateRequest"},
    {39, "Authentication"},
    {40, "Nonce"},
    {41, "Notify"},
    {42, "Delete"},
    {43, "VendorID"},
    {44, "TrafficSelectorInitiator"},
    {45, "TrafficSelectorResponder"},
    {46, "EncryptedAndAuthenticated"},
    {47, "Configuration"},
    {48, "ExtensibleAuthentication"},
});

constexpr auto kNotify = std::to_array<Named>({
    {1, "UNSUPPORTED_CRITICAL_PAYLOAD"},
    {4, "INVALID_IKE_SPI"},
    {5, "INVALID_MAJOR_VERSION"},
    {7, "INVALID_SYNTAX"},
    {9, "INVALID_MESSAGE_ID"},
    {11, "INVALID_SPI"},
    {14, "NO_PROPOSAL_CHOSEN"},
    {17, "INVALID_KE_PAYLOAD"},
    {24, "AUTHENTICATION_FAILED"},
    {34, "SINGLE_PAIR_REQUIRED"},
    {35, "NO_ADDITIONAL_SAS"},
    {36, "INTERNAL_ADDRESS_FAILURE"},
    {37, "FAILED_CP_REQUIRED"},
    {38, "TS_UNACCEPTABLE"},
    {39, "INVALID_SELECTORS"},
    {43, "TEMPORARY_FAILURE"},
    {44, "CHILD_SA_NOT_FOUND"},
    {16384, "INITIAL_CONTACT"},
    {16385, "SET_WINDOW_SIZE"},
    {16386, "ADDITIONAL_TS_POSSIBLE"},
    {16387, "IPCOMP_SUPPORTED"},
    {16388, "NAT_DETECTION_SOURCE_IP"},
    {16389, "NAT_DETECTION_DESTINATION_IP"},
    {16390, "COOKIE"},
    {16391, "USE_TRANSPORT_MODE"},
    {16392, "HTTP_CERT_LOOKUP_SUPPORTED"},
    {16393, "REKEY_SA"},
    {16394, "ESP_TFC_PADDING_NOT_SUPPORTED"},
    {16395, "NON_FIRST_FRAGMENTS_ALSO"},
});

std::string or_number(std::string_view name, std::string_view kind, uint32_t number) {
  if (!name.empty()) return std::string(name);
  return std::string(kind) + "(" + std::to_string(number) + ")";
}

}  // namespace

std::string_view attribute_name(uint16_t type) { return find(kAttributes, type, ""); }

std::optional<uint16_t> attribute_by_name(std::string_view name) {
  for (const Named& n : kAttributes) {
    if (n.name == name) return n.number;
  }
  return std::nullopt;
}

std::string_view attribute_value_name(const Attribute& a) {
  constexpr std::string_view kUnknown = "Unknown";
  if (!a.number) return kUnknown;
  switch (a.type) {
    case 1:
      return find(kEncryption1, *a.number, kUnknown);
    case 2:
      return find(kHash1, *a.number, kUnknown);
    case 3:
      return find(kAuth1, *a.number, kUnknown);
    case 4:
      return find(kGroup1, *a.number, kUnknown);
    case 11:
      return find(kLifeType1, *a.number, kUnknown);
    default:
      return kUnknown;
  }
}

std::string_view exchange_name(uint8_t type) { return find(kExchanges, type, "Unknown"); }

std::string payload_name_v1(uint8_t type) {
  return or_number(find(kPayloads1, type, ""), "Unknown", type);
}
std::string payload_name_v2(uint8_t type) {
  return or_number(find(kPayloads2, type, ""), "IkePayloadType", type);
}
std::string notify_name(uint16_t type) {
  return or_number(find(kNotify, type, ""), "NotifyType", type);
}

}  // namespace vong::ike
