"""The laws that every transform keeps, for your own transforms too: ``vicinal.check(MyTransform)``.

A law is a property, not a number: it runs over many instances of a transform (its example, every choice of every option, parameters
drawn to their neutral value), over sizes, dtypes, channels and batches. Class facts decide which laws apply; there is no list of
exceptions. ``LAWS`` maps the name of each law to the function that tests it.
"""

from vicinal.testing.check import LAWS, LawBroken, Report, check

__all__ = ["LAWS", "LawBroken", "Report", "check"]
