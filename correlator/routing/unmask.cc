#include "correlator/routing/unmask.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/encode.h"
#include "base/json_writer.h"
#include "base/string_map.h"

namespace vong::routing {
namespace {

using KeyHandle = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using DigestHandle = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using BioHandle = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::string from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const int n =
      EVP_DecodeBlock(reinterpret_cast<uint8_t*>(out.data()),
                      reinterpret_cast<const uint8_t*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return {};
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(n) - padding);
  return out;
}

std::string to_base64(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int n = EVP_EncodeBlock(reinterpret_cast<uint8_t*>(out.data()),
                                reinterpret_cast<const uint8_t*>(bytes.data()),
                                static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(n));
  return out;
}

std::string sha256_of(std::string_view text) {
  uint8_t digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const uint8_t*>(text.data()), text.size(), digest);
  return hex_of(Bytes(digest, sizeof digest));
}

// Calls f(address) for every IPv4 address of the networks, up to the cap.
template <typename F>
void each_address(const std::vector<IpPrefix>& networks, F&& f) {
  uint64_t left = kAddressesTriedMax;
  for (const IpPrefix& p : networks) {
    if (!p.address.is_v4()) continue;
    const uint64_t count = uint64_t{1} << (32 - p.length);
    const uint32_t first = p.address.v4_host_order();
    for (uint64_t i = 0; i < count && left > 0; ++i, --left)
      f(IpAddress::v4(static_cast<uint32_t>(first + i)));
  }
}

}  // namespace

Result<Grant> read_grant(std::string_view json) {
  if (json.size() > kGrantBytesMax) return fail("grant: too long");
  const auto root = nlohmann::json::parse(json, nullptr, false);
  if (!root.is_object()) return fail("grant: not a JSON object");
  const auto text = [&](const char* key) {
    const auto it = root.find(key);
    return it != root.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Grant g{text("agency"),     text("granted_to"),  text("reason"),
          text("valid_from"), text("valid_until"), {},
          text("signature")};
  const auto list = root.find("pseudonyms");
  if (list == root.end() || !list->is_array() || list->empty() ||
      list->size() > kGrantPseudonymsMax)
    return fail("grant: pseudonyms must be a list of 1 to 1000");
  for (const auto& p : *list) {
    if (!p.is_string()) return fail("grant: pseudonyms must be texts");
    g.pseudonyms.push_back(p.get<std::string>());
  }
  for (const std::string* part : {&g.agency, &g.granted_to, &g.reason, &g.signature}) {
    if (part->empty()) return fail("grant: agency, granted_to, reason and signature are needed");
  }
  // A line break in a field could make one signed text mean two grants.
  const auto breaks = [](const std::string& s) { return s.find('\n') != s.npos; };
  if (breaks(g.agency) || breaks(g.granted_to) || breaks(g.reason) || breaks(g.valid_from) ||
      breaks(g.valid_until) || std::any_of(g.pseudonyms.begin(), g.pseudonyms.end(), breaks))
    return fail("grant: a field has a line break");
  return g;
}

std::string grant_text(const Grant& g) {
  std::string out = "vong-grant-1\n";
  for (const std::string* part :
       {&g.agency, &g.granted_to, &g.reason, &g.valid_from, &g.valid_until}) {
    out += *part;
    out.push_back('\n');
  }
  for (const std::string& p : g.pseudonyms) out += p + '\n';
  return out;
}

bool verify(std::string_view public_key_base64, std::string_view text,
            std::string_view signature_base64) {
  const std::string key = from_base64(public_key_base64), sig = from_base64(signature_base64);
  if (key.size() != 32 || sig.size() != 64) return false;
  const KeyHandle handle(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr,
                                  reinterpret_cast<const uint8_t*>(key.data()), key.size()),
      EVP_PKEY_free);
  const DigestHandle context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return handle &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, handle.get()) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const uint8_t*>(sig.data()), sig.size(),
                          reinterpret_cast<const uint8_t*>(text.data()), text.size()) == 1;
}

Result<std::string> sign(std::string_view pem, std::string_view text) {
  const BioHandle bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const KeyHandle key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_ED25519)
    return fail("the signing key is no Ed25519 key in PEM");
  const DigestHandle context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  uint8_t out[64];
  size_t size = sizeof out;
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), out, &size, reinterpret_cast<const uint8_t*>(text.data()),
                     text.size()) != 1)
    return fail("cannot sign");
  return to_base64({reinterpret_cast<const char*>(out), size});
}

Result<> check_grant(const Grant& g, const enrich::Registry& registry, Timestamp now) {
  const enrich::AgencyIndex index = registry.find(g.agency);
  if (index == enrich::kNoAgency) return fail("grant: no agency is called '" + g.agency + "'");
  const enrich::Agency& agency = registry.agencies()[index];
  if (agency.grant_key.empty())
    return fail("grant: " + agency.id + " has no grant-key in the registry");
  if (!verify(agency.grant_key, grant_text(g), g.signature))
    return fail("grant: the signature is not " + agency.id + "'s");
  const auto from = parse_eve_time(g.valid_from), until = parse_eve_time(g.valid_until);
  if (!from || !until) return fail("grant: valid_from and valid_until must be times");
  if (now < *from || now >= *until) return fail("grant: not valid now");
  return {};
}

std::vector<Unmasked> unmask(const Grant& g, const enrich::Registry& registry,
                             const Router& router) {
  std::vector<Unmasked> out;
  StringMap<size_t> wanted;
  for (const std::string& p : g.pseudonyms) {
    wanted.try_emplace(p, out.size());
    out.push_back({p, {}});
  }
  const enrich::AgencyIndex index = registry.find(g.agency);
  if (index == enrich::kNoAgency) return out;
  const enrich::Agency& agency = registry.agencies()[index];
  const auto attempt = [&](std::string_view kind, const std::string& value) {
    const auto it = wanted.find(router.pseudonym(kind, value));
    if (it != wanted.end()) out[it->second].value = value;
  };
  attempt("agency", agency.id);
  for (const std::string& sensor : agency.sensors) attempt("sensor", sensor);
  each_address(agency.networks, [&](const IpAddress& a) { attempt("host", a.to_string()); });
  return out;
}

Result<std::string> record_line(const Grant& g, const std::vector<Unmasked>& found, Timestamp now,
                                std::string_view previous_line, std::string_view signing_key) {
  const auto found_count =
      std::count_if(found.begin(), found.end(), [](const Unmasked& u) { return !u.value.empty(); });
  std::string body;
  JsonWriter w(body);
  w.open_object();
  w.field("timestamp", now);
  w.field("agency", g.agency);
  w.field("granted_to", g.granted_to);
  w.field("reason", g.reason);
  w.field("grant", sha256_of(grant_text(g) + g.signature));
  w.open_array("pseudonyms");
  for (const Unmasked& u : found) w.string(u.pseudonym);
  w.close_array();
  w.field("found", static_cast<uint64_t>(found_count));
  w.field("previous", previous_line.empty() ? std::string() : sha256_of(previous_line));
  auto signature = sign(signing_key, body + "}");
  if (!signature) return std::unexpected(signature.error());
  w.field("signature", *signature);
  w.close_object();
  return body;
}

}  // namespace vong::routing
