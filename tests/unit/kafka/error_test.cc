#include "kafka/error.h"

#include <gtest/gtest.h>

namespace vong::kafka {
namespace {

TEST(Answer, AFatalErrorRebuildsTheClient) {
  EXPECT_EQ(answer_to({.code = code::kFatal, .fatal = true}), Answer::kRebuild);
  EXPECT_EQ(answer_to({.code = code::kGaplessGuarantee}), Answer::kRebuild);
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .fatal = true, .retriable = true}),
            Answer::kRebuild);
}

TEST(Answer, AFencedProducerIsFencedEvenWhenTheErrorIsFatal) {
  for (int c : {code::kFencedLocal, code::kProducerFenced, code::kInvalidProducerEpoch,
                code::kFencedInstance}) {
    EXPECT_EQ(answer_to({.code = c, .fatal = true}), Answer::kFenced) << c;
  }
}

TEST(Answer, ATransactionThatRequiresAbortIsAborted) {
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .retriable = true, .requires_abort = true}),
            Answer::kAbort);
  EXPECT_EQ(answer_to({.code = code::kIllegalGeneration}), Answer::kAbort);
  EXPECT_EQ(answer_to({.code = code::kRebalanceInProgress}), Answer::kAbort);
}

TEST(Answer, ARetriableErrorIsTriedAgain) {
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .retriable = true}), Answer::kRetry);
  EXPECT_EQ(answer_to({.code = code::kNotCoordinator, .retriable = true}), Answer::kRetry);
  EXPECT_EQ(answer_to({.code = code::kTransport}), Answer::kRetry);
  EXPECT_EQ(answer_to({.code = code::kQueueFull}), Answer::kRetry);
}

TEST(Answer, ATimeOutAfterRefusedCredentialsIsARefusal) {
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .retriable = true}, code::kAuthentication),
            Answer::kRefused);
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .retriable = true}, code::kSsl), Answer::kRefused);
  EXPECT_EQ(answer_to({.code = code::kTimedOut, .retriable = true}, code::kTransport),
            Answer::kRetry);
}

TEST(Answer, ForbiddenAndMissingTopicsAreRefusals) {
  EXPECT_EQ(answer_to({.code = code::kTopicAuthorization, .requires_abort = true}),
            Answer::kRefused);
  EXPECT_EQ(answer_to({.code = code::kTransactionalIdAuthorization, .fatal = true}),
            Answer::kRefused);
  EXPECT_EQ(answer_to({.code = code::kUnknownTopic}), Answer::kRefused);
}

TEST(Answer, ARecordThatIsTooLargeIsRejectedAlone) {
  EXPECT_EQ(answer_to({.code = code::kMessageTooLarge}), Answer::kReject);
  EXPECT_EQ(answer_to({.code = code::kInvalidRecord}), Answer::kReject);
}

TEST(Answer, NothingUnknownIsTakenForSuccess) {
  for (int c = -200; c < 120; ++c) {
    const std::string_view name = answer_name(answer_to({.code = c}));
    EXPECT_NE(name, "unknown") << c;
  }
  EXPECT_EQ(answer_to({.code = 119}), Answer::kAbort);
}

}  // namespace
}  // namespace vong::kafka
