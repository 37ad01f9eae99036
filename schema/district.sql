-- A district's tables for the 67 DIS objects, as a sketch of Infinite Campus: names and shapes are this project's own.
--
-- The same text runs on SQLite and on PostgreSQL 15 or later. Parents stand before children. A district is laxer than
-- the state: the state's tables are derived from these (`resync-tui state init`), and what the state demands beyond
-- them is in state.toml.

-- District
-- A district's own identity: what the agent compares with resync.toml before it writes anything.
CREATE TABLE "District" (
    "districtID"   INTEGER NOT NULL PRIMARY KEY,
    "number"       VARCHAR(10) NOT NULL UNIQUE,
    "name"         VARCHAR(80) NOT NULL,
    "type"         VARCHAR(20),
    "address"      VARCHAR(100),
    "city"         VARCHAR(40),
    "state"        CHAR(2),
    "zip"          VARCHAR(10),
    "phone"        VARCHAR(20),
    "ncesID"       CHAR(7),
    "modifiedDate" TIMESTAMP
);

-- ReportingEntity
CREATE TABLE "ReportingEntity" (
    "entityID"     INTEGER NOT NULL PRIMARY KEY,
    "districtID"   INTEGER NOT NULL REFERENCES "District" ("districtID"),
    "code"         VARCHAR(12) NOT NULL UNIQUE,
    "name"         VARCHAR(80) NOT NULL,
    "type"         VARCHAR(20),
    "startDate"    DATE,
    "endDate"      DATE,
    "modifiedDate" TIMESTAMP
);

-- School
-- "reportingEntityID" has no foreign key: not every state uses the ReportingEntity object.
CREATE TABLE "School" (
    "schoolID"          INTEGER NOT NULL PRIMARY KEY,
    "districtID"        INTEGER NOT NULL REFERENCES "District" ("districtID"),
    "reportingEntityID" INTEGER,
    "number"            VARCHAR(10) NOT NULL UNIQUE,
    "name"              VARCHAR(80) NOT NULL,
    "type"              VARCHAR(20),
    "address"           VARCHAR(100),
    "phone"             VARCHAR(20),
    "openedDate"        DATE,
    "titleOne"          BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate"      TIMESTAMP
);
CREATE INDEX "School_districtID" ON "School" ("districtID");

-- Calendar
CREATE TABLE "Calendar" (
    "calendarID"        INTEGER NOT NULL PRIMARY KEY,
    "schoolID"          INTEGER NOT NULL REFERENCES "School" ("schoolID"),
    "endYear"           SMALLINT NOT NULL,
    "name"              VARCHAR(60) NOT NULL,
    "startDate"         DATE NOT NULL,
    "endDate"           DATE NOT NULL,
    "type"              CHAR(1) DEFAULT 'I',
    "summerSchool"      BOOLEAN DEFAULT FALSE NOT NULL,
    "stateExclude"      BOOLEAN DEFAULT FALSE NOT NULL,
    "studentDayMinutes" SMALLINT,
    "modifiedDate"      TIMESTAMP,
    UNIQUE ("schoolID", "endYear", "name"),
    CHECK ("endDate" >= "startDate")
);
CREATE INDEX "Calendar_schoolID" ON "Calendar" ("schoolID");

-- AttendanceExcuse
CREATE TABLE "AttendanceExcuse" (
    "excuseID"     INTEGER NOT NULL PRIMARY KEY,
    "calendarID"   INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "code"         VARCHAR(6) NOT NULL,
    "description"  VARCHAR(60),
    "status"       CHAR(1) NOT NULL,
    "excuse"       CHAR(1),
    "stateCode"    VARCHAR(10),
    "modifiedDate" TIMESTAMP,
    UNIQUE ("calendarID", "code"),
    CHECK ("status" IN ('A', 'T', 'E'))
);

-- CourseSection
CREATE TABLE "Course" (
    "courseID"     INTEGER NOT NULL PRIMARY KEY,
    "calendarID"   INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "number"       VARCHAR(20) NOT NULL,
    "name"         VARCHAR(80),
    "stateCode"    VARCHAR(20),
    "department"   VARCHAR(40),
    "gpaWeight"    NUMERIC(5, 3),
    "active"       BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate" TIMESTAMP,
    UNIQUE ("calendarID", "number")
);
CREATE INDEX "Course_calendarID" ON "Course" ("calendarID");
CREATE TABLE "Section" (
    "sectionID"      INTEGER NOT NULL PRIMARY KEY,
    "courseID"       INTEGER NOT NULL REFERENCES "Course" ("courseID"),
    "number"         SMALLINT NOT NULL,
    "teacherDisplay" VARCHAR(60),
    "room"           VARCHAR(20),
    "maxStudents"    SMALLINT,
    "homeroom"       BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate"   TIMESTAMP,
    UNIQUE ("courseID", "number")
);
CREATE INDEX "Section_courseID" ON "Section" ("courseID");

-- SchoolMonth
CREATE TABLE "SchoolMonth" (
    "monthID"      INTEGER NOT NULL PRIMARY KEY,
    "calendarID"   INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "sequence"     SMALLINT NOT NULL,
    "label"        VARCHAR(20),
    "startDate"    DATE NOT NULL,
    "endDate"      DATE NOT NULL,
    "enrolledDays" SMALLINT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "SchoolMonth_calendarID" ON "SchoolMonth" ("calendarID");

-- ScheduleStructure
CREATE TABLE "ScheduleStructure" (
    "structureID"  INTEGER NOT NULL PRIMARY KEY,
    "calendarID"   INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "name"         VARCHAR(40) NOT NULL,
    "label"        VARCHAR(40),
    "gradeBased"   BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "ScheduleStructure_calendarID" ON "ScheduleStructure" ("calendarID");

-- TermSchedule
CREATE TABLE "TermSchedule" (
    "termScheduleID" INTEGER NOT NULL PRIMARY KEY,
    "structureID"    INTEGER NOT NULL REFERENCES "ScheduleStructure" ("structureID"),
    "name"           VARCHAR(40) NOT NULL,
    "primary"        BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "TermSchedule_structureID" ON "TermSchedule" ("structureID");
CREATE TABLE "Term" (
    "termScheduleID" INTEGER NOT NULL REFERENCES "TermSchedule" ("termScheduleID"),
    "sequence"       SMALLINT NOT NULL,
    "name"           VARCHAR(20) NOT NULL,
    "startDate"      DATE NOT NULL,
    "endDate"        DATE NOT NULL,
    "modifiedDate"   TIMESTAMP,
    PRIMARY KEY ("termScheduleID", "sequence")
);

-- PeriodSchedule
CREATE TABLE "PeriodSchedule" (
    "periodScheduleID" INTEGER NOT NULL PRIMARY KEY,
    "structureID"      INTEGER NOT NULL REFERENCES "ScheduleStructure" ("structureID"),
    "name"             VARCHAR(40) NOT NULL,
    "sequence"         SMALLINT NOT NULL,
    "modifiedDate"     TIMESTAMP
);
CREATE INDEX "PeriodSchedule_structureID" ON "PeriodSchedule" ("structureID");
CREATE TABLE "Period" (
    "periodScheduleID" INTEGER NOT NULL REFERENCES "PeriodSchedule" ("periodScheduleID"),
    "sequence"         SMALLINT NOT NULL,
    "name"             VARCHAR(10) NOT NULL,
    "startTime"        CHAR(5),
    "endTime"          CHAR(5),
    "minutes"          SMALLINT,
    "nonInstructional" BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate"     TIMESTAMP,
    PRIMARY KEY ("periodScheduleID", "sequence")
);

-- StructureGradeLevel
CREATE TABLE "StructureGradeLevel" (
    "structureGradeID" INTEGER NOT NULL PRIMARY KEY,
    "structureID"      INTEGER NOT NULL REFERENCES "ScheduleStructure" ("structureID"),
    "name"             VARCHAR(8) NOT NULL,
    "sequence"         SMALLINT NOT NULL,
    "stateGrade"       CHAR(2),
    "standardDay"      SMALLINT,
    "stateExclude"     BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate"     TIMESTAMP,
    UNIQUE ("structureID", "name")
);

-- PersonIdentity
-- "districtNote" never leaves the district (ignore_columns of the catalog).
CREATE TABLE "Person" (
    "personID"      INTEGER NOT NULL PRIMARY KEY,
    "stateID"       VARCHAR(15),
    "studentNumber" VARCHAR(15),
    "staffNumber"   VARCHAR(15),
    "personGUID"    CHAR(36) UNIQUE,
    "email"         VARCHAR(100),
    "homePhone"     VARCHAR(20),
    "districtNote"  TEXT,
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "Person_stateID" ON "Person" ("stateID");
CREATE TABLE "Identity" (
    "identityID"    INTEGER NOT NULL PRIMARY KEY,
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "lastName"      VARCHAR(80),
    "firstName"     VARCHAR(60),
    "middleName"    VARCHAR(60),
    "suffix"        VARCHAR(10),
    "gender"        CHAR(1),
    "birthdate"     DATE,
    "raceEthnicity" CHAR(1),
    "hispanic"      BOOLEAN,
    "birthCountry"  VARCHAR(40),
    "effectiveDate" DATE,
    "modifiedDate"  TIMESTAMP,
    CHECK ("gender" IN ('F', 'M', 'X'))
);
CREATE INDEX "Identity_personID" ON "Identity" ("personID");
CREATE INDEX "Identity_lastName" ON "Identity" ("lastName");

-- Day
CREATE TABLE "Day" (
    "dayID"            INTEGER NOT NULL PRIMARY KEY,
    "structureID"      INTEGER NOT NULL REFERENCES "ScheduleStructure" ("structureID"),
    "periodScheduleID" INTEGER REFERENCES "PeriodSchedule" ("periodScheduleID"),
    "date"             DATE NOT NULL,
    "schoolDay"        BOOLEAN DEFAULT TRUE NOT NULL,
    "instruction"      BOOLEAN DEFAULT TRUE NOT NULL,
    "attendance"       BOOLEAN DEFAULT TRUE NOT NULL,
    "comments"         VARCHAR(200),
    "modifiedDate"     TIMESTAMP,
    UNIQUE ("structureID", "date")
);
CREATE INDEX "Day_periodScheduleID" ON "Day" ("periodScheduleID");

-- AdultEd
CREATE TABLE "AdultEd" (
    "adultEdID"    INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "program"      VARCHAR(40) NOT NULL,
    "startDate"    DATE NOT NULL,
    "endDate"      DATE,
    "contactHours" NUMERIC(6, 2),
    "fundingCode"  VARCHAR(10),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "AdultEd_personID" ON "AdultEd" ("personID");

-- ALPSS
CREATE TABLE "ALPSS" (
    "alpssID"      INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "service"      VARCHAR(40) NOT NULL,
    "startDate"    DATE NOT NULL,
    "endDate"      DATE,
    "provider"     VARCHAR(60),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "ALPSS_personID" ON "ALPSS" ("personID");

-- AtRisk
CREATE TABLE "AtRisk" (
    "atRiskID"       INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "category"       VARCHAR(20) NOT NULL,
    "identifiedDate" DATE,
    "exitDate"       DATE,
    "comments"       VARCHAR(200),
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "AtRisk_personID" ON "AtRisk" ("personID");

-- BehaviorResolutionType
CREATE TABLE "BehaviorResolutionType" (
    "resolutionTypeID" INTEGER NOT NULL PRIMARY KEY,
    "schoolID"         INTEGER NOT NULL REFERENCES "School" ("schoolID"),
    "code"             VARCHAR(10) NOT NULL,
    "name"             VARCHAR(60) NOT NULL,
    "stateCode"        VARCHAR(10),
    "active"           BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate"     TIMESTAMP,
    UNIQUE ("schoolID", "code")
);

-- BehaviorResponseType
CREATE TABLE "BehaviorResponseType" (
    "responseTypeID" INTEGER NOT NULL PRIMARY KEY,
    "schoolID"       INTEGER NOT NULL REFERENCES "School" ("schoolID"),
    "code"           VARCHAR(10) NOT NULL,
    "name"           VARCHAR(60) NOT NULL,
    "stateCode"      VARCHAR(10),
    "active"         BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate"   TIMESTAMP,
    UNIQUE ("schoolID", "code")
);

-- BehaviorType
CREATE TABLE "BehaviorType" (
    "typeID"       INTEGER NOT NULL PRIMARY KEY,
    "schoolID"     INTEGER NOT NULL REFERENCES "School" ("schoolID"),
    "code"         VARCHAR(10) NOT NULL,
    "name"         VARCHAR(60) NOT NULL,
    "stateCode"    VARCHAR(10),
    "severity"     SMALLINT,
    "active"       BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate" TIMESTAMP,
    UNIQUE ("schoolID", "code")
);

-- Behavior
CREATE TABLE "BehaviorIncident" (
    "incidentID"   INTEGER NOT NULL PRIMARY KEY,
    "calendarID"   INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "incidentDate" TIMESTAMP NOT NULL,
    "title"        VARCHAR(80),
    "location"     VARCHAR(40),
    "context"      VARCHAR(40),
    "status"       CHAR(2) DEFAULT 'SB',
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "BehaviorIncident_calendarID" ON "BehaviorIncident" ("calendarID");
CREATE TABLE "BehaviorEvent" (
    "eventID"      INTEGER NOT NULL PRIMARY KEY,
    "incidentID"   INTEGER NOT NULL REFERENCES "BehaviorIncident" ("incidentID"),
    "typeID"       INTEGER NOT NULL REFERENCES "BehaviorType" ("typeID"),
    "stateCode"    VARCHAR(10),
    "weaponCode"   VARCHAR(10),
    "drugCode"     VARCHAR(10),
    "details"      TEXT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "BehaviorEvent_incidentID" ON "BehaviorEvent" ("incidentID");
CREATE TABLE "BehaviorRole" (
    "roleID"       INTEGER NOT NULL PRIMARY KEY,
    "eventID"      INTEGER NOT NULL REFERENCES "BehaviorEvent" ("eventID"),
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "role"         VARCHAR(12) NOT NULL,
    "injury"       VARCHAR(20),
    "modifiedDate" TIMESTAMP,
    UNIQUE ("eventID", "personID", "role")
);
CREATE INDEX "BehaviorRole_personID" ON "BehaviorRole" ("personID");
CREATE TABLE "BehaviorResponse" (
    "responseID"     INTEGER NOT NULL PRIMARY KEY,
    "roleID"         INTEGER NOT NULL REFERENCES "BehaviorRole" ("roleID"),
    "responseTypeID" INTEGER NOT NULL REFERENCES "BehaviorResponseType" ("responseTypeID"),
    "responseDate"   DATE,
    "comments"       VARCHAR(200),
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "BehaviorResponse_roleID" ON "BehaviorResponse" ("roleID");
CREATE TABLE "BehaviorResolution" (
    "roleID"           INTEGER NOT NULL REFERENCES "BehaviorRole" ("roleID"),
    "sequence"         SMALLINT NOT NULL,
    "resolutionTypeID" INTEGER NOT NULL REFERENCES "BehaviorResolutionType" ("resolutionTypeID"),
    "startDate"        DATE,
    "endDate"          DATE,
    "schoolDays"       NUMERIC(5, 1),
    "modifiedDate"     TIMESTAMP,
    PRIMARY KEY ("roleID", "sequence")
);

-- CensusContactSummary
CREATE TABLE "CensusContactSummary" (
    "summaryID"    INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "contactName"  VARCHAR(100),
    "relationship" VARCHAR(30),
    "guardian"     BOOLEAN,
    "mailing"      BOOLEAN,
    "phone"        VARCHAR(30),
    "email"        VARCHAR(120),
    "sequence"     SMALLINT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "CensusContactSummary_personID" ON "CensusContactSummary" ("personID");

-- ContactLog
CREATE TABLE "ContactLog" (
    "contactLogID" INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "contactDate"  TIMESTAMP NOT NULL,
    "contactType"  VARCHAR(20),
    "details"      VARCHAR(1000),
    "staffName"    VARCHAR(60),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "ContactLog_personID" ON "ContactLog" ("personID");

-- CTEDataME
CREATE TABLE "CTEDataME" (
    "cteID"        INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "program"      VARCHAR(20) NOT NULL,
    "cipCode"      CHAR(7),
    "concentrator" BOOLEAN,
    "credits"      NUMERIC(4, 2),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "CTEDataME_personID" ON "CTEDataME" ("personID");

-- Employment
CREATE TABLE "Employment" (
    "employmentID"      INTEGER NOT NULL PRIMARY KEY,
    "personID"          INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "startDate"         DATE,
    "endDate"           DATE,
    "employmentType"    VARCHAR(20),
    "yearsOfExperience" NUMERIC(5, 2),
    "fte"               NUMERIC(5, 3),
    "modifiedDate"      TIMESTAMP
);
CREATE INDEX "Employment_personID" ON "Employment" ("personID");

-- EmploymentAssignment
CREATE TABLE "EmploymentAssignment" (
    "assignmentID" INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "schoolID"     INTEGER NOT NULL REFERENCES "School" ("schoolID"),
    "title"        VARCHAR(60),
    "type"         VARCHAR(20),
    "startDate"    DATE,
    "endDate"      DATE,
    "fte"          NUMERIC(6, 3),
    "teacher"      BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "EmploymentAssignment_personID" ON "EmploymentAssignment" ("personID");
CREATE INDEX "EmploymentAssignment_schoolID" ON "EmploymentAssignment" ("schoolID");

-- EmploymentBackground
CREATE TABLE "EmploymentBackground" (
    "backgroundID"  INTEGER NOT NULL PRIMARY KEY,
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "checkType"     VARCHAR(20) NOT NULL,
    "requestedDate" DATE,
    "clearedDate"   DATE,
    "result"        VARCHAR(20),
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "EmploymentBackground_personID" ON "EmploymentBackground" ("personID");

-- EmploymentCredential
CREATE TABLE "EmploymentCredential" (
    "credentialID"   INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "credentialType" VARCHAR(30) NOT NULL,
    "number"         VARCHAR(30),
    "subject"        VARCHAR(60),
    "issuedDate"     DATE,
    "expiresDate"    DATE,
    "stateApproved"  BOOLEAN,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "EmploymentCredential_personID" ON "EmploymentCredential" ("personID");

-- Form
CREATE TABLE "Form" (
    "formID"        INTEGER NOT NULL PRIMARY KEY,
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "name"          VARCHAR(80) NOT NULL,
    "version"       SMALLINT,
    "completedDate" DATE,
    "content"       TEXT,
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "Form_personID" ON "Form" ("personID");

-- FRYSCGroupProgramKY
CREATE TABLE "FRYSCGroupProgramKY" (
    "groupProgramID" INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "name"           VARCHAR(60) NOT NULL,
    "component"      VARCHAR(40),
    "startDate"      DATE,
    "sessions"       SMALLINT,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "FRYSCGroupProgramKY_personID" ON "FRYSCGroupProgramKY" ("personID");

-- FRYSCGroupStatusKY
CREATE TABLE "FRYSCGroupStatusKY" (
    "groupStatusID"  INTEGER NOT NULL PRIMARY KEY,
    "groupProgramID" INTEGER NOT NULL REFERENCES "FRYSCGroupProgramKY" ("groupProgramID"),
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "status"         VARCHAR(20) NOT NULL,
    "statusDate"     DATE,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "FRYSCGroupStatusKY_groupProgramID" ON "FRYSCGroupStatusKY" ("groupProgramID");
CREATE INDEX "FRYSCGroupStatusKY_personID" ON "FRYSCGroupStatusKY" ("personID");

-- GiftedStatusKY
CREATE TABLE "GiftedStatusKY" (
    "giftedID"     INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "area"         VARCHAR(30) NOT NULL,
    "startDate"    DATE,
    "endDate"      DATE,
    "servicePlan"  BOOLEAN,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "GiftedStatusKY_personID" ON "GiftedStatusKY" ("personID");

-- HealthScreening
CREATE TABLE "HealthScreening" (
    "screeningID"   INTEGER NOT NULL PRIMARY KEY,
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "screeningType" VARCHAR(20) NOT NULL,
    "screeningDate" DATE,
    "result"        VARCHAR(20),
    "heightInches"  NUMERIC(6, 2),
    "weightPounds"  NUMERIC(6, 2),
    "examiner"      VARCHAR(60),
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "HealthScreening_personID" ON "HealthScreening" ("personID");

-- ImmCertificate
CREATE TABLE "ImmCertificate" (
    "certificateID" INTEGER NOT NULL PRIMARY KEY,
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "type"          VARCHAR(20) NOT NULL,
    "issuedDate"    DATE,
    "expiresDate"   DATE,
    "physician"     VARCHAR(60),
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "ImmCertificate_personID" ON "ImmCertificate" ("personID");

-- LEPKY
CREATE TABLE "LEPKY" (
    "lepID"          INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "status"         VARCHAR(20) NOT NULL,
    "identifiedDate" DATE,
    "exitDate"       DATE,
    "homeLanguage"   VARCHAR(20),
    "score"          NUMERIC(4, 1),
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "LEPKY_personID" ON "LEPKY" ("personID");

-- MedicaidInsurance
CREATE TABLE "MedicaidInsurance" (
    "insuranceID"    INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "medicaidNumber" VARCHAR(20),
    "startDate"      DATE,
    "endDate"        DATE,
    "consent"        BOOLEAN,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "MedicaidInsurance_personID" ON "MedicaidInsurance" ("personID");

-- NASIS
CREATE TABLE "NASIS" (
    "nasisID"           INTEGER NOT NULL PRIMARY KEY,
    "personID"          INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "tribeCode"         VARCHAR(10),
    "bloodQuantum"      NUMERIC(5, 4),
    "certificateNumber" VARCHAR(20),
    "verifiedDate"      DATE,
    "modifiedDate"      TIMESTAMP
);
CREATE INDEX "NASIS_personID" ON "NASIS" ("personID");

-- Plan
CREATE TABLE "Plan" (
    "planID"       INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "planType"     VARCHAR(20) NOT NULL,
    "startDate"    DATE NOT NULL,
    "endDate"      DATE,
    "caseManager"  VARCHAR(60),
    "locked"       BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate" TIMESTAMP,
    CHECK ("endDate" IS NULL OR "endDate" >= "startDate")
);
CREATE INDEX "Plan_personID" ON "Plan" ("personID");
CREATE TABLE "PlanGoal" (
    "goalID"       INTEGER NOT NULL PRIMARY KEY,
    "planID"       INTEGER NOT NULL REFERENCES "Plan" ("planID"),
    "sequence"     SMALLINT NOT NULL,
    "area"         VARCHAR(40),
    "goal"         TEXT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "PlanGoal_planID" ON "PlanGoal" ("planID");
CREATE TABLE "PlanService" (
    "planID"         INTEGER NOT NULL REFERENCES "Plan" ("planID"),
    "sequence"       SMALLINT NOT NULL,
    "service"        VARCHAR(40) NOT NULL,
    "minutesPerWeek" SMALLINT,
    "setting"        VARCHAR(20),
    "modifiedDate"   TIMESTAMP,
    PRIMARY KEY ("planID", "sequence")
);

-- PlanProgressReport
CREATE TABLE "PlanProgressReport" (
    "reportID"     INTEGER NOT NULL PRIMARY KEY,
    "planID"       INTEGER NOT NULL REFERENCES "Plan" ("planID"),
    "reportDate"   DATE NOT NULL,
    "progressCode" VARCHAR(6),
    "comments"     TEXT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "PlanProgressReport_planID" ON "PlanProgressReport" ("planID");

-- POSEligibility
-- Free and reduced meals.
CREATE TABLE "POSEligibility" (
    "eligibilityID"     INTEGER NOT NULL PRIMARY KEY,
    "personID"          INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "endYear"           SMALLINT NOT NULL,
    "eligibility"       CHAR(1),
    "source"            VARCHAR(20),
    "startDate"         DATE,
    "endDate"           DATE,
    "certificationDate" DATE,
    "modifiedDate"      TIMESTAMP,
    UNIQUE ("personID", "endYear", "startDate")
);

-- ProcessMessage
CREATE TABLE "ProcessMessage" (
    "messageID"    INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "process"      VARCHAR(40),
    "name"         VARCHAR(100),
    "postedDate"   TIMESTAMP NOT NULL,
    "dueDate"      DATE,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "ProcessMessage_personID" ON "ProcessMessage" ("personID");

-- ProgramParticipation
CREATE TABLE "ProgramParticipation" (
    "participationID" INTEGER NOT NULL PRIMARY KEY,
    "personID"        INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "programCode"     VARCHAR(15) NOT NULL,
    "programName"     VARCHAR(60),
    "startDate"       DATE,
    "endDate"         DATE,
    "eligibilityDate" DATE,
    "modifiedDate"    TIMESTAMP
);
CREATE INDEX "ProgramParticipation_personID" ON "ProgramParticipation" ("personID");

-- TEDSKY
CREATE TABLE "TEDSKY" (
    "tedsID"         INTEGER NOT NULL PRIMARY KEY,
    "personID"       INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "pathwayCode"    VARCHAR(12) NOT NULL,
    "objective"      VARCHAR(20),
    "credential"     VARCHAR(40),
    "completionDate" DATE,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "TEDSKY_personID" ON "TEDSKY" ("personID");

-- Test
-- A test may be part of another. "editNotAvailable" locks published scores against edits by districts.
CREATE TABLE "Test" (
    "testID"           INTEGER NOT NULL PRIMARY KEY,
    "parentID"         INTEGER REFERENCES "Test" ("testID"),
    "coordinatorID"    INTEGER REFERENCES "Person" ("personID"),
    "code"             VARCHAR(20) NOT NULL UNIQUE,
    "name"             VARCHAR(80) NOT NULL,
    "stateCode"        VARCHAR(20),
    "nationalCode"     VARCHAR(20),
    "published"        BOOLEAN DEFAULT FALSE,
    "editNotAvailable" BOOLEAN DEFAULT FALSE,
    "endYear"          SMALLINT,
    "modifiedDate"     TIMESTAMP
);
CREATE INDEX "Test_parentID" ON "Test" ("parentID");
CREATE TABLE "TestSection" (
    "sectionID"    INTEGER NOT NULL PRIMARY KEY,
    "testID"       INTEGER NOT NULL REFERENCES "Test" ("testID"),
    "name"         VARCHAR(60) NOT NULL,
    "sequence"     SMALLINT NOT NULL,
    "maxScore"     NUMERIC(6, 1),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "TestSection_testID" ON "TestSection" ("testID");

-- TestScore
-- The scores of a test's parts stand below a root-level score, which has no "parentScoreID".
CREATE TABLE "TestScore" (
    "scoreID"       INTEGER NOT NULL PRIMARY KEY,
    "parentScoreID" INTEGER REFERENCES "TestScore" ("scoreID"),
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "testID"        INTEGER NOT NULL REFERENCES "Test" ("testID"),
    "date"          DATE,
    "rawScore"      NUMERIC(8, 2),
    "scaleScore"    NUMERIC(8, 2),
    "percentile"    SMALLINT,
    "result"        VARCHAR(20),
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "TestScore_parentScoreID" ON "TestScore" ("parentScoreID");
CREATE INDEX "TestScore_personID" ON "TestScore" ("personID");
CREATE INDEX "TestScore_testID" ON "TestScore" ("testID");

-- Transportation
CREATE TABLE "Transportation" (
    "transportationID" INTEGER NOT NULL PRIMARY KEY,
    "personID"         INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "code"             VARCHAR(6),
    "startDate"        DATE,
    "endDate"          DATE,
    "inBus"            VARCHAR(15),
    "outBus"           VARCHAR(15),
    "milesTransported" NUMERIC(6, 2),
    "modifiedDate"     TIMESTAMP
);
CREATE INDEX "Transportation_personID" ON "Transportation" ("personID");

-- Truancy
CREATE TABLE "Truancy" (
    "truancyID"     INTEGER NOT NULL PRIMARY KEY,
    "calendarID"    INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "personID"      INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "truancyDate"   DATE NOT NULL,
    "unexcusedDays" NUMERIC(5, 1),
    "letterSent"    DATE,
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "Truancy_calendarID" ON "Truancy" ("calendarID");
CREATE INDEX "Truancy_personID" ON "Truancy" ("personID");

-- VaccineShot
CREATE TABLE "VaccineShot" (
    "shotID"       INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "vaccine"      VARCHAR(12) NOT NULL,
    "doseNumber"   SMALLINT NOT NULL,
    "shotDate"     DATE,
    "source"       VARCHAR(20),
    "exempt"       BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate" TIMESTAMP
);

-- Enrollment
-- "stateNote" is set once and then the state's own (state_owned of the catalog).
CREATE TABLE "Enrollment" (
    "enrollmentID"     INTEGER NOT NULL PRIMARY KEY,
    "personID"         INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "calendarID"       INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "structureID"      INTEGER NOT NULL REFERENCES "ScheduleStructure" ("structureID"),
    "structureGradeID" INTEGER NOT NULL REFERENCES "StructureGradeLevel" ("structureGradeID"),
    "endYear"          SMALLINT NOT NULL,
    "grade"            VARCHAR(8),
    "serviceType"      CHAR(1) DEFAULT 'P' NOT NULL,
    "startDate"        DATE NOT NULL,
    "startStatus"      VARCHAR(4),
    "endDate"          DATE,
    "endStatus"        VARCHAR(4),
    "residentDistrict" VARCHAR(10),
    "percentEnrolled"  SMALLINT,
    "stateExclude"     BOOLEAN DEFAULT FALSE NOT NULL,
    "stateNote"        VARCHAR(200),
    "modifiedDate"     TIMESTAMP,
    CHECK ("endDate" IS NULL OR "endDate" >= "startDate")
);
CREATE INDEX "Enrollment_personID" ON "Enrollment" ("personID");
CREATE INDEX "Enrollment_calendarID" ON "Enrollment" ("calendarID");
CREATE INDEX "Enrollment_structureGradeID" ON "Enrollment" ("structureGradeID");

-- AttDayAggregation
-- Aggregated attendance: what the district's nightly job makes of the day's marks.
CREATE TABLE "AttDayAggregation" (
    "aggregationID"  INTEGER NOT NULL PRIMARY KEY,
    "calendarID"     INTEGER NOT NULL REFERENCES "Calendar" ("calendarID"),
    "enrollmentID"   INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "date"           DATE NOT NULL,
    "absentMinutes"  SMALLINT,
    "presentMinutes" SMALLINT,
    "dayFraction"    NUMERIC(4, 3),
    "excused"        BOOLEAN,
    "modifiedDate"   TIMESTAMP,
    UNIQUE ("enrollmentID", "date")
);
CREATE INDEX "AttDayAggregation_enrollmentID" ON "AttDayAggregation" ("enrollmentID");

-- TeamMember
CREATE TABLE "TeamMember" (
    "memberID"     INTEGER NOT NULL PRIMARY KEY,
    "personID"     INTEGER NOT NULL REFERENCES "Person" ("personID"),
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "firstName"    VARCHAR(60),
    "lastName"     VARCHAR(80),
    "role"         VARCHAR(40),
    "startDate"    DATE,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "TeamMember_personID" ON "TeamMember" ("personID");
CREATE INDEX "TeamMember_enrollmentID" ON "TeamMember" ("enrollmentID");

-- AttendanceBIEAbsentDays
CREATE TABLE "AttendanceBIEAbsentDays" (
    "absentDaysID" INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "month"        SMALLINT NOT NULL,
    "absentDays"   NUMERIC(5, 2),
    "presentDays"  NUMERIC(5, 2),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "AttendanceBIEAbsentDays_enrollmentID" ON "AttendanceBIEAbsentDays" ("enrollmentID");

-- AttendanceExactCount
CREATE TABLE "AttendanceExactCount" (
    "exactCountID"     INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID"     INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "countDate"        DATE NOT NULL,
    "minutesPresent"   SMALLINT,
    "minutesScheduled" SMALLINT,
    "modifiedDate"     TIMESTAMP,
    UNIQUE ("enrollmentID", "countDate")
);

-- AttendanceGroupKY
CREATE TABLE "AttendanceGroupKY" (
    "groupID"      INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "groupCode"    VARCHAR(6) NOT NULL,
    "startDate"    DATE,
    "endDate"      DATE,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "AttendanceGroupKY_enrollmentID" ON "AttendanceGroupKY" ("enrollmentID");

-- AttendanceKYMinute
CREATE TABLE "AttendanceKYMinute" (
    "minuteID"      INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID"  INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "date"          DATE NOT NULL,
    "minutesAbsent" SMALLINT,
    "code"          VARCHAR(6),
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "AttendanceKYMinute_enrollmentID" ON "AttendanceKYMinute" ("enrollmentID");

-- AttendanceSDMinute
CREATE TABLE "AttendanceSDMinute" (
    "minuteID"        INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID"    INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "month"           SMALLINT NOT NULL,
    "minutesAttended" INTEGER,
    "minutesPossible" INTEGER,
    "modifiedDate"    TIMESTAMP
);
CREATE INDEX "AttendanceSDMinute_enrollmentID" ON "AttendanceSDMinute" ("enrollmentID");

-- CustomStudent
CREATE TABLE "CustomStudent" (
    "customID"     INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "attribute"    VARCHAR(40) NOT NULL,
    "value"        VARCHAR(250),
    "changedDate"  DATE,
    "modifiedDate" TIMESTAMP,
    UNIQUE ("enrollmentID", "attribute")
);

-- ESSKY
CREATE TABLE "ESSKY" (
    "essID"        INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "subject"      VARCHAR(20) NOT NULL,
    "sessionType"  VARCHAR(12),
    "hours"        NUMERIC(6, 2),
    "outcome"      VARCHAR(20),
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "ESSKY_enrollmentID" ON "ESSKY" ("enrollmentID");

-- Evaluation
CREATE TABLE "Evaluation" (
    "evaluationID"   INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID"   INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "evaluationType" VARCHAR(30) NOT NULL,
    "referralDate"   DATE,
    "consentDate"    DATE,
    "completedDate"  DATE,
    "eligible"       BOOLEAN,
    "modifiedDate"   TIMESTAMP
);
CREATE INDEX "Evaluation_enrollmentID" ON "Evaluation" ("enrollmentID");

-- FRYSCStatusKY
CREATE TABLE "FRYSCStatusKY" (
    "statusID"     INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "component"    VARCHAR(40) NOT NULL,
    "referralDate" DATE,
    "serviceLevel" SMALLINT,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "FRYSCStatusKY_enrollmentID" ON "FRYSCStatusKY" ("enrollmentID");

-- Graduation
CREATE TABLE "Graduation" (
    "graduationID" INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "cohortYear"   SMALLINT,
    "diplomaType"  VARCHAR(12),
    "diplomaDate"  DATE,
    "postGradPlan" VARCHAR(12),
    "modifiedDate" TIMESTAMP,
    UNIQUE ("enrollmentID")
);

-- PreSchoolKY
CREATE TABLE "PreSchoolKY" (
    "preSchoolID"   INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID"  INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "setting"       VARCHAR(20) NOT NULL,
    "fundingSource" VARCHAR(20),
    "daysPerWeek"   SMALLINT,
    "modifiedDate"  TIMESTAMP
);
CREATE INDEX "PreSchoolKY_enrollmentID" ON "PreSchoolKY" ("enrollmentID");

-- Roster
-- "sectionID" has no foreign key: the documents do not make Roster depend on CourseSection.
CREATE TABLE "Roster" (
    "rosterID"     INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "sectionID"    INTEGER NOT NULL,
    "startDate"    DATE,
    "endDate"      DATE,
    "repeatCourse" BOOLEAN DEFAULT FALSE NOT NULL,
    "modifiedDate" TIMESTAMP,
    UNIQUE ("enrollmentID", "sectionID")
);
CREATE INDEX "Roster_enrollmentID" ON "Roster" ("enrollmentID");
CREATE INDEX "Roster_sectionID" ON "Roster" ("sectionID");

-- Title1KY
CREATE TABLE "Title1KY" (
    "title1ID"     INTEGER NOT NULL PRIMARY KEY,
    "enrollmentID" INTEGER NOT NULL REFERENCES "Enrollment" ("enrollmentID"),
    "program"      VARCHAR(20) NOT NULL,
    "service"      VARCHAR(20),
    "startDate"    DATE,
    "modifiedDate" TIMESTAMP
);
CREATE INDEX "Title1KY_enrollmentID" ON "Title1KY" ("enrollmentID");

-- PersonIdentityNoStateIDOnly
-- Students whom the state has not given an ID yet.
CREATE TABLE "PersonNoStateID" (
    "personID"      INTEGER NOT NULL PRIMARY KEY,
    "studentNumber" VARCHAR(15) UNIQUE,
    "lastName"      VARCHAR(80),
    "firstName"     VARCHAR(60),
    "gender"        CHAR(1),
    "birthdate"     DATE,
    "requestedDate" DATE,
    "modifiedDate"  TIMESTAMP
);

-- CourseCode
CREATE TABLE "CourseCode" (
    "code"         VARCHAR(20) NOT NULL PRIMARY KEY,
    "name"         VARCHAR(80) NOT NULL,
    "subject"      VARCHAR(40),
    "credits"      NUMERIC(4, 2),
    "level"        CHAR(1),
    "active"       BOOLEAN DEFAULT TRUE NOT NULL,
    "modifiedDate" TIMESTAMP
);

-- ISEPResidentialCertification
CREATE TABLE "ISEPResidentialCertification" (
    "certificationID" INTEGER NOT NULL PRIMARY KEY,
    "dormitory"       VARCHAR(60) NOT NULL,
    "endYear"         SMALLINT NOT NULL,
    "certifiedDate"   DATE,
    "certifiedBy"     VARCHAR(60),
    "residents"       SMALLINT,
    "modifiedDate"    TIMESTAMP
);

-- ISEPResidentialVerification
CREATE TABLE "ISEPResidentialVerification" (
    "verificationID" INTEGER NOT NULL PRIMARY KEY,
    "dormitory"      VARCHAR(60) NOT NULL,
    "weekStart"      DATE NOT NULL,
    "nightsPresent"  SMALLINT,
    "verifiedBy"     VARCHAR(60),
    "modifiedDate"   TIMESTAMP
);
