"""Write everything that is made of something else anew: python -m tests.golden, or `make generate`.

The golden mails and their gallery, the page and the number of the rules, what coverage.csv says of them, the JSON
Schemas, the drawings of the rooms, the alarms on the page for operators, the table of what an audit tells, those of
what comes live, the numbers of the README. Read what git says has changed.
"""

import tests.conftest  # noqa: F401 (rules/local/ is left out)
from tests.audit.page import write_page as write_audit_page
from tests.golden.live_page import write_page as write_live_page
from tests.golden.mails import write_all
from tests.golden.numbers import write_page as write_numbers
from tests.golden.rules_page import write_page
from tests.golden.schemas import write_schemas
from tests.rules.test_coverage import rewrite
from tools import alarms, exit_statuses, rooms


if __name__ == "__main__":
    rewrite()
    write_schemas()
    rooms.main()
    alarms.main()
    exit_statuses.main()
    write_all()
    write_page()
    write_live_page()
    write_audit_page()
    write_numbers()
