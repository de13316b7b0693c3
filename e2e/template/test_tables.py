"""The tables: their keys and indexes are a contract with what is already stored."""

import unittest

import template

TABLES = {
    "ResultsTable": (("id",), {"by_series": ("series", "position"), "by_day": ("day", "id")}),
    "MetricsTable": (("day", "hour"), {}),
    "CoordinationTable": (("key",), {}),
}


def key(schema):
    kinds = [k["KeyType"] for k in schema]
    assert kinds == ["HASH", "RANGE"][: len(kinds)], kinds
    return tuple(k["AttributeName"] for k in schema)


class Tables(unittest.TestCase):
    def test_keys_and_indexes(self):
        tables = template.of_type("AWS::DynamoDB::Table")
        got = {}
        for name, table in tables.items():
            p = table["Properties"]
            indexes = p.get("GlobalSecondaryIndexes", [])
            got[name] = key(p["KeySchema"]), {i["IndexName"]: key(i["KeySchema"]) for i in indexes}
            for index in indexes:
                self.assertEqual(index["Projection"], {"ProjectionType": "KEYS_ONLY"})
            self.assertEqual({a["AttributeType"] for a in p["AttributeDefinitions"]}, {"S"})
        self.assertEqual(got, TABLES)

    def test_what_is_stored_stays(self):
        for name, table in template.of_type("AWS::DynamoDB::Table").items():
            with self.subTest(name):
                p = table["Properties"]
                self.assertEqual((table["DeletionPolicy"], table["UpdateReplacePolicy"]), ("Retain", "Retain"))
                self.assertNotIn("TableName", p, "a name would be taken when the stack is made anew")
                self.assertIs(p["DeletionProtectionEnabled"], True)
                self.assertEqual(p["BillingMode"], "PAY_PER_REQUEST")
                self.assertEqual(p["SSESpecification"], {"SSEEnabled": True})
                self.assertEqual(p["TimeToLiveSpecification"], {"AttributeName": "expires_at", "Enabled": True})
                restorable = p.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled", False)
                self.assertEqual(restorable, name != "CoordinationTable")

    def test_logs_go_after_a_while(self):
        groups = template.of_type("AWS::Logs::LogGroup", LogRetentionDays="7")
        self.assertEqual(len(groups), 5)
        for name, group in groups.items():
            self.assertEqual(group["Properties"]["RetentionInDays"], "7", name)
        names = [g["Properties"]["LogGroupName"] for g in groups.values()]
        self.assertEqual(len(set(names)), len(names))
