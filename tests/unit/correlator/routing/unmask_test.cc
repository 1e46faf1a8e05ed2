#include "correlator/routing/unmask.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace vong::routing {
namespace {

// A key pair for the test: PEM and the public half in base64.
struct Keys {
  std::string pem, public_base64;
  Keys() {
    EVP_PKEY* key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    BIO* bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio, &text);
    pem.assign(text, static_cast<size_t>(size));
    uint8_t raw[32], encoded[64];
    size_t raw_size = sizeof raw;
    EVP_PKEY_get_raw_public_key(key, raw, &raw_size);
    const int n = EVP_EncodeBlock(encoded, raw, static_cast<int>(raw_size));
    public_base64.assign(reinterpret_cast<const char*>(encoded), static_cast<size_t>(n));
    BIO_free(bio);
    EVP_PKEY_free(key);
  }
};
const Keys kKeys;
const Timestamp kNow = *parse_eve_time("2026-11-20T08:00:00Z");

class UnmaskTest : public ::testing::Test {
 protected:
  UnmaskTest() {
    rules::Diagnostics d("a.yaml");
    registry_ = enrich::Registry::parse(
        std::string("agencies:\n  - {id: G08, sharing: anonymised, sensors: [s8], networks: "
                    "[10.8.0.0/24], grant-key: '") +
            kKeys.public_base64 +
            "'}\n  - {id: G09, sharing: anonymised, networks: [10.9.0.0/24]}\n",
        d);
    EXPECT_TRUE(d.empty()) << d.items().at(0).format();
    router_.emplace(registry_, "0123456789abcdef");
    grant_ = {"G08", "national", "case 7", "2026-11-19T00:00:00Z", "2026-11-21T00:00:00Z", {}, ""};
    for (const auto& [kind, value] : {std::pair("host", "10.8.0.77"), std::pair("sensor", "s8"),
                                      std::pair("agency", "G08"), std::pair("host", "10.9.0.1")})
      grant_.pseudonyms.push_back(router_->pseudonym(kind, value));
    grant_.signature = *sign(kKeys.pem, grant_text(grant_));
  }
  enrich::Registry registry_;
  std::optional<Router> router_;
  Grant grant_;
};

TEST_F(UnmaskTest, GivesWhatTheAgencyHasAndNothingOfOthers) {
  ASSERT_TRUE(check_grant(grant_, registry_, kNow))
      << check_grant(grant_, registry_, kNow).error().message;
  const auto found = unmask(grant_, registry_, *router_);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].value, "10.8.0.77");
  EXPECT_EQ(found[1].value, "s8");
  EXPECT_EQ(found[2].value, "G08");
  EXPECT_EQ(found[3].value, "") << "another agency's address needs that agency's grant";
}

TEST_F(UnmaskTest, AGrantThatIsNotTheAgencysOrNotOfNowIsRefused) {
  Grant changed = grant_;
  changed.pseudonyms.push_back("host-000000000000");
  EXPECT_FALSE(check_grant(changed, registry_, kNow));
  changed = grant_;
  changed.agency = "G09";
  EXPECT_FALSE(check_grant(changed, registry_, kNow)) << "it has no key";
  changed = grant_;
  changed.signature[5] = changed.signature[5] == 'A' ? 'B' : 'A';
  EXPECT_FALSE(check_grant(changed, registry_, kNow));
  EXPECT_FALSE(check_grant(grant_, registry_, *parse_eve_time("2026-11-21T00:00:00Z")));
  EXPECT_FALSE(check_grant(grant_, registry_, *parse_eve_time("2026-11-18T00:00:00Z")));
}

TEST_F(UnmaskTest, BrokenGrantsAreRefusedWithAReason) {
  for (const char* bad :
       {"", "[]", "{}", R"({"pseudonyms":[]})", R"({"pseudonyms":[1]})",
        R"({"agency":"G08","granted_to":"n","reason":"a\nb","signature":"x","pseudonyms":["p"]})"})
    EXPECT_FALSE(read_grant(bad)) << bad;
}

TEST_F(UnmaskTest, TheRecordIsSignedAndNamesTheLineBefore) {
  const auto found = unmask(grant_, registry_, *router_);
  const auto first = record_line(grant_, found, kNow, "", kKeys.pem);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->find("10.8.0.77"), first->npos) << "the record holds no values";
  EXPECT_NE(first->find("\"found\":3"), first->npos) << *first;
  const size_t at = first->find(",\"signature\":\"");
  ASSERT_NE(at, first->npos);
  const std::string signature = first->substr(at + 14, first->size() - at - 16);
  EXPECT_TRUE(verify(kKeys.public_base64, first->substr(0, at) + "}", signature));
  const auto second = record_line(grant_, found, kNow, *first, kKeys.pem);
  EXPECT_NE(second->find("\"previous\":\""), second->npos);
  EXPECT_EQ(second->find("\"previous\":\"\""), second->npos);
  EXPECT_FALSE(record_line(grant_, found, kNow, "", "no key"));
}

}  // namespace
}  // namespace vong::routing
