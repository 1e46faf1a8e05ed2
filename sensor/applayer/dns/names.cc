// Names of record types and response codes, as in IANA's registry "Domain Name System (DNS)
// Parameters".
#include <algorithm>

#include "sensor/applayer/dns/message.h"

namespace vong::dns {

const std::vector<NamedNumber>& record_types() {
  static const std::vector<NamedNumber> kTypes = {
      {"A", 1},      {"NS", 2},        {"MD", 3},          {"MF", 4},     {"CNAME", 5},
      {"SOA", 6},    {"MB", 7},        {"MG", 8},          {"MR", 9},     {"NULL", 10},
      {"WKS", 11},   {"PTR", 12},      {"HINFO", 13},      {"MINFO", 14}, {"MX", 15},
      {"TXT", 16},   {"RP", 17},       {"AFSDB", 18},      {"X25", 19},   {"ISDN", 20},
      {"RT", 21},    {"NSAP", 22},     {"NSAPPTR", 23},    {"SIG", 24},   {"KEY", 25},
      {"PX", 26},    {"GPOS", 27},     {"AAAA", 28},       {"LOC", 29},   {"NXT", 30},
      {"SRV", 33},   {"ATMA", 34},     {"NAPTR", 35},      {"KX", 36},    {"CERT", 37},
      {"A6", 38},    {"DNAME", 39},    {"OPT", 41},        {"APL", 42},   {"DS", 43},
      {"SSHFP", 44}, {"IPSECKEY", 45}, {"RRSIG", 46},      {"NSEC", 47},  {"DNSKEY", 48},
      {"DHCID", 49}, {"NSEC3", 50},    {"NSEC3PARAM", 51}, {"TLSA", 52},  {"HIP", 55},
      {"CDS", 59},   {"CDNSKEY", 60},  {"HTTPS", 65},      {"SPF", 99},   {"TKEY", 249},
      {"TSIG", 250}, {"MAILA", 254},   {"ANY", 255},       {"URI", 256},
  };
  return kTypes;
}

const std::vector<NamedNumber>& rcodes() {
  static const std::vector<NamedNumber> kCodes = {
      {"NOERROR", 0},  {"FORMERR", 1},  {"SERVFAIL", 2}, {"NXDOMAIN", 3},  {"NOTIMP", 4},
      {"REFUSED", 5},  {"YXDOMAIN", 6}, {"YXRRSET", 7},  {"NXRRSET", 8},   {"NOTAUTH", 9},
      {"NOTZONE", 10}, {"BADVERS", 16}, {"BADSIG", 16},  {"BADKEY", 17},   {"BADTIME", 18},
      {"BADMODE", 19}, {"BADNAME", 20}, {"BADALG", 21},  {"BADTRUNC", 22},
  };
  return kCodes;
}

namespace {
std::string find_name(const std::vector<NamedNumber>& table, uint16_t value) {
  const auto it = std::find_if(table.begin(), table.end(),
                               [value](const NamedNumber& n) { return n.value == value; });
  return it == table.end() ? std::to_string(value) : std::string(it->name);
}
}  // namespace

std::string record_type_name(uint16_t type) { return find_name(record_types(), type); }
std::string rcode_name(uint8_t rcode) { return find_name(rcodes(), rcode); }

}  // namespace vong::dns
