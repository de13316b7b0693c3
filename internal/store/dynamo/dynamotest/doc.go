// Package dynamotest gives tests a DynamoDB without an account: it starts one of
// two servers on this machine, and makes the tables that package dynamo needs.
//
// DynamoDB Local is the real engine for expressions and indexes. Moto is another
// implementation of the same interface, so that nothing here rests on a habit of
// one. Neither throttles or lags, and neither removes what has expired.
//
// Both are installed by `make aws-servers`; a test that needs one that is not
// there is skipped, or fails where THALAS_E2E=required is in the environment.
package dynamotest
