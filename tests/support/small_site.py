"""resync.toml, a catalog of two objects, and the tables of a district and a state, as text."""

from tests.support.settings import one_district

CONFIG = one_district(district="sqlite:///district.db", catalog=True)
CATALOG = """
name = "Small"
tenant_column = "districtNumber"
identity = "District.number"
[[object]]
name = "District"
tables = ["District"]
[[object]]
name = "School"
tables = ["School"]
parents = ["District"]
"""
DISTRICT = """
CREATE TABLE "District" ("districtID" INTEGER PRIMARY KEY, "number" VARCHAR(9) NOT NULL);
CREATE TABLE "School" ("schoolID" INTEGER PRIMARY KEY, "districtID" INTEGER REFERENCES "District", "name" VARCHAR(9));
INSERT INTO "District" VALUES (1, '01');
INSERT INTO "School" VALUES (1, 1, 'North'), (2, 1, 'South'), (3, 1, 'A name that is too long');
"""
STATE = """
CREATE TABLE "District" ("districtNumber" VARCHAR(9), "districtID" INTEGER, "number" VARCHAR(9) NOT NULL,
  PRIMARY KEY ("districtNumber", "districtID"));
CREATE TABLE "School" ("districtNumber" VARCHAR(9), "schoolID" INTEGER, "districtID" INTEGER, "name" VARCHAR(9),
  PRIMARY KEY ("districtNumber", "schoolID"),
  FOREIGN KEY ("districtNumber", "districtID") REFERENCES "District" ("districtNumber", "districtID"));
INSERT INTO "District" VALUES ('01', 1, '01');
"""
