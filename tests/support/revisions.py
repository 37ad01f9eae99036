"""Rows of a control database, by plain SQL as each of its revisions has them."""

_BATCH = """INSERT INTO "DISBatch" ("batchID", "requestID", "districtNumber", "schoolYear", initiator, "requestedBy",
    reason, status, attempts, "requestedAt", "cancelRequested", "cancelledBy", message, agent, "stageLeft"{more})
    VALUES (7, 3, '01', 2026, 'district', 'jdoe', '', 'completed', 1, '2025-11-20 04:12:00', false, '', '', '',
    false{values})"""
_HISTORY = """INSERT INTO "DISBatchHistory" ("batchID", sequence, "objectName", "districtNumber", "schoolYear", wave,
    marked, "requiredBy", status, phase, "startedAt", "finishedAt", read, processed, errors, inserted, updated,
    unchanged, excluded, rejected, blocked, extra, message{more})
    VALUES (7, 1, 'School', '01', 2026, 1, 'selected', '[]', 'completed', '', '2025-11-20 04:13:00',
    '2025-11-20 04:14:00', 194, 194, 11, 0, 3, 180, 11, 0, 0, 0, ''{values})"""
_REST = (
    """INSERT INTO "DISBatchErrorCount" ("batchID", "objectName", "tableName", kind, reason, records)
    VALUES (7, 'School', 'School', 'excluded', 'name is too long', 11)""",
    """INSERT INTO "DISBatchError" ("batchID", number, "objectName", "tableName", key, kind, reason)
    VALUES (7, 1, 'School', 'School', '{"schoolID": 5}', 'excluded', 'name is too long')""",
    """INSERT INTO "ProcessAlert" ("alertID", process, name, message, "postedAt", audience, "batchID", "isRead",
    "isDeleted") VALUES (5, 'Vertical Interoperability', 'x', '', '2025-11-20 04:14:00', 'state', 7, false, false)""",
)


ROWS = {
    "0001": (_BATCH.format(more="", values=""), _HISTORY.format(more="", values=""), *_REST),
    "0002": (
        _BATCH.format(
            more=", purpose, color, processed, errors, updated, unchanged, excluded",
            values=", 'resync', 'red', 194, 11, 3, 180, 11",
        ),
        _HISTORY.format(more=", removed", values=", 0"),
        *_REST,
    ),
}
ROWS["0003"] = (
    *ROWS["0002"][:-1],
    """INSERT INTO "ProcessAlert" ("alertID", process, name, message, "postedAt", audience, "batchID")
    VALUES (5, 'Vertical Interoperability', 'x', '', '2025-11-20 04:14:00', 'state', 7)""",
)
ROWS |= {f"{number:04}": ROWS["0003"] for number in range(4, 16)}
"""A batch and its history, as each revision would keep them; a revision that is added adds its own."""
