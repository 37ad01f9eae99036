"""`errors`: what to mend, from a refused record to its root cause."""

import json

from tests.support.place import Place

NARROW = """
DROP TABLE "School"; DROP TABLE "Person";
CREATE TABLE "School" ("districtNumber" TEXT, "schoolID" INTEGER, "number" TEXT, "name" VARCHAR(3),
                       PRIMARY KEY ("districtNumber", "schoolID"));
CREATE TABLE "Person" ("districtNumber" TEXT, "personID" INTEGER, "schoolID" INTEGER,
                       "stateExclude" BOOLEAN NOT NULL DEFAULT 0, PRIMARY KEY ("districtNumber", "personID"),
                       FOREIGN KEY ("districtNumber", "schoolID") REFERENCES "School" ("districtNumber", "schoolID"));
"""
BLOCKED = "Person, Person: 8 records blocked: its School record did not reach the state"
REJECTED = "School, School: 1 record rejected: name is longer than 3"


def test_errors_lead_to_the_root_cause_and_the_sql(place: Place) -> None:
    place.sql("state", NARROW)
    place.sql("abbott", "UPDATE School SET name = 'Albuquerque'")
    assert place.run("run", "-d", "01", "--all", "--yes").returncode == 1
    lines = place.run("errors", "1", "--find", "personID 8", "--sql").stdout.splitlines()
    assert lines == [
        BLOCKED,
        "    personID 8",
        "        lacks School schoolID 1: rejected, name is longer than 3 (this one has 11 characters)",
        '        SELECT * FROM "Person" WHERE "personID" = 8;',
        '        SELECT * FROM "School" WHERE "schoolID" = 1;',
        "    and 7 more, that are not asked for",
    ]
    assert place.sql("abbott", lines[4].strip().rstrip(";")) == [(1, "01", "Albuquerque")]
    rejected = place.run("errors", "1", "--kind", "rejected").stdout
    assert rejected.splitlines() == [REJECTED, "    schoolID 1  of 11 characters"]
    (of_one,) = json.loads(place.run("errors", "1", "--find", "personID 8", "--json").stdout)
    assert (of_one["column"], of_one["parent"]) == ("schoolID", {"table": "School", "key": {"schoolID": 1}})
    (root,) = json.loads(place.run("errors", "1", "--object", "school", "--json").stdout)
    assert (root["column"], root["size"]) == ("name", 11)
    assert "Albuquerque" not in place.run("errors", "1", "--sql").stdout


def test_errors_name_the_holder_of_a_unique_value(place: Place) -> None:
    place.sql("state", 'CREATE UNIQUE INDEX one ON "School" ("districtNumber", "name")')
    place.sql("abbott", "INSERT INTO School VALUES (9, '01', 'A')")
    assert place.run("run", "-d", "01", "School", "--yes").returncode == 1
    assert place.run("errors", "1", "--sql").stdout.splitlines() == [
        "School, School: 1 record rejected: another record of the district has the same name",
        "    schoolID 9",
        "        held by School schoolID 1",
        '        SELECT * FROM "School" WHERE "schoolID" = 9;',
        '        SELECT * FROM "School" WHERE "schoolID" = 1;',
    ]
    (record,) = json.loads(place.run("errors", "1", "--json").stdout)
    assert (record["column"], record["holder"]) == ("name", {"schoolID": 1})
