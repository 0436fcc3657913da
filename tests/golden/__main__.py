"""Write the golden mails, their gallery and the page of the rules anew: python -m tests.golden.

Read what git says has changed.
"""

from tests.golden.mails import write_all
from tests.golden.rules_page import write_page


if __name__ == "__main__":
    write_all()
    write_page()
