// Package dynamotest gives tests a DynamoDB without an account: it starts one of two
// servers on this machine, and makes the tables that package dynamo needs.
//
// DynamoDB Local has the real engine for expressions and indexes. Moto is another
// implementation, so that the tests do not depend on the peculiarities of one. Neither of
// them throttles or lags, and neither removes expired items.
//
// `make aws-servers` installs both. A test that needs a missing server is skipped, or
// fails if THALAS_E2E=required is set.
package dynamotest
