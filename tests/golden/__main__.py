"""Write the golden mails and the gallery anew: python -m tests.golden. Read what git says has changed."""

from tests.golden.mails import write_all


if __name__ == "__main__":
    write_all()
