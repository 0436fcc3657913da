# Before the handlers' own imports, which it is there for.
from trailbell.handlers import cold_start as cold_start
